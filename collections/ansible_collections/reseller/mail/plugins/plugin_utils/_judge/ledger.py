# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: what is allotted to every tenant, owner, domain, plan and node, against its limits.

PRIVATE to the collection. Pure. What is counted:

* ``domains`` counts mail and relay domains. ``domain_aliases`` counts their other names.
* ``mailboxes`` counts suspended mailboxes, too.
* ``aliases`` counts aliases and sender addresses.
* ``storage`` is the sum of quotas in bytes, used or not. Mailboxes without a quota are counted in
  ``unlimited`` instead.
* Everything is charged to its *owner*, in every domain of the tenant. The sum over all owners and
  the sum over all domains are both the sum of the tenant.
* The accounts of a plan and of a node are the sums over their tenants. A node's limit is its
  capacity times the ratio for overselling.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._model.domain import Domain, Mailbox
from .._model.estate import Estate
from .._model.tenant import COUNTERS, Limits, Plan, Tenant
from .._model.values import NOWHERE, Limit, Position


@dataclass(slots=True)
class Usage:
    """What is allotted: numbers, ``storage`` in bytes.

    ``unlimited`` is the number of mailboxes without a quota.
    """

    domains: int = 0
    domain_aliases: int = 0
    mailboxes: int = 0
    aliases: int = 0
    storage: int = 0
    domain_admins: int = 0
    unlimited: int = 0

    def add(self, other: Usage) -> None:
        """Add another usage to this one."""
        for key in (*COUNTERS, "unlimited"):
            setattr(self, key, getattr(self, key) + getattr(other, key))


@dataclass(frozen=True, slots=True)
class Account:
    """One line of the ledger.

    Attributes:
        kind: tenant, owner, domain, plan or node.
        tenant: the tenant's name; empty for plans and nodes.
        name: the name of the tenant, domain, plan or node, or the owner's address.
        at: where its limits are written.
        plan: the plan of the tenant, for a tenant.
        tenants: the number of tenants that the line sums up.
    """

    kind: str
    tenant: str
    name: str
    used: Usage
    limits: Limits
    at: Position = NOWHERE
    plan: t.Optional[Plan] = None
    tenants: int = 1

    def over(self) -> t.Iterator[tuple[str, int, int]]:
        """Yield every counter above its limit: key, what is used, what is allowed."""
        for key in COUNTERS:
            used, allowed = getattr(self.used, key), getattr(self.limits, key)
            if allowed is not None and used > allowed:
                yield key, used, allowed

    def left(self, key: str) -> Limit:
        """Return what can still be allotted here; None is unlimited."""
        allowed: Limit = getattr(self.limits, key)
        return None if allowed is None else max(0, allowed - getattr(self.used, key))

    def whose(self, key: str) -> str:
        """Return where that limit comes from: plan, account, admin, domain or capacity.

        It is the plan if plan and account have the same limit.
        """
        if self.kind == "tenant":
            return (
                "plan"
                if self.plan is not None
                and getattr(self.plan.limits, key) == getattr(self.limits, key)
                else "account"
            )
        return {"owner": "admin", "node": "capacity"}.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All accounts by name; those of owners by (tenant's name, owner's address)."""

    tenants: dict[str, Account]
    owners: dict[tuple[str, str], Account]
    domains: dict[str, Account]
    plans: dict[str, Account]
    nodes: dict[str, Account]

    def accounts(self) -> t.Iterator[Account]:
        """Yield the accounts that a tenant's own files fill: tenants, then owners, then domains."""
        yield from self.tenants.values()
        yield from self.owners.values()
        yield from self.domains.values()


def binding(key: str, *accounts: Account) -> t.Optional[Account]:
    """Return the account with the least left, of those that one object is charged to.

    Its limit is reached first. Return the first of equal ones, and None if all are unlimited.
    """
    finite = [account for account in accounts if account.left(key) is not None]
    return min(finite, key=lambda account: account.left(key) or 0, default=None)


def ledger(estate: Estate) -> Ledger:
    """Return every account of the estate.

    Pending and terminated tenants have accounts, too, because files allot, not hosts.
    """
    book = Ledger({}, {}, {}, {}, {})
    plans = {plan.name: plan for plan in estate.plans}
    for tenant in estate.tenants:
        _enter(book, tenant, plans.get(tenant.plan))
    for plan in estate.plans:
        book.plans[plan.name] = _together(
            "plan",
            plan.name,
            plan.at,
            [book.tenants[tenant.name] for tenant in estate.tenants if tenant.plan == plan.name],
        )
    ratio = estate.quota_policy.oversell_ratio
    for node in estate.nodes:
        placed = [
            book.tenants[tenant.name] for tenant in estate.tenants if tenant.placement == node.name
        ]
        allowed = None if node.capacity is None or ratio is None else int(node.capacity * ratio)
        used = _together("node", node.name, node.at, placed).used
        book.nodes[node.name] = Account(
            "node", "", node.name, used, Limits(storage=allowed), node.at, tenants=len(placed)
        )
    return book


