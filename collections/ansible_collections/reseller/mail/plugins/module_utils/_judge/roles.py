# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: who is who to the forge, and who may bring whose certificate.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import (
    Index,
    fault,
    listed,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain, Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Role
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault

_OF_TENANTS = ("tenant_admin", "domain_admin")


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in roles."""
    tenants = {tenant.name: tenant for tenant in index.estate.tenants}
    first: dict[Role, Role] = {}
    for role in index.estate.roles:
        yield from _role(index, role, tenants)
        before = first.setdefault(role, role)
        if before is not role:
            what = f"the role {role.role} of {role.identity or role.group} stands here and already at {before.at}"
            yield fault(role.at, "name-twice", what, "each role once")
    supers = frozenset(
        role.address for role in index.estate.roles if role.role == "super_admin" and role.address
    )
    for tenant in index.estate.tenants:
        admins = managers(tenant)
        for domain in tenant.domains:
            for mailbox in domain.mailboxes:
                if (
                    mailbox.smime
                    and not index.unsure(tenant.at.file, "admins")
                    and not index.unsure("estate.yml", "roles")
                ):
                    yield from _smime(tenant, domain, mailbox, supers, admins)


def managers(tenant: Tenant) -> frozenset[str]:
    """Everybody who manages something of the tenant: its admins, and mailboxes that are domain_admin."""
    return frozenset(
        [
            *(admin.address for admin in tenant.admins),
            *(
                box.address
                for domain in tenant.domains
                for box in domain.mailboxes
                if box.domain_admin
            ),
        ]
    )


def _role(index: Index, role: Role, tenants: t.Mapping[str, Tenant]) -> t.Iterator[Fault]:
    if (role.identity is None) == (role.group is None):
        what = (
            "this role is for nobody"
            if role.identity is None
            else "this role is for an identity and for a group"
        )
        yield fault(role.at, "role-without-person", what, "identity or group, one of them")
    if role.role not in _OF_TENANTS:
        if role.tenant is not None:
            what = f"a {role.role} is nobody's in particular, and has no tenant"
            yield fault(
                role.at.of("tenant"),
                "role-scope",
                what,
                f"tenant only with {' or '.join(_OF_TENANTS)}",
            )
        return
    if role.tenant is None:
        yield fault(
            role.at.of("role"),
            "role-scope",
            f"a {role.role} is so of a tenant, which is not named",
            "tenant: one of the tenants",
        )
    elif role.tenant not in tenants:
        if not any(file.startswith(f"tenants/{role.tenant}/") for file, _key in index.holes):
            yield fault(
                role.at.of("tenant"),
                "unknown-tenant",
                f"there is no tenant {role.tenant}",
                f"one of the tenants: {listed(tenants)}",
            )
    elif role.address is not None and not index.unsure(tenants[role.tenant].at.file, "admins"):
        its = managers(tenants[role.tenant])
        if role.address not in its:
            what = f"{role.address} is no admin of tenant {role.tenant}"
            yield fault(
                role.at.of("address"),
                "unknown-owner",
                what,
                f"an admin of the account: {listed(its)}",
            )


def _smime(
    tenant: Tenant, domain: Domain, mailbox: Mailbox, supers: frozenset[str], admins: frozenset[str]
) -> t.Iterator[Fault]:
    """A super_admin for anybody; a tenant_admin for itself and for the tenant's regular users; nobody else (S3-8, S3-9)."""
    by = mailbox.smime.uploaded_by if mailbox.smime else ""
    if by in supers:
        return
    at = mailbox.at.of("smime", "uploaded_by")
    allowed = f"a super_admin of estate.yml, or a tenant_admin for itself and for users of tenant {tenant.name} who are no admins"
    if by not in {admin.address for admin in tenant.admins if admin.role == "tenant_admin"}:
        yield fault(
            at,
            "smime-not-allowed",
            f"{by} is no tenant_admin of tenant {tenant.name}, and may not bring certificates",
            allowed,
        )
    elif by != mailbox.address and mailbox.address in admins:
        yield fault(
            at,
            "smime-not-allowed",
            f"{by} may not bring the certificate of another admin, {mailbox.address}",
            allowed,
        )
