# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine alone: estates of up to 1,000,000 mailboxes. Needs no host."""

from __future__ import annotations

import functools
import json
import shutil
import typing as t
from pathlib import Path

import yaml

from .. import engine, estates
from ..measurement import Measurement, Run, rounds
from ..process import SCRATCH, step
from ..targets import EVENTS, HUGE, JSON, JUDGE, JUDGE_WARM, PLAN, START

EACH = 20
"""Mailboxes of each tenant."""
TENANTS = (100, 1_000, 5_000, HUGE // EACH)
CACHE = "XDG_CACHE_HOME"
"""The variable that names the folder of the engine's cache."""


def measure() -> list[Measurement]:
    """Return the cost of each step for each size."""
    found = []
    for tenants in TENANTS:
        folder, changed = prepare(SCRATCH / "engine", tenants)
        size = tenants * EACH
        # The largest estate is validated only.
        steps = _steps(folder, changed, whole=size < HUGE)
        found += [Measurement(name, size, runs) for name, runs in rounds(steps).items()]
        shutil.rmtree(folder.parent)
    start = Measurement(START, 0, rounds({START: lambda: step("start", SCRATCH)})[START])
    return [start, *found]


def _steps(folder: Path, changed: Path, whole: bool) -> dict[str, t.Callable[[], Run]]:
    warm = folder.parent / "cache"
    step("judge", folder, **{CACHE: str(warm)})
    found: dict[str, t.Callable[[], Run]] = {
        EVENTS: lambda: step("events", folder),
        JUDGE: functools.partial(_cold, "judge", folder, folder),
        JUDGE_WARM: lambda: step("judge", folder, **{CACHE: str(warm)}),
    }
    if whole:
        found[JSON] = lambda: step("json", folder)
        found[PLAN] = functools.partial(_cold, "plan", folder, changed)
    return found


def _cold(name: str, folder: Path, changed: Path) -> Run:
    """Return the cost of a step when no cache is there."""
    cache = folder.parent / "empty"
    shutil.rmtree(cache, ignore_errors=True)
    return step(name, folder, changed, **{CACHE: str(cache)})


def prepare(root: Path, tenants: int) -> tuple[Path, Path]:
    """Write an estate, the same after a change, and the first as JSON; return the two folders."""
    shutil.rmtree(root, ignore_errors=True)
    folder, changed = root / "estate", root / "changed"
    estates.write(folder, tenants, EACH)
    if tenants * EACH < HUGE:
        shutil.copytree(folder, changed)
        estates.change(changed)
        _write_json(folder, root / engine.COPIES)
    return folder, changed


def _write_json(folder: Path, copies: Path) -> None:
    for path in folder.rglob("*.yml"):
        copy = (copies / path.relative_to(folder)).with_suffix(".json")
        copy.parent.mkdir(parents=True, exist_ok=True)
        content = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        copy.write_text(json.dumps(content), encoding="utf-8")
