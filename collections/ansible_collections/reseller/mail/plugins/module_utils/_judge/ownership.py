# SPDX-License-Identifier: GPL-3.0-or-later
"""Ownership: whoever owns something is an admin of the account, and every admin can be reached.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import (
    Index,
    fault,
    listed,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in ownership."""
    for tenant in index.estate.tenants:
        if index.unsure(tenant.at.file, "admins"):
            continue
        admins = frozenset(admin.address for admin in tenant.admins)
        allowed = f"an admin of the account: {listed(admins)}"
        if not admins:  # then nobody can own anything: one fault says it all
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
        if tenant.default_owner and tenant.default_owner not in admins:
            what = f"{tenant.default_owner} is no admin of tenant {tenant.name}"
            yield fault(tenant.at.of("default_owner"), "unknown-owner", what, allowed)
        for domain in tenant.domains:
            yield from _owners(tenant, domain, admins, allowed)
        for admin in tenant.admins:
            if index.lacks(tenant, admin.address):
                what = f"the admin {admin.address} could get no mail: nobody has this address"
                yield fault(
                    admin.at.of("address"),
                    "unknown-address",
                    what,
                    "a mailbox or alias of the tenant, or an address elsewhere",
                )


def _owners(
    tenant: Tenant, domain: Domain, admins: frozenset[str], allowed: str
) -> t.Iterator[Fault]:
    own = admins | {
        mailbox.address for mailbox in domain.mailboxes if mailbox.domain_admin
    }  # of this domain only (S4-11)
    # An inherited owner is judged where it is written: once, at the domain or at the account.
    if domain.owner != tenant.default_owner and domain.owner not in own:
        yield fault(
            domain.at.of("owner"),
            "unknown-owner",
            f"{domain.owner} is no admin of tenant {tenant.name}",
            allowed,
        )
    for things in (domain.mailboxes, domain.aliases, domain.sender_addresses):
        for thing in things:
            if thing.owner != domain.owner and thing.owner not in own:
                yield fault(
                    thing.at.of("owner"),
                    "unknown-owner",
                    f"{thing.owner} is no admin of tenant {tenant.name}",
                    allowed,
                )
