# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, as values, and as the text of docs/benchmarks/results.json. Pure."""

from __future__ import annotations

import json
import os
import statistics
import typing as t
from dataclasses import asdict, dataclass

Quantity = t.Literal["seconds", "processor_seconds", "memory_mb"]
SHOWN: t.Final = 4
"""Significant digits in results.json."""
TRIAL: t.Final = bool(os.environ.get("BENCHMARK_TRIAL"))
"""A trial shows that the parts run to their end: one round, small sizes, and no results are kept."""


@dataclass(frozen=True)
class Run:
    """One run of one command.

    Attributes:
        seconds: By the clock.
        processor_seconds: Of the command and of all processes that it started. None if only the
            clock was read, as on a host.
        memory_mb: The largest resident set of one of these processes, in 10^6 bytes.
    """

    seconds: float
    processor_seconds: t.Optional[float] = None
    memory_mb: t.Optional[float] = None


@dataclass(frozen=True)
class Measurement:
    """All runs of one command.

    Attributes:
        name: What was run.
        size: How many mailboxes, domains or nodes it worked on. 0 if it does not depend on that.
    """

    name: str
    size: int
    runs: tuple[Run, ...]

    def median(self, quantity: Quantity = "seconds") -> t.Optional[float]:
        """Return the median of all runs, or None if a run has no such value."""
        values = [getattr(run, quantity) for run in self.runs]
        return None if None in values or not values else statistics.median(values)


@dataclass(frozen=True)
class Part:
    """The measurements of one part of the benchmark, which were made in one go.

    Attributes:
        environment: Where and when: cores, versions, commit, date, load, minutes.
    """

    environment: t.Mapping[str, t.Any]
    measurements: tuple[Measurement, ...]

    def median(self, name: str, size: int, quantity: Quantity = "seconds") -> t.Optional[float]:
        """Return the median of one measurement, or None if it was not made."""
        for one in self.measurements:
            if (one.name, one.size) == (name, size):
                return one.median(quantity)
        return None


Results = t.Mapping[str, Part]
"""The parts by their names."""


def to_json(results: Results) -> str:
    """Return the text of results.json. Equal results give equal text."""
    parts = {
        name: {
            "environment": dict(part.environment),
            "measurements": [
                {"name": one.name, "size": one.size, "runs": [_run(run) for run in one.runs]}
                for one in part.measurements
            ],
        }
        for name, part in results.items()
    }
    return json.dumps(parts, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _run(run: Run) -> dict[str, float]:
    return {
        name: float(f"{value:.{SHOWN}g}")
        for name, value in asdict(run).items()
        if value is not None
    }


def from_json(text: str) -> dict[str, Part]:
    """Return the results of a text of ``to_json``; raise ValueError, KeyError or TypeError for
    another text."""
    return {
        name: Part(
            part["environment"],
            tuple(
                Measurement(one["name"], one["size"], tuple(Run(**run) for run in one["runs"]))
                for one in part["measurements"]
            ),
        )
        for name, part in json.loads(text).items()
    }


Commands = t.Mapping[t.Tuple[str, int], t.Callable[[], Run]]
"""What is run, by the name and the size of its measurement."""


def rounds(commands: Commands, most: int = 5, budget: float = 90) -> list[Measurement]:
    """Return a measurement of each command. The commands are run in turn.

    So whatever else the machine does meets all commands alike, and their ratios are fair. There
    are at most ``most`` rounds, and one in a trial. After ``budget`` seconds no other round begins.
    """
    found: dict[tuple[str, int], list[Run]] = {key: [] for key in commands}
    spent = 0.0
    for _round in range(1 if TRIAL else most):
        if spent >= budget:
            break
        for key, command in commands.items():
            found[key].append(command())
            spent += found[key][-1].seconds
    return [Measurement(name, size, tuple(runs)) for (name, size), runs in found.items()]
