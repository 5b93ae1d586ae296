# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits: the ledger is within what plan, account, admin and domain allow, and every mailbox within its bounds.

PRIVATE to the collection. Pure. What is too much is pointed at where it stands, not where the limit does: that is the
line somebody just wrote.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Index, fault
from ansible_collections.reseller.mail.plugins.module_utils._ledger import (
    Account,
    Ledger,
    binding,
    charges,
    domain_admins,
    ledger,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain, Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Node, QuotaPolicy
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import (
    COUNTERS,
    Limits,
    Plan,
    Tenant,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.values import (
    Fault,
    Limit,
    Position,
)
from ansible_collections.reseller.mail.plugins.module_utils._sizes import size

IDS = frozenset(
    ("limit-above-plan", "over-limit", "over-sold", "quota-out-of-bounds", "unlimited-in-pool")
)
"""With no other faults than these an estate can still be counted."""

_WORDS = {
    "domains": "domains (relay domains included)",
    "domain_aliases": "domain aliases",
    "mailboxes": "mailboxes",
    "aliases": "aliases (sender addresses included)",
    "storage": "storage",
    "domain_admins": "domain admins",
}


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in limits."""
    book = ledger(index.estate)
    tenants = {tenant.name: tenant for tenant in index.estate.tenants}
    for plan in index.plans.values():
        yield from _plan(plan)
    for node in index.estate.nodes:
        yield from _node(node, book, index.estate.quota_policy)
    for account in book.accounts():
        for key, used, allowed in account.over():
            what = f"{_WORDS[key]} of {account.kind} {account.name}: {amount(key, used)} in all"
            yield fault(
                _first_beyond(account, tenants[account.tenant], key, allowed),
                "over-limit",
                what,
                f"{amount(key, allowed)} ({_whose(account, key)})",
            )
    for tenant in index.estate.tenants:
        yield from _pools(tenant, book)
        its_plan = index.plans.get(tenant.plan)
        if its_plan is not None:
            yield from _account(tenant, its_plan)
            for domain in tenant.domains:
                for mailbox in domain.mailboxes:
                    yield from _mailbox(mailbox, domain, its_plan, book, tenant)


def _node(node: Node, book: Ledger, policy: QuotaPolicy) -> t.Iterator[Fault]:
    account = book.nodes[node.name]
    for key, used, _allowed in account.over():
        what = f"the tenants placed on node {node.name} are allotted {amount(key, used)} of storage"
        yield fault(
            node.at.of("capacity"),
            "over-sold",
            what,
            f"{size(node.capacity)} times {policy.oversell_ratio} (capacity, quota_policy.oversell_ratio)",
        )


def _account(tenant: Tenant, plan: Plan) -> t.Iterator[Fault]:
    """A limit above the plan's would have no effect: the tighter one counts."""
    for key in COUNTERS:
        own, granted = getattr(tenant.own_limits, key), getattr(plan.limits, key)
        if own is not None and granted is not None and own > granted:
            what = f"the account allows {amount(key, own)} {'of ' if key == 'storage' else ''}{_WORDS[key]}"
            yield fault(
                tenant.at.of("limits", key),
                "limit-above-plan",
                what,
                f"up to {amount(key, granted)} (plan {plan.name})",
            )


def _pools(tenant: Tenant, book: Ledger) -> t.Iterator[Fault]:
    """Nothing is unlimited, in so many words, inside something that has an end."""
    effective = book.tenants[tenant.name]
    said: list[tuple[str, Limits, Position, tuple[str, ...]]] = [
        ("the account", tenant.own_limits, tenant.at, ("limits",))
    ]
    said += [
        (f"admin {admin.address}", admin.limits, admin.at, ("limits",)) for admin in tenant.admins
    ]
    said += [
        (
            f"domain {one.name}",
            Limits(mailboxes=one.mailboxes, aliases=one.aliases, storage=one.storage),
            one.at,
            (),
        )
        for one in tenant.domain_limits
    ]
    for who, limits, at, path in said:
        for key in COUNTERS:
            finite = getattr(effective.limits, key)
            place = at.of(*path, key)
            if finite is not None and getattr(limits, key) is None and place != at.of(*path):
                what = f"{_WORDS[key]} of {who} {'is' if key == 'storage' else 'are'} unlimited inside the {amount(key, finite)} of tenant {tenant.name}"
                yield fault(
                    place,
                    "unlimited-in-pool",
                    what,
                    f"up to {amount(key, finite)} ({_whose(effective, key)}), or leave the key out",
                )


def _plan(plan: Plan) -> t.Iterator[Fault]:
    default, place = plan.mailbox_quota_default, plan.at.of("mailbox_quota", "default")
    if not _within(default, plan.mailbox_quota_min, plan.mailbox_quota_max):
        what = f"the default {size(default)} of plan {plan.name} is outside its own bounds"
        yield fault(
            place,
            "quota-out-of-bounds",
            what,
            _bounds(plan.mailbox_quota_min, plan.mailbox_quota_max),
        )
    elif default is None and plan.limits.storage is not None:
        what = f"mailboxes of plan {plan.name} that name no quota are unlimited inside its {size(plan.limits.storage)}"
        yield fault(place, "unlimited-in-pool", what, f"a size up to {size(plan.limits.storage)}")


def _mailbox(
    mailbox: Mailbox, domain: Domain, plan: Plan, book: Ledger, tenant: Tenant
) -> t.Iterator[Fault]:
    largest = plan.mailbox_quota_max
    whose = f"plan {plan.name}"
    if domain.limits.mailbox_storage is not None and (
        largest is None or domain.limits.mailbox_storage < largest
    ):
        largest = domain.limits.mailbox_storage
        whose = f"mailbox_storage of {domain.name} and {whose}"
    if not mailbox.at.says("quota") and not _within(
        plan.mailbox_quota_default, plan.mailbox_quota_min, plan.mailbox_quota_max
    ):
        return  # the plan's default is at fault, once and there
    if not _within(mailbox.quota, plan.mailbox_quota_min, largest):
        what = f"the mailbox {mailbox.address} has quota {size(mailbox.quota)}"
        allowed = f"{_bounds(plan.mailbox_quota_min, largest)} ({whose})"
        yield fault(mailbox.at.of("quota"), "quota-out-of-bounds", what, allowed)
    elif mailbox.quota is None:
        accounts = [
            book.tenants[tenant.name],
            book.owners[tenant.name, mailbox.owner],
            book.domains[domain.name],
        ]
        accounts += [book.nodes[tenant.placement]] if tenant.placement in book.nodes else []
        account = binding("storage", *accounts)
        if account is not None:
            what = f"the mailbox {mailbox.address} is unlimited inside the {size(account.limits.storage)} of {account.kind} {account.name}"
            yield fault(
                mailbox.at.of("quota"),
                "unlimited-in-pool",
                what,
                f"a size; {amount('storage', account.left('storage') or 0)} are left",
            )


def _within(quota: Limit, smallest: int, largest: Limit) -> bool:
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
    """What a counter says, as the files write it."""
    return size(number) if key == "storage" else str(number)


def _whose(account: Account, key: str) -> str:
    """Which limit it was, and where it stands."""
    whose = account.whose(key)
    if whose == "plan" and account.plan is not None:
        return f"plan {account.plan.name}"
    return f"the {whose}'s limit, {account.at.of(key) if whose == 'domain' else account.at.of('limits', key)}"


def _first_beyond(account: Account, tenant: Tenant, key: str, allowed: int) -> Position:
    """Where the first thing stands that had no room any more."""
    if key == "domain_admins":
        return domain_admins(tenant)[allowed]
    for domain in tenant.domains:
        if account.kind != "domain" or domain.name == account.name:
            for counter, amount, owner, at in charges(domain):
                if counter == key and (account.kind != "owner" or owner == account.name):
                    allowed -= amount
                    if allowed < 0:
                        return at
    return tenant.at  # pragma: no cover - only over() gets here, and what is over has a first
