# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change does to the ledger, DNS, the monthly bill and stored mail, for each tenant.

PRIVATE to the collection. Pure. What concerns the provider itself is under the tenant "".
"""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from .._compile import dns
from .._judge.ledger import Account, ledger
from .._model.tenant import COUNTERS
from . import billing
from .objects import shown

if t.TYPE_CHECKING:
    from .._model.estate import Estate
    from .._model.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Count:
    """One counter of an account in the ledger, before and after, and its limit (None: no limit)."""

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
    """The values of one DNS name and type, before and after.

    ``managed`` is whether the provider writes the zone.
    """

    name: str
    type: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    managed: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """How the monthly bill of a tenant changes: both sums, and the lines that differ."""

    currency: str = ""
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    gone: tuple[billing.Line, ...] = ()
    new: tuple[billing.Line, ...] = ()


KEPT, DELETED, RETURNS = "kept", "deleted", "returns"


@dataclass(frozen=True, slots=True)
class MailChange:
    """What the next run does with the stored mail and the passwords of mailboxes.

    ``fate`` is ``kept`` for ``days``, ``deleted`` at once if the run confirms it, or ``returns``:
    what is still kept.
    """

    fate: str
    mailboxes: tuple[str, ...]
    days: int = 0


@dataclass(slots=True)
class Consequences:
    """All consequences for one tenant. ``bill`` is None if the bill stays the same."""

    ledger: list[Count] = field(default_factory=list)
    dns: list[RecordChange] = field(default_factory=list)
    mail: list[MailChange] = field(default_factory=list)
    bill: t.Optional[Bill] = None


def consequences(before: Estate, after: Estate) -> dict[str, Consequences]:
    """Return the consequences for each tenant that has any, by its name."""
    found: defaultdict[str, Consequences] = defaultdict(Consequences)
    for tenant, count in _count_changes(before, after):
        found[tenant].ledger.append(count)
    for tenant, change in _record_changes(before, after):
        found[tenant].dns.append(change)
    for tenant, bill in _bill_changes(before, after):
        found[tenant].bill = bill
    for tenant, mail in _mail_changes(before, after):
        found[tenant].mail.append(mail)
    return dict(found)


def _mail_changes(before: Estate, after: Estate) -> t.Iterator[tuple[str, MailChange]]:
    """Yield what becomes of stored mail, with the tenant.

    Mail of a mailbox whose tenant or domain only waits in the files stays where it is.
    """
    served = after.served_names()[2]
    now = {tenant.name: tenant for tenant in after.tenants}
    for tenant in before.tenants:
        new = now.get(tenant.name)
        purges = new is not None and new.state == "terminated" and new.purge
        gone = _addresses(tenant) - served - (_waiting(new) if new else set())
        if purges and (gone or not tenant.purge):
            yield tenant.name, MailChange(DELETED, tuple(sorted(gone or _written(tenant))))
        elif gone:
            yield tenant.name, MailChange(KEPT, tuple(sorted(gone)), (new or tenant).retention)
        elif new and tenant.state == "terminated" and new.served:
            yield tenant.name, MailChange(RETURNS, tuple(sorted(_addresses(new))))


def _addresses(tenant: Tenant) -> set[str]:
    """Return the addresses of the mailboxes of a tenant that hosts serve."""
    return {box.address for domain in tenant.served_domains() for box in domain.mailboxes}


def _written(tenant: Tenant) -> set[str]:
    """Return the addresses of all mailboxes that the files of a tenant have."""
    return {box.address for domain in tenant.domains for box in domain.mailboxes}


def _waiting(tenant: Tenant) -> set[str]:
    """Return the addresses that the files have and that hosts do not serve for now."""
    return set() if tenant.state == "terminated" else _written(tenant) - _addresses(tenant)


def _count_changes(before: Estate, after: Estate) -> t.Iterator[tuple[str, Count]]:
    """Yield each counter of the ledger that differs, with its tenant."""
    old_accounts, new_accounts = _accounts(before), _accounts(after)
    for key in dict.fromkeys((*new_accounts, *old_accounts)):
        tenant, kind, name = key
        old, new = old_accounts.get(key), new_accounts.get(key)
        if new is None and kind == "domain":
            continue  # the removal of the domain is a change of its own
        limits = (new or t.cast(Account, old)).limits
        for counter in COUNTERS:
            was, now = _used(old, counter), _used(new, counter)
            if was != now:
                yield tenant, Count(kind, name, counter, was, now, getattr(limits, counter))


def _accounts(estate: Estate) -> dict[tuple[str, str, str], Account]:
    """Return the accounts of the ledger by tenant, kind and name."""
    return {(each.tenant, each.kind, each.name): each for each in ledger(estate).accounts()}


def _used(account: t.Optional[Account], counter: str) -> int:
    """Return the value of a counter; 0 if there is no such account."""
    return getattr(account.used, counter) if account else 0


def _record_changes(before: Estate, after: Estate) -> t.Iterator[tuple[str, RecordChange]]:
    """Yield each DNS name and type whose values differ, with its tenant."""
    tenants = {
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
    keys = sides[0].keys() | sides[1].keys()
    for key in sorted(key for key in keys if sides[0].get(key) != sides[1].get(key)):
        old, new = (tuple(side.get(key, ())) for side in sides)
        domain, name, kind = key
        yield tenants.get(domain, ""), RecordChange(name, kind, old, new, managed[name])


def _bill_changes(before: Estate, after: Estate) -> t.Iterator[tuple[str, Bill]]:
    """Yield the changes of each bill that differs, with its tenant."""
    lines = [Counter(billing.monthly_lines(estate)) for estate in (before, after)]
    sums = [billing.totals(side.elements()) for side in lines]
    differing: list[dict[str, list[billing.Line]]] = [defaultdict(list), defaultdict(list)]
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
