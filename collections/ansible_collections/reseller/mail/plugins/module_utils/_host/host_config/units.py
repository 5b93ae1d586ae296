# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of systemd units, and the steps that lead to the wanted one.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import PurePosixPath

from .wanted import HostConfigError, Unit

Command = t.Callable[[t.Sequence[str]], tuple[int, str, str]]
"""Runs a command and returns its exit status, output and errors."""

SHOW = ("systemctl", "show", "--property=LoadState,ActiveState,UnitFileState,NeedDaemonReload")
FOLDERS = tuple(
    map(PurePosixPath, ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"))
)
"""Where systemd reads units (systemd.unit(5))."""
ENABLED = ("enabled", "enabled-runtime")
ALWAYS_ENABLED = ("static", "indirect", "alias", "generated")
"""States of units that need no enabling: another unit or a link starts them."""


@dataclass(frozen=True)
class Shown:
    """What systemd knows about a unit. ``stale`` is set if systemd has not read its newest file,
    and ``failed`` if the unit ended with a failure that was not reset."""

    exists: bool
    active: bool
    enablement: str
    masked: bool
    stale: bool
    failed: bool = False


def shown(names: t.Sequence[str], command: Command) -> dict[str, Shown]:
    """Ask systemd once about all these units."""
    if not names:
        return {}
    status, output, errors = command([*SHOW, *names])
    blocks = output.strip().split("\n\n")
    if status != 0 or len(blocks) != len(names):
        raise HostConfigError(f"systemctl show {' '.join(names)}: {(errors or output).strip()}")
    return dict(zip(names, map(_shown, blocks), strict=True))


def _shown(block: str) -> Shown:
    """Read one unit's block of ``systemctl show``."""
    values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    return Shown(
        exists=values["LoadState"] != "not-found",
        active=values["ActiveState"] in ("active", "activating", "reloading", "refreshing"),
        enablement=values.get("UnitFileState", ""),
        masked=values["LoadState"] == "masked",
        stale=values.get("NeedDaemonReload") == "yes",
        failed=values["ActiveState"] == "failed",
    )


def steps(unit: Unit, state: Shown, changed: t.Container[str]) -> list[str]:
    """Return the commands of systemctl, in order, that lead a unit to what is wanted.

    ``changed`` are the paths that this run changes.
    """
    starts = unit.state == "started" and not state.active
    restarts = state.active and unit.state != "stopped" and _any_in(unit.restart_for, changed)
    possible = (
        ("stop", unit.state == "stopped" and state.active),
        ("reset-failed", unit.state == "stopped" and state.failed),
        ("unmask", unit.masked is False and state.masked),
        ("disable", unit.enabled is False and state.enablement in ENABLED),
        ("mask", unit.masked is True and not state.masked),
        ("enable", unit.enabled is True and state.enablement not in (*ENABLED, *ALWAYS_ENABLED)),
        ("start", starts),
        ("restart", restarts),
    )
    return [step for step, needed in possible if needed]


def commands(planned: t.Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Return the words for systemctl that take these steps of units.

    systemd reads its units once for all links. Each time can take a second: the generator of
    Debian's Postfix waits that long while Postfix has no configuration.
    """
    links = []
    for verb in ("unmask", "disable", "mask", "enable"):
        names = [name for step, name in planned if step == verb]
        if names:
            links.append(("--no-reload", verb, *names))
    return [
        *(step for step in planned if step[0] in ("stop", "reset-failed")),
        *links,
        *([("daemon-reload",)] if links else []),
        *(step for step in planned if step[0] in ("start", "restart")),
    ]


def _any_in(paths: t.Iterable[str], changed: t.Container[str]) -> bool:
    return any(path in changed for path in paths)


def is_unit_path(path: str) -> bool:
    """Return whether systemd reads the path as a unit or a part of one."""
    return any(folder in PurePosixPath(path).parents for folder in FOLDERS)


def comes_with(unit: str, paths: t.Iterable[str]) -> bool:
    """Return whether one of the paths is the file of a unit, or that of its template."""
    stem, dot, suffix = unit.rpartition(".")
    names = (unit, f"{stem.partition('@')[0]}@{dot}{suffix}") if "@" in stem else (unit,)
    return any(is_unit_path(path) and PurePosixPath(path).name in names for path in paths)


def needs_file(unit: Unit) -> bool:
    """Return whether the unit must exist: what is stopped, disabled or masked need not."""
    return unit.state == "started" or unit.enabled is True
