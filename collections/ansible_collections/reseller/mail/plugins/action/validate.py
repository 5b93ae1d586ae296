# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils import _fault_reports, _fault_text
from ansible_collections.reseller.mail.plugins.module_utils._effects import without_effect
from ansible_collections.reseller.mail.plugins.module_utils._load import load, read_files
from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import folder
from ansible_collections.reseller.mail.plugins.plugin_utils._files import update

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate

FAULTS_PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


class ActionModule(ControllerAction):
    """Judges an estate on the controller."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "output": {"type": "str", "choices": ["text", *_fault_reports.FORMS], "default": "text"},
        "dest": {"type": "path"},
        "root": {"type": "path"},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Tells every fault and fails, or counts what there is."""
        directory = folder(args["estate"])
        sources = _fault_text.Sources({}, _prefix(directory, args["root"]))
        estate, faults = load(directory)
        counts = _counts(estate) if estate else None
        if faults:
            sources = _fault_text.Sources(read_files(directory)[0], sources.prefix)
        idle = without_effect(estate) if estate else []
        report = _fault_reports.Report(
            faults, sources, counts, idle, _help() if args["output"] == "sarif" else {}
        )
        result: dict[str, t.Any] = {
            "changed": self._tell(report, args["output"], args["dest"]),
            "estate": directory,
        }
        if counts is not None:
            summary = ", ".join(
                f"{key.replace('_', ' ')} {number}" for key, number in counts.items()
            )
            _terminal.say(f"The estate {directory} is without fault: {summary}.")
            if idle:
                _terminal.say(_fault_text.idle(idle, _terminal.width()))
            return {
                **result,
                "counts": counts,
                "without_effect": [{"key": key, "times": times} for key, times in idle],
            }
        where = (
            f"the report lies in {os.path.abspath(args['dest'])}"
            if args["dest"] and args["output"] != "text"
            else "each is named above"
        )
        # Not raised: with an exception Ansible prints the message twice, and the place in the playbook, which is innocent.
        return {
            **result,
            "failed": True,
            "msg": f"the estate {directory} has {_fault_text.counted(faults)}; {where}",
        }

    def _tell(self, report: _fault_reports.Report, output: str, dest: t.Optional[str]) -> bool:
        """Prints the report, for people where a file is for the programs; writes the file. Whether that changed it."""
        if output != "text" and not dest:
            _terminal.command(_fault_reports.FORMS[output](report).rstrip("\n"))
        elif report.faults:
            _terminal.tell(
                lambda color: _fault_text.text(
                    report.faults, report.sources, _terminal.width(), color=color
                )
            )
        if not dest:
            return False
        text = (
            f"{_fault_text.text(report.faults, report.sources, _terminal.width())}\n"
            if output == "text"
            else _fault_reports.FORMS[output](report)
        )
        return update(Path(dest), text.encode(), self._task.check_mode)


def _prefix(directory: str, root: t.Optional[str]) -> str:
    """The estate's path below the folder that all paths in reports are relative to."""
    if root is None:
        root = next(
            (
                str(folder)
                for folder in (Path(directory), *Path(directory).parents)
                if (folder / ".git").exists()
            ),
            directory,
        )
    prefix = os.path.relpath(directory, os.path.abspath(root))
    if prefix.split(os.sep, maxsplit=1)[0] == os.pardir:
        raise AnsibleActionFail(
            f"the estate {directory} does not lie below {os.path.abspath(root)}, which paths shall be relative to"
        )
    return prefix


def _help() -> dict[str, str]:
    return (
        _fault_reports.sections(FAULTS_PAGE.read_text(encoding="utf-8"))
        if FAULTS_PAGE.exists()
        else {}
    )


def _counts(estate: Estate) -> dict[str, int]:
    domains = [domain for tenant in estate.tenants for domain in tenant.domains]
    return {
        "nodes": len(estate.nodes),
        "plans": len(estate.plans),
        "tenants": len(estate.tenants),
        "domains": len(domains),
        "domain_aliases": sum(len(domain.domain_aliases) for domain in domains),
        "mailboxes": sum(len(domain.mailboxes) for domain in domains),
        "aliases": sum(len(domain.aliases) for domain in domains),
        "sender_addresses": sum(len(domain.sender_addresses) for domain in domains),
    }
