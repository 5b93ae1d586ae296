# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan which records of a zone to change, so that records of other people stay as they are.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness, no DNS library.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._dns.rrset import Key, RRset, is_replaced, is_spf, replaced_pattern

SRV_PREFIXES = (
    "_submission._tcp",
    "_submissions._tcp",
    "_imap._tcp",
    "_imaps._tcp",
    "_pop3._tcp",
    "_pop3s._tcp",
    "_sieve._tcp",
    "_autodiscover._tcp",
)
"""The names below a domain at which the collection publishes SRV records."""
_HOSTS = ("mta-sts", "autoconfig", "autodiscover")
"""The hosts below a domain for which it publishes addresses."""
_TAGGED = {"_dmarc": "v=dmarc1", "_mta-sts": "v=stsv1", "_smtp._tls": "v=tlsrptv1"}
"""The names below a domain at which it publishes TXT records, and how these begin."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The values by which a record of an earlier run is recognised if no list of them exists.

    Attributes:
        hosts: The names of nodes and backup MX, and branding hosts.
        addresses: The addresses of nodes.
        selectors: The DKIM selectors of nodes.
        spf_include: The name that tenants' SPF records include.
        authorities: The values of CAA records.
    """

    hosts: frozenset[str]
    addresses: frozenset[str]
    selectors: frozenset[str]
    spf_include: str
    authorities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """The change of one record set.

    Attributes:
        name: The owner name.
        type: The type.
        old: The values now, including those of other people.
        new: The values afterwards, including those of other people.
        old_ttl: The time to live now, in seconds.
        ttl: The time to live afterwards, in seconds.
    """

    name: str
    type: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    old_ttl: int
    ttl: int

    def lines(self) -> list[str]:
        """Return one line per changed record: removals (``-``) first, or a new TTL (``~``)."""
        if self.old == self.new:
            return [f"~ {self.name} {self.type} TTL {self.old_ttl} -> {self.ttl}"]
        gone = [
            f"- {self.name} {self.type} {value}" for value in sorted(set(self.old) - set(self.new))
        ]
        return gone + [
            f"+ {self.name} {self.type} {value}" for value in sorted(set(self.new) - set(self.old))
        ]


def places_to_search(domain: str, marks: Marks) -> list[Key]:
    """Return the record sets at which an earlier run may have left records of the domain.

    They are read also if no record is wanted there.
    """
    prefixes = [*_TAGGED, *(f"{selector}._domainkey" for selector in sorted(marks.selectors))]
    return [
        (domain, "MX"),
        (domain, "TXT"),
        *((f"{prefix}.{domain}", "TXT") for prefix in prefixes),
        *((f"{prefix}.{domain}", "SRV") for prefix in SRV_PREFIXES),
        *((f"{label}.{domain}", rdtype) for label in _HOSTS for rdtype in ("A", "AAAA", "CAA")),
    ]


def has_our_mark(key: Key, value: str, domain: str, marks: Marks) -> bool:
    """Return whether a record that is not wanted was published by an earlier run.

    If there is any doubt, the record belongs to other people and stays.
    """
    name, rdtype = key
    prefix = name.removesuffix(domain).rstrip(".")
    if rdtype == "TXT" and not prefix:
        return is_spf(value) and f"include:{marks.spf_include}" in value.lower().split()
    if rdtype == "TXT" and prefix in _TAGGED:
        return re.sub(r"\s", "", value).lower().startswith(_TAGGED[prefix])
    if rdtype == "TXT":
        return prefix.removesuffix("._domainkey") in marks.selectors and "p=" in value
    if rdtype == "MX":
        return _target(value) in marks.hosts
    if rdtype == "SRV":
        return prefix in SRV_PREFIXES and _target(value) in {*marks.hosts, ""}
    return prefix in _HOSTS and value in (marks.authorities if rdtype == "CAA" else marks.addresses)


def why_yielded(
    key: Key, values: t.Iterable[str], published: t.Container[str], domain: str, marks: Marks
) -> str:
    """Return why a record set of other people stays; an empty text if all of it is ours.

    ``values`` are in DNS, and ``published`` were published by earlier runs. The provider's domain
    may have had its mail elsewhere before, and the estate must not take it over.
    """
    others = sorted(
        value
        for value in values
        if value not in published and not has_our_mark(key, value, domain, marks)
    )
    if not others:
        return ""
    name, rdtype = key
    return (
        f"{name} {rdtype}: records of other people stay: {', '.join(others)}; if the nodes should"
        f" take the mail of {name}, remove these records; if not, set provider.contact to an"
        f" address in {name}"
    )


def _target(value: str) -> str:
    """Return the host that an MX or SRV value leads to; empty for the target ``.``."""
    return value.split()[-1].rstrip(".").lower()


def plan_changes(
    wanted: t.Mapping[Key, RRset],
    existing: t.Mapping[Key, RRset],
    published: t.Mapping[Key, t.AbstractSet[str]],
    held: t.Collection[Key] = (),
) -> list[Change]:
    """Return the changes for one domain, sorted.

    ``existing`` are the record sets in DNS. ``published`` are the values that earlier runs
    published: if a set is no longer wanted, only these are removed. ``held`` are sets that stay as
    they are in this run, also if other values are wanted.
    """
    changes = []
    for key in sorted({*wanted, *existing} - set(held)):
        have = existing.get(key, RRset(*key, 0, frozenset()))
        want = wanted.get(key)
        if want:
            pattern = replaced_pattern(key, want.values)
            foreign = frozenset(value for value in have.values if not is_replaced(pattern, value))
            values = want.values | foreign
        else:
            values = foreign = have.values - published.get(key, frozenset())
        # A record set has one time to live. If it also has records of other people, theirs stays.
        ttl = want.ttl if want and not foreign else have.ttl
        if values != have.values or (want and have.values and ttl != have.ttl):
            changes.append(
                Change(*key, tuple(sorted(have.values)), tuple(sorted(values)), have.ttl, ttl)
            )
    return changes
