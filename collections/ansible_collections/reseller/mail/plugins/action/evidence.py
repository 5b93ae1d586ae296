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
from ansible_collections.reseller.mail.plugins.module_utils import _evidence, _finding
from ansible_collections.reseller.mail.plugins.module_utils._reports import Reader
from ansible_collections.reseller.mail.plugins.module_utils._reports_unpack import Unfit
from ansible_collections.reseller.mail.plugins.plugin_utils import _files, _promotion, _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import folder, judged

SHOWN = 10
_WORDS = {
    "known": "counted before",
    "strange": "about domains that are not ours",
    "old": "too old",
    "future": "from the future",
    "too_many": "too many of one day",
    "unfit": "unfit",
}


class ActionModule(ControllerAction):
    """Runs on the controller: reads what others reported and what verify found, and writes the estate's log."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "reports": {"type": "path", "default": "build/reports"},
        "findings": {"type": "path", "default": "build/verify/report.json"},
        "sources": {"type": "list", "elements": "str", "default": []},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        directory, today = folder(args["estate"]), _promotion.today()
        estate = judged(directory)
        try:
            ours = _evidence.Ours(estate, args["sources"])
        except ValueError as error:
            raise AnsibleActionFail(
                f"sources: {error}; allowed: addresses and networks such as 192.0.2.0/24"
            ) from error
        log = _promotion.log_of(directory)
        counts, notes = self._reports(args["reports"], ours, log, today)
        counts["verified"] = self._findings(args["findings"], log, today, estate)
        log = _evidence.pruned(
            log, {domain.name for _tenant, domain in estate.served_domains()}, today
        )
        before = _files.text(Path(directory) / _evidence.FILE)
        text = _evidence.text(log)
        diffs = _files.put_all(
            Path(directory),
            {_evidence.FILE: text.encode()} if log or before else {},
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

    def _reports(
        self, folder: str, ours: _evidence.Ours, log: _evidence.Log, today: datetime.date
    ) -> tuple[dict[str, int], list[str]]:
        totals, notes = dict.fromkeys(("new", *_WORDS), 0), []
        try:
            reader: t.Optional[Reader] = Reader() if os.path.isdir(folder) else None
        except ImportError as error:
            raise AnsibleActionFail(
                "evidence needs the Python package parsedmarc on the controller"
            ) from error
        since = (
            datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=_evidence.KEPT + 1)
        ).timestamp()
        for name, content in _promotion.files_below(folder, since) if reader else ():
            try:
                if content is None:
                    raise Unfit("it is too large, or no file of its own")
                counts = _evidence.absorb(log, reader.read(content) if reader else [], ours, today)
                for kind, number in dataclasses.asdict(counts).items():
                    totals[kind] += number
            except Unfit as error:
                totals["unfit"] += 1
                notes.append(f"{name!r}: {error}")
        if reader is None:
            notes.append(f"there is no folder {folder} with reports")
        return totals, notes

    def _findings(self, path: str, log: _evidence.Log, today: datetime.date, estate: t.Any) -> int:
        """What verify found last, on the day that its report tells."""
        try:
            with open(path, encoding="utf-8") as file:
                report = json.load(file)
                written = datetime.datetime.fromtimestamp(
                    os.fstat(file.fileno()).st_mtime, datetime.UTC
                ).date()
            rows, day = report["findings"], _evidence.checked_on(report) or written
            found = _finding.from_dicts(rows)
        except FileNotFoundError:
            _terminal.warn(
                f"there is no report of verify at {path}: nothing is promoted without; run reseller.mail.verify"
            )
            return 0
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise AnsibleActionFail(f"{path} is no report of verify: {error}") from error
        return _evidence.absorb_findings(log, found, estate, day) if day <= today else 0

    def _show(
        self, counts: t.Mapping[str, int], notes: t.Sequence[str], failures: t.Sequence[str]
    ) -> None:
        rest = "".join(
            f", {counts[kind]} {words}" for kind, words in _WORDS.items() if counts[kind]
        )
        _terminal.say(
            f"reports: {counts['new']} new{rest}; verify spoke of {counts['verified']} domain{'s' * (counts['verified'] != 1)}"
        )
        for lines, show in (
            (notes, lambda line: _terminal.say(f"note: {line}")),
            (failures, _terminal.warn),
        ):
            for line in lines[:SHOWN]:
                show(line)
            if len(lines) > SHOWN:
                show(f"and {len(lines) - SHOWN} more")
