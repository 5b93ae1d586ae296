# SPDX-License-Identifier: GPL-3.0-or-later
"""Ownership: every owner is an admin of the account, and every admin gets mail.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._model.tenant import Tenant
from .._model.values import Fault, Position
from .._model.words import listed
from ._index import Index, fault


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in ownership."""
    for tenant in index.estate.tenants:
        if index.unsure(tenant.at.file, "admins"):
            continue
        if not tenant.admins:
            # Then every owner is unknown. One fault is enough.
            yield fault(
                tenant.at.of("admins"),
                "no-admin",
                f"tenant {tenant.name} has no admin",
                "at least one admin",
            )
            continue
        if not any(admin.role == "tenant_admin" for admin in tenant.admins):
            yield fault(
                tenant.at.of("admins"),
                "no-admin",
                f"tenant {tenant.name} has no tenant_admin",
                "at least one admin with role: tenant_admin",
            )
        yield from _unknown_owners(tenant)
        yield from _admins_without_mail(index, tenant)


def _unknown_owners(tenant: Tenant) -> t.Iterator[Fault]:
    """Yield a fault for each owner that is no admin, where the owner is written.

    An inherited owner gives one fault: at the domain or at the account.
    """
    admins = frozenset(admin.address for admin in tenant.admins)
    if tenant.default_owner and tenant.default_owner not in admins:
        yield _unknown_owner(tenant, tenant.default_owner, tenant.at.of("default_owner"))
    for domain in tenant.domains:
        # A mailbox with domain_admin may own things of its own domain only (S4-11).
        own = admins | {mailbox.address for mailbox in domain.mailboxes if mailbox.domain_admin}
        if domain.owner != tenant.default_owner and domain.owner not in own:
            yield _unknown_owner(tenant, domain.owner, domain.at.of("owner"))
        for things in (domain.mailboxes, domain.aliases, domain.sender_addresses):
            for thing in things:
                if thing.owner != domain.owner and thing.owner not in own:
                    yield _unknown_owner(tenant, thing.owner, thing.at.of("owner"))


def _unknown_owner(tenant: Tenant, owner: str, at: Position) -> Fault:
    return fault(
        at,
        "unknown-owner",
        f"{owner} is not an admin of tenant {tenant.name}",
        f"an admin of the account: {listed(frozenset(admin.address for admin in tenant.admins))}",
    )


def _admins_without_mail(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    for admin in tenant.admins:
        if index.lacks(tenant, admin.address):
            yield fault(
                admin.at.of("address"),
                "unknown-address",
                f"the admin {admin.address} gets no mail: this address does not exist",
                "a mailbox or alias of the tenant, or an address outside its domains",
            )
