# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts: a complete intake, roles of admins that fit their domains, and lists of own domains.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._model.tenant import Admin, Intake, Tenant
from .._model.values import Fault, Position
from .._model.words import listed
from ._index import Index, fault

_FIELDS = tuple(field.name for field in dataclasses.fields(Intake))
_EXAMPLES = {"expected_mailboxes": "1", "clients": "local", "smime": "false"}


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in accounts."""
    for tenant in index.estate.tenants:
        yield from _incomplete_intake(index, tenant)
        yield from _domains_not_given(index, tenant)
        for admin in tenant.admins:
            yield from _scope_of_admin(index, tenant, admin)
        yield from _purge_while_in_use(index, tenant)


def _incomplete_intake(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    if tenant.state != "active" or index.unsure(tenant.at.file, "intake"):
        return
    lacking = [name for name in _FIELDS if getattr(tenant.intake, name) is None]
    if lacking:
        yield fault(
            tenant.at.of("intake"),
            "intake-incomplete",
            f"tenant {tenant.name} is active, but its intake lacks {', '.join(lacking)};"
            " a provider must know these facts before it serves a client",
            f"all four keys; add for example {_example(tenant, lacking)}; or set state: pending"
            " until the facts are known",
        )


def _example(tenant: Tenant, lacking: t.Iterable[str]) -> str:
    """Return the lacking keys of an intake with the simplest values, as YAML."""
    values = {**_EXAMPLES, "dns_contact": tenant.default_owner}
    return "{" + ", ".join(f"{name}: {values[name]}" for name in lacking) + "}"


def _domains_not_given(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    """Yield the names in lists of domains that are not the account's."""
    for key in ("managed_domains", "unverified_domains", "suspended_domains"):
        for nth, name in enumerate(getattr(tenant, key)):
            if not index.approved(tenant, name):
                yield _not_a_domain_of(tenant, name, tenant.at.of(key, nth))


def _not_a_domain_of(tenant: Tenant, name: str, at: Position) -> Fault:
    return fault(
        at,
        "unknown-domain",
        f"{name} is not a domain of tenant {tenant.name}",
        f"domains of the account: {listed(tenant.approved_domains)}",
    )


def _scope_of_admin(index: Index, tenant: Tenant, admin: Admin) -> t.Iterator[Fault]:
    if admin.role == "tenant_admin" and admin.domains:
        yield fault(
            admin.at.of("domains"),
            "admin-scope",
            f"{admin.address} is a tenant_admin, who always manages all domains",
            "no domains, or role: domain_admin",
        )
    elif (
        admin.role == "domain_admin"
        and not admin.domains
        and not index.unsure(tenant.at.file, "admins")
    ):
        yield fault(
            admin.at.of("role"),
            "admin-scope",
            f"{admin.address} is a domain_admin without domains",
            f"domains with one or more of {listed(tenant.approved_domains)}",
        )
    for nth, name in enumerate(admin.domains):
        if not index.approved(tenant, name):
            yield _not_a_domain_of(tenant, name, admin.at.of("domains", nth))


def _purge_while_in_use(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    if tenant.purge and tenant.state != "terminated" and not index.unsure(tenant.at.file, "state"):
        yield fault(
            tenant.at.of("purge"),
            "purge-of-living",
            f"tenant {tenant.name} is {tenant.state}, so its data cannot be deleted",
            "purge: true only with state: terminated",
        )
