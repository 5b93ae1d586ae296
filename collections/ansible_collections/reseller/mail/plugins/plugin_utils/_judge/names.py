# SPDX-License-Identifier: GPL-3.0-or-later
"""Names: every name exists once, and a tenant uses only names that it may have.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._model.domain import Alias, Domain, DomainLimits, Mailbox, SenderAddress
from .._model.estate import BackupMx, Node, OutboundHost, OutgoingRelay, SuspensionProfile
from .._model.tenant import AddOn, Plan, Tenant
from .._model.values import Fault, Position
from .._model.words import listed
from ._index import Index, fault

# Ansible gives these names a meaning, so a node must not have one of them.
RESERVED = frozenset(("all", "localhost", "ungrouped", "untagged", "tagged"))

Place = tuple[str, Position, tuple[t.Union[str, int], ...]]
"""A name, and where it is written: the place of its table, and the path of the name from there."""


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in names."""
    yield from _names_of_estate(index)
    yield from _reserved_nodes(index)
    yield from _domains(index)
    for tenant in index.estate.tenants:
        yield from _names_of_account(tenant)
        for domain in tenant.domains:
            yield from _addresses(domain)
            if domain.relay:
                yield from _duplicates(
                    "recipient", _items(domain.at, domain.relay.recipients, "relay", "recipients")
                )


def _names_of_estate(index: Index) -> t.Iterator[Fault]:
    """Yield duplicates of names that exist once in the estate, except domains in use."""
    estate = index.estate
    outbound = [host for node in estate.nodes for host in node.outbound_hosts]
    hosts: tuple[t.Union[Node, BackupMx, OutboundHost], ...] = (
        *estate.nodes,
        *estate.backup_mx,
        *outbound,
    )
    kinds: tuple[tuple[str, t.Iterable[Place]], ...] = (
        ("node", _named(estate.nodes)),
        ("hostname", ((host.hostname, host.at, ("hostname",)) for host in hosts)),
        ("IP address", _ip_addresses(index)),
        ("relay", _named(estate.relays)),
        ("add-on", _named(estate.addons)),
        ("plan", _named(estate.plans)),
        ("suspension profile", _named(estate.suspension_profiles)),
        ("external id", _external_ids(index)),
        (
            "bundle of",
            ((listed(bundle.addons), bundle.at, ("addons",)) for bundle in estate.addon_bundles),
        ),
        ("domain", _approved_domains(index)),
    )
    for kind, places in kinds:
        yield from _duplicates(kind, places)


def _names_of_account(tenant: Tenant) -> t.Iterator[Fault]:
    """Yield duplicates of names that exist once in each list of an account."""
    for key in ("managed_domains", "unverified_domains", "suspended_domains"):
        yield from _duplicates("domain", _items(tenant.at, getattr(tenant, key), key))
    yield from _duplicates(
        "suspension of", ((one.of, one.at, ("of",)) for one in tenant.suspensions)
    )
    yield from _duplicates(
        "admin", ((admin.address, admin.at, ("address",)) for admin in tenant.admins)
    )
    yield from _duplicates("domain", _named(tenant.domain_limits))


def _named(
    things: t.Iterable[t.Union[Node, AddOn, Plan, DomainLimits, OutgoingRelay, SuspensionProfile]],
) -> t.Iterator[Place]:
    """Yield the names of objects with their places."""
    for thing in things:
        yield thing.name, thing.at, ("name",)


def _items(at: Position, names: t.Iterable[str], *path: str) -> t.Iterator[Place]:
    """Yield the items of a list with their places; ``path`` leads to the list."""
    for nth, name in enumerate(names):
        yield name, at, (*path, nth)


def _ip_addresses(index: Index) -> t.Iterator[Place]:
    for node in index.estate.nodes:
        for key in ("addresses", "outbound_addresses"):
            yield from _items(node.at, getattr(node, key), key)
    for backup in index.estate.backup_mx:
        yield from _items(backup.at, backup.addresses, "addresses")


def _external_ids(index: Index) -> t.Iterator[Place]:
    for tenant in index.estate.tenants:
        for key, value in tenant.external_ids:
            yield f"{key} {value}", tenant.at, ("external_ids", key)


def _approved_domains(index: Index) -> t.Iterator[Place]:
    for tenant in index.estate.tenants:
        yield from _items(tenant.at, tenant.approved_domains, "domains")


def _duplicates(kind: str, places: t.Iterable[Place]) -> t.Iterator[Fault]:
    """Yield a fault at each place of a name but the first."""
    first: dict[str, Place] = {}
    for place in places:
        name, at, path = place
        before = first.setdefault(name, place)
        if before is not place:
            what = f"the {kind} {name} is already at {before[1].of(*before[2])}"
            yield fault(at.of(*path), "duplicate-name", what, "each name once")


