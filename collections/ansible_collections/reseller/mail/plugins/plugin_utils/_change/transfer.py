# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of owners: which objects have another owner, and the transfer from one admin to another.

PRIVATE to the collection. Pure. A transfer stays within a tenant, so only the accounts of the two
owners change. It moves everything or nothing.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._judge.ledger import Account, Usage, charges, ledger
from .._model.domain import Domain
from .._model.estate import Estate
from .._model.tenant import COUNTERS, Tenant
from .._model.values import Limit, Position

Owned = tuple[str, str, str, Position]
"""The kind, name, owner and place of an object."""


@dataclass(frozen=True, slots=True, order=True)
class OwnerChange:
    """One object whose owner changed.

    ``kind`` is domain, domain alias, mailbox, alias or sender address. ``at`` is the place of the
    object after the change.
    """

    tenant: str
    kind: str
    name: str
    before: str
    after: str
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Missing:
    """A counter whose limit at the receiver is too low.

    ``needed`` is how much would be added; None is unlimited. ``left`` is how much the limit allows.
    """

    key: str
    needed: Limit
    left: int

    @property
    def amount(self) -> Limit:
        """Return by how much the limit is too low; None means that only unlimited is enough."""
        return None if self.needed is None else self.needed - self.left


@dataclass(frozen=True, slots=True)
class Transfer:
    """The result of a transfer: the estate after it, what changed, and what was charged.

    If something is ``missing``, the transfer is refused and ``estate`` is unchanged.
    """

    estate: Estate
    changes: tuple[OwnerChange, ...]
    moved: Usage
    missing: tuple[Missing, ...]


def owned(domain: Domain) -> t.Iterator[Owned]:
    """Yield everything in a domain's file that has an owner, the domain first."""
    yield "domain", domain.name, domain.owner, domain.at
    for other in domain.domain_aliases:
        yield "domain alias", other.name, other.owner, other.at
    for mailbox in domain.mailboxes:
        yield "mailbox", mailbox.address, mailbox.owner, mailbox.at
    for alias in domain.aliases:
        yield "alias", alias.address, alias.owner, alias.at
    for sender in domain.sender_addresses:
        yield "sender address", sender.address, sender.owner, sender.at


def owner_changes(before: Estate, after: Estate) -> list[OwnerChange]:
    """Return every object that has another owner in the same tenant, sorted.

    Objects that are only on one side are left out.
    """
    was = {
        (tenant.name, kind, name): owner
        for tenant in before.tenants
        for domain in tenant.domains
        for kind, name, owner, _at in owned(domain)
    }
    changes = []
    for tenant in after.tenants:
        for domain in tenant.domains:
            for kind, name, owner, at in owned(domain):
                old = was.get((tenant.name, kind, name), owner)
                if old != owner:
                    changes.append(OwnerChange(tenant.name, kind, name, old, owner, at))
    return sorted(changes)


def transfer(estate: Estate, tenant: str, source: str, target: str) -> Transfer:
    """Return the estate in which ``target`` owns everything that ``source`` owned in a tenant.

    The caller must have checked that the tenant exists and that both are admins of it.
    """
    if source == target:
        return Transfer(estate, (), Usage(), ())
    home = next(each for each in estate.tenants if each.name == tenant)
    moved = _charged_to(home, source)
    missing = list(_missing(moved, ledger(estate).owners[tenant, target]))
    if missing:
        return Transfer(estate, (), moved, tuple(missing))
    changed = replace(
        home, domains=tuple(_handed_over(domain, source, target) for domain in home.domains)
    )
    after = replace(
        estate, tenants=tuple(changed if each is home else each for each in estate.tenants)
    )
    return Transfer(after, tuple(owner_changes(estate, after)), moved, ())


def _charged_to(tenant: Tenant, owner: str) -> Usage:
    """Return what one owner is charged in a tenant."""
    usage = Usage()
    for domain in tenant.domains:
        for key, amount, charged, _at in charges(domain):
            if charged == owner:
                setattr(usage, key, getattr(usage, key) + amount)
    return usage


def _missing(moved: Usage, receiver: Account) -> t.Iterator[Missing]:
    """Yield the counters for which the receiver's limits are too low."""
    for key in COUNTERS:
        needed: Limit = getattr(moved, key)
        if key == "storage" and moved.unlimited:
            needed = None
        left = receiver.left(key)
        if left is not None and (needed is None or needed > left):
            yield Missing(key, needed, left)


def _handed_over(domain: Domain, source: str, target: str) -> Domain:
    """Return a domain in which ``target`` owns everything that ``source`` owned."""

    def all_of(objects: tuple[t.Any, ...]) -> tuple[t.Any, ...]:
        """Return objects of one kind with the new owner."""
        return tuple(
            replace(each, owner=target) if each.owner == source else each for each in objects
        )

    return replace(
        domain,
        owner=target if domain.owner == source else domain.owner,
        domain_aliases=all_of(domain.domain_aliases),
        mailboxes=all_of(domain.mailboxes),
        aliases=all_of(domain.aliases),
        sender_addresses=all_of(domain.sender_addresses),
    )


def not_admins(tenant: Tenant, *addresses: str) -> list[str]:
    """Return the addresses that are no admins of the tenant."""
    admins = {admin.address for admin in tenant.admins}
    return [address for address in addresses if address not in admins]
