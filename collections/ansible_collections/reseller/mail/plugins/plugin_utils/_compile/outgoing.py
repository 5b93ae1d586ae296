# SPDX-License-Identifier: GPL-3.0-or-later
"""Say where the mail of each sender domain leaves, and which transports Postfix needs for that.

PRIVATE to the collection. Pure.

Tenants decide rows of one table only. The transports are the same for every tenant: one for each
relay of the estate, and one for each outbound host of the node.
"""

from __future__ import annotations

import typing as t

from .._model import outgoing

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Estate, Node, OutboundHost, OutgoingRelay
    from .._model.tenant import Tenant

DIRECT = "smtp:"
"""The node sends from its own addresses to the hosts of the recipient's domain."""


def relay_transport(relay: OutgoingRelay) -> str:
    """Return the name of a relay's transport in master.cf."""
    return f"relay-{relay.name}"


def outbound_transport(host: OutboundHost) -> str:
    """Return the name of an outbound host's transport in master.cf. It has no colon."""
    return "out-" + host.addresses[0].replace(".", "-").replace(":", "-")


def relay_settings(estate: Estate) -> list[dict[str, t.Any]]:
    """Return what role postfix has to know about each relay. There is no password in it."""
    return [
        {
            "name": relay.name,
            "transport": relay_transport(relay),
            "host": relay.host,
            "port": relay.port,
            "username": relay.username or "",
        }
        for relay in outgoing.relays(estate)
    ]


def outbound_settings(node: Node) -> list[dict[str, str]]:
    """Return what role postfix has to know about each outbound host of the node."""
    return [
        {
            "transport": outbound_transport(host),
            "hostname": host.hostname,
            "ipv4": next((one for one in host.addresses if ":" not in one), ""),
            "ipv6": next((one for one in host.addresses if ":" in one), ""),
        }
        for host in outgoing.outbound_hosts(node)
    ]


def sender_transports(estate: Estate, node: Node) -> dict[str, str]:
    """Return the rows of sender_transport_maps: sender domain → transport.

    A sender without a row is external: its mail leaves with a sender of this node (SRS). The null
    sender and the node itself have a row. So have domains of the estate, except those whose SPF
    record does not list this node.
    """
    rows = {"<>": DIRECT, f"@{node.hostname}": DIRECT, f"@{estate.provider.domain}": DIRECT}
    for tenant, domain in estate.served_domains():
        value = _transport(estate, node, tenant, domain)
        for name in domain.names:
            rows.pop(f"@{name}", None)
            if value:
                rows[f"@{name}"] = value
    return rows


def _transport(estate: Estate, node: Node, tenant: Tenant, domain: Domain) -> t.Optional[str]:
    """Return where mail of a domain leaves this node; None if it leaves with a sender of the node.

    A node that does not serve the tenant sends such mail only if an alias there leads outside. It
    has neither the tenant's outbound address, nor is it in an SPF record with the tenant's MX only.
    """
    relay = outgoing.relay_of(estate, tenant, domain)
    if relay:
        return f"{relay_transport(relay)}:[{relay.host}]:{relay.port}"
    if tenant.placement != node.name:
        return None if tenant.outbound_address or domain.spf.mode == "mx" else DIRECT
    host = outgoing.outbound_host_of(node, tenant)
    return f"{outbound_transport(host)}:" if host else DIRECT


def describe(estate: Estate, node: Node, tenant: Tenant, domain: Domain) -> t.Iterator[str]:
    """Yield where the domain's mail leaves the node that serves it, unless it leaves directly."""
    relay = outgoing.relay_of(estate, tenant, domain)
    host = outgoing.outbound_host_of(node, tenant)
    if relay:
        yield f"outgoing mail of {domain.name} via {relay.host}:{relay.port}"
    elif host:
        yield f"outgoing mail of {domain.name} from {', '.join(host.addresses)}"
