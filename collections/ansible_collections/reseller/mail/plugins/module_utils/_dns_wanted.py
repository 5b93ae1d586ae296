# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be published, domain by domain, and what earlier runs left.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._compile import _mx, mta_sts
from ansible_collections.reseller.mail.plugins.module_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.clients import caa
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.sets import (
    Key,
    RRset,
    record_sets,
)
from ansible_collections.reseller.mail.plugins.module_utils._dns_book import Book
from ansible_collections.reseller.mail.plugins.module_utils._dns_plan import Ours, candidates

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate


@dataclass(slots=True)
class Work:
    """One domain: what it shall have, what an earlier run published that is not wanted any more, and where to look for
    leftovers because no book says. ``yielding`` are the places that stay somebody else's where they have records of others,
    each with the values that an earlier run published there."""

    domain: str
    wanted: dict[Key, RRset] = field(default_factory=dict)
    former: dict[Key, frozenset[str]] = field(default_factory=dict)
    searched: list[Key] = field(default_factory=list)
    yielding: dict[Key, frozenset[str]] = field(default_factory=dict)


@dataclass(slots=True)
class Assignment:
    """``handed_over``: domains that are served, and whose DNS the provider does not write any more; their records stay."""

    work: list[Work]
    handed_over: list[str]
    left: list[str]


def marks(estate: Estate) -> Ours:
    """The marks by which records of this estate are known again."""
    branded = (domain.branding.hostname for tenant in estate.tenants for domain in tenant.domains)
    return Ours(
        frozenset(
            name
            for name in (
                *(node.hostname for node in estate.nodes),
                *(backup.hostname for backup in estate.backup_mx),
                *branded,
            )
            if name
        ),
        frozenset(address for node in estate.nodes for address in node.addresses),
        frozenset(
            (
                *(node.dkim_selector for node in estate.nodes),
                *(key.selector for state in estate.states for key in state.dkim),
            )
        ),
        estate.provider.domain,
        frozenset(value for _name, _type, value, _purpose in caa("", estate.caa)),
    )


def policies(estate: Estate) -> dict[str, str]:
    """The MTA-STS policy that each served name should show the world."""
    return {
        name: mta_sts.policy(domain.mta_sts, mta_sts.hosts(estate, tenant))
        for tenant, domain in estate.served_domains()
        if domain.mta_sts
        for name in domain.names
    }


def own_names(estate: Estate) -> frozenset[str]:
    """The provider's own names are more than mail: there nothing is looked for beyond what is wanted or was published."""
    return frozenset(
        (
            estate.provider.domain,
            *(node.hostname for node in estate.nodes),
            *(backup.hostname for backup in estate.backup_mx),
        )
    )


def assignment(estate: Estate, book: Book) -> Assignment:
    """The work on every domain that is managed, was managed, or left."""
    records = compile_dns.records(estate)
    sets = record_sets(record for record in records if record.managed)
    owner = {
        (record.name, record.type): record.domain for record in reversed(records) if record.managed
    }
    work = {
        name: Work(name) for name in sorted({record.domain for record in records if record.managed})
    }
    for key, rrset in sets.items():
        work[owner[key]].wanted[key] = rrset
    for name in _terminated(estate):
        work.setdefault(name, Work(name))
    elsewhere = {record.domain for record in records if not record.managed}
    handed_over = sorted(name for name in book if name in elsewhere and name not in work)
    everything = {(record.name, record.type) for record in records}
    for name, places in book.items():
        if name not in handed_over:
            work.setdefault(name, Work(name)).former.update(
                {key: values for key, values in places.items() if key not in everything}
            )
    ours, own = marks(estate), own_names(estate)
    for name, one in work.items():
        if name not in book and name not in own:
            one.searched = candidates(name, ours)
    if _mx.provider_hosts(estate):
        name, key = estate.provider.domain, (estate.provider.domain, "MX")
        work[name].yielding[key] = book.get(name, {}).get(key, frozenset())
    left = sorted(name for name, one in work.items() if name in book and not one.wanted)
    return Assignment([work[name] for name in sorted(work)], handed_over, left)


def _terminated(estate: Estate) -> t.Iterator[str]:
    """Managed domains of tenants that ended: they are known to have been ours also where there is no book."""
    for tenant in estate.tenants:
        if tenant.state == "terminated":
            for domain in tenant.domains:
                yield from _managed_names(domain)


def _managed_names(domain: Domain) -> list[str]:
    aliases = [alias.name for alias in domain.domain_aliases if alias.managed]
    return [domain.name, *aliases] if domain.managed else aliases
