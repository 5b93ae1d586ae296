# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing mail: the names of outbound addresses, and the relays that may be used.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._language.cascade import chain_of, find
from .._model.domain import Domain
from .._model.estate import Node
from .._model.outgoing import PREMIUM, relays
from .._model.tenant import Tenant
from .._model.values import Fault
from .._model.words import listed
from ._index import Index, fault


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in outgoing mail."""
    for node in index.estate.nodes:
        yield from _outbound_hosts(node)
    yield from _relays(index)
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            yield from _relay_of(index, tenant, domain)


def _outbound_hosts(node: Node) -> t.Iterator[Fault]:
    """Yield a fault for each address of an outbound host that it cannot have."""
    first: dict[str, str] = {}
    for host in node.outbound_hosts:
        if not host.addresses:
            yield fault(
                host.at.of("addresses"),
                "outbound-host-address",
                f"outbound host {host.hostname} has no address",
                "one IPv4 address, one IPv6 address, or one of each",
            )
        families: set[bool] = set()
        for nth, address in enumerate(host.addresses):
            if address not in node.outbound_addresses:
                what = f"{address} is not an outbound address of node {node.name}"
                allowed = f"outbound_addresses of the node: {listed(node.outbound_addresses)}"
            elif address in first:
                what = f"{address} already has the name {first[address]}"
                allowed = "each address in one outbound host"
            elif (":" in address) in families:
                what = f"{address} is the second address of its family in {host.hostname}"
                allowed = "one IPv4 address, one IPv6 address, or one of each"
            else:
                first[address] = host.hostname
                families.add(":" in address)
                continue
            yield fault(host.at.of("addresses", nth), "outbound-host-address", what, allowed)


def _relays(index: Index) -> t.Iterator[Fault]:
    """Yield a fault for each relay that cannot be used as it is written."""
    estate = index.estate
    own = {node.hostname for node in estate.nodes}
    own.update(host.hostname for node in estate.nodes for host in node.outbound_hosts)
    known = {tenant.name for tenant in estate.tenants}
    for relay in estate.relays:
        if relay.name == PREMIUM:
            yield fault(
                relay.at.of("name"),
                "reserved-name",
                f"{PREMIUM} is the name of premium_relay",
                "another name",
            )
        for nth, name in enumerate(relay.tenants or ()):
            if name not in known:
                yield fault(
                    relay.at.of("tenants", nth),
                    "unknown-tenant",
                    f"relay {relay.name} is for tenant {name}, which does not exist",
                    f"tenants: {listed(known)}",
                )
    for relay in relays(estate):
        if relay.host in own:
            premium = relay.name == PREMIUM
            yield fault(
                estate.at.of("premium_relay", "host") if premium else relay.at.of("host"),
                "relay-is-node",
                f"relay {relay.name} is {relay.host}, a node of this estate",
                "a server that is no node",
            )


def _relay_of(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    """Yield a fault if a domain may not use the relay that its files name."""
    name = domain.outgoing_relay
    if not name or index.unsure("estate.yml", "relays", "premium_relay"):
        return
    chosen = find(chain_of(index.estate, tenant, domain), "outgoing_relay")
    relay = next((one for one in relays(index.estate) if one.name == name), None)
    if relay is None:
        yield fault(
            chosen.at,
            "unknown-relay",
            f"{domain.name} uses the relay {name}, which the estate does not have",
            f"relays of estate.yml: {listed(one.name for one in relays(index.estate))}",
        )
    elif tenant.name not in (relay.tenants or ()) and (
        relay.tenants is not None or chosen.level == "domain"
    ):
        yield fault(
            chosen.at,
            "relay-not-granted",
            f"{domain.name} uses the relay {name}, which tenant {tenant.name} may not use",
            f"relays with {tenant.name} in tenants: "
            + listed(one.name for one in index.estate.relays if tenant.name in (one.tenants or ())),
        )
