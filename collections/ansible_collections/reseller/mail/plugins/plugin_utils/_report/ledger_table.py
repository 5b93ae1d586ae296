# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger as tables for a terminal.

PRIVATE to the collection. Pure. Runs on the controller only (needs rich). Each colour also has a
mark, because not everyone sees colours.
"""

from __future__ import annotations

import typing as t

from .._model.console import memory_console, written
from .._model.sizes import rounded
from .._model.tenant import COUNTERS
from .ledger_data import STATES, Data, worst

try:
    from rich.console import Console
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None

FIVE = COUNTERS[:5]
GROWING = ("mailboxes", "aliases", "storage")
"""Counters that grow day by day. That a tenant has the one domain it paid for is not shown as
full."""

MANY = 20
"""With more tenants than this, only those near a limit are shown."""

_LOOK = {
    "ok": ("", ""),
    "near": (" !", "yellow"),
    "full": (" ■", "magenta"),
    "over": (" ✗", "bold red"),
}
_HEADS = {
    "domains": "domains",
    "domain_aliases": "domain al.",
    "mailboxes": "mailboxes",
    "aliases": "aliases",
    "storage": "storage",
}
_BAR = 8


def as_table(data: Data, details: str = "auto", width: int = 100, color: bool = False) -> str:
    """Return the ledger as tables, ``width`` characters wide.

    ``details`` is all, near (only tenants near a limit), or auto (all, up to ``MANY`` tenants).
    """
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
    console = memory_console(width, color)
    tenants: list[Data] = data["tenants"]
    shown, notes = _selected(tenants, details)
    widths = _widths(
        [line for tenant in shown for line in (tenant, *tenant["owners"], *tenant["domains"])]
        + data["plans"]
    )
    for tenant in shown:
        _tenant(console, tenant, widths)
    if data["plans"]:
        _heading(console, Text("Plans", style="bold"))
        console.print(
            _grid(
                width,
                widths,
                [(f"{plan['name']}, {_tenants(plan['tenants'])}", plan) for plan in data["plans"]],
            )
        )
    if data["nodes"]:
        _heading(console, Text("Nodes", style="bold"))
        console.print(_nodes(data["nodes"]))
    _heading(console, Text("Tenants by counter", style="bold"))
    console.print(_totals(data["totals"], len(tenants)))
    notes.append(
        f"Marks: ! {data['warn_at']} % or more of a limit, ■ full, ✗ over. A number without a"
        " limit is limited only by the line above."
    )
    for note in notes:
        console.print(Text(note, style="bright_black"))
    return "\n".join(line for line in written(console).split("\n") if line)


def _selected(tenants: list[Data], details: str) -> tuple[list[Data], list[str]]:
    """Return the tenants to show, and a note if some are left out."""
    if details != "near" and (details != "auto" or len(tenants) <= MANY):
        return tenants, []
    shown = sorted(
        (tenant for tenant in tenants if urgency(tenant) != "ok"),
        key=lambda tenant: (STATES.index(urgency(tenant)), tenant["name"]),
    )
    note = (
        f"{len(tenants) - len(shown)} of {len(tenants)} tenants are not near a limit of"
        " mailboxes, aliases or storage."
    )
    return shown, [note]


def _tenants(number: int) -> str:
    return "1 tenant" if number == 1 else f"{number} tenants"


def urgency(tenant: Data) -> str:
    """Return the worst state of the growing counters of a tenant, its owners and domains.

    Any counter that is over its limit counts, too.
    """
    lines = (tenant, *tenant["owners"], *tenant["domains"])
    states = [worst(line["counters"], GROWING) for line in lines] + [
        line["state"] for line in lines if line["state"] == "over"
    ]
    return str(max(states, key=STATES.index))


def _widths(lines: t.Iterable[Data]) -> dict[str, int]:
    """Return the widths of the columns, which are the same in all tables."""
    widths = {key: len(_HEADS[key]) for key in FIVE}
    for line in lines:
        for key, cell in _cells(line).items():
            widths[key] = max(widths[key], cell.cell_len)
    return widths


def _cells(line: Data) -> dict[str, Text]:
    return {
        key: _amount(key, line["counters"][key], line["unlimited_mailboxes"])
        for key in FIVE
        if key in line["counters"]
    }


def _tenant(console: Console, tenant: Data, widths: t.Mapping[str, int]) -> None:
    counters = tenant["counters"]
    by_account = [
        key.replace("_", " ")
        for key, counter in counters.items()
        if counter["bound_by"] == "account"
    ]
    limits = f"plan {tenant['plan']}" + (
        f" ({', '.join(by_account)} by its account)" if by_account else ""
    )
    about = (
        f"  {tenant['organisation']} · {tenant['tenant_state']} on {tenant['node']} · {limits} ·"
        " admins "
    )
    _heading(
        console,
        Text.assemble(
            (tenant["name"], "bold"), about, _amount("domain_admins", counters["domain_admins"])
        ),
    )
    lines = [("all of it", tenant)]
    lines += [(owner["name"], owner) for owner in tenant["owners"]]
    lines += [
        (domain["name"] + (" (relay)" if domain["type"] == "relay" else ""), domain)
        for domain in tenant["domains"]
    ]
    console.print(_grid(console.width, widths, lines))


def _heading(console: Console, title: Text) -> None:
    console.print(Rule(title, align="left", style="bright_black"))


def _grid(width: int, widths: t.Mapping[str, int], lines: t.Iterable[tuple[str, Data]]) -> Table:
    table = Table(
        box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="bright_black", expand=True
    )
    table.add_column("", ratio=1, overflow="fold")
    for key in FIVE:
        table.add_column(_HEADS[key], justify="right", no_wrap=True, width=widths[key])
    with_name, with_bar = width >= 110, width >= 90
    if with_bar:
        table.add_column("fullest", no_wrap=True, width=_BAR + 6 + (10 if with_name else 0))
    for label, line in lines:
        cells = _cells(line)
        table.add_row(
            label,
            *(cells.get(key, Text("")) for key in FIVE),
            *([_fullest(line["counters"], with_name)] if with_bar else []),
        )
    return table


def _amount(key: str, counter: Data, unlimited: int = 0) -> Text:
    """Return what is used of which limit, with a mark: ``12/20 !``."""
    show = rounded if key == "storage" else str
    used = show(counter["used"]) + (f"+{unlimited}×∞" if unlimited and key == "storage" else "")
    limit = "" if counter["limit"] is None else f"/{show(counter['limit'])}"
    mark, style = _LOOK[counter["state"]]
    return Text(
        used + limit + mark, style=style if key in GROWING or counter["state"] == "over" else ""
    )


def _fullest(counters: t.Mapping[str, Data], with_name: bool) -> Text:
    """Return a bar for the counter with the highest percentage; empty if none has a limit."""
    finite = [
        (counter["percent"], key)
        for key, counter in counters.items()
        if counter["percent"] is not None and key in GROWING
    ]
    if not finite:
        return Text("")
    percent, key = max(finite)
    filled = min(_BAR, int(percent * _BAR / 100))
    return Text(
        f"{'█' * filled}{'░' * (_BAR - filled)} {percent:3.0f}"
        f" %{f' {_HEADS[key]}' if with_name else ''}",
        style=_LOOK[counters[key]["state"]][1],
    )


def _nodes(nodes: t.Iterable[Data]) -> Table:
    table = Table(
        box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="bright_black", expand=True
    )
    table.add_column("", ratio=1, overflow="fold")
    for head in ("tenants", "allotted", "capacity", "ratio", "allowed", "sold by limits"):
        table.add_column(head, justify="right", no_wrap=True)
    for node in nodes:
        storage = node["counters"]["storage"]
        mark, style = _LOOK[storage["state"]]
        ratio = "" if node["oversell_ratio"] is None else f"{node['oversell_ratio']:.2f}{mark}"
        allowed = (
            ""
            if node["capacity"] is None
            else "any"
            if node["oversell_limit"] is None
            else f"{node['oversell_limit']:g}"
        )
        sold = (
            "unlimited"
            if node["sold"] is None
            else rounded(node["sold"])
            + ("" if node["sold_ratio"] is None else f" ({node['sold_ratio']:.2f})")
        )
        allotted = rounded(storage["used"]) + (
            f"+{node['unlimited_mailboxes']}×∞" if node["unlimited_mailboxes"] else ""
        )
        capacity = "not stated" if node["capacity"] is None else rounded(node["capacity"])
        table.add_row(
            node["name"],
            str(node["tenants"]),
            allotted,
            capacity,
            Text(ratio, style=style),
            allowed,
            sold,
        )
    return table


def _totals(totals: t.Mapping[str, Data], tenants: int) -> Table:
    table = Table(
        box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="bright_black", expand=True
    )
    table.add_column(_tenants(tenants), ratio=1)
    for head in ("used", "near", "full", "over"):
        table.add_column(head, justify="right", no_wrap=True, min_width=8)
    for key, total in totals.items():
        used = rounded(total["used"]) if key == "storage" else str(total["used"])
        marked = [
            Text(
                f"{total[state]}{_LOOK[state][0]}" if total[state] else "0",
                style=_LOOK[state][1] if total[state] else "",
            )
            for state in STATES[1:]
        ]
        table.add_row(key.replace("_", " "), used, *marked)
    return table
