# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits: the ledger is within what plan, account, admin and domain allow, and every mailbox within its bounds.

PRIVATE to the collection. Pure. What is too much is pointed at where it stands, not where the limit does: that is the
line somebody just wrote.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Index, fault
from ansible_collections.reseller.mail.plugins.module_utils._ledger import Account, Ledger, charges, ledger
from ansible_collections.reseller.mail.plugins.module_utils._model import Domain, Fault, Limit, Mailbox, Plan, Position, Tenant
from ansible_collections.reseller.mail.plugins.module_utils._sizes import size

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
    for plan in index.plans.values():
        yield from _plan(plan)
    book = ledger(index.estate)
    tenants = {tenant.name: tenant for tenant in index.estate.tenants}
    for account in book.accounts():
        for key, used, allowed in account.over():
            tenant = tenants[account.tenant]
            what = f"{_WORDS[key]} of {account.kind} {account.name}: {_amount(key, used)} in all"
            why = f"{_amount(key, allowed)} ({_whose(index, account, tenant, key)})"
            yield fault(_first_beyond(account, tenant, key, allowed), "over-limit", what, why)
    for tenant in index.estate.tenants:
        its_plan = index.plans.get(tenant.plan)
        if its_plan is not None:
            for domain in tenant.domains:
                for mailbox in domain.mailboxes:
                    yield from _mailbox(mailbox, domain, its_plan, book, tenant)


def _plan(plan: Plan) -> t.Iterator[Fault]:
    if not _within(plan.mailbox_quota_default, plan.mailbox_quota_min, plan.mailbox_quota_max):
        what = f"the default {size(plan.mailbox_quota_default)} of plan {plan.name} is outside its own bounds"
        yield fault(plan.at.of("mailbox_quota", "default"), "quota-out-of-bounds", what, _bounds(plan.mailbox_quota_min, plan.mailbox_quota_max))


def _mailbox(mailbox: Mailbox, domain: Domain, plan: Plan, book: Ledger, tenant: Tenant) -> t.Iterator[Fault]:
    largest = plan.mailbox_quota_max
    whose = f"plan {plan.name}"
    if domain.limits.mailbox_storage is not None and (largest is None or domain.limits.mailbox_storage < largest):
        largest = domain.limits.mailbox_storage
        whose = f"mailbox_storage of {domain.name} and {whose}"
    if not _within(mailbox.quota, plan.mailbox_quota_min, largest):
        what = f"the mailbox {mailbox.address} has quota {size(mailbox.quota)}"
        allowed = f"{_bounds(plan.mailbox_quota_min, largest)} ({whose})"
        yield fault(mailbox.at.of("quota"), "quota-out-of-bounds", what, allowed)
    elif mailbox.quota is None:
        accounts = (book.tenants[tenant.name], book.owners[tenant.name, mailbox.owner], book.domains[domain.name])
        for account in accounts:
            if account.limits.storage is not None:
                what = f"the mailbox {mailbox.address} is unlimited inside the {size(account.limits.storage)} of {account.kind} {account.name}"
                yield fault(mailbox.at.of("quota"), "unlimited-in-pool", what, f"a size; {_amount('storage', account.left('storage') or 0)} are left")
                return


def _within(quota: Limit, smallest: int, largest: Limit) -> bool:
    if quota is None:
        return largest is None
    return smallest <= quota and (largest is None or quota <= largest)


def _bounds(smallest: int, largest: Limit) -> str:
    return f"{size(smallest)} to {size(largest)}" if largest is not None else f"{size(smallest)} or more"


def _amount(key: str, number: int) -> str:
    return size(number) if key == "storage" else str(number)


def _whose(index: Index, account: Account, tenant: Tenant, key: str) -> str:
    """Which limit it was, and where it stands."""
    if account.kind != "tenant":
        at = account.at.of("limits", key) if account.kind == "owner" else account.at.of(key)
        return f"the {'admin' if account.kind == 'owner' else 'domain'}'s limit, {at}"
    plan = index.plans.get(tenant.plan)
    if plan is not None and getattr(plan.limits, key) == getattr(tenant.limits, key):
        return f"plan {plan.name}"
    return f"the account's limit, {tenant.at.of('limits', key)}"


def _first_beyond(account: Account, tenant: Tenant, key: str, allowed: int) -> Position:
    """Where the first thing stands that had no room any more."""
    if key == "domain_admins":
        return tenant.admins[allowed].at
    for domain in tenant.domains:
        if account.kind != "domain" or domain.name == account.name:
            for counter, amount, owner, at in charges(domain):
                if counter == key and (account.kind != "owner" or owner == account.name):
                    allowed -= amount
                    if allowed < 0:
                        return at
    return tenant.at  # pragma: no cover - only over() gets here, and what is over has a first
