# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils._exchange import (
    csv_form,
    importing,
    json_form,
    modoboa,
    postfixadmin,
)
from ansible_collections.reseller.mail.plugins.module_utils._exchange.document import Draft
from ansible_collections.reseller.mail.plugins.module_utils._exchange.things import (
    ZERO_MEANS,
    Choice,
)
from ansible_collections.reseller.mail.plugins.module_utils._load import read_files
from ansible_collections.reseller.mail.plugins.plugin_utils import _exchange, _files, _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import NO_ESTATE

SUFFIXES = {"csv": ".csv", "json": ".json", "modoboa": ".csv", "postfixadmin": ".sql"}


class ActionModule(ControllerAction):
    """Runs on the controller: writes the estate's files from other people's data, or says why not."""

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
        if not args["estate"]:
            raise AnsibleActionFail(NO_ESTATE)
        estate = Path(args["estate"])
        there, found = read_files(str(estate)) if estate.is_dir() else ({}, [])
        draft = _draft(args, there)
        outcome = importing.result(there, found, draft, args["existing"])
        for lost in draft.lost:
            _terminal.say(f"not carried over: {lost}")
        for line in (*outcome.errors, *outcome.faults):
            _terminal.say(str(line))
        result: dict[str, t.Any] = {"changed": False, "estate": os.path.abspath(estate)}
        if not outcome.errors:
            result["diff"] = [
                _files.diff(path, there.get(path), content)
                for path, content in sorted(outcome.files.items())
            ]
        if outcome.errors or (outcome.faults and not args["write_faulty"]):
            wrong = outcome.errors or outcome.faults
            kind = "error" if outcome.errors else "fault"
            hint = (
                ""
                if outcome.errors
                else "; correct the source, or the estate, or write all the same with write_faulty"
            )
            # Not raised: with an exception Ansible prints the message twice, and the place in the playbook, which is innocent.
            return {
                **result,
                "failed": True,
                "msg": f"nothing was written: {len(wrong)} {kind}{'s' * (len(wrong) != 1)}, named above{hint}",
            }
        if not self._task.check_mode:
            _files.write({estate / path: content for path, content in outcome.files.items()})
        for path in sorted(outcome.files):
            _terminal.say(
                f"{'would write' if self._task.check_mode else 'wrote'} {'again ' if path in there else ''}{path}"
            )
        parts = [
            f"{len(outcome.files)} written",
            f"{len(outcome.same)} unchanged",
            f"{len(draft.lost)} not carried over",
            f"{len(outcome.faults)} faults",
        ]
        _terminal.say(f"The estate {os.path.abspath(estate)}: {', '.join(parts)}.")
        return {
            **result,
            "changed": bool(outcome.files),
            "written": sorted(outcome.files),
            "unchanged": outcome.same,
            "lost": [dataclasses.asdict(lost) for lost in draft.lost],
            "faults": [_told(placed) for placed in outcome.faults],
        }


def _draft(args: dict[str, t.Any], there: t.Mapping[str, bytes]) -> Draft:
    files = _exchange.sources(args["src"], SUFFIXES[args["form"]])
    if args["form"] == "csv":
        return csv_form.read(files)
    if args["form"] == "json":
        if len(files) != 1:
            raise AnsibleActionFail(
                f"an export in JSON is one file; these are {len(files)}: {', '.join(files)}"
            )
        return json_form.read(*next(iter(files.items())))
    for name, names in args["tenants"].items():
        if not isinstance(names, list):
            raise AnsibleActionFail(f"tenants: {name} has no list of domains")
    known = frozenset(path.split("/")[1] for path in there if path.endswith("/account.yml"))
    choice = Choice(
        args["tenant"], args["tenants"], args["account"], args["zero_means"], args["secrets"], known
    )
    read = modoboa.read if args["form"] == "modoboa" else postfixadmin.read
    return read(files, choice)


def _told(placed: importing.Placed) -> dict[str, t.Any]:
    at = placed.fault.position
    told = {
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "id": placed.fault.id,
        "what": placed.fault.what,
        "allowed": placed.fault.allowed,
    }
    return {"source": placed.source, **told}
