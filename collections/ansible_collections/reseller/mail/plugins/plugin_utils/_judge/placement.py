# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement: a tenant's plan and node exist, the node can serve it, and limits name its domains.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import collections
import typing as t

from .._model.tenant import Tenant
from .._model.values import Fault, Position
from .._model.words import listed, meant
from ._index import Index, fault

MAX_DOMAINS = 5_000
"""Of one node: Dovecot's auth process keeps one passwd-file open for each domain."""


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in placement."""
    if not index.unsure("estate.yml", "nodes"):
        yield from _nodes(index)
        yield from _states_of_unknown_nodes(index)
    yield from _backup_mx_without_address(index)
    yield from _full_nodes(index)
    for tenant in index.estate.tenants:
        yield from _unknown_plan_or_node(index, tenant)
        yield from _unfit_node(index, tenant)
        yield from _limits_of_unknown_domains(index, tenant)


def _nodes(index: Index) -> t.Iterator[Fault]:
    """Yield a fault if there is no node, and for each node without an address."""
    if not index.nodes:
        yield Fault(
            Position("estate.yml", 1, 1), "no-node", "the estate has no node", "at least one node"
        )
    for node in index.estate.nodes:
        if not node.addresses:
            yield fault(
                node.at.of("addresses"),
                "no-address",
                f"node {node.name} has no address",
                "at least one IP address",
            )


def _states_of_unknown_nodes(index: Index) -> t.Iterator[Fault]:
    for state in index.estate.states:
        if state.node not in index.nodes:
            yield Fault(
                Position(f"state/{state.node}.json", 1, 1),
                "unknown-node",
                f"there is no node {state.node}; if it was removed, delete this file",
                f"reports of the nodes {listed(index.nodes)}",
            )


def _backup_mx_without_address(index: Index) -> t.Iterator[Fault]:
    if index.unsure("estate.yml", "backup_mx"):
        return
    for backup in index.estate.backup_mx:
        if not backup.addresses:
            yield fault(
                backup.at.of("addresses"),
                "no-address",
                f"the backup MX {backup.hostname} has no address",
                "at least one IP address",
            )


def _full_nodes(index: Index) -> t.Iterator[Fault]:
    """Yield a fault at the tenant with which a node would serve more domains than it can."""
    count: collections.Counter[str] = collections.Counter()
    for tenant in index.estate.tenants:
        if tenant.served:
            before = count[tenant.placement]
            count[tenant.placement] += len(tenant.domains)
            if before <= MAX_DOMAINS < count[tenant.placement]:
                what = (
                    f"node {tenant.placement} would serve {count[tenant.placement]} domains with"
                    " this tenant"
                )
                yield fault(
                    tenant.at.of("placement"),
                    "node-full",
                    what,
                    f"at most {MAX_DOMAINS} domains on one node",
                )


def _unknown_plan_or_node(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    """Yield a fault if the plan or the node of an account does not exist."""
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


def _unfit_node(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    """Yield a fault if the tenant's node is not ready (S0-1) or not for resale (S1-1)."""
    node = index.nodes.get(tenant.placement)
    if node is None or tenant.state == "terminated":
        return
    fit = listed(
        node.name
        for node in index.estate.nodes
        if node.lifecycle == "ready" and node.resell and node.compute == "dedicated"
    )
    if node.lifecycle != "ready" and tenant.served:
        yield fault(
            tenant.at.of("placement"),
            "node-not-ready",
            f"node {node.name} is {node.lifecycle}, but tenant {tenant.name} is {tenant.state}",
            f"nodes that are ready: {fit}",
        )
    if not node.resell or node.compute != "dedicated":
        why = "is shared compute" if node.compute != "dedicated" else "is not for resale"
        yield fault(
            tenant.at.of("placement"),
            "node-not-for-resale",
            f"node {node.name} {why}, but tenant {tenant.name} is placed on it",
            f"nodes that can be resold: {fit}",
        )


def _limits_of_unknown_domains(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    """Yield a fault for each entry of ``domain_limits`` that names no domain of the tenant."""
    folder = f"tenants/{tenant.name}/"
    if any(
        file.startswith(folder) and file != tenant.at.file and key == ""
        for file, key in index.holes
    ):
        return  # The domain may be one of the files that could not be read.
    domains = {domain.name for domain in tenant.domains}
    for entry in tenant.domain_limits:
        if entry.name not in domains:
            yield fault(
                entry.at.of("name"),
                "unknown-domain",
                f"{entry.name} is not a domain of tenant {tenant.name}",
                f"domains with a file: {listed(domains)}",
            )
