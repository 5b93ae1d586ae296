# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement: every tenant has a plan and a node that exist and hold it, and the account speaks of what is there.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import (
    Index,
    fault,
    listed,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Position
from ansible_collections.reseller.mail.plugins.module_utils._nodes import meant

# Dovecot's auth process keeps one passwd-file open for each domain.
MAX_DOMAINS = 5_000


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in placement."""
    yield from _hosts(index)
    yield from _room(index)
    for tenant in index.estate.tenants:
        yield from _names(index, tenant)
        yield from _node(index, tenant)
        yield from _named_domains(index, tenant)


def _hosts(index: Index) -> t.Iterator[Fault]:
    """There is a node, each mail host has an address, and what nodes reported is of nodes that exist."""
    estate, nodes = index.estate, index.nodes
    if not index.unsure("estate.yml", "nodes"):
        if not nodes:
            yield Fault(
                Position("estate.yml", 1, 1),
                "no-node",
                "the estate has no node",
                "at least one node",
            )
        for node in estate.nodes:
            if not node.addresses:
                yield fault(
                    node.at.of("addresses"),
                    "no-address",
                    f"node {node.name} has no address",
                    "at least one IP address",
                )
        for state in estate.states:
            if state.node not in nodes:
                at = Position(f"state/{state.node}.json", 1, 1)
                yield Fault(
                    at,
                    "unknown-node",
                    f"there is no node {state.node} any more",
                    f"state of {listed(nodes)}; delete this file",
                )
    if not index.unsure("estate.yml", "backup_mx"):
        for backup in estate.backup_mx:
            if not backup.addresses:
                yield fault(
                    backup.at.of("addresses"),
                    "no-address",
                    f"the backup MX {backup.hostname} has no address",
                    "at least one IP address",
                )


def _room(index: Index) -> t.Iterator[Fault]:
    """No node serves more domains than it can. The tenant that exceeds the limit is named."""
    count: collections.Counter[str] = collections.Counter()
    for tenant in index.estate.tenants:
        if tenant.served:
            before = count[tenant.placement]
            count[tenant.placement] += len(tenant.domains)
            if before <= MAX_DOMAINS < count[tenant.placement]:
                what = f"node {tenant.placement} would serve {count[tenant.placement]} domains with this tenant"
                yield fault(
                    tenant.at.of("placement"),
                    "node-full",
                    what,
                    f"at most {MAX_DOMAINS} domains a node",
                )


def _names(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    """The plan and the node that an account names exist."""
    plans, nodes = index.plans, index.nodes
    if tenant.plan and tenant.plan not in plans and not index.unsure("plans.yml", "plans"):
        yield fault(
            tenant.at.of("plan"),
            "unknown-plan",
            f"there is no plan {tenant.plan}{meant(tenant.plan, plans)}",
            listed(plans),
        )
    if (
        tenant.placement
        and nodes
        and tenant.placement not in nodes
        and not index.unsure("estate.yml", "nodes")
    ):
        yield fault(
            tenant.at.of("placement"),
            "unknown-node",
            f"there is no node {tenant.placement}{meant(tenant.placement, nodes)}",
            listed(nodes),
        )


def _node(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    """Nobody is served by a host that is not ready (S0-1), nor resold one that may not be (S1-1)."""
    node = index.nodes.get(tenant.placement)
    if node is None or tenant.state == "terminated":
        return
    at = tenant.at.of("placement")
    fit = listed(
        node.name
        for node in index.estate.nodes
        if node.lifecycle == "ready" and node.resell and node.compute == "dedicated"
    )
    if node.lifecycle != "ready" and tenant.served:
        yield fault(
            at,
            "node-not-ready",
            f"node {node.name} is {node.lifecycle}, and tenant {tenant.name} is {tenant.state}",
            f"nodes that are ready: {fit}",
        )
    if not node.resell or node.compute != "dedicated":
        why = "is shared compute" if node.compute != "dedicated" else "is not for resale"
        yield fault(
            at,
            "node-not-for-resale",
            f"node {node.name} {why}, and tenant {tenant.name} is placed on it",
            f"nodes that may be resold: {fit}",
        )


def _named_domains(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    folder = f"tenants/{tenant.name}/"
    if any(
        file.startswith(folder) and file != tenant.at.file and key == ""
        for file, key in index.holes
    ):
        return  # the domain may be what could not be read
    domains = {domain.name for domain in tenant.domains}
    for entry in tenant.domain_limits:
        if entry.name not in domains:
            yield fault(
                entry.at.of("name"),
                "unknown-domain",
                f"{entry.name} is no domain of tenant {tenant.name}",
                listed(domains),
            )
