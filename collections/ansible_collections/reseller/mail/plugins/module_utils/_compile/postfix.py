# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's lookup tables.

PRIVATE to the collection. Pure.

Postfix strips ``+extension`` by itself when a full address is not found, so no table mentions extensions. Values that
Postfix ignores are the tenant's name, so that a person reading a table sees whose line it is.
"""

from __future__ import annotations

import typing as t

from . import _contact
from ._addresses import delivered, local_parts, redirects, senders
from ._text import table

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant

TABLES = (
    "recipient_access",
    "relay_domains",
    "relay_recipient_maps",
    "sender_login_maps",
    "tls_policy_maps",
    "transport_maps",
    "virtual_alias_domains",
    "virtual_alias_maps",
    "virtual_mailbox_domains",
    "virtual_mailbox_maps",
)


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """The node's tables by path; every table exists, also when empty, because main.cf names them all."""
    tables: dict[str, dict[str, str]] = {name: {} for name in TABLES}
    for tenant, domain in estate.served_domains():
        if tenant.placement != node.name:
            _elsewhere(tables, tenant, domain, estate.node_of(tenant))
            continue
        if domain.relay:
            _relay(tables, tenant, domain, f"smtp:[{domain.relay.host}]:{domain.relay.port}")
        else:
            _mailboxes(tables, tenant, domain)
        _aliases(tables, tenant, domain)
        _domain_aliases(tables, tenant, domain)
    _own_names(tables, estate, node)
    for other in estate.nodes:
        if other.name != node.name:
            # The key is the next hop exactly as transport_maps spells it; the certificate must bear that very name.
            tables["tls_policy_maps"][f"[{other.hostname}]:25"] = "secure match=nexthop"
    for address, logins in senders(estate).items():
        tables["sender_login_maps"][address] = " ".join(sorted(logins))
    return {f"postfix/{name}": table(entries) for name, entries in tables.items()}


def _mailboxes(tables: dict[str, dict[str, str]], tenant: Tenant, domain: Domain) -> None:
    tables["virtual_mailbox_domains"][domain.name] = tenant.name
    for local in delivered(domain):
        tables["virtual_mailbox_maps"][f"{local}@{domain.name}"] = tenant.name


def _relay(
    tables: dict[str, dict[str, str]], tenant: Tenant, domain: Domain, transport: str
) -> None:
    tables["relay_domains"][domain.name] = tenant.name
    tables["transport_maps"][domain.name] = transport
    for local in delivered(domain):
        tables["relay_recipient_maps"][f"{local}@{domain.name}"] = tenant.name


def _aliases(tables: dict[str, dict[str, str]], tenant: Tenant, domain: Domain) -> None:
    for local, one in redirects(tenant, domain).items():
        address = f"{local}@{domain.name}"
        # An address among its own targets is not looked up once more: that is the copy which stays (virtual(5)).
        tables["virtual_alias_maps"][address] = ", ".join(
            (*((address,) if one.keeps else ()), *one.to)
        )


def _domain_aliases(tables: dict[str, dict[str, str]], tenant: Tenant, domain: Domain) -> None:
    """Every address is spelled out: ``@alias @domain`` would accept unknown recipients and bounce them later."""
    aliases = tables["virtual_alias_maps"]
    for alias in domain.domain_aliases:
        tables["virtual_alias_domains"][alias.name] = tenant.name
        for local in local_parts(tenant, domain):
            aliases[f"{local}@{alias.name}"] = f"{local}@{domain.name}"
        if domain.catch_all:
            aliases[f"@{alias.name}"] = domain.catch_all


def _elsewhere(
    tables: dict[str, dict[str, str]], tenant: Tenant, domain: Domain, node: Node
) -> None:
    """Add a domain of another node, whose recipients this node may know of an earlier day only.

    No recipient is refused by this node's own word: those that it knows are taken, the domain's others are asked for at
    the node that serves it.
    """
    for name in domain.names:
        tables["relay_domains"][name] = tenant.name
        tables["transport_maps"][name] = f"smtp:[{node.hostname}]:25"
        tables["relay_recipient_maps"][f"@{name}"] = tenant.name
        if not domain.catch_all:
            tables["recipient_access"][name] = "reject_unverified_recipient"
        for local in local_parts(tenant, domain):
            tables["recipient_access"][f"{local}@{name}"] = "DUNNO"


def _own_names(tables: dict[str, dict[str, str]], estate: Estate, node: Node) -> None:
    """Add what the contact reads: mail for the host itself, and for the provider's domain on every node.

    A key without a domain is the host's own under each of its names, localhost and its addresses among them (virtual(5)).
    """
    own = _contact.provider_domain(estate)
    if own:
        tables["virtual_alias_domains"][own] = "provider.contact"
    for domain, one in _contact.redirects(estate):
        if domain in (own, node.hostname):
            key = one.local if domain == node.hostname else f"{one.local}@{domain}"
            tables["virtual_alias_maps"][key] = ", ".join(one.to)
