# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which records of each domain are to be published, and which are no longer wanted.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._compile import dns as compile_dns
from .._compile import mta_sts, opendkim
from .._compile.dns.clients import caa
from .._dns.rrset import Key, RRset, record_sets, yielding
from .._model import mx
from .plan import Marks, places_to_search
from .published_records import Published, former

if t.TYPE_CHECKING:
    from .._dns.record import Record
    from .._model.domain import Domain
    from .._model.estate import Estate
    from .._model.tenant import Tenant


@dataclass(slots=True)
class Work:
    """What is to be done for one domain.

    Attributes:
        domain: The domain.
        wanted: The record sets that it should have.
        former: Values that an earlier run published and that are no longer wanted.
        searched: Places to search for former records, if the list of published records has no
            entry of the domain.
        yielding: Record sets that must not replace those of other people, each with the values
            that an earlier run published there.
    """

    domain: str
    wanted: dict[Key, RRset] = field(default_factory=dict)
    former: dict[Key, frozenset[str]] = field(default_factory=dict)
    searched: list[Key] = field(default_factory=list)
    yielding: dict[Key, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Assignment:
    """The work on all domains.

    Attributes:
        work: The work on each domain, sorted by its name.
        handed_over: Domains that are served, but whose DNS the provider no longer manages. Their
            records stay.
        left: Domains with published records that should have none any more.
        untouched: The published records of domains that the run is not about.
    """

    work: list[Work]
    handed_over: list[str]
    left: list[str]
    untouched: Published = field(default_factory=dict)

    def of_tenant(self, names: t.Collection[str], published: Published) -> Assignment:
        """Return the part of the work that is about these domains."""
        return Assignment(
            [one for one in self.work if one.domain in names],
            [name for name in self.handed_over if name in names],
            [name for name in self.left if name in names],
            {name: dict(places) for name, places in published.items() if name not in names},
        )


def marks(estate: Estate) -> Marks:
    """Return the marks by which this estate's records are recognised."""
    hosts = {*(node.hostname for node in estate.nodes)}
    hosts |= {backup.hostname for backup in estate.backup_mx}
    hosts |= {
        domain.branding.hostname
        for tenant in estate.tenants
        for domain in tenant.domains
        if domain.branding.hostname
    }
    selectors = {node.dkim_selector for node in estate.nodes}
    selectors |= {key.selector for state in estate.states for key in state.dkim}
    return Marks(
        frozenset(filter(None, hosts)),
        frozenset(address for node in estate.nodes for address in node.addresses),
        frozenset(selectors),
        estate.provider.domain,
        frozenset(value for _name, _type, value, _purpose in caa("", estate.caa)),
    )


def policies(estate: Estate) -> dict[str, str]:
    """Return the MTA-STS policy of each served name that has one."""
    return {
        name: mta_sts.policy(domain.mta_sts, mta_sts.hosts(estate, tenant))
        for tenant, domain in estate.served_domains()
        if domain.mta_sts
        for name in domain.names
    }


@dataclass(frozen=True, slots=True)
class Unreported:
    """The nodes of which the estate has no report, and whose keys in DNS therefore stay.

    A clone of the estate may lack ``state/<node>.json``, and a run may not reach the node.

    Attributes:
        dkim: Nodes without a report of DKIM keys.
        tls: The names of nodes without a report of TLS keys.
    """

    dkim: tuple[str, ...]
    tls: frozenset[str]

    def has_key_at(self, key: Key) -> bool:
        """Return whether the record set may have a key of one of these nodes."""
        name, rdtype = key
        if rdtype == "TLSA":
            return name.removeprefix("_25._tcp.") in self.tls
        selector, is_dkim, _domain = name.partition("._domainkey.")
        return (
            rdtype == "TXT"
            and bool(is_dkim)
            and any(opendkim.is_selector_of(node, selector) for node in self.dkim)
        )


def unreported(estate: Estate) -> Unreported:
    """Return the nodes of which the estate has no report."""
    dkim = {state.node for state in estate.states if state.dkim}
    tls = {state.node for state in estate.states if state.tls}
    return Unreported(
        tuple(node.name for node in estate.nodes if node.name not in dkim),
        frozenset(
            name for node in estate.nodes if node.name not in tls for name in mx.names(estate, node)
        ),
    )


def unreported_notes(estate: Estate) -> list[str]:
    """Return a note for each node without a report."""
    return [
        f"{node}: the estate has no report of its keys (state/{node}.json), so their records stay"
        f" as they are; a run of site that reaches {node} writes it"
        for node in unreported(estate).dkim
    ]


def own_names(estate: Estate) -> frozenset[str]:
    """Return the names of the provider, its nodes and its backup MX.

    They are not only for mail. So no other records are searched there than those that are wanted
    or were published.
    """
    return frozenset(
        (
            estate.provider.domain,
            *(node.hostname for node in estate.nodes),
            *(backup.hostname for backup in estate.backup_mx),
        )
    )


def names_of(tenant: Tenant) -> frozenset[str]:
    """Return the names of a tenant: of its files, and those that the provider lets it have.

    A domain that left the files is among them as long as the provider lists it.
    """
    in_files = (name for domain in tenant.domains for name in domain.names)
    return frozenset((*in_files, *tenant.approved_domains))


def assignment(
    estate: Estate, published: Published, tenant: t.Optional[Tenant] = None
) -> Assignment:
    """Return the work on every domain that is managed, was managed, or has left the estate.

    With ``tenant``, return the work on the domains of this tenant only.
    """
    everything = _whole_assignment(estate, published)
    return everything.of_tenant(names_of(tenant), published) if tenant else everything


def _whole_assignment(estate: Estate, published: Published) -> Assignment:
    """Return the work on the domains of all tenants and of the provider."""
    records = compile_dns.records(estate)
    work = _work_on_wanted([record for record in records if record.managed], published)
    for name in _terminated(estate):
        work.setdefault(name, Work(name))
    handed_over = _handed_over(records, published, work)
    wanted = {(record.name, record.type) for record in records}
    for name, places in former(published, wanted).items():
        if name not in handed_over:
            work.setdefault(name, Work(name)).former.update(places)
    our_marks = marks(estate)
    for name in work.keys() - published.keys() - own_names(estate):
        work[name].searched = places_to_search(name, our_marks)
    left = sorted(name for name, one in work.items() if name in published and not one.wanted)
    return Assignment([work[name] for name in sorted(work)], handed_over, left)


def _handed_over(
    records: t.Iterable[Record], published: Published, work: t.Container[str]
) -> list[str]:
    """Return the published domains that are served, but have no managed records, sorted."""
    elsewhere = {record.domain for record in records if not record.managed}
    return sorted(name for name in published if name in elsewhere and name not in work)


def _work_on_wanted(managed: t.Sequence[Record], published: Published) -> dict[str, Work]:
    """Return the work on each domain with managed records, by name."""
    work = {record.domain: Work(record.domain) for record in managed}
    domain_of: dict[Key, str] = {}
    for record in managed:
        domain_of.setdefault((record.name, record.type), record.domain)
    for key, rrset in record_sets(managed).items():
        work[domain_of[key]].wanted[key] = rrset
    for key in yielding(managed):
        domain = domain_of[key]
        work[domain].yielding[key] = published.get(domain, {}).get(key, frozenset())
    return work


def _terminated(estate: Estate) -> t.Iterator[str]:
    """Yield the managed names of terminated tenants.

    So their records are removed also if there is no list of published records.
    """
    for tenant in estate.tenants:
        if tenant.state == "terminated":
            for domain in tenant.domains:
                yield from _managed_names(domain)


def _managed_names(domain: Domain) -> list[str]:
    """Return those names of a domain whose DNS the provider manages."""
    aliases = [alias.name for alias in domain.domain_aliases if alias.managed]
    return [domain.name, *aliases] if domain.managed else aliases
