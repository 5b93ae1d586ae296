# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found out, as a person reads it in a terminal, and as data.

PRIVATE to the collection. Pure. The story needs rich, which is on the controller.
"""

from __future__ import annotations

import io
import typing as t
from dataclasses import asdict

from ansible_collections.reseller.mail.plugins.module_utils._diagnose import TROUBLES, Step, Trail
from ansible_collections.reseller.mail.plugins.module_utils._printable import printable

try:
    from rich.console import Console
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None

OFFLINE, NO_HOST = "offline", "the host was not asked"
"""Reasons why a step was not taken that say nothing about the subject: what else is well proves little then."""

_LOOK = {
    "ok": ("✓", "green"),
    "warn": ("!", "yellow"),
    "fail": ("✗", "bold red"),
    "blocked": ("…", "magenta"),
    "na": ("-", "bright_black"),
}


def as_data(trails: t.Iterable[Trail]) -> list[dict[str, t.Any]]:
    """One entry a trouble, with all its steps."""
    return [
        {
            "trouble": trail.trouble,
            "cause": asdict(trail.cause) if trail.cause else None,
            "steps": [asdict(step) for step in trail.steps],
        }
        for trail in trails
    ]


def _is_whole(trails: t.Iterable[Trail]) -> bool:
    """Whether all was asked that there was to ask."""
    return not any(
        step.state == "na" and step.found in (OFFLINE, NO_HOST)
        for trail in trails
        for step in trail.steps
    )


def _no_cause(whole: bool) -> str:
    return "no cause found" if whole else "no cause found in what was asked"


def verdict(trails: t.Sequence[Trail]) -> str:
    """One line for the end."""
    causes = {trail.cause.id: trail.cause for trail in trails if trail.cause}
    if not causes:
        return _no_cause(_is_whole(trails))
    return f"{len(causes)} cause{'s' if len(causes) > 1 else ''}: {', '.join(causes)}"


def story(title: str, trails: t.Sequence[Trail], width: int = 100, color: bool = False) -> str:
    """Each trouble: the cause, its evidence and the remedy; then what was asked before it. What is well takes one line, unless it is all that
    was asked about."""
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
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
    console.print(Text(printable(title), style="bold"))
    told: dict[tuple[str, str], str] = {}
    known: set[tuple[str, str]] = set()
    for trail in trails:
        whole = _is_whole([trail])
        well = "ok" if whole else "na"
        state = (
            "fail"
            if trail.cause
            else "warn"
            if any((step.id, step.found) not in known for step in trail.hints)
            else well
        )
        sign, style = _LOOK[state]
        console.print(
            Rule(
                Text(
                    f"{sign} {trail.trouble}: {TROUBLES.get(trail.trouble, trail.trouble)}",
                    style=style,
                ),
                align="left",
                style="bright_black",
            )
        )
        cause = trail.cause
        first = told.setdefault((cause.id, cause.found), trail.trouble) if cause else ""
        if cause and first != trail.trouble:
            console.print(Padding(Text(f"the same cause as {first}: {cause.id}"), (0, 0, 0, 2)))
            continue
        if cause:
            console.print(Padding(_cause(cause), (0, 0, 0, 2)))
        else:
            console.print(Padding(Text(_no_cause(whole)), (0, 0, 0, 2)))
        console.print(Padding(_steps(trail, len(trails) == 1 or bool(cause), known), (0, 0, 0, 2)))
        known |= {(step.id, step.found) for step in trail.hints}
    console.print(Rule(style="bright_black"))
    style = (
        "bold red"
        if any(trail.cause for trail in trails)
        else "bold green"
        if _is_whole(trails)
        else "bold"
    )
    console.print(Text(verdict(trails), style=style))
    text = t.cast(io.StringIO, console.file).getvalue()
    return "\n".join(line.rstrip() for line in text.splitlines())


def _cause(step: Step) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="bright_black", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("cause", Text(step.id, style="bold red"))
    grid.add_row(f"{step.source}:", Text(printable(step.found)))
    if step.remedy:
        grid.add_row("do", Text(printable(step.remedy), style="bold"))
    return grid


def _steps(trail: Trail, every: bool, known: t.Container[tuple[str, str]]) -> Table:
    """Steps that were well before the cause, one a line; what was not asked together in the last lines. Hints are told once."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for step in trail.steps:
        if (step.state == "warn" and (step.id, step.found) not in known) or (
            every and step.state == "ok"
        ):
            sign, style = _LOOK[step.state]
            text = Text.assemble(
                f"{step.asks} ",
                (f"({step.source}: {printable(step.found)})" if step.found else "", "bright_black"),
            )
            if step.state == "warn" and step.remedy:
                text.append(f"\n{printable(step.remedy)}", style="bold")
            grid.add_row(Text(sign, style=style), text)
    if not every:
        grid.add_row(
            Text("✓", style="green"),
            Text(
                f"{sum(step.state == 'ok' for step in trail.steps)} questions are well",
                style="bright_black",
            ),
        )
    blocked = [step.asks for step in trail.steps if step.state == "blocked"]
    if blocked:
        grid.add_row(
            Text("…", style="magenta"),
            Text(f"not before that is mended: {', '.join(blocked)}", style="bright_black"),
        )
    reasons: dict[str, list[str]] = {}
    for step in trail.steps:
        if step.state == "na":
            reasons.setdefault(step.found, []).append(step.id)
    for why, ids in reasons.items():
        grid.add_row(
            Text("-", style="bright_black"),
            Text(f"{', '.join(ids)}: {printable(why)}", style="bright_black"),
        )
    return grid
