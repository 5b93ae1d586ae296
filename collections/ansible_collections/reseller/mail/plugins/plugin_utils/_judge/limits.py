# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits: the ledger is within all limits, and every mailbox within the bounds of its plan.

PRIVATE to the collection. Pure. A fault points at the object that is too much, not at the limit,
because the object is what somebody just wrote.
"""

from __future__ import annotations

import typing as t

from .._model.domain import Domain, Mailbox
from .._model.estate import Node, QuotaPolicy
from .._model.sizes import size
from .._model.tenant import COUNTERS, Plan, Tenant
from .._model.values import Fault, Limit, Position
from ._index import Index, fault
from .ledger import Account, Ledger, binding, charges, domain_admins, ledger

IDS = frozenset(
    ("limit-above-plan", "over-limit", "over-sold", "quota-out-of-bounds", "unlimited-in-pool")
)
"""The ledger of an estate with only these faults can still be made."""

_WORDS = {
    "domains": "domains (relay domains included)",
    "domain_aliases": "domain aliases",
    "mailboxes": "mailboxes",
    "aliases": "aliases (sender addresses included)",
    "storage": "storage",
    "domain_admins": "domain admins",
}


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in limits."""
    book = ledger(index.estate)
    tenants = {tenant.name: tenant for tenant in index.estate.tenants}
    for plan in index.plans.values():
        yield from _default_quota(plan)
    for node in index.estate.nodes:
        yield from _oversold(node, book, index.estate.quota_policy)
    for account in book.accounts():
        yield from _over_limit(account, tenants[account.tenant])
    for tenant in index.estate.tenants:
        yield from _unlimited_in_pool(tenant, book)
        its_plan = index.plans.get(tenant.plan)
        if its_plan is not None:
            yield from _above_plan(tenant, its_plan)
            for domain in tenant.domains:
                yield from _quotas(domain, its_plan, book, tenant)


def _over_limit(account: Account, tenant: Tenant) -> t.Iterator[Fault]:
    for key, used, allowed in account.over():
        yield fault(
            _first_beyond(account, tenant, key, allowed),
            "over-limit",
            f"{_WORDS[key]} of {account.kind} {account.name}: {amount(key, used)} in all",
            f"{amount(key, allowed)} ({_source_of_limit(account, key)})",
        )


def _oversold(node: Node, book: Ledger, policy: QuotaPolicy) -> t.Iterator[Fault]:
    """Yield a fault if the tenants on a node are allotted more than the ratio allows."""
    account = book.nodes[node.name]
    for key, used, _allowed in account.over():
        what = f"the tenants placed on node {node.name} are allotted {amount(key, used)} of storage"
        yield fault(
            node.at.of("capacity"),
            "over-sold",
            what,
            f"{size(node.capacity)} times {policy.oversell_ratio} (capacity,"
            " quota_policy.oversell_ratio)",
        )


def _above_plan(tenant: Tenant, plan: Plan) -> t.Iterator[Fault]:
    """Yield a fault for each limit of an account that is above that of its plan.

    It would have no effect, because the tighter one counts.
    """
    for key in COUNTERS:
        own, granted = getattr(tenant.own_limits, key), getattr(plan.limits, key)
        if own is not None and granted is not None and own > granted:
            what = (
                f"the account allows {amount(key, own)}"
                f" {'of ' if key == 'storage' else ''}{_WORDS[key]}"
            )
            yield fault(
                tenant.at.of("limits", key),
                "limit-above-plan",
                what,
                f"up to {amount(key, granted)} (plan {plan.name})",
            )


def _unlimited_in_pool(tenant: Tenant, book: Ledger) -> t.Iterator[Fault]:
    """Yield a fault for each limit written as ``unlimited`` where the tenant has a limit."""
    effective = book.tenants[tenant.name]
    for who, unlimited, at, path in _written_as_unlimited(tenant):
        for key in unlimited:
            finite = getattr(effective.limits, key)
            if finite is not None:
                verb = "is" if key == "storage" else "are"
                yield fault(
                    at.of(*path, key),
                    "unlimited-in-pool",
                    f"{_WORDS[key]} of {who} {verb} unlimited, but tenant {tenant.name} has a"
                    f" limit of {amount(key, finite)}",
                    f"up to {amount(key, finite)} ({_source_of_limit(effective, key)}), or leave"
                    " the key out",
                )


def _written_as_unlimited(
    tenant: Tenant,
) -> t.Iterator[tuple[str, tuple[str, ...], Position, tuple[str, ...]]]:
    """Yield the unlimited counters in an account: whose they are, keys, and where the keys are."""
    yield "the account", tenant.own_limits.unlimited, tenant.at, ("limits",)
    for admin in tenant.admins:
        yield f"admin {admin.address}", admin.limits.unlimited, admin.at, ("limits",)
    for one in tenant.domain_limits:
        yield f"domain {one.name}", one.unlimited, one.at, ()


