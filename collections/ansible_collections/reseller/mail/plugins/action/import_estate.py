# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    files as controller_files,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    import_sources,
    terminal,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import NO_ESTATE
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange import (
    csv_form,
    importing,
    json_form,
    modoboa,
    postfixadmin,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange.document import Draft
from ansible_collections.reseller.mail.plugins.plugin_utils._exchange.panel_objects import (
    ZERO_MEANS,
    Choice,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import read_files

SUFFIXES = {"csv": ".csv", "json": ".json", "modoboa": ".csv", "postfixadmin": ".sql"}


class ActionModule(ControllerAction):
    """Write the estate's files from an export or from the data of another panel."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "form": {"type": "str", "choices": list(SUFFIXES), "required": True},
        "src": {"type": "list", "elements": "path", "required": True},
        "existing": {"type": "str", "choices": list(importing.EXISTING), "default": "refuse"},
        "write_faulty": {"type": "bool", "default": False},
        "tenant": {"type": "str", "default": ""},
        "tenants": {"type": "dict", "default": {}},
        "account": {"type": "dict", "default": {}},
        "zero_means": {"type": "str", "choices": list(ZERO_MEANS), "default": "unlimited"},
        "secrets": {"type": "bool", "default": True},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Import the source and write the files; write nothing on an error or a fault."""
        if not args["estate"]:
            raise AnsibleActionFail(NO_ESTATE)
        estate = Path(args["estate"])
        there, found = read_files(str(estate)) if estate.is_dir() else ({}, [])
        draft = _draft(args, there)
        outcome = importing.result(there, found, draft, args["existing"])
        for lost in draft.lost:
            terminal.say(f"not imported: {lost}")
        for line in (*outcome.errors, *outcome.faults):
            terminal.say(str(line))
        result: dict[str, t.Any] = {"changed": False, "estate": os.path.abspath(estate)}
        if not outcome.errors:
            result["diff"] = [
                controller_files.diff(path, there.get(path), content)
                for path, content in sorted(outcome.files.items())
            ]
        if outcome.errors or (outcome.faults and not args["write_faulty"]):
            # Not an exception: with one Ansible prints the message twice, and a place in the
            # playbook, which is not the cause.
            return {**result, "failed": True, "msg": _failure(outcome)}
        self._write(estate, there, outcome)
        terminal.say(
            f"The estate {os.path.abspath(estate)}: {len(outcome.files)} written,"
            f" {len(outcome.same)} unchanged, {len(draft.lost)} not imported,"
            f" {len(outcome.faults)} faults."
        )
        return {
            **result,
            "changed": bool(outcome.files),
            "written": sorted(outcome.files),
            "unchanged": outcome.same,
            "lost": [dataclasses.asdict(lost) for lost in draft.lost],
            "faults": [_fault_data(placed) for placed in outcome.faults],
        }

    def _write(self, estate: Path, there: t.Mapping[str, bytes], outcome: importing.Result) -> None:
        """Write the files, not in check mode, and print their names."""
        if not self._task.check_mode:
            controller_files.write(
                {estate / path: content for path, content in outcome.files.items()}
            )
        done = "would write" if self._task.check_mode else "wrote"
        for path in sorted(outcome.files):
            terminal.say(f"{done} {'again ' if path in there else ''}{path}")


def _failure(outcome: importing.Result) -> str:
    """Return why nothing was written, and what to do."""
    wrong, kind, hint = outcome.errors, "error", ""
    if not outcome.errors:
        wrong, kind = [str(fault) for fault in outcome.faults], "fault"
        hint = "; correct the source or the estate, or write the files anyway with write_faulty"
    return f"nothing was written: {len(wrong)} {kind}{'s' * (len(wrong) != 1)}, named above{hint}"


def _draft(args: dict[str, t.Any], there: t.Mapping[str, bytes]) -> Draft:
    """Read the source in its form, and return what it has."""
    files = import_sources.sources(args["src"], SUFFIXES[args["form"]])
    if args["form"] == "csv":
        return csv_form.read(files)
    if args["form"] == "json":
        if len(files) != 1:
            raise AnsibleActionFail(
                f"an export in JSON is one file; src has {len(files)}: {', '.join(files)}"
            )
        return json_form.read(*next(iter(files.items())))
    for name, names in args["tenants"].items():
        if not isinstance(names, list):
            raise AnsibleActionFail(
                f"tenants: {name} has no list of domains; allowed: {name}: [acme.example]"
            )
    known = frozenset(path.split("/")[1] for path in there if path.endswith("/account.yml"))
    choice = Choice(
        args["tenant"], args["tenants"], args["account"], args["zero_means"], args["secrets"], known
    )
    read = modoboa.read if args["form"] == "modoboa" else postfixadmin.read
    return read(files, choice)


def _fault_data(placed: importing.Placed) -> dict[str, t.Any]:
    """Return a fault with its row as data."""
    at = placed.fault.position
    return {
        "source": placed.source,
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "id": placed.fault.id,
        "what": placed.fault.what,
        "allowed": placed.fault.allowed,
    }
