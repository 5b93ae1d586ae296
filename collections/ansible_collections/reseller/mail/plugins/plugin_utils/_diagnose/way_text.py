# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a message as text for a terminal, and as data.

PRIVATE to the collection. Pure. The text needs rich, which is on the controller.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

from .._model.console import memory_console, written
from .._model.printable import printable
from .._verify.finding_table import STYLES
from .way import Event, outcomes

try:
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None

SIGNS = {
    "refused": "fail",
    "bounced": "fail",
    "delayed": "warn",
    "deferred": "warn",
    "held": "warn",
    "stored": "ok",
}
"""By kind of event the state of a finding whose sign and colour it has."""


@dataclass(frozen=True)
class Searched:
    """What was searched: which logs, since when, and which nodes gave no answer and why."""

    message: str
    ids: tuple[str, ...]
    since: str
    nodes: tuple[str, ...]
    silent: t.Mapping[str, str]

    @property
    def place(self) -> str:
        """Return in words which logs were read."""
        return f"the logs of {', '.join(self.nodes) or 'no node'} since {self.since}"


def title(searched: Searched) -> str:
    """Return the first line: the message."""
    names = ", ".join(f"<{one}>" for one in searched.ids) or "no Message-ID"
    return names if searched.message in searched.ids else f"{searched.message}: {names}"


def unknown(searched: Searched) -> str:
    """Return the sentence for a message that no log has."""
    silent = "".join(f"; {node} was not searched: {why}" for node, why in searched.silent.items())
    return (
        f"{searched.message}: {searched.place} have no line about it{silent}. Give the"
        " Message-ID as it is in the header of the message, or a queue id; search further back with"
        " why_since. A message that was refused before its content was sent has neither:"
        " ansible-playbook reseller.mail.diagnose -e diagnose_subject=ADDRESS shows it"
    )


def as_data(searched: Searched, steps: t.Sequence[Event]) -> dict[str, t.Any]:
    """Return what was searched, the steps, and what became of the message, by recipient."""
    return {
        "message": searched.message,
        "message_ids": list(searched.ids),
        "since": searched.since,
        "nodes": list(searched.nodes),
        "not_searched": dict(searched.silent),
        "outcomes": outcomes(steps),
        "steps": [asdict(step) | {"details": list(step.details)} for step in steps],
    }


def as_text(
    searched: Searched, steps: t.Sequence[Event], width: int = 100, color: bool = False
) -> str:
    """Return the steps in order, one or more lines each, then what became of the message.

    ``width`` is in columns. Raises ImportError without rich.
    """
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
    console = memory_console(width, color)
    console.print(Text(printable(title(searched)), style="bold"))
    grid = Table.grid(padding=(0, 1))
    for _column in range(3):
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for step in steps:
        sign, style = STYLES[SIGNS.get(step.kind, "na")]
        text = Text(printable(step.text))
        for detail in step.details:
            text.append(f"\n  {printable(detail)}", style="bright_black")
        grid.add_row(Text(step.at, style="bright_black"), step.node, Text(sign, style=style), text)
    console.print(grid)
    console.print(Rule(style="bright_black"))
    for address, outcome in outcomes(steps).items():
        console.print(Text(printable(f"{address}: {outcome}"), style="bold"))
    for node, why in searched.silent.items():
        console.print(Text(printable(f"{node} was not searched: {why}"), style="bold red"))
    return written(console)
