# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger as data, for JSON, CSV and the table.

PRIVATE to the collection. Pure. ``None`` is unlimited. Sizes are bytes. Everything is sorted by
name.
"""

from __future__ import annotations

import csv
import io
import typing as t

from .._judge.ledger import Account, Ledger, binding, ledger
from .._model.printable import json_text
from .._model.tenant import COUNTERS

if t.TYPE_CHECKING:
    from .._model.estate import Estate
    from .._model.tenant import Tenant
    from .._model.values import Limit

Data = dict[str, t.Any]

STATES = ("ok", "near", "full", "over")
"""States of one counter against the limit of its own line, the worst last."""

COUNTERS_OF = {
    "tenant": COUNTERS,
    "plan": COUNTERS,
    "owner": COUNTERS[:5],
    "domain": ("domain_aliases", "mailboxes", "aliases", "storage"),
    "node": ("storage",),
}
COLUMNS = (
    "kind",
    "tenant",
    "name",
    "plan",
    "node",
    "counter",
    "used",
    "limit",
    "left",
    "percent",
    "bound_by",
    "state",
)


def state_of(used: int, limit: Limit, warn_at: int) -> str:
    """Return the state of a counter. It is ok if nothing is allowed and nothing is used.

    ``warn_at`` is the percentage of the limit from which on the state is near.
    """
    if limit is None or used < limit or not limit:
        near = limit and used * 100 >= warn_at * limit
        return "over" if limit == 0 and used else "near" if near else "ok"
    return "over" if used > limit else "full"


def worst(counters: t.Mapping[str, Data], keys: t.Container[str] = COUNTERS) -> str:
    """Return the worst state of the counters named by ``keys``; ok if there is none."""
    return max(
        (counter["state"] for key, counter in counters.items() if key in keys),
        key=STATES.index,
        default="ok",
    )


def report(estate: Estate, tenants: t.Collection[str] = ()) -> Data:
    """Return the whole ledger, or only that of the named tenants.

    With names it has no plans and nodes, because they show numbers of other tenants.
    """
    book = ledger(estate)
    chosen = sorted(
        (tenant for tenant in estate.tenants if not tenants or tenant.name in tenants),
        key=lambda tenant: tenant.name,
    )
    warn_at = estate.quota_policy.warn_at
    data: Data = {
        "warn_at": warn_at,
        "tenants": [_tenant(tenant, book, warn_at) for tenant in chosen],
    }
    data["totals"] = _totals(data["tenants"])
    data["plans"] = (
        []
        if tenants
        else [
            _line(account, (account,), warn_at, tenants=account.tenants)
            for _name, account in sorted(book.plans.items())
        ]
    )
    data["nodes"] = (
        [] if tenants else [_node(estate, book, name, warn_at) for name in sorted(book.nodes)]
    )
    return data


def _tenant(tenant: Tenant, book: Ledger, warn_at: int) -> Data:
    account = book.tenants[tenant.name]
    owners = sorted(key for key in book.owners if key[0] == tenant.name)
    return {
        **_line(account, (account,), warn_at),
        "organisation": tenant.organisation,
        "plan": tenant.plan,
        "node": tenant.placement,
        "tenant_state": tenant.state,
        "owners": [_line(book.owners[key], (book.owners[key], account), warn_at) for key in owners],
        "domains": [
            {
                **_line(book.domains[domain.name], (book.domains[domain.name], account), warn_at),
                "type": domain.type,
            }
            for domain in sorted(tenant.domains, key=lambda domain: domain.name)
        ],
    }


def _line(account: Account, bounds: t.Sequence[Account], warn_at: int, **more: t.Any) -> Data:
    """Return one account.

    ``limit`` is its own limit. ``left`` is what all ``bounds`` together leave, and ``bound_by`` is
    the one that decides this.
    """
    counters = {}
    for key in COUNTERS_OF[account.kind]:
        used: int = getattr(account.used, key)
        limit: Limit = getattr(account.limits, key)
        bound = binding(key, *bounds)
        counters[key] = {
            "used": used,
            "limit": limit,
            "left": bound.left(key) if bound else None,
            "percent": round(used * 100 / limit, 1) if limit else None,
            "bound_by": bound.whose(key) if bound else None,
            "state": state_of(used, limit, warn_at),
        }
    return {
        "name": account.name,
        "state": worst(counters),
        "counters": counters,
        "unlimited_mailboxes": account.used.unlimited,
        **more,
    }


def _node(estate: Estate, book: Ledger, name: str, warn_at: int) -> Data:
    """Return the account of a node.

    ``sold`` is what the limits of its tenants would allow to be allotted. Ratios are those to the
    capacity.
    """
    account = book.nodes[name]
    capacity, ratio = estate.node(name).capacity, estate.quota_policy.oversell_ratio
    pools = [
        book.tenants[tenant.name].limits.storage
        for tenant in estate.tenants
        if tenant.placement == name
    ]
    sold = None if None in pools else sum(pool for pool in pools if pool is not None)
    return _line(
        account,
        (account,),
        warn_at,
        tenants=account.tenants,
        capacity=capacity,
        sold=sold,
        oversell_ratio=round(account.used.storage / capacity, 2) if capacity else None,
        sold_ratio=round(sold / capacity, 2) if capacity and sold is not None else None,
        oversell_limit=None if ratio is None else float(ratio),
    )


def _totals(tenants: t.Sequence[Data]) -> Data:
    """Return for each counter what the tenants use together, and how many are in each state."""
    totals = {}
    for key in COUNTERS:
        counters = [tenant["counters"][key] for tenant in tenants]
        totals[key] = {
            "used": sum(counter["used"] for counter in counters),
            **dict.fromkeys(STATES, 0),
        }
        for counter in counters:
            totals[key][counter["state"]] += 1
    return totals


def as_json(data: Data) -> str:
    """Return the whole ledger as JSON."""
    return json_text(data)


def as_csv(data: Data) -> str:
    """Return CSV with a line for each counter of each account; no limit is "unlimited"."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for tenant in data["tenants"]:
        place = {"tenant": tenant["name"], "plan": tenant["plan"], "node": tenant["node"]}
        for kind, lines in (
            ("tenant", [tenant]),
            ("owner", tenant["owners"]),
            ("domain", tenant["domains"]),
        ):
            _rows(writer, kind, lines, place)
    _rows(writer, "plan", data["plans"], {})
    _rows(writer, "node", data["nodes"], {})
    return out.getvalue()


def _rows(
    writer: csv.DictWriter[str], kind: str, lines: t.Iterable[Data], place: t.Mapping[str, str]
) -> None:
    for line in lines:
        for key, counter in line["counters"].items():
            row = {
                **counter,
                **{
                    name: "unlimited" if counter[name] is None else counter[name]
                    for name in ("limit", "left")
                },
            }
            writer.writerow({**place, **row, "kind": kind, "name": line["name"], "counter": key})
