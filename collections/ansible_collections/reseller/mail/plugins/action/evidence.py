# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    files,
    packages,
    promotion,
    terminal,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import folder, judged
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import evidence
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion.reports import Reader
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion.unpack import Unfit
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import finding

SHOWN = 10
"""Notes and failures that are shown; the others are counted."""
_WORDS = {
    "known": "counted before",
    "strange": "about domains that are not ours",
    "old": "too old",
    "future": "from the future",
    "too_many": "too many of one day",
    "unfit": "unfit",
}
"""Reasons to ignore a report: key of the result, and words."""


class ActionModule(ControllerAction):
    """Read reports and verify's findings on the controller, and write the estate's log."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "reports": {"type": "path", "default": "build/reports"},
        "findings": {"type": "path", "default": "build/verify/report.json"},
        "sources": {"type": "list", "elements": "str", "default": []},
    }
    PACKAGES = {"parsedmarc": packages.not_found("parsedmarc")}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write ``state/promotion_evidence.json``; return what was counted and what was ignored."""
        directory, today = folder(args["estate"]), promotion.today()
        estate = judged(directory)
        try:
            ours = evidence.Ours(estate, args["sources"])
        except ValueError as error:
            raise AnsibleActionFail(
                f"sources: {error}; allowed: addresses and networks such as 192.0.2.0/24"
            ) from error
        log = promotion.log_of(directory)
        counts, notes = self._count_reports(args["reports"], ours, log, today)
        counts["verified"] = self._count_findings(args["findings"], log, today, estate)
        log = evidence.pruned(
            log, {domain.name for _tenant, domain in estate.served_domains()}, today
        )
        before = files.text(Path(directory) / evidence.FILE)
        text = evidence.text(log)
        diffs = files.put_all(
            Path(directory),
            {evidence.FILE: text.encode()} if log or before else {},
            bool(self._task.check_mode),
        )
        failures = [
            f"{domain}, {day.day}: {one.words}"
            for domain in sorted(log)
            for day in sorted(log[domain].values(), key=lambda one: one.day)
            for one in (*day.failed, *day.tls_failed)
            if one.blocks and (today - day.day).days <= estate.promotion.days
        ]
        self._show(counts, notes, failures)
        found = {
            "changed": bool(diffs),
            "counts": counts,
            "notes": notes,
            "failures": failures,
            "diff": diffs,
        }
        return {**found, "log": text} if self._task.check_mode else found

    def _count_reports(
        self, folder: str, ours: evidence.Ours, log: evidence.Log, today: datetime.date
    ) -> tuple[dict[str, int], list[str]]:
        """Add the reports of a folder to the log; return the counts, and notes on wrong files."""
        totals, notes = dict.fromkeys(("new", *_WORDS), 0), []
        reader = Reader() if os.path.isdir(folder) else None
        since = (
            datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=evidence.KEPT + 1)
        ).timestamp()
        for name, content in promotion.files_below(folder, since) if reader else ():
            try:
                if content is None:
                    raise Unfit("it is too large, or no regular file")
                reports = reader.read(content) if reader else []
                counts = evidence.count_reports(log, reports, ours, today)
                for kind, number in dataclasses.asdict(counts).items():
                    totals[kind] += number
            except Unfit as error:
                totals["unfit"] += 1
                notes.append(f"{name!r}: {error}")
        if reader is None:
            notes.append(f"the folder of reports {folder} does not exist")
        return totals, notes

    def _count_findings(
        self, path: str, log: evidence.Log, today: datetime.date, estate: t.Any
    ) -> int:
        """Add the last report of verify to the log; return how many domains have a result.

        It counts for the day in its field ``checked``, else for the day of the file. A day in the
        future does not count.
        """
        try:
            with open(path, encoding="utf-8") as file:
                report = json.load(file)
                written = datetime.datetime.fromtimestamp(
                    os.fstat(file.fileno()).st_mtime, datetime.UTC
                ).date()
            rows, day = report["findings"], evidence.checked_on(report) or written
            found = finding.from_dicts(rows)
        except FileNotFoundError:
            terminal.warn(
                f"the report of verify {path} does not exist: without it no policy is promoted."
                " Run reseller.mail.verify"
            )
            return 0
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise AnsibleActionFail(f"{path} is no report of verify: {error}") from error
        return evidence.count_findings(log, found, estate, day) if day <= today else 0

    def _show(
        self, counts: t.Mapping[str, int], notes: t.Sequence[str], failures: t.Sequence[str]
    ) -> None:
        """Show the counts in one line, then the first notes and failures."""
        rest = "".join(
            f", {counts[kind]} {words}" for kind, words in _WORDS.items() if counts[kind]
        )
        terminal.say(
            f"reports: {counts['new']} new{rest}; verify has results about {counts['verified']}"
            f" domain{'s' * (counts['verified'] != 1)}"
        )
        for lines, show in (
            (notes, lambda line: terminal.say(f"note: {line}")),
            (failures, terminal.warn),
        ):
            for line in lines[:SHOWN]:
                show(line)
            if len(lines) > SHOWN:
                show(f"and {len(lines) - SHOWN} more")
