# SPDX-License-Identifier: GPL-3.0-or-later
"""Suspensions: the profile exists, and what the provider suspends belongs to the tenant.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._model.suspension import PROFILES, ProviderSuspension
from .._model.tenant import Tenant
from .._model.values import Fault, OwnSettings, Position
from .._model.words import listed
from ._index import Index, fault


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in suspensions."""
    known = (*PROFILES, *(one.name for one in index.estate.suspension_profiles))
    if not index.unsure("estate.yml", "suspension_profiles"):
        for name, at in _profiles_in_use(index):
            if name not in known:
                yield fault(
                    at,
                    "unknown-profile",
                    f"there is no suspension profile {name}",
                    listed(dict.fromkeys(known)),
                )
    for tenant in index.estate.tenants:
        for one in tenant.suspensions:
            yield from _not_of_tenant(index, tenant, one)


def _profiles_in_use(index: Index) -> t.Iterator[tuple[str, Position]]:
    """Yield the profiles that levels and items name, with their places."""
    estate = index.estate
    yield from _of_level(estate.own_settings)
    for plan in estate.plans:
        yield from _of_level(plan.own_settings)
    for tenant in estate.tenants:
        yield from _of_level(tenant.own_settings)
        for one in tenant.suspensions:
            if one.profile:
                yield one.profile, one.at.of("profile")
        for domain in tenant.domains:
            yield from _of_level(domain.own_settings)
            for mailbox in domain.mailboxes:
                if mailbox.own_settings:
                    yield from _of_level(mailbox.own_settings)


def _of_level(own: OwnSettings) -> t.Iterator[tuple[str, Position]]:
    """Yield the profile that a level names."""
    table = own.get("suspension")
    if table and table["profile"]:
        yield table["profile"], table["at"].of("profile")


def _not_of_tenant(index: Index, tenant: Tenant, one: ProviderSuspension) -> t.Iterator[Fault]:
    """Yield a fault if the tenant has no such domain or mailbox, or has another name."""
    at = one.at.of("of")
    if "@" in one.of:
        domain = next((each for each in tenant.domains if one.of.endswith(f"@{each.name}")), None)
        if domain is None:
            yield from _unknown_domain(index, tenant, one.of.partition("@")[2], at)
        elif not index.unsure(domain.at.file, "mailboxes") and not any(
            mailbox.address == one.of for mailbox in domain.mailboxes
        ):
            yield fault(
                at,
                "unknown-mailbox",
                f"{one.of} is no mailbox of tenant {tenant.name}",
                f"mailboxes of {domain.name}: {listed(box.name for box in domain.mailboxes)}",
            )
    elif "." in one.of:
        yield from _unknown_domain(index, tenant, one.of, at)
    elif one.of != tenant.name:
        yield fault(
            at,
            "unknown-tenant",
            f"{one.of} is another name than that of this tenant",
            f"{tenant.name}, one of its domains, or one of its mailboxes",
        )


def _unknown_domain(index: Index, tenant: Tenant, name: str, at: Position) -> t.Iterator[Fault]:
    """Yield a fault if the tenant has no domain file of that name."""
    names = [domain.name for domain in tenant.domains]
    if name not in names:
        yield fault(
            at,
            "unknown-domain",
            f"{name} is not a domain of tenant {tenant.name}",
            f"domains with a file: {listed(names)}",
        )
