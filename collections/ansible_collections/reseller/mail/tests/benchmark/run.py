# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark: ``run.py [PART…]`` measures, ``run.py page`` writes docs/benchmarks/ anew.

With BENCHMARK_TRIAL in the environment the figures are printed and not kept.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import platform
import subprocess
import sys
import time
import typing as t
from importlib.metadata import version
from pathlib import Path

from . import chart, page
from .measurement import TRIAL, Part, from_json, to_json
from .process import HERE, PROJECT, SCRATCH, Failed
from .targets import EVENTS, JSON, JUDGE, JUDGE_WARM, PLAN

DOCS = PROJECT / "docs" / "benchmarks"
SPEED = HERE.parents[1] / "docs" / "speed.md"
RESULTS = DOCS / "results.json"
USAGE = f"usage: scripts/bench.sh [--trial] [PART…] or page; parts: {' '.join(page.PARTS)}"
CHART = (JUDGE, JUDGE_WARM, PLAN, EVENTS, JSON)


def results() -> dict[str, Part]:
    """Return what was measured so far."""
    return from_json(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def environment() -> dict[str, t.Any]:
    """Return what the figures of a part depend on."""
    git = ("git", "describe", "--always", "--dirty", "--abbrev=10")
    done = subprocess.run(git, cwd=PROJECT, capture_output=True, text=True, check=False)
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "Python": platform.python_version(),
        "ansible-core": version("ansible-core"),
        "commit": done.stdout.strip() or "unknown",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "load before": round(os.getloadavg()[0], 1),
    }


def processor() -> str:
    """Return the model of the processor, as Linux names it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def measure(name: str) -> Part:
    """Run one part."""
    before, began = environment(), time.monotonic()
    found = importlib.import_module(f"{__package__}.parts.{name}").measure()
    before["minutes"] = round((time.monotonic() - began) / 60, 1)
    return Part(before, tuple(found))


def write(path: Path, text: str) -> None:
    """Write a file of docs/benchmarks/."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_pages() -> None:
    """Write the pages, and the chart if the engine was measured."""
    found = results()
    write(DOCS / "README.md", page.page(found))
    write(SPEED, page.speed(SPEED.read_text(encoding="utf-8"), found))
    if "engine" in found:
        write(DOCS / "cost.svg", picture(found["engine"]))


def picture(part: Part) -> str:
    """Return the chart of the engine's cost."""
    series: dict[str, list[tuple[float, float]]] = {}
    for one in part.measurements:
        seconds = one.median()
        if one.name in CHART and seconds:
            series.setdefault(one.name, []).append((one.size, seconds))
    return chart.svg(series, "The engine: cost against size", "mailboxes", "seconds")


def main(arguments: t.Sequence[str]) -> None:
    """Do what the command line asks for."""
    if list(arguments) == ["page"]:
        return write_pages()
    if unknown := [name for name in arguments if name not in page.PARTS]:
        sys.exit(f"{' '.join(unknown)}: no such part. {USAGE}")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    failed = []
    for name in arguments or page.PARTS:
        # Linux counts the memory of the process that starts a command as that of the command, too
        # (getrusage(2)). So what one part needs must not stay in the process of the next.
        alone = multiprocessing.get_context("fork").Process(target=keep, args=(name,))
        alone.start()
        alone.join()
        if alone.exitcode:
            failed.append(name)
    if failed:
        sys.exit(f"{' '.join(failed)}: not measured")


def keep(name: str) -> None:
    """Measure a part, print its figures and keep them. End the process with 1 if it fails."""
    print(f"{name}: measuring", flush=True)
    try:
        part = measure(name)
    except Failed as error:
        sys.exit(f"{name}: stopped, its figures stay as they were: {error}")
    if not TRIAL:
        write(RESULTS, to_json(results() | {name: part}))
    print(page.section(name, {name: part}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
