# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts: an active tenant's intake is complete, its admins' roles make sense, and what it lists is there.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import (
    Index,
    fault,
    listed,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import (
    Admin,
    Intake,
    Tenant,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault

_FIELDS = tuple(field.name for field in dataclasses.fields(Intake))


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in accounts."""
    for tenant in index.estate.tenants:
        yield from _intake(index, tenant)
        yield from _lists(index, tenant)
        for admin in tenant.admins:
            yield from _admin(index, tenant, admin)
        if (
            tenant.purge
            and tenant.state != "terminated"
            and not index.unsure(tenant.at.file, "state")
        ):
            what = f"tenant {tenant.name} is {tenant.state}, and its data may not be purged"
            yield fault(
                tenant.at.of("purge"),
                "purge-of-living",
                what,
                "purge: true only with state: terminated",
            )


def _intake(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    if tenant.state != "active" or index.unsure(tenant.at.file, "intake"):
        return
    lacking = [name for name in _FIELDS if getattr(tenant.intake, name) is None]
    if lacking:
        what = f"tenant {tenant.name} is active, but its intake lacks {', '.join(lacking)}"
        yield fault(
            tenant.at.of("intake"),
            "intake-incomplete",
            what,
            "all of them, or state: pending until they are known",
        )


def _lists(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    """Names that only say something about those which the tenant was given."""
    for key in ("managed_domains", "unverified_domains", "suspended_domains"):
        for nth, name in enumerate(getattr(tenant, key)):
            if not index.approved(tenant, name):
                what = f"{name} is none of the domains of tenant {tenant.name}"
                yield fault(
                    tenant.at.of(key, nth),
                    "unknown-domain",
                    what,
                    f"domains: {listed(tenant.approved_domains)}",
                )


def _admin(index: Index, tenant: Tenant, admin: Admin) -> t.Iterator[Fault]:
    if admin.role == "tenant_admin" and admin.domains:
        what = f"{admin.address} is tenant_admin, and manages all domains"
        yield fault(
            admin.at.of("domains"), "admin-scope", what, "no domains, or role: domain_admin"
        )
    elif (
        admin.role == "domain_admin"
        and not admin.domains
        and not index.unsure(tenant.at.file, "admins")
    ):
        what = f"{admin.address} is domain_admin of no domain"
        yield fault(
            admin.at.of("role"),
            "admin-scope",
            what,
            f"domains, some of {listed(tenant.approved_domains)}",
        )
    for nth, name in enumerate(admin.domains):
        if not index.approved(tenant, name):
            what = f"{name} is none of the domains of tenant {tenant.name}"
            yield fault(
                admin.at.of("domains", nth),
                "unknown-domain",
                what,
                f"domains: {listed(tenant.approved_domains)}",
            )
