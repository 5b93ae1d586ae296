# SPDX-License-Identifier: GPL-3.0-or-later
"""One answer of verify, and the forms a report is written in.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass
from xml.etree import ElementTree

from ansible_collections.reseller.mail.plugins.module_utils._printable import json_text, printable

STATES = ("fail", "blocked", "warn", "ok", "na")
"""Worst first. ``fail``: it is not as the files say. ``blocked``: not asked, because something it needs failed. ``warn``: works now, will not
for long. ``na``: does not apply here."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was asked (``id``) of whom (``subject``), and the answer. ``remedy`` says what to do, ready to be copied."""

    id: str
    subject: str
    state: str
    expected: str
    found: str
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(
                f"{self.state!r} is no state of a finding; allowed: {', '.join(STATES)}"
            )

    @property
    def rank(self) -> tuple[int, str, str]:
        """Sorts by state, worst first, then by subject and id."""
        return STATES.index(self.state), self.subject, self.id


def worst(states: t.Iterable[str]) -> str:
    """The state that several answers to one question amount to."""
    return min(states, key=STATES.index, default="na")


def from_dicts(rows: t.Iterable[t.Mapping[str, t.Any]]) -> list[Finding]:
    """Findings as modules return them, back as findings."""
    return [
        Finding(**{key: str(row.get(key, "")) for key in Finding.__dataclass_fields__})
        for row in rows
    ]


def as_dicts(findings: t.Iterable[Finding]) -> list[dict[str, str]]:
    """Findings as plain values, sorted by subject and id, so that two reports can be compared line by line."""
    return [
        asdict(finding)
        for finding in sorted(findings, key=lambda one: (one.subject, one.id, one.found))
    ]


def as_json(findings: t.Iterable[Finding], checked: str = "") -> str:
    """``{"checked": "2026-11-21T14:00:00Z", "findings": […]}`` for programs."""
    return json_text({"checked": checked, "findings": as_dicts(findings)})


def as_junit(findings: t.Iterable[Finding]) -> str:
    """JUnit XML for CI systems: one testcase a finding; a warning passes and says so in its output, what was not asked is skipped."""
    rows = as_dicts(findings)
    states = [row["state"] for row in rows]
    root = ElementTree.Element(
        "testsuite",
        name="reseller.mail.verify",
        tests=str(len(rows)),
        failures=str(states.count("fail")),
        errors="0",
        skipped=str(states.count("na") + states.count("blocked")),
    )
    for row in ({key: printable(value) for key, value in row.items()} for row in rows):
        case = ElementTree.SubElement(root, "testcase", classname=row["subject"], name=row["id"])
        text = f"expected: {row['expected']}\nfound: {row['found']}\nremedy: {row['remedy']}"
        if row["state"] == "fail":
            ElementTree.SubElement(case, "failure", message=row["found"]).text = text
        elif row["state"] in ("na", "blocked"):
            ElementTree.SubElement(case, "skipped", message=f"{row['state']}: {row['found']}")
        elif row["state"] == "warn":
            ElementTree.SubElement(case, "system-out").text = f"warn\n{text}"
    ElementTree.indent(root)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        + ElementTree.tostring(root, encoding="unicode")
        + "\n"
    )


def counts(findings: t.Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each state."""
    states = [finding.state for finding in findings]
    return {state: states.count(state) for state in STATES}


def summary(findings: t.Iterable[Finding]) -> str:
    """One line for the end of a run."""
    findings = list(findings)
    numbers = counts(findings)
    parts = [
        f"{numbers[state]} {state}"
        for state in ("ok", "warn", "fail", "blocked", "na")
        if numbers[state] or state in ("ok", "fail")
    ]
    return f"{len(findings)} findings: {', '.join(parts)}"
