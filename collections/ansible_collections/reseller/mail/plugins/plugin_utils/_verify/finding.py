# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding of verify, and the formats of a report.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass
from xml.etree import ElementTree

from .._model.printable import json_text, printable

STATES = ("fail", "blocked", "warn", "ok", "na")
"""The states of a finding, the worst first.

``fail``: it does not match the files. ``blocked``: not asked, because something that it needs has
failed. ``warn``: it works now and needs attention. ``na``: it does not apply here.
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of verify: a question (``id``) about a name, address or host (``subject``).

    ``expected`` is what the files need, ``found`` the answer, ``remedy`` what to do.
    """

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
        """Return a key that sorts by state, worst first, then by subject and id."""
        return STATES.index(self.state), self.subject, self.id


def worst(states: t.Iterable[str]) -> str:
    """Return the worst of several states; ``na`` if there are none."""
    return min(states, key=STATES.index, default="na")


def from_dicts(rows: t.Iterable[t.Mapping[str, t.Any]]) -> list[Finding]:
    """Return findings from the rows that modules return."""
    return [
        Finding(**{key: str(row.get(key, "")) for key in Finding.__dataclass_fields__})
        for row in rows
    ]


def as_dicts(findings: t.Iterable[Finding]) -> list[dict[str, str]]:
    """Return findings as rows, sorted by subject and id, so that two reports can be compared by
    line."""
    return [
        asdict(finding)
        for finding in sorted(findings, key=lambda one: (one.subject, one.id, one.found))
    ]


def as_json(findings: t.Iterable[Finding], checked: str = "") -> str:
    """Return ``{"checked": "2026-11-21T14:00:00Z", "findings": […]}`` for programs."""
    return json_text({"checked": checked, "findings": as_dicts(findings)})


def as_junit(findings: t.Iterable[Finding]) -> str:
    """Return JUnit XML for CI systems, with one testcase for each finding.

    A ``warn`` passes and is in the testcase's output. ``na`` and ``blocked`` are skipped.
    """
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
    """Return the number of findings of each state."""
    states = [finding.state for finding in findings]
    return {state: states.count(state) for state in STATES}


def summary(findings: t.Iterable[Finding]) -> str:
    """Return one line with the numbers, for the end of a run."""
    findings = list(findings)
    numbers = counts(findings)
    parts = [
        f"{numbers[state]} {state}"
        for state in ("ok", "warn", "fail", "blocked", "na")
        if numbers[state] or state in ("ok", "fail")
    ]
    return f"{len(findings)} findings: {', '.join(parts)}"