def _reserved_nodes(index: Index) -> t.Iterator[Fault]:
    for node in index.estate.nodes:
        if node.name in RESERVED:
            yield fault(
                node.at.of("name"),
                "reserved-name",
                f"{node.name} is a reserved name in Ansible",
                "another name",
            )


def _domains(index: Index) -> t.Iterator[Fault]:
    """Yield the faults of names of domains and domain aliases."""
    hostnames = {node.hostname for node in index.estate.nodes} | {
        backup.hostname for backup in index.estate.backup_mx
    }
    hostnames.update(host.hostname for node in index.estate.nodes for host in node.outbound_hosts)
    first: dict[str, tuple[Tenant, Position]] = {}
    # If two tenants use one name, the fault is that of the tenant to which it was not given.
    for tenant, name, at in sorted(
        _all_names(index), key=lambda claim: not index.approved(claim[0], claim[1])
    ):
        owner, before = first.setdefault(name, (tenant, at))
        if before is not at:
            what = (
                f"{name} already exists at {before}"
                if owner is tenant
                else f"{name} already belongs to tenant {owner.name} ({before})"
            )
            yield fault(
                at, "duplicate-domain", what, "each domain and domain alias once in the estate"
            )
    for name, (tenant, at) in first.items():
        found = (
            _reserved(index, tenant, name, at, hostnames)
            or _below_another_tenant(index, first, tenant, name, at)
            or _not_approved(index, tenant, name, at)
        )
        if found:
            yield found


def _all_names(index: Index) -> t.Iterator[tuple[Tenant, str, Position]]:
    """Yield the names of all domains, then of all domain aliases, with tenant and place.

    So the fault of a domain alias that is another's domain is at the alias.
    """
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
    """Return a fault if the name is that of a host, or in the provider's domain or above it."""
    provider = index.estate.provider.domain
    if name in hostnames:
        return fault(
            at,
            "reserved-domain",
            f"{name} is the name of a node, outbound host or backup MX",
            "a name that no host has",
        )
    if not provider or name in tenant.managed_domains:
        return None
    if name == provider or name.endswith(f".{provider}") or provider.endswith(f".{name}"):
        side = "below" if name.endswith(provider) else "above"
        what = (
            f"{name} is the provider's domain"
            if name == provider
            else f"{name} is {side} the provider's domain {provider}"
        )
        return fault(
            at,
            "reserved-domain",
            what,
            "another domain, or this one if it is in the account's managed_domains",
        )
    return None


def _below_another_tenant(
    index: Index,
    first: t.Mapping[str, tuple[Tenant, Position]],
    tenant: Tenant,
    name: str,
    at: Position,
) -> t.Optional[Fault]:
    """Return a fault if the name is below a domain that another tenant was given."""
    parent = name.partition(".")[2]
    while parent:
        above = first.get(parent)
        if above and above[0] is not tenant and index.approved(above[0], parent):
            return fault(
                at,
                "foreign-subdomain",
                f"{name} is below {parent}, which belongs to tenant {above[0].name}",
                "a domain that is not below a domain of another tenant",
            )
        parent = parent.partition(".")[2]
    return None


def _not_approved(index: Index, tenant: Tenant, name: str, at: Position) -> t.Optional[Fault]:
    """Return a fault if the provider did not give the name to the tenant.

    Without this rule a tenant could take any name that is not in the estate yet, and would get the
    mail that other tenants send there.
    """
    if index.approved(tenant, name):
        return None
    return fault(
        at,
        "domain-not-approved",
        f"the provider has not given {name} to tenant {tenant.name}",
        f"domains of {tenant.at.file}: {listed(tenant.approved_domains)}",
    )


def _addresses(domain: Domain) -> t.Iterator[Fault]:
    """Yield a fault for each address of a domain that exists twice."""
    first: dict[str, tuple[str, t.Union[Mailbox, Alias, SenderAddress]]] = {}
    kinds = (
        ("mailbox", domain.mailboxes),
        ("alias", domain.aliases),
        ("sender address", domain.sender_addresses),
    )
    for kind, things in kinds:
        for thing in things:
            before = first.setdefault(thing.name, (kind, thing))
            if before[1] is not thing:
                article = "an" if before[0] == "alias" else "a"
                yield fault(
                    thing.at.of("name"),
                    "duplicate-address",
                    f"{thing.address} is already {article} {before[0]} (line {before[1].at.line})",
                    "each address once in its domain",
                )
