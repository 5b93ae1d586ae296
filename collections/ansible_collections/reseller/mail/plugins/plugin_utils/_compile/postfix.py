# SPDX-License-Identifier: GPL-3.0-or-later
"""Write Postfix's lookup tables.

PRIVATE to the collection. Pure.

No table contains a ``+extension``: when Postfix does not find a full address, it looks it up again
without the extension. Where Postfix ignores the value, it is the tenant's name, so that readers of
a table see to whom a line belongs.
"""

from __future__ import annotations

import typing as t

from .._model import contact
from .._model.addresses import delivered, local_parts, redirects, senders
from . import outgoing, suspended
from ._text import table
from .submission import display_names, internal_aliases

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant

Tables = t.Dict[str, t.Dict[str, str]]
"""The entries of each table, by the table's name."""

TO_NODES = "nodes"
"""The transport to other nodes. The role postfix has a service of this name in master.cf."""

TABLES = (
    "display_names",
    "held_recipients",
    "held_senders",
    "internal_aliases",
    "recipient_access",
    "relay_domains",
    "relay_recipient_maps",
    "sender_login_maps",
    "sender_transport_maps",
    "submission_access",
    "tls_policy_maps",
    "transport_maps",
    "virtual_alias_domains",
    "virtual_alias_maps",
    "virtual_mailbox_domains",
    "virtual_mailbox_maps",
)


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return the node's tables by path. Empty tables are written too: main.cf names them all."""
    tables: Tables = {name: {} for name in TABLES}
    closed = suspended.Closed(estate)
    for tenant, domain in estate.served_domains():
        if tenant.placement != node.name:
            _add_domain_of_other_node(tables, tenant, domain, estate.node_of(tenant))
            if closed:
                suspended.add_refusals(tables, closed, tenant, domain)
            continue
        domain = suspended.without_forwards(tenant, domain)
        if domain.relay:
            transport = f"smtp:[{domain.relay.host}]:{domain.relay.port}"
            _add_relay_domain(tables, tenant, domain, transport)
        else:
            _add_mailboxes(tables, tenant, domain)
        _add_aliases(tables, closed, tenant, domain)
        _add_domain_aliases(tables, tenant, domain)
        if closed:
            suspended.add_refusals(tables, closed, tenant, domain)
            suspended.add_holds(tables, closed, tenant, domain)
        suspended.add_senders(tables, tenant, domain)
    _add_own_names(tables, estate, node)
    for other in estate.nodes:
        if other.name != node.name:
            # The key is the next hop exactly as transport_maps has it. With match=nexthop the
            # certificate must be valid for that name.
            tables["tls_policy_maps"][f"[{other.hostname}]:25"] = "secure match=nexthop"
    tables["internal_aliases"] = internal_aliases(estate)
    tables["display_names"] = display_names(estate, node)
    for address, logins in senders(estate).items():
        tables["sender_login_maps"][address] = " ".join(sorted(logins))
    tables["sender_transport_maps"].update(outgoing.sender_transports(estate, node))
    return {f"postfix/{name}": table(entries) for name, entries in tables.items()}


def _add_mailboxes(tables: Tables, tenant: Tenant, domain: Domain) -> None:
    """Add a domain with mailboxes, and the addresses that are delivered to them."""
    tables["virtual_mailbox_domains"][domain.name] = tenant.name
    for local in delivered(domain):
        tables["virtual_mailbox_maps"][f"{local}@{domain.name}"] = tenant.name


def _add_relay_domain(tables: Tables, tenant: Tenant, domain: Domain, transport: str) -> None:
    """Add a relay domain, the recipients that it takes, and where its mail goes."""
    tables["relay_domains"][domain.name] = tenant.name
    tables["transport_maps"][domain.name] = transport
    for local in delivered(domain):
        tables["relay_recipient_maps"][f"{local}@{domain.name}"] = tenant.name


def _add_aliases(tables: Tables, closed: suspended.Closed, tenant: Tenant, domain: Domain) -> None:
    """Add every address of the domain whose mail goes to other addresses."""
    for local, one in redirects(tenant, domain).items():
        address = f"{local}@{domain.name}"
        if one.skips_spam:
            # Dovecot forwards it. A catch-all would take the mail of an address without a line.
            if domain.catch_all:
                tables["virtual_alias_maps"][address] = address
            continue
        # Postfix does not look up an address again that is among its own targets. It keeps the
        # copy that stays in the mailbox (virtual(5)).
        kept = (address,) if one.keeps else ()
        to = suspended.around_holds(closed, local, one.to)
        tables["virtual_alias_maps"][address] = ", ".join((*kept, *to))


def _add_domain_aliases(tables: Tables, tenant: Tenant, domain: Domain) -> None:
    """Add the domain's aliases, with each address that exists in them.

    ``@alias @domain`` would be shorter, but Postfix would then accept unknown recipients and bounce
    their mail later.
    """
    aliases = tables["virtual_alias_maps"]
    for alias in domain.domain_aliases:
        tables["virtual_alias_domains"][alias.name] = tenant.name
        for local in local_parts(tenant, domain):
            aliases[f"{local}@{alias.name}"] = f"{local}@{domain.name}"
        if domain.catch_all:
            aliases[f"@{alias.name}"] = domain.catch_all


def _add_domain_of_other_node(tables: Tables, tenant: Tenant, domain: Domain, node: Node) -> None:
    """Add a domain that another node, ``node``, serves.

    This node's list of the domain's recipients may be old, so it refuses no recipient because of
    the list. It accepts the recipients in the list. For others it asks the serving node.
    """
    for name in domain.names:
        tables["relay_domains"][name] = tenant.name
        tables["transport_maps"][name] = f"{TO_NODES}:[{node.hostname}]:25"
        tables["relay_recipient_maps"][f"@{name}"] = tenant.name
        if not domain.catch_all:
            tables["recipient_access"][name] = "reject_unverified_recipient"
        for local in local_parts(tenant, domain):
            tables["recipient_access"][f"{local}@{name}"] = "DUNNO"


def _add_own_names(tables: Tables, estate: Estate, node: Node) -> None:
    """Add the addresses whose mail goes to ``provider.contact``.

    These are addresses of the host itself, and of the provider's domain, which every node serves.
    A key without a domain applies to the host under each of its names, to localhost and to its IP
    addresses (virtual(5)).
    """
    own = contact.provider_domain(estate)
    if own:
        tables["virtual_alias_domains"][own] = "provider.contact"
    for domain, one in contact.redirects(estate):
        if domain in (own, node.hostname):
            key = one.local if domain == node.hostname else f"{one.local}@{domain}"
            tables["virtual_alias_maps"][key] = ", ".join(one.to)
