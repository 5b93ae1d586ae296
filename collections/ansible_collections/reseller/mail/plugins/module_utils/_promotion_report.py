# SPDX-License-Identifier: GPL-3.0-or-later
"""Decisions of promotion as findings, as data, and as a person reads them in a terminal.

PRIVATE to the collection. Pure. The table needs rich, and so runs on the controller only.
"""

from __future__ import annotations

import io
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
from ansible_collections.reseller.mail.plugins.module_utils._promotion import Decision

try:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None

NAMES: t.Final = {"dmarc": "DMARC", "mta_sts": "MTA-STS"}
REMEDY: t.Final = "ansible-playbook reseller.mail.promote, then reseller.mail.site"


def at_target(decision: Decision) -> bool:
    """Whether the world sees what the files want, and by evidence or somebody's word no less."""
    return decision.track.published == decision.track.target


def found(decision: Decision) -> str:
    """Where a policy is, and what it waits for."""
    track = decision.track
    if track.override:
        late = (
            f"; evidence carries {decision.before}"
            if decision.before != track.target
            else "; evidence carries it too, the override can go"
        )
        return f"{track.published} by override: {track.override}{late}"
    if at_target(decision):
        return track.published
    if decision.promoted:
        return f"{track.published}; the evidence for {decision.step} is there"
    return f"{track.published}; missing for {decision.next}: {'; '.join(decision.missing)}"


def findings(decisions: t.Iterable[Decision]) -> list[Finding]:
    """One answer for each policy: ok at the target, else a warning that says what the next step waits for."""
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
    """The same for programs. ``step`` is how far evidence carries now."""
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
    track = one.track
    if one.step != one.before:
        sign = ("↑", "bold green") if one.promoted else ("↓", "yellow")
        return f"{sign[0]} {one.before} → {one.step}", sign[1]
    return (
        (f"✓ {track.published}", "green") if at_target(one) else (f"… {track.published}", "yellow")
    )


def as_table(decisions: t.Sequence[Decision], width: int = 100, color: bool = False) -> str:
    """A line a policy: where it is, where it shall be, and what the next step waits for."""
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
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for heading in ("domain", "policy", "now", "in the end", "the next step"):
        table.add_column(
            heading, overflow="fold", no_wrap=heading in ("policy", "now", "in the end")
        )
    before = ""
    for one in decisions:
        text, style = _state(one)
        table.add_row(
            "" if one.track.domain == before else one.track.domain,
            NAMES[one.track.policy],
            Text(text, style=style),
            one.track.target,
            _next(one),
        )
        before = one.track.domain
    console.print(table)
    return "\n".join(
        line.rstrip() for line in t.cast(io.StringIO, console.file).getvalue().splitlines()
    )


def _next(one: Decision) -> str:
    track = one.track
    if track.override:
        return found(one).partition(" ")[2]
    if one.promoted:
        return f"{one.next}, when its evidence is there" if one.next else ""
    lines = [f"{one.next}, missing:", *(f"· {text}" for text in one.missing)]
    return "\n".join(lines) if one.missing else ""
