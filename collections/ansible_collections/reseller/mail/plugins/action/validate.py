# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import folder
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.files import update
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.warnings import warnings
from ansible_collections.reseller.mail.plugins.plugin_utils._language.source_line import redacted
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load, read_files
from ansible_collections.reseller.mail.plugins.plugin_utils._report import fault_formats, fault_text

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate

FAULTS_PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


class ActionModule(ControllerAction):
    """Validates an estate on the controller."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "output": {"type": "str", "choices": ["text", *fault_formats.FORMS], "default": "text"},
        "dest": {"type": "path"},
        "root": {"type": "path"},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Report all faults and return a failure, or return the counts of the estate."""
        directory = folder(args["estate"])
        sources = fault_text.Sources({}, _prefix(directory, args["root"]))
        estate, faults = load(directory)
        counts = _counts(estate) if estate else None
        if faults:
            sources = fault_text.Sources(read_files(directory)[0], sources.prefix)
        idle = estate.unused_keys if estate else ()
        doubtful = warnings(estate) if estate else []
        report = fault_formats.Report(
            faults, sources, counts, idle, _help() if args["output"] == "sarif" else {}, doubtful
        )
        result: dict[str, t.Any] = {
            "changed": self._publish(report, args["output"], args["dest"]),
            "estate": directory,
        }
        if counts is not None:
            summary = ", ".join(
                f"{key.replace('_', ' ')} {number}" for key, number in counts.items()
            )
            terminal.say(f"The estate {directory} has no fault: {summary}.")
            for warning in doubtful:
                at = warning.position
                place = f"{sources.path(at)}:{at.line}:{at.column}"
                terminal.warn(f"{place}: {warning.id}: {redacted(warning.what)}")
            if idle:
                terminal.say(fault_text.idle(idle, terminal.width()))
            return {
                **result,
                "counts": counts,
                "without_effect": [{"key": key, "times": times} for key, times in idle],
            }
        where = (
            f"the report is in {os.path.abspath(args['dest'])}"
            if args["dest"] and args["output"] != "text"
            else "they are shown above"
        )
        # Not raised: with an exception Ansible prints the message twice, and the place in the
        # playbook, which is not the cause.
        return {
            **result,
            "failed": True,
            "msg": f"the estate {directory} has {fault_text.counted(faults)}; {where}",
        }

    def _publish(self, report: fault_formats.Report, output: str, dest: t.Optional[str]) -> bool:
        """Print the report, and write it to ``dest``. Return whether that changed the file.

        If there is a file, the terminal gets the text for people.
        """
        if output != "text" and not dest:
            terminal.command(fault_formats.FORMS[output](report).rstrip("\n"))
        elif report.faults:
            terminal.tell(
                lambda color: fault_text.text(
                    report.faults, report.sources, terminal.width(), color=color
                )
            )
        if not dest:
            return False
        text = (
            f"{fault_text.text(report.faults, report.sources, terminal.width())}\n"
            if output == "text"
            else fault_formats.FORMS[output](report)
        )
        return update(Path(dest), text.encode(), self._task.check_mode)


def _prefix(directory: str, root: t.Optional[str]) -> str:
    """Return the estate's path below the folder to which all paths in reports are relative."""
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
            f"the estate {directory} is not below {os.path.abspath(root)}: set root to a"
            " folder that contains the estate"
        )
    return prefix


def _help() -> dict[str, str]:
    """Return the sections of docs/faults.md by fault; none if the collection has no docs."""
    return (
        fault_formats.sections(FAULTS_PAGE.read_text(encoding="utf-8"))
        if FAULTS_PAGE.exists()
        else {}
    )


def _counts(estate: Estate) -> dict[str, int]:
    """Return how many objects of each kind an estate has."""
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
