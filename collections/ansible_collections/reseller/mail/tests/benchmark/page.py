# SPDX-License-Identifier: GPL-3.0-or-later
"""The page docs/benchmarks/README.md, and the figures of the collection's page about speed. Pure."""

from __future__ import annotations

import typing as t

from .figure import Line, formula, lines
from .measurement import Part, Quantity, Results
from .targets import (
    CERTIFICATES,
    DKIM_KEYS,
    FEW_NODES,
    FIGURES,
    INCOMING,
    INCOMING_FILTERED,
    KEYS,
    MANY_DOMAINS,
    MANY_NODES,
    MESSAGES,
    MORE_NODES,
    NAMES,
    PING,
    PUBLISH,
    PUBLISH_UNCHANGED,
    SUBMITTED,
    SUBMITTED_FILTERED,
    UNCHANGED,
    UNCHANGED_MITOGEN,
    VERIFY_DNS,
)

PARTS: t.Final = {
    "engine": "The engine: files to faults, on the controller",
    "site": "Playbook `site`: two hosts, the example estate",
    "tenants": "Playbook `tenants`: two hosts, the example estate",
    "peers": "Other ways to bring mailboxes to a host",
    "mail": "Signed mail",
    "filter": "Mail with and without the filter",
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
NOT_YET = "not measured yet"


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


BELOW: t.Final = "<!-- Below this line `scripts/bench.sh page` writes. -->\n"
"""The line of the collection's page about speed after which its figures are."""


def speed(text: str, results: Results) -> str:
    """Return the collection's page about speed with the figures of the results."""
    above, line, _former = text.partition(BELOW)
    return above + line + "\n" + "\n".join(_speed(results))


def _speed(results: Results) -> t.Iterator[str]:
    nodes, site = results.get("nodes"), results.get("site")
    host, dns = results.get("host"), results.get("dns")
    yield "## Figures\n"
    yield "Medians of `make bench`, on the controller. The hosts are on the same machine as the controller.\n"
    yield "### Nodes\n"
    yield "`tenants` without a change, with as many forks as nodes or more. Each node serves one tenant.\n"
    yield "| nodes | seconds | processor time of the controller |"
    yield "|---|---|---|"
    for count in (FEW_NODES, MORE_NODES, MANY_NODES):
        clock = _amount(nodes, UNCHANGED, count)
        yield f"| {count} | {clock} | {_amount(nodes, UNCHANGED, count, 'processor_seconds')} |"
    (extra,) = (one for one in lines(results, FIGURES) if one.figure.id == "nodes-extra")
    yield f"| each more | – | {_seconds(extra.value)} |\n"
    yield "### With mitogen\n"
    yield "| run on two nodes | seconds |"
    yield "|---|---|"
    yield f"| ping | {_amount(site, PING, 0)} |"
    yield f"| `site`, nothing to change | {_amount(site, UNCHANGED, 0)} |"
    yield f"| the same with mitogen | {_amount(site, UNCHANGED_MITOGEN, 0)} |\n"
    yield "### Domains\n"
    yield "| step | number | seconds |"
    yield "|---|---|---|"
    for text, part, name, size in (
        ("DKIM keys of new domains, one RSA-2048 key each", host, DKIM_KEYS, KEYS),
        (
            "certificates of new names, from an ACME server beside the node",
            dns,
            CERTIFICATES,
            NAMES,
        ),
        ("first `dns_publish`", dns, PUBLISH, MANY_DOMAINS),
        ("`dns_publish`, nothing to change", dns, PUBLISH_UNCHANGED, MANY_DOMAINS),
        ("`verify_dns`, one name server with one address", dns, VERIFY_DNS, MANY_DOMAINS),
    ):
        yield f"| {text} | {size:,} | {_amount(part, name, size)} |"
    yield ""
    yield from _mail(results.get("filter"))


def _mail(part: t.Optional[Part]) -> t.Iterator[str]:
    """Yield how many messages a node accepts in a second, with the filter and without it."""
    yield "### Mail\n"
    yield "Messages of 2 KB a second that one node accepts over ten connections, until they are in its queue. The host"
    yield "that sends them is on the same machine.\n"
    yield "| mail | without the filter | with it | ratio |"
    yield "|---|---|---|---|"
    for text, without, filtered in (
        ("from outside", INCOMING, INCOMING_FILTERED),
        ("submitted and signed", SUBMITTED, SUBMITTED_FILTERED),
    ):
        seconds = [part.median(name, MESSAGES) if part else None for name in (without, filtered)]
        yield f"| {text} | {' | '.join(_rates(*seconds))} |"
    yield ""


def _rates(without: t.Optional[float], filtered: t.Optional[float]) -> tuple[str, str, str]:
    """Return the messages a second without and with the filter, and the ratio."""
    if not without or not filtered:
        return NOT_YET, NOT_YET, "–"
    return amount(MESSAGES / without), amount(MESSAGES / filtered), amount(without / filtered)


def _amount(part: t.Optional[Part], name: str, size: int, quantity: Quantity = "seconds") -> str:
    return _seconds(part.median(name, size, quantity) if part else None)


def _seconds(value: t.Optional[float]) -> str:
    return NOT_YET if value is None else f"{amount(value)} s"
