# SPDX-License-Identifier: GPL-3.0-or-later
"""Every figure of the benchmark and its target, in one table."""

from __future__ import annotations

import typing as t

from .figure import Figure, Term, lines
from .measurement import Results

# The names of measurements. A part measures under these names, and the table below compares them.
START = "start of Python and the engine"
EVENTS = "libyaml's events"
JSON = "JSON parsing"
JUDGE, JUDGE_WARM = "validate, cold", "validate, warm"
PLAN = "plan of two revisions"
MAILBOXES, LARGE, HUGE = 20_000, 100_000, 1_000_000


def _one(name: str, size: int = 0, factor: float = 1) -> tuple[Term, ...]:
    return (Term(factor, name, size),)


FIGURES: t.Final = (
    Figure(
        "judge-cold",
        "engine",
        "Validate 20,000 mailboxes, no file known",
        _one(JUDGE, MAILBOXES),
        _one(EVENTS, MAILBOXES, 3),
    ),
    Figure(
        "judge-warm",
        "engine",
        "Validate 20,000 mailboxes, no file changed",
        _one(JUDGE_WARM, MAILBOXES),
        _one(EVENTS, MAILBOXES),
    ),
    Figure(
        "judge-memory",
        "engine",
        "Memory to validate 20,000 mailboxes",
        _one(JUDGE, MAILBOXES),
        (Term(100),),
        "memory_mb",
    ),
    Figure(
        "plan",
        "engine",
        "Plan a change of an estate of 20,000 mailboxes",
        _one(PLAN, MAILBOXES),
        _one(JUDGE, MAILBOXES, 1.5 * 2),
    ),
    Figure(
        "judge-linear",
        "engine",
        "Validate 1,000,000 mailboxes: not more than 1.1 times the cost of each of 100,000",
        _one(JUDGE, HUGE),
        _one(JUDGE, LARGE, 1.1 * HUGE / LARGE),
    ),
    Figure(
        "judge-huge-memory",
        "engine",
        "Memory to validate 1,000,000 mailboxes: 2 KB each",
        _one(JUDGE, HUGE),
        (Term(1, START), Term(0.002 * HUGE)),
        "memory_mb",
    ),
    Figure("json", "engine", "For comparison: the same data from JSON", _one(JSON, MAILBOXES)),
)
"""Every figure, in the order of the page."""


def without_reason(results: Results, reasons: str) -> list[str]:
    """Return the ids of missed targets that have no heading ``## id`` in the text of reasons."""
    headings = {line[3:].strip() for line in reasons.splitlines() if line.startswith("## ")}
    return [
        line.figure.id
        for line in lines(results, FIGURES)
        if line.result == "missed" and line.figure.id not in headings
    ]
