# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: which person or group of the forge has which role, and who may upload certificates.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._model.domain import Mailbox
from .._model.estate import Role
from .._model.tenant import Tenant
from .._model.values import Fault
from .._model.words import listed
from ._index import Index, fault

_OF_TENANTS = ("tenant_admin", "domain_admin")


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in roles."""
    tenants = {tenant.name: tenant for tenant in index.estate.tenants}
    first: dict[Role, Role] = {}
    for role in index.estate.roles:
        yield from _person(role)
        yield from _scope(index, role, tenants)
        before = first.setdefault(role, role)
        if before is not role:
            what = (
                f"the role {role.role} of {role.identity or role.group} is already at {before.at}"
            )
            yield fault(role.at, "duplicate-name", what, "each role once")
    yield from _certificates(index)


def _certificates(index: Index) -> t.Iterator[Fault]:
    """Yield a fault for each S/MIME certificate from somebody who may not upload it."""
    if index.unsure("estate.yml", "roles"):
        return
    supers = frozenset(
        role.address for role in index.estate.roles if role.role == "super_admin" and role.address
    )
    for tenant in index.estate.tenants:
        if index.unsure(tenant.at.file, "admins"):
            continue
        admins = managers(tenant)
        for domain in tenant.domains:
            for mailbox in domain.mailboxes:
                if mailbox.smime:
                    yield from _uploaded_by(
                        tenant, mailbox, mailbox.smime.uploaded_by, supers, admins
                    )


def managers(tenant: Tenant) -> frozenset[str]:
    """Return the addresses that manage something of the tenant.

    These are its admins, and its mailboxes with ``domain_admin``.
    """
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


def _person(role: Role) -> t.Iterator[Fault]:
    """Yield a fault unless a role has exactly one of identity and group."""
    if (role.identity is None) == (role.group is None):
        what = (
            "this role has no identity and no group"
            if role.identity is None
            else "this role has an identity and a group"
        )
        yield fault(role.at, "role-without-person", what, "either identity or group")


def _scope(index: Index, role: Role, tenants: t.Mapping[str, Tenant]) -> t.Iterator[Fault]:
    """Yield a fault if tenant and address do not fit the role, or do not exist."""
    if role.role not in _OF_TENANTS:
        if role.tenant is not None:
            yield fault(
                role.at.of("tenant"),
                "role-scope",
                f"the role {role.role} is for the whole estate, so it cannot have a tenant",
                f"tenant only with {' or '.join(_OF_TENANTS)}",
            )
        return
    if role.tenant is None:
        yield fault(
            role.at.of("role"),
            "role-scope",
            f"the role {role.role} needs a tenant",
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
            yield fault(
                role.at.of("address"),
                "unknown-owner",
                f"{role.address} is not an admin of tenant {role.tenant}",
                f"an admin of the account: {listed(its)}",
            )


def _uploaded_by(
    tenant: Tenant, mailbox: Mailbox, by: str, supers: frozenset[str], admins: frozenset[str]
) -> t.Iterator[Fault]:
    """Yield a fault if ``by`` may not upload the certificate of a mailbox.

    A super_admin may for all users, a tenant_admin for itself and for the tenant's users that are
    not admins. Others may not (S3-8, S3-9).
    """
    if by in supers:
        return
    allowed = (
        "a super_admin of estate.yml, or a tenant_admin for itself and for users of tenant"
        f" {tenant.name} who are not admins"
    )
    if by not in {admin.address for admin in tenant.admins if admin.role == "tenant_admin"}:
        yield fault(
            mailbox.at.of("smime", "uploaded_by"),
            "smime-not-allowed",
            f"{by} is not a tenant_admin of tenant {tenant.name} and may not upload certificates",
            allowed,
        )
    elif by != mailbox.address and mailbox.address in admins:
        yield fault(
            mailbox.at.of("smime", "uploaded_by"),
            "smime-not-allowed",
            f"{by} may not upload a certificate for another admin, {mailbox.address}",
            allowed,
        )
