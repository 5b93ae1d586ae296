# SPDX-License-Identifier: GPL-3.0-or-later
"""The decisions of promotion as findings, as data and as a table for a terminal.

PRIVATE to the collection. Pure. The table needs rich, which is on the controller.
"""

from __future__ import annotations

import typing as t

from .._model.console import memory_console, written
from .._verify.finding import Finding
from .decide import Decision

try:
    from rich.table import Table
    from rich.text import Text
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None

NAMES: t.Final = {"dmarc": "DMARC", "mta_sts": "MTA-STS"}
REMEDY: t.Final = "ansible-playbook reseller.mail.promote, then reseller.mail.site"


def at_target(decision: Decision) -> bool:
    """Return whether the target is published, by evidence or by an override."""
    return decision.track.published == decision.track.target


def found(decision: Decision) -> str:
    """Return what is published, and what the next step waits for."""
    track = decision.track
    if track.override:
        evidence = (
            f"the evidence is enough for {decision.before}"
            if decision.before != track.target
            else "the evidence is enough, you can remove the override"
        )
        return f"{track.published} by override: {track.override}; {evidence}"
    if at_target(decision):
        return track.published
    if decision.promoted:
        return f"{track.published}; the evidence is enough for {decision.step}"
    return f"{track.published}; missing for {decision.next}: {'; '.join(decision.missing)}"


def findings(decisions: t.Iterable[Decision]) -> list[Finding]:
    """Return a finding for each policy, ``ok`` at the target, else ``warn``."""
    return [
        Finding(
            f"promotion.{one.track.policy}",
            one.track.domain,
            "ok" if at_target(one) else "warn",
            one.track.target,
            found(one),
            REMEDY if one.promoted and not at_target(one) else "",
        )
        for one in decisions
    ]


def data(decisions: t.Iterable[Decision]) -> list[dict[str, t.Any]]:
    """Return an entry for each policy, as the modules return it."""
    return [
        {
            "domain": one.track.domain,
            "tenant": one.track.tenant,
            "policy": one.track.policy,
            "target": one.track.target,
            "published": one.track.published,
            "override": one.track.override or "",
            "before": one.before,
            "step": one.step,
            "next": one.next,
            "missing": list(one.missing),
        }
        for one in decisions
    ]


def _state(one: Decision) -> tuple[str, str]:
    """Return (text, style) of the step: made now (↑, ↓), at the target (✓) or waiting (…)."""
    track = one.track
    if one.step != one.before:
        sign = ("↑", "bold green") if one.promoted else ("↓", "yellow")
        return f"{sign[0]} {one.before} → {one.step}", sign[1]
    return (
        (f"✓ {track.published}", "green") if at_target(one) else (f"… {track.published}", "yellow")
    )


def as_table(decisions: t.Sequence[Decision], width: int = 100, color: bool = False) -> str:
    """Return a table with a row for each policy: its step, its target, and what is missing.

    ``width`` is in columns. Raises ImportError without rich.
    """
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
    console = memory_console(width, color)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for heading in ("domain", "policy", "now", "target", "next step"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("policy", "now", "target"))
    before = ""
    for one in decisions:
        text, style = _state(one)
        table.add_row(
            "" if one.track.domain == before else one.track.domain,
            NAMES[one.track.policy],
            Text(text, style=style),
            one.track.target,
            _next_step(one),
        )
        before = one.track.domain
    console.print(table)
    return written(console)


def _next_step(one: Decision) -> str:
    """Return the last cell of a row: the override, or the next step and what is missing for it."""
    track = one.track
    if track.override:
        return found(one).partition(" ")[2]
    if one.promoted:
        return f"{one.next}, when there is enough evidence" if one.next else ""
    lines = [f"{one.next}, missing:", *(f"· {text}" for text in one.missing)]
    return "\n".join(lines) if one.missing else ""
