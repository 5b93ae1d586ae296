# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine alone: estates of up to 1,000,000 mailboxes. Needs no host."""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

import yaml

from .. import engine, estates
from ..measurement import Commands, Measurement, Run, rounds
from ..process import SCRATCH, cold, step
from ..targets import EVENTS, HUGE, JSON, JUDGE, JUDGE_WARM, PLAN, START

EACH = 20
"""Mailboxes of each tenant."""
TENANTS = (100, 1_000, 5_000, HUGE // EACH)


def measure() -> list[Measurement]:
    """Return the cost of each step for each size."""
    found = rounds({(START, 0): lambda: step("start", SCRATCH)})
    for tenants in TENANTS:
        folder, changed = prepare(SCRATCH / "engine", tenants)
        step("judge", folder)  # fills the cache
        size = tenants * EACH
        found += rounds(_steps(folder, changed, size), most=1 if size == HUGE else 5)
        shutil.rmtree(folder.parent)
    return found


def _steps(folder: Path, changed: Path, size: int) -> Commands:
    """Return the steps by name; the largest estate is validated only."""
    found: dict[tuple[str, int], t.Callable[[], Run]] = {
        (EVENTS, size): lambda: step("events", folder),
        (JUDGE, size): lambda: cold("judge", folder),
        (JUDGE_WARM, size): lambda: step("judge", folder),
    }
    if size < HUGE:
        found[JSON, size] = lambda: step("json", folder)
        found[PLAN, size] = lambda: cold("plan", folder, changed)
    return found


def prepare(root: Path, tenants: int) -> tuple[Path, Path]:
    """Write an estate, the same after a change, and the first as JSON; return the two folders."""
    shutil.rmtree(root, ignore_errors=True)
    folder, changed = root / "estate", root / "changed"
    estates.write(folder, estates.files(tenants, EACH, estates.nodes_for(tenants)))
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
