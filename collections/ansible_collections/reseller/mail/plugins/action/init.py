# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import shlex
import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    collection_files,
    files,
    new_folder,
    terminal,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._starter import answers, layout

_HINT = "; write the answers into a file such as answers.yml, and give it with -e @answers.yml"


class ActionModule(ControllerAction):
    """Write the files of a new estate, from a few answers."""

    ARGUMENTS = {
        **{question.option: {"type": "str"} for question in answers.QUESTIONS},
        "dir": {"type": "path"},
        "nodes": {"type": "raw"},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write the files; write nothing if an answer is missing or wrong, or if one exists."""
        found, wrong = answers.read({**args, **_asked(args)})
        if found is None:
            return _failed(
                wrong, "answer is missing or wrong", "answers are missing or wrong", _HINT
            )
        wanted = layout.files(found, collection_files.shipped())
        prefix = f"{layout.ESTATE}/"
        _estate, faults = build(
            {
                path.removeprefix(prefix): text.encode()
                for path, text in wanted.items()
                if path.startswith(prefix)
            }
        )
        if faults:
            return _failed(
                [f"{prefix}{fault}" for fault in faults], "answer is wrong", "answers are wrong"
            )
        folder = Path(found.dir).expanduser().absolute()
        there = new_folder.existing(folder, wanted, (layout.ESTATE, layout.INVENTORY))
        if there:
            return _failed(
                [f"{folder / path} exists" for path in there],
                "file or folder exists already",
                "files or folders exist already",
            )
        return self._write(folder, wanted)

    def _write(self, folder: Path, wanted: t.Mapping[str, str]) -> dict[str, t.Any]:
        """Write the files, not in check mode, and print what to do next."""
        if not self._task.check_mode:
            new_folder.write(folder, {path: text.encode() for path, text in wanted.items()})
        done = "would write" if self._task.check_mode else "wrote"
        terminal.say(f"{done} {len(wanted)} files in {folder}:")
        for path in wanted:
            terminal.say(f"  {path}")
        if not self._task.check_mode:
            terminal.say(
                f"Next: cd {shlex.quote(str(folder))} && ansible-playbook reseller.mail.validate"
            )
        return {
            "changed": True,
            "dir": str(folder),
            "files": list(wanted),
            "diff": [
                files.diff(str(folder / path), None, text.encode()) for path, text in wanted.items()
            ],
        }


def _asked(given: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Ask the person at the terminal for each missing answer, until it is accepted.

    Return nothing if standard input is no terminal: then all missing answers are named at once.
    """
    found: dict[str, str] = {}
    for question in answers.missing(given):
        answer = _answer(question, {**given, **found})
        if answer is None:
            break
        found[question.option] = answer
    return found


def _answer(question: answers.Question, given: t.Mapping[str, t.Any]) -> t.Optional[str]:
    """Return an answer that is accepted, None if there is no terminal."""
    wrong = [f"{question.variable}: {question.text}. Example: {question.example}"]
    answer: t.Optional[str] = ""
    while wrong and answer is not None:
        for line in wrong[:-1]:
            terminal.say(line)
        answer = terminal.ask(wrong[-1])
        wrong = answers.faults_of(question, answer or "", given)
    return answer


def _failed(lines: t.Sequence[str], one: str, many: str, hint: str = "") -> dict[str, t.Any]:
    """Print each line, and return a result that says that nothing was written.

    Not an exception: with one Ansible prints the message twice, and a place in the playbook, which
    is not the cause.
    """
    for line in lines:
        terminal.say(line)
    number = f"1 {one}" if len(lines) == 1 else f"{len(lines)} {many}"
    return {
        "changed": False,
        "failed": True,
        "msg": f"nothing was written: {number}, named above{hint}",
    }
