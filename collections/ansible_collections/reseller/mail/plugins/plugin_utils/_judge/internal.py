# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases for users of the tenant only: nothing that is open to outside leads to them.

PRIVATE to the collection. Pure.

Another alias of the tenant may lead to one. Its owner decides with it who may write.
"""

from __future__ import annotations

import typing as t

from .._language.cascade import chain_of, find
from .._model.addresses import ROLES, written_redirects
from .._model.domain import Domain
from .._model.tenant import Tenant
from .._model.values import Fault, Position
from ._index import Index, fault

_ALLOWED = "an address that everybody may write to"


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults of aliases with ``internal_only``."""
    internal = _internal_aliases(index)
    if not internal:
        return
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            yield from _role_addresses(domain)
    for place, who, target in _open_ways(index, internal):
        yield fault(
            place,
            "internal-only-target",
            f"{who} to {target}, to which only users of its tenant may write",
            _ALLOWED,
        )


def _internal_aliases(index: Index) -> dict[str, Tenant]:
    """Return the tenants of the aliases with ``internal_only``, by address."""
    return {
        alias.address: tenant
        for tenant in index.estate.tenants
        for domain in tenant.domains
        for alias in domain.aliases
        if alias.internal_only
    }


def _role_addresses(domain: Domain) -> t.Iterator[Fault]:
    """Yield the role addresses of a domain that refuse mail from outside."""
    for alias in domain.aliases:
        if alias.internal_only and alias.name in ROLES:
            yield fault(
                alias.at.of("internal_only"),
                "internal-only-role",
                f"{alias.address} must take mail from everybody (RFC 2142, RFC 5321 section 4.5.1)",
                f"no internal_only for {' and '.join(ROLES)}",
            )


def _open_ways(
    index: Index, internal: t.Mapping[str, Tenant]
) -> t.Iterator[tuple[Position, str, str]]:
    """Yield each way from outside to an alias with ``internal_only``: place, who leads, target."""
    contact = index.estate.provider.contact
    if contact and index.primary(contact) in internal:
        place = index.estate.at.of("provider", "contact")
        yield place, "the addresses of the provider deliver", contact
    for tenant in index.estate.tenants:
        owner = tenant.default_owner
        if owner and index.primary(owner) in internal:
            yield tenant.at.of("default_owner"), f"{' and '.join(ROLES)} deliver", owner
        for domain in tenant.domains:
            yield from _ways_of_domain(index, tenant, domain, internal)


def _ways_of_domain(
    index: Index, tenant: Tenant, domain: Domain, internal: t.Mapping[str, Tenant]
) -> t.Iterator[tuple[Position, str, str]]:
    """Yield the ways in a domain's file: forwards, the catch-all, reports that other hosts send,
    and aliases that lead to another tenant."""
    for redirect in written_redirects(domain):
        for nth, target in enumerate(redirect.to):
            owner = internal.get(index.primary(target))
            if owner is not None and (owner is not tenant or redirect.path != ("to",)):
                yield redirect.place(nth), f"{redirect.who} delivers", target
    if domain.catch_all and index.primary(domain.catch_all) in internal:
        place = domain.at.of("catch_all")
        yield place, f"the catch-all of {domain.name} delivers", domain.catch_all
    for key, address in (("dmarc", domain.dmarc.reports_to), ("tls_rpt", domain.tls_reports_to)):
        if address and index.primary(address) in internal:
            place = find(chain_of(index.estate, tenant, domain), key, "reports_to").at
            yield place, f"{key}.reports_to of {domain.name} sends reports", address
