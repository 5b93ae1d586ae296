# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of contracts → what the letter to each client shows of its contract, or all faults.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass
from decimal import Decimal

from .._language import schema
from .._language.source import Source
from .._language.typed_values import Walker
from .._language.yaml_nodes import parse
from .._model.values import Fault
from .._model.words import listed, meant, shown

if t.TYPE_CHECKING:
    from .._model.estate import Estate


@dataclass(frozen=True, slots=True)
class Contract:
    """What the billing system knows about a tenant. None is not known, and not shown."""

    client: t.Optional[str] = None
    product: t.Optional[str] = None
    amount: t.Optional[Decimal] = None
    currency: str = ""
    cycle: t.Optional[str] = None
    payment: t.Optional[str] = None
    due: t.Optional[datetime.date] = None


def read(file: str, content: bytes, estate: Estate) -> tuple[dict[str, Contract], list[Fault]]:
    """Return the contracts by the names of tenants, and all faults of the file, sorted by place."""
    root, faults = parse(file, content)
    walker = Walker(file, Source(file, content))
    rows = (walker.file_values(root, schema.CONTRACTS) or {}) if root or not faults else {}
    faults += walker.faults
    names = {tenant.name for tenant in estate.tenants}
    found: dict[str, Contract] = {}
    for row in rows.get("contracts", ()):
        name, at = row.pop("tenant"), row.pop("at")
        if name not in names:
            what = f"the estate has no tenant {shown(name)}{meant(name, names)}"
            faults.append(Fault(at.of("tenant"), "unknown-tenant", what, listed(names)))
        if name in found:
            what = f"{name} has a contract already"
            faults.append(
                Fault(at.of("tenant"), "duplicate-contract", what, "one contract for a tenant")
            )
        currency = row.pop("currency") or estate.currency
        found.setdefault(name, Contract(currency=currency, **row))
    return found, sorted(faults, key=Fault.order)
