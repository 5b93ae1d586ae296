# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change does beyond the files: to the ledger, to DNS, to the month's bill. By tenant; the provider's under "".

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from ansible_collections.reseller.mail.plugins.module_utils import _billing
from ansible_collections.reseller.mail.plugins.module_utils._compile import dns
from ansible_collections.reseller.mail.plugins.module_utils._ledger import Account, ledger
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import COUNTERS
from ansible_collections.reseller.mail.plugins.module_utils._plan.things import shown

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate


@dataclass(frozen=True, slots=True)
class Count:
    """One counter of an account, before and after, and what it may come to."""

    kind: str
    name: str
    counter: str
    before: int
    after: int
    limit: t.Optional[int]

    def __str__(self) -> str:
        old, new, most = (
            shown(f"limits.{self.counter}", value)
            for value in (self.before, self.after, self.limit)
        )
        return f"{self.counter} {old} → {new}{'' if self.limit is None else f' of {most}'}"


@dataclass(frozen=True, slots=True)
class RecordChange:
    """What stands at one name and type, before and after."""

    name: str
    type: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    managed: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """A tenant's month."""

    currency: str = ""
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    gone: tuple[_billing.Line, ...] = ()
    new: tuple[_billing.Line, ...] = ()


@dataclass(slots=True)
class Effects:
    """All of one tenant's."""

    ledger: list[Count] = field(default_factory=list)
    dns: list[RecordChange] = field(default_factory=list)
    bill: t.Optional[Bill] = None


def effects(before: Estate, after: Estate) -> dict[str, Effects]:
    """Of every tenant that is touched."""
    found: defaultdict[str, Effects] = defaultdict(Effects)
    for tenant, count in _counts(before, after):
        found[tenant].ledger.append(count)
    for tenant, change in _records(before, after):
        found[tenant].dns.append(change)
    for tenant, bill in _bills(before, after):
        found[tenant].bill = bill
    return dict(found)


def _counts(before: Estate, after: Estate) -> t.Iterator[tuple[str, Count]]:
    books = [
        {(each.tenant, each.kind, each.name): each for each in ledger(estate).accounts()}
        for estate in (before, after)
    ]
    for key in dict.fromkeys((*books[1], *books[0])):
        old, new = (book.get(key) for book in books)
        if new is None and key[1] == "domain":
            continue  # that the domain goes is told already
        for counter in COUNTERS:
            was, now = (getattr(side.used, counter) if side else 0 for side in (old, new))
            limit = getattr((new or t.cast(Account, old)).limits, counter)
            if was != now:
                yield key[0], Count(key[1], key[2], counter, was, now, limit)


def _records(before: Estate, after: Estate) -> t.Iterator[tuple[str, RecordChange]]:
    whose = {
        name: tenant.name
        for estate in (before, after)
        for tenant in estate.tenants
        for domain in tenant.domains
        for name in domain.names
    }
    sides: list[defaultdict[tuple[str, str, str], list[str]]] = []
    managed: dict[str, bool] = {}
    for estate in (before, after):
        side: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
        for record in dns.records(estate):
            side[record.domain, record.name, record.type].append(record.value)
            managed[record.name] = record.managed
        sides.append(side)
    for key in sorted(sides[0].keys() | sides[1].keys()):
        old, new = (tuple(side.get(key, ())) for side in sides)
        if old != new:
            domain, name, kind = key
            yield whose.get(domain, ""), RecordChange(name, kind, old, new, managed[name])


def _bills(before: Estate, after: Estate) -> t.Iterator[tuple[str, Bill]]:
    lines = [Counter(_billing.monthly_lines(estate)) for estate in (before, after)]
    sums = [_billing.totals(side.elements()) for side in lines]
    differing: list[dict[str, list[_billing.Line]]] = [defaultdict(list), defaultdict(list)]
    for side in (0, 1):
        for line in sorted((lines[side] - lines[1 - side]).elements()):
            differing[side][line.tenant].append(line)
    for tenant in sorted(differing[0].keys() | differing[1].keys()):
        gone, new = (tuple(side.get(tenant, ())) for side in differing)
        yield (
            tenant,
            Bill(
                (*new, *gone)[0].currency,
                sums[0].get(tenant, Decimal(0)),
                sums[1].get(tenant, Decimal(0)),
                gone,
                new,
            ),
        )
