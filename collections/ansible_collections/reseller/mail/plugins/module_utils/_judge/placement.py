# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement: every tenant has a plan and a node that exist and hold it, and the account speaks of what is there.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Index, fault, listed
from ansible_collections.reseller.mail.plugins.module_utils._model import Fault, Position, Tenant

# Dovecot's auth process keeps one passwd-file open for each domain.
MAX_DOMAINS = 5_000


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in placement."""
    estate = index.estate
    nodes = {node.name for node in estate.nodes}
    count: collections.Counter[str] = collections.Counter()
    if not nodes and not index.unsure("estate.yml", "nodes"):
        yield Fault(Position("estate.yml", 1, 1), "no-node", "the estate has no node", "at least one node")
    for node in estate.nodes:
        if not node.addresses and not index.unsure("estate.yml", "nodes"):
            yield fault(node.at.of("addresses"), "no-address", f"node {node.name} has no address", "at least one IP address")
    for tenant in estate.tenants:
        if tenant.plan and tenant.plan not in index.plans and not index.unsure("plans.yml", "plans"):
            yield fault(tenant.at.of("plan"), "unknown-plan", f"there is no plan {tenant.plan}", listed(index.plans))
        if tenant.placement and nodes and tenant.placement not in nodes and not index.unsure("estate.yml", "nodes"):
            yield fault(tenant.at.of("placement"), "unknown-node", f"there is no node {tenant.placement}", listed(nodes))
        if tenant.served:
            before = count[tenant.placement]
            count[tenant.placement] += len(tenant.domains)
            if before <= MAX_DOMAINS < count[tenant.placement]:
                what = f"node {tenant.placement} would serve {count[tenant.placement]} domains with this tenant"
                yield fault(tenant.at.of("placement"), "node-full", what, f"at most {MAX_DOMAINS} domains a node")
        yield from _named_domains(index, tenant)
    if not index.unsure("estate.yml", "nodes"):
        for state in estate.states:
            if state.node not in nodes:
                at = Position(f"state/{state.node}.json", 1, 1)
                yield Fault(at, "unknown-node", f"there is no node {state.node} any more", f"state of {listed(nodes)}; delete this file")


def _named_domains(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    for nth, name in enumerate(tenant.managed_domains):
        if not index.approved(tenant, name):
            what = f"{name} is none of the domains of tenant {tenant.name}"
            yield fault(tenant.at.of("managed_domains", nth), "unknown-domain", what, f"domains: {listed(tenant.approved_domains)}")
    folder = f"tenants/{tenant.name}/"
    if any(file.startswith(folder) and file != tenant.at.file and key == "" for file, key in index.holes):
        return  # the domain may be what could not be read
    domains = {domain.name for domain in tenant.domains}
    for entry in tenant.domain_limits:
        if entry.name not in domains:
            yield fault(entry.at.of("name"), "unknown-domain", f"{entry.name} is no domain of tenant {tenant.name}", listed(domains))
