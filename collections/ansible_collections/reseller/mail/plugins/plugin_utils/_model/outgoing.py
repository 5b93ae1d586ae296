# SPDX-License-Identifier: GPL-3.0-or-later
"""Where outgoing mail leaves: relays, and addresses of nodes with their names.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .estate import OutboundHost, OutgoingRelay

if t.TYPE_CHECKING:
    from .domain import Domain
    from .estate import Estate, Node
    from .tenant import Tenant

PREMIUM: t.Final = "premium"
"""The name of ``estate.premium_relay`` among the relays."""


def relays(estate: Estate) -> tuple[OutgoingRelay, ...]:
    """Return all relays of the estate, the premium relay first."""
    one = estate.premium_relay
    if one is None:
        return estate.relays
    premium = OutgoingRelay(PREMIUM, one.host, one.port, one.spf_include, one.username)
    return (premium, *estate.relays)


def relay_name(tenant: Tenant, domain: Domain) -> t.Optional[str]:
    """Return the name of the relay that a domain uses, or None if its mail leaves directly."""
    return domain.outgoing_relay or (PREMIUM if tenant.premium_relay else None)


def relay_of(estate: Estate, tenant: Tenant, domain: Domain) -> t.Optional[OutgoingRelay]:
    """Return the relay that a domain uses, or None.

    It is also None if the estate has no relay of that name, which is a fault of the files.
    """
    name = relay_name(tenant, domain)
    return next((one for one in relays(estate) if one.name == name), None) if name else None


def outbound_hosts(node: Node) -> tuple[OutboundHost, ...]:
    """Return a host for each address from which the node sends mail of single tenants.

    An address that the files give no name has the name of the node, and is alone.
    """
    unnamed = (OutboundHost(node.hostname, (address,)) for address in _unnamed(node))
    return (*node.outbound_hosts, *unnamed)


def outbound_host_of(node: Node, tenant: Tenant) -> t.Optional[OutboundHost]:
    """Return the host from which the node sends mail of a tenant, or None if it has no own one."""
    address = tenant.outbound_address
    if not address or tenant.placement != node.name:
        return None
    return next((host for host in outbound_hosts(node) if address in host.addresses), None)


def outbound_addresses_of(estate: Estate, tenant: Tenant) -> tuple[str, ...]:
    """Return the addresses that the tenant's mail leaves from if it has its own, else none."""
    if not tenant.outbound_address:
        return ()
    node = next((one for one in estate.nodes if one.name == tenant.placement), None)
    host = outbound_host_of(node, tenant) if node else None
    return host.addresses if host else (tenant.outbound_address,)


def own_addresses(node: Node) -> tuple[str, ...]:
    """Return the addresses that have the node's own name."""
    return tuple(dict.fromkeys((*node.addresses, *_unnamed(node))))


def _unnamed(node: Node) -> tuple[str, ...]:
    """Return the outbound addresses that the files give no name."""
    named = {address for host in node.outbound_hosts for address in host.addresses}
    return tuple(one for one in dict.fromkeys(node.outbound_addresses) if one not in named)
