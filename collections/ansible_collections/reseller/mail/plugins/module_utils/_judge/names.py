# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: every domain, address, node and plan exists once, and in nobody else's name.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import (
    Index,
    fault,
    listed,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import BackupMx, Node
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Position

# Ansible gives these a meaning of their own; a host must not take one.
RESERVED = frozenset(("all", "localhost", "ungrouped", "untagged", "tagged"))


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in names."""
    yield from _once("node", ((node.name, node.at.of("name")) for node in index.estate.nodes))
    hosts: tuple[t.Union[Node, BackupMx], ...] = (*index.estate.nodes, *index.estate.backup_mx)
    yield from _once("hostname", ((host.hostname, host.at.of("hostname")) for host in hosts))
    yield from _once("IP address", _ips(index))
    yield from _once("add-on", ((addon.name, addon.at.of("name")) for addon in index.estate.addons))
    yield from _once("plan", ((plan.name, plan.at.of("name")) for plan in index.estate.plans))
    for node in index.estate.nodes:
        if node.name in RESERVED:
            yield fault(
                node.at.of("name"),
                "reserved-name",
                f"{node.name} means something else to Ansible",
                "another name",
            )
    yield from _domains(index)
    yield from _external_ids(index)
    yield from _once(
        "bundle of",
        ((listed(bundle.addons), bundle.at.of("addons")) for bundle in index.estate.addon_bundles),
    )
    yield from _once(
        "domain",
        (
            (name, tenant.at.of("domains", nth))
            for tenant in index.estate.tenants
            for nth, name in enumerate(tenant.approved_domains)
        ),
    )
    for tenant in index.estate.tenants:
        for key in ("managed_domains", "unverified_domains", "suspended_domains"):
            yield from _once(
                "domain",
                ((name, tenant.at.of(key, nth)) for nth, name in enumerate(getattr(tenant, key))),
            )
        yield from _once(
            "admin", ((admin.address, admin.at.of("address")) for admin in tenant.admins)
        )
        yield from _once(
            "domain", ((entry.name, entry.at.of("name")) for entry in tenant.domain_limits)
        )
        for domain in tenant.domains:
            yield from _addresses(domain)
            if domain.relay:
                yield from _once(
                    "recipient",
                    (
                        (name, domain.at.of("relay", "recipients", nth))
                        for nth, name in enumerate(domain.relay.recipients)
                    ),
                )


def _ips(index: Index) -> t.Iterator[tuple[str, Position]]:
    for node in index.estate.nodes:
        for key in ("addresses", "outbound_addresses"):
            yield from ((ip, node.at.of(key, nth)) for nth, ip in enumerate(getattr(node, key)))
    for backup in index.estate.backup_mx:
        yield from ((ip, backup.at.of("addresses", nth)) for nth, ip in enumerate(backup.addresses))


def _once(kind: str, places: t.Iterable[tuple[str, Position]]) -> t.Iterator[Fault]:
    first: dict[str, Position] = {}
    for name, at in places:
        before = first.setdefault(name, at)
        if before is not at:
            what = f"the {kind} {name} stands here and already at {before}"
            yield fault(at, "name-twice", what, "each name once")


def _domains(index: Index) -> t.Iterator[Fault]:
    hostnames = {node.hostname for node in index.estate.nodes} | {
        backup.hostname for backup in index.estate.backup_mx
    }
    first: dict[str, tuple[Tenant, Position]] = {}
    # Of two that claim a name, the one at fault is who was not given it.
    for tenant, name, at in sorted(
        _all_names(index), key=lambda claim: not index.approved(claim[0], claim[1])
    ):
        before = first.setdefault(name, (tenant, at))
        if before[1] is not at:
            whose = "here already" if before[0] is tenant else f"tenant {before[0].name}'s already"
            yield fault(
                at,
                "domain-twice",
                f"{name} is {whose} ({before[1]})",
                "each domain and domain alias once in the estate",
            )
    for name, (tenant, at) in first.items():
        found = (
            _reserved(index, tenant, name, at, hostnames)
            or _below(index, first, tenant, name, at)
            or _not_approved(index, tenant, name, at)
        )
        if found:
            yield found


def _all_names(index: Index) -> t.Iterator[tuple[Tenant, str, Position]]:
    """Domains first: whoever takes another's for an alias is the one at fault."""
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            yield tenant, domain.name, domain.at
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            for alias in domain.domain_aliases:
                yield tenant, alias.name, alias.at


def _reserved(
    index: Index, tenant: Tenant, name: str, at: Position, hostnames: set[str]
) -> t.Optional[Fault]:
    provider = index.estate.provider.domain
    if name in hostnames:
        return fault(
            at, "reserved-domain", f"{name} is the name of a node", "a name that no node has"
        )
    if not provider or name in tenant.managed_domains:
        return None
    if name == provider or name.endswith(f".{provider}") or provider.endswith(f".{name}"):
        side = "below" if name.endswith(provider) else "above"
        what = (
            f"{name} is the provider's own"
            if name == provider
            else f"{name} lies {side} the provider's {provider}"
        )
        return fault(
            at,
            "reserved-domain",
            what,
            "another domain, unless the account's managed_domains lists this one",
        )
    return None


def _below(
    index: Index,
    first: t.Mapping[str, tuple[Tenant, Position]],
    tenant: Tenant,
    name: str,
    at: Position,
) -> t.Optional[Fault]:
    parent = name.partition(".")[2]
    while parent:
        above = first.get(parent)
        if above and above[0] is not tenant and index.approved(above[0], parent):
            what = f"{name} lies below {parent}, which is tenant {above[0].name}'s"
            return fault(
                at, "foreign-subdomain", what, "domains below the tenant's own or nobody's"
            )
        parent = parent.partition(".")[2]
    return None


def _not_approved(index: Index, tenant: Tenant, name: str, at: Position) -> t.Optional[Fault]:
    """Otherwise a tenant could take any name that the estate does not have yet, and what neighbours write there."""
    if index.approved(tenant, name):
        return None
    return fault(
        at,
        "domain-not-approved",
        f"{name} was not given to tenant {tenant.name}",
        f"domains of {tenant.at.file}: {listed(tenant.approved_domains)}",
    )


def _external_ids(index: Index) -> t.Iterator[Fault]:
    places = (
        (f"{key} {value}", tenant.at.of("external_ids", key))
        for tenant in index.estate.tenants
        for key, value in tenant.external_ids
    )
    yield from _once("external id", places)


def _addresses(domain: Domain) -> t.Iterator[Fault]:
    first: dict[str, tuple[str, Position]] = {}
    kinds = (
        ("mailbox", domain.mailboxes),
        ("alias", domain.aliases),
        ("sender address", domain.sender_addresses),
    )
    for kind, things in kinds:
        for thing in things:
            before = first.setdefault(thing.name, (kind, thing.at))
            if before[1] is not thing.at:
                article = "an" if before[0] == "alias" else "a"
                what = f"{thing.address} is {article} {before[0]} already (line {before[1].line})"
                yield fault(
                    thing.at.of("name"), "address-twice", what, "each address once in its domain"
                )
