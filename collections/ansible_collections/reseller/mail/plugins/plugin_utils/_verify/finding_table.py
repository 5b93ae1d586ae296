# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of verify as a table for a terminal.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness. Runs on the
controller only (needs rich).
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import replace

from .._model.console import memory_console, written
from .._model.printable import printable
from .finding import STATES, Finding, counts, summary, worst

try:
    from rich.console import Console, Group, RenderableType
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None

MANY = 30
"""With more subjects than this, a digest comes first, and only samples are shown in full."""
SHOWN = 8
"""How many subjects are shown in full below a digest. The report's file has all."""

_TEXTS = ("subject", "expected", "found", "remedy")
STYLES = {
    "ok": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✗", "bold red"),
    "blocked": ("…", "magenta"),
    "na": ("-", "bright_black"),
}
"""Sign and style of each state."""


def _mark(state: str) -> Text:
    """Return a state with its sign and colour."""
    sign, style = STYLES[state]
    return Text(f"{sign} {state}", style=style)


def _group(finding: Finding) -> str:
    """Return the subject under which a finding is shown: of ``sender → recipient`` the sender."""
    return finding.subject.partition(" → ")[0]


def _label(finding: Finding) -> str:
    """Return the id, with the recipient if the finding has one."""
    return finding.id + finding.subject.removeprefix(_group(finding))


def _answer(rows: t.Sequence[Finding]) -> RenderableType:
    """Return the text of findings with the same answer, the remedy last, where it is easy to
    copy."""
    labels = ", ".join(_label(row) for row in rows)
    if rows[0].state in ("na", "blocked"):
        return Text.assemble((labels, "bold"), f": {rows[0].found}")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="bright_black", no_wrap=True)
    grid.add_column(overflow="fold")
    wanted = dict.fromkeys(row.expected for row in rows if row.expected not in row.remedy)
    for label, texts in (
        ("expected", wanted),
        ("found", [rows[0].found]),
        ("do", [rows[0].remedy]),
    ):
        if any(texts):
            grid.add_row(label, Text("\n".join(texts), style="bold" if label == "do" else ""))
    return Group(Text(labels, style="bold"), grid)


def _subject(findings: t.Sequence[Finding]) -> list[tuple[Text, RenderableType]]:
    """Return the lines of one subject: its problems first, then all that is ``ok`` in one line.

    Problems with the same answer and remedy share one entry.
    """
    lines: list[tuple[Text, RenderableType]] = []
    problems: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in sorted((one for one in findings if one.state != "ok"), key=lambda one: one.rank):
        problems.setdefault((finding.state, finding.found, finding.remedy), []).append(finding)
    for rows in problems.values():
        lines.append((_mark(rows[0].state), _answer(rows)))
    well: dict[str, list[str]] = {}
    for finding in sorted(
        (one for one in findings if one.state == "ok"), key=lambda one: (one.id, one.subject)
    ):
        well.setdefault(finding.id, []).append(finding.subject.partition(" → ")[2])
    if well:
        text = ", ".join(
            f"{id_} → {', '.join(targets)}" if any(targets) else id_
            for id_, targets in well.items()
        )
        lines.append((_mark("ok"), Text(text, style="bright_black" if lines else "")))
    return lines


def as_table(findings: t.Iterable[Finding], width: int = 100, color: bool = False) -> str:
    """Return the report for a terminal, the worst subject last, next to the prompt.

    Of more than ``MANY`` subjects, a digest comes first and only samples are shown in full. Raise
    ImportError without rich.
    """
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
    findings = [
        replace(one, **{key: printable(getattr(one, key)) for key in _TEXTS}) for one in findings
    ]
    console = memory_console(width, color)
    by_subject = {
        subject: list(rows)
        for subject, rows in itertools.groupby(sorted(findings, key=_group), key=_group)
    }
    order = sorted(
        by_subject, key=lambda subject: (-STATES.index(_group_state(by_subject[subject])), subject)
    )
    if len(order) > MANY:
        bad = [subject for subject in order if _group_state(by_subject[subject]) != "ok"]
        _print_digest(console, findings, len(order), len(bad))
        order = _samples(bad, by_subject)
    for subject in order:
        _print_subject(console, subject, by_subject[subject])
    _print_summary(console, findings)
    return written(console)


def _print_subject(console: Console, subject: str, findings: t.Sequence[Finding]) -> None:
    """Print one subject in full."""
    state = _group_state(findings)
    console.print(
        Rule(
            Text(subject, style=STYLES[state][1] if state != "ok" else "bold"),
            align="left",
            style="bright_black",
            characters="─",
        )
    )
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(width=9, no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    for mark, text in _subject(findings):
        grid.add_row(mark, text)
    console.print(Padding(grid, (0, 0, 0, 1)))


def _print_summary(console: Console, findings: t.Sequence[Finding]) -> None:
    """Print the numbers of all findings, in the colour of the worst state."""
    console.print(Rule(style="bright_black"))
    style = STYLES[
        worst(state for state, number in counts(findings).items() if number and state != "na")
    ][1]
    console.print(Text(summary(findings), style=f"bold {style}" if "bold" not in style else style))


def _print_digest(console: Console, findings: t.Sequence[Finding], subjects: int, bad: int) -> None:
    """Print one line for each problem, the worst first: its number of subjects, and their names."""
    console.print(
        Rule(
            Text(f"{subjects} subjects, {subjects - bad} of them without problems", style="bold"),
            align="left",
            style="bright_black",
            characters="─",
        )
    )
    whose: dict[tuple[str, str], list[str]] = {}
    for one in findings:
        if one.state not in ("ok", "na"):
            whose.setdefault((one.state, one.id), []).append(one.subject)
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(width=9, no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for (state, id_), names in sorted(
        whose.items(), key=lambda one: (STATES.index(one[0][0]), -len(one[1]), one[0][1])
    ):
        names = sorted(set(names))
        grid.add_row(
            _mark(state),
            Text(id_, style="bold"),
            str(len(names)),
            Text(", ".join(names[:20]), style="bright_black"),
        )
    console.print(Padding(grid, (0, 0, 1, 1)))


def _samples(bad: t.Sequence[str], by_subject: t.Mapping[str, t.Sequence[Finding]]) -> list[str]:
    """Return at most ``SHOWN`` subjects, one of those with the same problems, the worst last."""
    kinds: dict[frozenset[tuple[str, str]], str] = {}
    for subject in reversed(bad):
        kinds.setdefault(
            frozenset(
                (one.id, one.state) for one in by_subject[subject] if one.state not in ("ok", "na")
            ),
            subject,
        )
    return [subject for subject in bad if subject in list(kinds.values())[:SHOWN]]


def _group_state(rows: t.Sequence[Finding]) -> str:
    """Return the worst state of a subject's findings; ``na`` counts as ``ok``."""
    return (
        worst(row.state for row in rows if row.state != "na")
        if any(row.state != "na" for row in rows)
        else "ok"
    )
