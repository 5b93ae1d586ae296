# SPDX-License-Identifier: GPL-3.0-or-later
"""Ownership that changes: which objects did, and moving all that one admin owns to another.

PRIVATE to the collection. Pure. A transfer stays within a tenant, so only the two owners' accounts change; it happens
whole or not at all.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.reseller.mail.plugins.module_utils._ledger import Usage, charges, ledger
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import COUNTERS, Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Limit, Position

Owned = tuple[str, str, str, Position]
"""Kind, name, owner, place."""


@dataclass(frozen=True, slots=True, order=True)
class OwnerChange:
    """One object whose owner changed. ``kind`` is domain, domain alias, mailbox, alias or sender address; ``at`` is where the
    object stands afterwards."""

    tenant: str
    kind: str
    name: str
    before: str
    after: str
    at: Position = field(compare=False)


@dataclass(frozen=True, slots=True)
class Missing:
    """A counter for which the receiver has no room. ``needed`` of None: it would have to be unlimited."""

    key: str
    needed: Limit
    left: int

    @property
    def amount(self) -> Limit:
        """How much more the receiver's limit would have to be; None is unlimited."""
        return None if self.needed is None else self.needed - self.left


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a transfer comes to. Where something is ``missing`` it is refused, and ``estate`` is what it was."""

    estate: Estate
    changes: tuple[OwnerChange, ...]
    moved: Usage
    missing: tuple[Missing, ...]


def owned(domain: Domain) -> t.Iterator[Owned]:
    """Everything in a domain's file that has an owner, the domain first."""
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
    """Every object that is on both sides, in the same tenant, with another owner; sorted."""
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
    """Everything that ``source`` owns in a tenant goes to ``target``, another of its admins, with its quota.

    The tenant has to exist, and both have to be admins of it: who calls has asked that before.
    """
    moved = Usage()
    if source == target:
        return Transfer(estate, (), moved, ())
    home = next(each for each in estate.tenants if each.name == tenant)
    for domain in home.domains:
        for key, amount, owner, _at in charges(domain):
            if owner == source:
                setattr(moved, key, getattr(moved, key) + amount)
    room = ledger(estate).owners[tenant, target]
    missing = []
    for key in COUNTERS:
        needed: Limit = getattr(moved, key)
        if key == "storage" and moved.unlimited:
            needed = None
        left = room.left(key)
        if left is not None and (needed is None or needed > left):
            missing.append(Missing(key, needed, left))
    if missing:
        return Transfer(estate, (), moved, tuple(missing))
    changed = replace(
        home, domains=tuple(_handed_over(domain, source, target) for domain in home.domains)
    )
    after = replace(
        estate, tenants=tuple(changed if each is home else each for each in estate.tenants)
    )
    return Transfer(after, tuple(owner_changes(estate, after)), moved, ())


def _handed_over(domain: Domain, source: str, target: str) -> Domain:
    def all_of(things: tuple[t.Any, ...]) -> tuple[t.Any, ...]:
        return tuple(
            replace(thing, owner=target) if thing.owner == source else thing for thing in things
        )

    return replace(
        domain,
        owner=target if domain.owner == source else domain.owner,
        domain_aliases=all_of(domain.domain_aliases),
        mailboxes=all_of(domain.mailboxes),
        aliases=all_of(domain.aliases),
        sender_addresses=all_of(domain.sender_addresses),
    )


def strangers(tenant: Tenant, *addresses: str) -> list[str]:
    """Those of the addresses that are no admins of the tenant."""
    admins = {admin.address for admin in tenant.admins}
    return [address for address in addresses if address not in admins]