def _together(kind: str, name: str, at: Position, accounts: t.Sequence[Account]) -> Account:
    """Return the sum of tenants: what they use, and what all of them together may use."""
    used = Usage()
    for account in accounts:
        used.add(account.used)
    limits: dict[str, t.Any] = {}
    for key in COUNTERS:
        each: list[Limit] = [getattr(account.limits, key) for account in accounts]
        limits[key] = None if None in each else sum(limit for limit in each if limit is not None)
    return Account(kind, "", name, used, Limits(**limits), at, tenants=len(accounts))


def _enter(book: Ledger, tenant: Tenant, plan: t.Optional[Plan]) -> None:
    """Add the accounts of a tenant, of its owners and of its domains to the ledger."""
    total = Usage(domain_admins=len(tenant.admins) + len(_mailboxes_of_admins(tenant)))
    book.tenants[tenant.name] = Account(
        "tenant", tenant.name, tenant.name, total, tenant.limits, tenant.at, plan
    )
    owners: dict[str, Usage] = {}
    for admin in tenant.admins:
        used = owners[admin.address] = Usage()
        book.owners[tenant.name, admin.address] = Account(
            "owner", tenant.name, admin.address, used, admin.limits, admin.at
        )
    for domain in tenant.domains:
        allowed = domain.limits
        here = Usage()
        limits = Limits(
            mailboxes=allowed.mailboxes, aliases=allowed.aliases, storage=allowed.storage
        )
        book.domains[domain.name] = Account(
            "domain", tenant.name, domain.name, here, limits, allowed.at
        )
        for (owner, key), amount in _sums(domain).items():
            if owner not in owners:  # It is no admin. That is another fault; the sums must hold.
                owners[owner] = Usage()
                book.owners[tenant.name, owner] = Account(
                    "owner", tenant.name, owner, owners[owner], Limits()
                )
            for usage in (total, here, owners[owner]):
                setattr(usage, key, getattr(usage, key) + amount)


def _sums(domain: Domain) -> dict[tuple[str, str], int]:
    """Return what each owner is charged in a domain, by owner and counter."""
    sums: dict[tuple[str, str], int] = {}
    for key, amount, owner, _at in charges(domain):
        sums[owner, key] = sums.get((owner, key), 0) + amount
    return sums


def domain_admins(tenant: Tenant) -> list[Position]:
    """Return the place of each domain admin of a tenant.

    First the admins of the account, then the mailboxes with ``domain_admin`` that are not among
    them (S4-11).
    """
    return [admin.at for admin in tenant.admins] + [
        mailbox.at.of("domain_admin") for mailbox in _mailboxes_of_admins(tenant)
    ]


def _mailboxes_of_admins(tenant: Tenant) -> list[Mailbox]:
    """Return the mailboxes with ``domain_admin`` that are not among the admins of the account."""
    named = {admin.address for admin in tenant.admins}
    boxes = (
        mailbox for domain in tenant.domains for mailbox in domain.mailboxes if mailbox.domain_admin
    )
    return [mailbox for mailbox in boxes if mailbox.address not in named]


def charges(domain: Domain) -> t.Iterator[tuple[str, int, str, Position]]:
    """Yield what a domain's objects are charged: counter, amount, owner and place.

    The order is that of the kinds: the domain, domain aliases, aliases, sender addresses,
    mailboxes; within a kind that of the file.
    """
    yield "domains", 1, domain.owner, domain.at
    for alias in domain.domain_aliases:
        yield "domain_aliases", 1, alias.owner, alias.at
    for address in domain.aliases:
        yield "aliases", 1, address.owner, address.at
    for sender in domain.sender_addresses:
        yield "aliases", 1, sender.owner, sender.at
    for mailbox in domain.mailboxes:
        yield "mailboxes", 1, mailbox.owner, mailbox.at
        if mailbox.quota is None:
            yield "unlimited", 1, mailbox.owner, mailbox.at
        else:
            yield "storage", mailbox.quota, mailbox.owner, mailbox.at
