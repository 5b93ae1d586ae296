# SPDX-License-Identifier: GPL-3.0-or-later
"""The page docs/benchmarks/README.md. Pure."""

from __future__ import annotations

import typing as t

from .figure import Line, formula, lines
from .measurement import Part, Quantity, Results
from .targets import FIGURES

PARTS: t.Final = {
    "engine": "The engine: files to faults, on the controller",
    "site": "Playbook `site`: two hosts, the example estate",
    "tenants": "Playbook `tenants`: two hosts, the example estate",
    "peers": "Other ways to bring mailboxes to a host",
    "mail": "Signed mail",
    "host": "A node with 100,000 mailboxes",
    "dns": "DNS of many domains",
    "nodes": "Eight nodes, an estate of eight tenants",
}
"""The parts of the benchmark and their headings, in the order in which they run."""
UNITS: t.Final[t.Mapping[Quantity, str]] = {
    "seconds": "s",
    "processor_seconds": "s",
    "memory_mb": "MB",
}
INTRODUCTION = """\
# Benchmarks

`scripts/bench.sh page` writes this page from `results.json`. The figures and their targets are in
`tests/benchmark/targets.py` of the collection. [Reasons](reasons.md) says why a target is missed.

## How to measure

Use a machine that does nothing else. All parts but `engine` need root: they start the hosts of the
[lab](../../roles/lab_hosts/README.md), which replace those of `make demo`.

```console
$ make bench                        # all parts
$ scripts/bench.sh engine peers     # some parts
$ scripts/bench.sh --trial nodes    # shows that a part runs to its end; its figures are not kept
$ scripts/bench.sh page             # writes this page anew
```

Each part writes its figures into `results.json` and keeps those of the other parts. A command runs up to five
times, in turn with the commands that it is compared with. One that takes long runs less often. The table shows
medians. A target is compared with the measurements of the same part. Memory is the peak of the largest process on
the controller, in 10^6 bytes.
"""
NOT_MEASURED = "*Not measured yet.*"


def page(results: Results) -> str:
    """Return the text of the page."""
    sections = [section(name, results) for name in PARTS]
    chart = "![Cost against size](cost.svg)\n" if "engine" in results else ""
    return "\n".join([INTRODUCTION, *([chart] if chart else []), *sections])


def section(name: str, results: Results) -> str:
    """Return the section of one part: where it was measured, and the table of its figures."""
    part = results.get(name)
    rows = [
        "| id | figure | median | peak memory | target | result |",
        "|---|---|---|---|---|---|",
        *(_row(line) for line in lines(results, FIGURES) if line.figure.part == name),
    ]
    measured = _environment(part) if part else NOT_MEASURED
    return "\n".join([f"## {PARTS[name]}", "", f"Part `{name}`. {measured}", "", *rows, ""])


def _environment(part: Part) -> str:
    words = ", ".join(f"{name} {value}" for name, value in part.environment.items())
    return f"Measured with: {words}."


def _row(line: Line) -> str:
    unit = UNITS[line.figure.quantity]
    target = formula(line.figure.target, unit)
    if target and line.limit is not None and any(term.name for term in line.figure.target):
        target += f" = {amount(line.limit)} {unit}"
    cells = (
        f"`{line.figure.id}`",
        line.figure.text,
        "–" if line.value is None else f"{amount(line.value)} {unit}",
        "–" if line.memory is None else f"{amount(line.memory)} MB",
        f"≤ {target}" if target else "–",
        _result(line),
    )
    return f"| {' | '.join(cells)} |"


def _result(line: Line) -> str:
    """Return the result, with the value as a share of the limit."""
    if line.value is None or not line.limit:
        return line.result
    text = f"{line.result}, {line.value / line.limit:.2f} of the target"
    return f"**{text}**" if line.result == "missed" else text


def amount(value: float) -> str:
    """Return a number with three significant digits and no exponent."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"
