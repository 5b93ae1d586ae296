# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._controller import terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import finding_table
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import (
    Finding,
    as_json,
    as_junit,
    counts,
    from_dicts,
    summary,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.host import settled


def collect(parts: t.Iterable[t.Mapping[str, t.Any]]) -> list[Finding]:
    """Return the findings of all parts.

    A part without an answer is a failed finding itself, so that it does not count as green. A
    failure that follows from a failed host is blocked by that host.
    """
    findings: list[Finding] = []
    homes: dict[str, str] = {}
    for part in parts:
        for subject, result in part["results"].items():
            findings += from_dicts(result.get("findings", []))
            homes.update(result.get("homes", {}))
            if "findings" not in result or result.get("failed"):
                found = str(result.get("msg") or "it did not run")
                findings.append(
                    Finding(
                        f"verify.{part['name']}",
                        subject,
                        "fail",
                        "an answer",
                        found,
                        "repair this, then verify again",
                    )
                )
    return settled(findings, homes)


class ActionModule(ControllerAction):
    """Write and show the report on the controller, and fail if a finding does."""

    ARGUMENTS = {
        "dir": {"type": "path", "default": "build/verify"},
        "parts": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True},
                "results": {"type": "dict", "required": True},
            },
        },
    }
    PACKAGES = {"rich": finding_table.RICH_IMPORT_ERROR}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        findings = collect(args["parts"])
        folder = os.path.abspath(args["dir"])
        os.makedirs(folder, exist_ok=True)
        checked = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        files = {"report.json": as_json(findings, checked), "junit.xml": as_junit(findings)}
        for name, text in files.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        width = max(terminal.width(), 60)
        where = f"\nThe whole report: {folder}/report.json"
        terminal.tell(lambda color: finding_table.as_table(findings, width, color) + where)
        result: dict[str, t.Any] = {
            "changed": False,
            "counts": counts(findings),
            "summary": summary(findings),
            "dir": folder,
        }
        if result["counts"]["fail"]:
            result.update(failed=True, msg=f"{summary(findings)}; the report is in {folder}")
        return result
