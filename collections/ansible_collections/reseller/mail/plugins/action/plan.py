# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.utils.color import stringc
from ansible_collections.reseller.mail.plugins.plugin_utils._change import summary
from ansible_collections.reseller.mail.plugins.plugin_utils._change.data import data
from ansible_collections.reseller.mail.plugins.plugin_utils._change.markdown import markdown
from ansible_collections.reseller.mail.plugins.plugin_utils._change.revision import Revision
from ansible_collections.reseller.mail.plugins.plugin_utils._change.text import headline, text
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import revision, terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import folder
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.files import update
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.git import (
    GitError,
    Repository,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.printable import json_text
from ansible_collections.reseller.mail.plugins.plugin_utils._report import fault_text

COLORS = {"+": "green", "-": "red", "~": "yellow", "!": "bright red"}
FEW = 3
"""So many faults are shown with their lines. Of more, each has one line."""


class ActionModule(ControllerAction):
    """Compare two revisions of an estate on the controller."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "before": {"type": "path"},
        "before_revision": {"type": "str"},
        "after_revision": {"type": "str"},
        "merge": {"type": "bool", "default": False},
        "actor": {"type": "str"},
        "actor_groups": {"type": "list", "elements": "str", "default": []},
        "approvers": {"type": "list", "elements": "str", "default": []},
        "deletions_accepted": {"type": "int", "default": 0},
        "markdown": {"type": "path"},
        "json": {"type": "path"},
    }
    RULES = {
        "mutually_exclusive": [("before", "before_revision")],
        "required_one_of": [("before", "before_revision")],
        "required_by": {"after_revision": "before_revision"},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Print the change summary and write its files; fail if the change is refused."""
        if args["merge"] and not args["after_revision"]:
            raise AnsibleActionFail(
                "merge needs before_revision and after_revision: it shows the result of merging one"
                " into the other"
            )
        # If a pipeline leaves the identity empty by mistake, the rights must not remain unchecked.
        if args["actor"] is not None and not args["actor"].strip():
            raise AnsibleActionFail(
                "the actor is empty: give the identity that the forge reports, or leave actor out"
            )
        before, after = self._revisions(args)
        who = (
            summary.Actor(args["actor"], tuple(args["actor_groups"]), tuple(args["approvers"]))
            if args["actor"]
            else None
        )
        change = summary.compare(before, after, who, args["deletions_accepted"])
        terminal.tell(lambda color: _output(change, after, color))
        texts = {args["markdown"]: markdown(change), args["json"]: json_text(data(change))}
        written = [
            update(Path(dest), content.encode(), self._task.check_mode)
            for dest, content in texts.items()
            if dest
        ]
        if not change.refused:
            return {"changed": any(written), "plan": data(change)}
        # Not an exception: with one Ansible prints the message twice, and a place in the playbook,
        # which is not the cause. Without the data: Ansible prints every value of a failed task.
        return {"changed": any(written), "failed": True, "msg": _refusal(change)}

    def _revisions(self, args: dict[str, t.Any]) -> tuple[Revision, Revision]:
        """Return the revisions before and after the change."""
        estate = folder(args["estate"])
        if args["before"]:
            before = folder(args["before"], "estate before")
            return revision.of_folder(before), revision.of_folder(estate)
        repository = Repository(estate)
        before_name, after_name = args["before_revision"], args["after_revision"]
        try:
            ours = repository.commit(before_name)
            if after_name is None:
                return (
                    revision.of_commit(repository, ours, before_name, bare=True),
                    revision.of_working_tree(repository, estate),
                )
            theirs = repository.commit(after_name)
            tree = repository.merged(ours, theirs) if args["merge"] else ""
            return (
                revision.of_commit(repository, ours, before_name),
                revision.of_commit(repository, theirs, after_name, tree),
            )
        except GitError as error:
            raise AnsibleActionFail(str(error)) from None


def _output(change: summary.ChangeSummary, after: Revision, color: bool) -> str:
    """Return what is printed: the faults of the files, then the summary."""
    printed = text(change, _painted) if color else text(change)
    if not change.faults:
        return printed
    sources = fault_text.Sources(after.files, after.prefix)
    faults = (
        fault_text.text(change.faults, sources, terminal.width(), color=color)
        if len(change.faults) <= FEW
        else fault_text.brief(change.faults, sources, color=color)
    )
    return f"{faults}\n\n{printed}"


def _painted(sign: str, words: str) -> str:
    """Return a line in the colour of its sign."""
    return str(stringc(words, COLORS[sign])) if sign in COLORS else words


def _refusal(change: summary.ChangeSummary) -> str:
    """Return why the change is refused."""
    if change.faults:
        return f"{headline(change)}; each is named above"
    reasons = [change.deletions] if change.deletions else []
    if change.refusals:
        number = "1 edit is" if len(change.refusals) == 1 else f"{len(change.refusals)} edits are"
        reasons.insert(0, f"{number} not allowed to {change.actor}; each is named above")
    if change.unmoved:
        tenants = ", ".join(fault.position.file.split("/")[1] for fault in change.unmoved)
        reasons.append(
            f"the mail of {tenants} has to be moved first, by ansible-playbook reseller.mail.move;"
            " each is named above"
        )
    return ". ".join(reasons)
