# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as a person reads them in a terminal.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness. Runs on the controller only (needs rich).
"""

from __future__ import annotations

import io
import itertools
import typing as t
from dataclasses import replace

from ansible_collections.reseller.mail.plugins.module_utils._finding import (
    STATES,
    Finding,
    counts,
    summary,
    worst,
)
from ansible_collections.reseller.mail.plugins.module_utils._printable import printable

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
"""Of more subjects than this, nobody reads every one: then a digest comes first, and the worst in full."""
SHOWN = 8
"""Subjects in full, below a digest; the report's file has all."""

_TEXTS = ("subject", "expected", "found", "remedy")
_LOOK = {
    "ok": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✗", "bold red"),
    "blocked": ("…", "magenta"),
    "na": ("-", "bright_black"),
}


def _mark(state: str) -> Text:
    sign, style = _LOOK[state]
    return Text(f"{sign} {state}", style=style)


def _group(finding: Finding) -> str:
    """Where a finding stands in the table; what one subject did to several others stands with the one."""
    return finding.subject.partition(" → ")[0]


def _label(finding: Finding) -> str:
    return finding.id + finding.subject.removeprefix(_group(finding))


def _answer(rows: t.Sequence[Finding]) -> RenderableType:
    """What findings with one answer say, the remedy last, where it is easily copied."""
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
    """One subject: what needs a look, findings of one cause together, then what is well in one line."""
    lines: list[tuple[Text, RenderableType]] = []
    amiss: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in sorted((one for one in findings if one.state != "ok"), key=lambda one: one.rank):
        amiss.setdefault((finding.state, finding.found, finding.remedy), []).append(finding)
    for rows in amiss.values():
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
    """The report for a terminal: subjects that are well first, the worst last, where the eye is when the run has ended. Many subjects are
    told by what is amiss, and in full only the worst."""
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
    findings = [
        replace(one, **{key: printable(getattr(one, key)) for key in _TEXTS}) for one in findings
    ]
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    by_subject = {
        subject: list(rows)
        for subject, rows in itertools.groupby(sorted(findings, key=_group), key=_group)
    }
    order = sorted(
        by_subject, key=lambda subject: (-STATES.index(_group_state(by_subject[subject])), subject)
    )
    if len(order) > MANY:
        amiss = [subject for subject in order if _group_state(by_subject[subject]) != "ok"]
        _digest(console, findings, len(order), len(amiss))
        order = _samples(amiss, by_subject)
    for subject in order:
        state = _group_state(by_subject[subject])
        console.print(
            Rule(
                Text(subject, style=_LOOK[state][1] if state != "ok" else "bold"),
                align="left",
                style="bright_black",
                characters="─",
            )
        )
        grid = Table.grid(padding=(0, 2), expand=True)
        grid.add_column(width=9, no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        for mark, text in _subject(by_subject[subject]):
            grid.add_row(mark, text)
        console.print(Padding(grid, (0, 0, 0, 1)))
    console.print(Rule(style="bright_black"))
    style = _LOOK[
        worst(state for state, number in counts(findings).items() if number and state != "na")
    ][1]
    console.print(Text(summary(findings), style=f"bold {style}" if "bold" not in style else style))
    text = t.cast(io.StringIO, console.file).getvalue()
    return "\n".join(line.rstrip() for line in text.splitlines())


def _digest(console: Console, findings: t.Sequence[Finding], subjects: int, amiss: int) -> None:
    """One line for each thing that is amiss, the worst first: how many subjects, and which."""
    console.print(
        Rule(
            Text(f"{subjects} subjects, {subjects - amiss} of them in order", style="bold"),
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


def _samples(amiss: t.Sequence[str], by_subject: t.Mapping[str, t.Sequence[Finding]]) -> list[str]:
    """Of subjects with the same findings one is enough to see what is meant; the worst stay last."""
    kinds: dict[frozenset[tuple[str, str]], str] = {}
    for subject in reversed(amiss):
        kinds.setdefault(
            frozenset(
                (one.id, one.state) for one in by_subject[subject] if one.state not in ("ok", "na")
            ),
            subject,
        )
    return [subject for subject in amiss if subject in list(kinds.values())[:SHOWN]]


def _group_state(rows: t.Sequence[Finding]) -> str:
    """Where a subject stands in the report; what does not apply never pulls it down."""
    return (
        worst(row.state for row in rows if row.state != "na")
        if any(row.state != "na" for row in rows)
        else "ok"
    )