def _default_quota(plan: Plan) -> t.Iterator[Fault]:
    """Yield a fault if the default quota of a plan does not fit into the plan itself."""
    default, path = plan.mailbox_quota_default, ("mailbox_quota", "default")
    if not _is_within(default, plan.mailbox_quota_min, plan.mailbox_quota_max):
        what = f"the default quota {size(default)} of plan {plan.name} is not within its bounds"
        yield fault(
            plan.at.of(*path),
            "quota-out-of-bounds",
            what,
            _bounds(plan.mailbox_quota_min, plan.mailbox_quota_max),
        )
    elif default is None and plan.limits.storage is not None:
        what = (
            f"the default quota of plan {plan.name} is unlimited, but the plan gives a tenant"
            f" {size(plan.limits.storage)} of storage"
        )
        allowed = f"a size up to {size(plan.limits.storage)}"
        yield fault(plan.at.of(*path), "unlimited-in-pool", what, allowed)


def _quotas(domain: Domain, plan: Plan, book: Ledger, tenant: Tenant) -> t.Iterator[Fault]:
    """Yield a fault for each quota that is out of bounds or unlimited in limited storage."""
    largest = plan.mailbox_quota_max
    whose = f"plan {plan.name}"
    if domain.limits.mailbox_storage is not None and (
        largest is None or domain.limits.mailbox_storage < largest
    ):
        largest = domain.limits.mailbox_storage
        whose = f"mailbox_storage of {domain.name} and {whose}"
    has_fit_default = _is_within(
        plan.mailbox_quota_default, plan.mailbox_quota_min, plan.mailbox_quota_max
    )
    for mailbox in domain.mailboxes:
        # If the plan's default is the fault, it is reported once, in the plan.
        if not has_fit_default and not mailbox.at.has_key("quota"):
            continue
        if not _is_within(mailbox.quota, plan.mailbox_quota_min, largest):
            what = f"the mailbox {mailbox.address} has quota {size(mailbox.quota)}"
            allowed = f"{_bounds(plan.mailbox_quota_min, largest)} ({whose})"
            yield fault(mailbox.at.of("quota"), "quota-out-of-bounds", what, allowed)
        elif mailbox.quota is None:
            yield from _unlimited_in_limited_storage(mailbox, domain, book, tenant)


def _unlimited_in_limited_storage(
    mailbox: Mailbox, domain: Domain, book: Ledger, tenant: Tenant
) -> t.Iterator[Fault]:
    account = _limited_storage(book, tenant, domain, mailbox)
    if account is not None:
        yield fault(
            mailbox.at.of("quota"),
            "unlimited-in-pool",
            f"the mailbox {mailbox.address} is unlimited, but {account.kind} {account.name} has"
            f" {size(account.limits.storage)} of storage",
            f"a size; {amount('storage', account.left('storage') or 0)} are left",
        )


def _limited_storage(
    book: Ledger, tenant: Tenant, domain: Domain, mailbox: Mailbox
) -> t.Optional[Account]:
    """Return the account with the least storage left for a mailbox; None if all are unlimited."""
    accounts = [
        book.tenants[tenant.name],
        book.owners[tenant.name, mailbox.owner],
        book.domains[domain.name],
    ]
    if tenant.placement in book.nodes:
        accounts.append(book.nodes[tenant.placement])
    return binding("storage", *accounts)


def _is_within(quota: Limit, smallest: int, largest: Limit) -> bool:
    if quota is None:
        return largest is None
    return smallest <= quota and (largest is None or quota <= largest)


def _bounds(smallest: int, largest: Limit) -> str:
    return (
        f"{size(smallest)} to {size(largest)}"
        if largest is not None
        else f"{size(smallest)} or more"
    )


def amount(key: str, number: int) -> str:
    """Return a number of a counter as the files write it."""
    return size(number) if key == "storage" else str(number)


def _source_of_limit(account: Account, key: str) -> str:
    """Return which limit it is and where it is written."""
    whose = account.whose(key)
    if whose == "plan" and account.plan is not None:
        return f"plan {account.plan.name}"
    return (
        f"the {whose}'s limit,"
        f" {account.at.of(key) if whose == 'domain' else account.at.of('limits', key)}"
    )


def _first_beyond(account: Account, tenant: Tenant, key: str, allowed: int) -> Position:
    """Return the place of the first object that exceeds the limit of an account."""
    if key == "domain_admins":
        return domain_admins(tenant)[allowed]
    for domain in tenant.domains:
        if account.kind != "domain" or domain.name == account.name:
            for counter, amount, owner, at in charges(domain):
                if counter == key and (account.kind != "owner" or owner == account.name):
                    allowed -= amount
                    if allowed < 0:
                        return at
    return tenant.at  # pragma: no cover - what over() yields always has a first object
