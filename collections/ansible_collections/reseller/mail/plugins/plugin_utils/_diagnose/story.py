# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of diagnose as text for a terminal, and as data.

PRIVATE to the collection. Pure. The text needs rich, which is on the controller.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from .._model.console import memory_console, written
from .._model.printable import printable
from .._verify.finding_table import STYLES
from .subject import TROUBLES, Step, Trail

try:
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None

OFFLINE, NO_HOST = "offline", "the host was not asked"
"""Reasons why a step was not asked although it applies: without its answer, "no cause" proves
little."""


Shown = t.Tuple[str, str]
"""(id, found) of a step: two steps with the same are the same evidence."""


def as_data(trails: t.Iterable[Trail]) -> list[dict[str, t.Any]]:
    """Return one entry for each problem, with its cause and all its steps."""
    return [
        {
            "trouble": trail.trouble,
            "cause": asdict(trail.cause) if trail.cause else None,
            "steps": [asdict(step) for step in trail.steps],
        }
        for trail in trails
    ]


def _is_complete(trails: t.Iterable[Trail]) -> bool:
    """Return whether every step that applies was asked."""
    return not any(
        step.state == "na" and step.found in (OFFLINE, NO_HOST)
        for trail in trails
        for step in trail.steps
    )


def _no_cause(complete: bool) -> str:
    """Return the line for problems without a cause."""
    return "no cause found" if complete else "no cause found in what was asked"


def conclusion(trails: t.Sequence[Trail]) -> str:
    """Return the last line: how many different causes there are, and their ids."""
    causes = {trail.cause.id: trail.cause for trail in trails if trail.cause}
    if not causes:
        return _no_cause(_is_complete(trails))
    return f"{len(causes)} cause{'s' if len(causes) > 1 else ''}: {', '.join(causes)}"


def as_text(title: str, trails: t.Sequence[Trail], width: int = 100, color: bool = False) -> str:
    """Return each problem with its cause, the evidence and the remedy, then its other steps.

    Steps without a problem are one line in total, unless there is one trail only or it has a cause.
    ``width`` is in columns. Raises ImportError without rich.
    """
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
    console = memory_console(width, color)
    console.print(Text(printable(title), style="bold"))
    causes: dict[Shown, str] = {}
    hints: set[Shown] = set()
    for trail in trails:
        console.print(_heading(trail, hints))
        for part in _body(trail, causes, hints, every=len(trails) == 1 or bool(trail.cause)):
            console.print(Padding(part, (0, 0, 0, 2)))
    console.print(Rule(style="bright_black"))
    console.print(Text(conclusion(trails), style=_style_of_conclusion(trails)))
    return written(console)


def _heading(trail: Trail, shown: t.Container[Shown]) -> Rule:
    """Return the line above a problem, with the sign of its worst state."""
    if trail.cause:
        state = "fail"
    elif any((step.id, step.found) not in shown for step in trail.hints):
        state = "warn"
    else:
        state = "ok" if _is_complete([trail]) else "na"
    sign, style = STYLES[state]
    words = TROUBLES.get(trail.trouble, trail.trouble)
    return Rule(
        Text(f"{sign} {trail.trouble}: {words}", style=style), align="left", style="bright_black"
    )


def _body(
    trail: Trail, causes: dict[Shown, str], hints: set[Shown], every: bool
) -> t.Iterator[t.Union[Table, Text]]:
    """Yield what is below the heading, and remember the causes and the hints that were shown.

    A cause that an earlier problem has is one line. ``every`` shows also the steps without a
    problem.
    """
    cause = trail.cause
    if cause:
        first = causes.setdefault((cause.id, cause.found), trail.trouble)
        if first != trail.trouble:
            yield Text(f"the same cause as {first}: {cause.id}")
            return
        yield _cause_table(cause)
    else:
        yield Text(_no_cause(_is_complete([trail])))
    yield _steps_table(trail, every, hints)
    hints |= {(step.id, step.found) for step in trail.hints}


def _style_of_conclusion(trails: t.Sequence[Trail]) -> str:
    """Return the style of the last line: green only if all was asked and there is no cause."""
    if any(trail.cause for trail in trails):
        return "bold red"
    return "bold green" if _is_complete(trails) else "bold"


def _cause_table(step: Step) -> Table:
    """Return the cause with its evidence and its remedy."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="bright_black", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("cause", Text(step.id, style="bold red"))
    grid.add_row(f"{step.source}:", Text(printable(step.found)))
    if step.remedy:
        grid.add_row("do", Text(printable(step.remedy), style="bold"))
    return grid


def _steps_table(trail: Trail, every: bool, shown: t.Container[Shown]) -> Table:
    """Return the steps of a problem, one a line, without the cause.

    The last lines have the steps that were not asked. Hints in ``shown`` are left out.
    """
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for step in trail.steps:
        is_new_hint = step.state == "warn" and (step.id, step.found) not in shown
        if is_new_hint or (every and step.state == "ok"):
            sign, style = STYLES[step.state]
            grid.add_row(Text(sign, style=style), _step_text(step))
    if not every:
        passed = sum(step.state == "ok" for step in trail.steps)
        grid.add_row(
            Text("✓", style="green"),
            Text(f"{passed} steps without a problem", style="bright_black"),
        )
    for sign, style, text in _not_asked(trail):
        grid.add_row(Text(sign, style=style), Text(text, style="bright_black"))
    return grid


def _step_text(step: Step) -> Text:
    """Return a step with its evidence, and with its remedy if it is a warning."""
    evidence = f"({step.source}: {printable(step.found)})" if step.found else ""
    text = Text.assemble(f"{step.asks} ", (evidence, "bright_black"))
    if step.state == "warn" and step.remedy:
        text.append(f"\n{printable(step.remedy)}", style="bold")
    return text


def _not_asked(trail: Trail) -> t.Iterator[tuple[str, str, str]]:
    """Yield (sign, style, text) for the steps after the cause, then for those of each reason."""
    blocked = [step.asks for step in trail.steps if step.state == "blocked"]
    if blocked:
        yield *STYLES["blocked"], f"not asked until this is repaired: {', '.join(blocked)}"
    reasons: dict[str, list[str]] = {}
    for step in trail.steps:
        if step.state == "na":
            reasons.setdefault(step.found, []).append(step.id)
    for why, ids in reasons.items():
        yield *STYLES["na"], f"{', '.join(ids)}: {printable(why)}"
