# SPDX-License-Identifier: GPL-3.0-or-later
"""What must change in a zone so that it says what the model says, and nothing else in it changes.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness, no DNS library.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.sets import (
    Key,
    RRset,
    alike,
    is_alike,
    is_spf,
)

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
_HOSTS = ("mta-sts", "autoconfig", "autodiscover")
_TAGGED = {"_dmarc": "v=dmarc1", "_mta-sts": "v=stsv1", "_smtp._tls": "v=tlsrptv1"}


@dataclass(frozen=True, slots=True)
class Ours:
    """By what we recognise a record that an earlier run published, where no book of what was published is left."""

    hosts: frozenset[str]
    addresses: frozenset[str]
    selectors: frozenset[str]
    spf_include: str
    authorities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One record set as it is and as it shall be, values of other people's records at the same place already among both."""

    name: str
    type: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    old_ttl: int
    ttl: int

    def lines(self) -> list[str]:
        """The change in the users' words, removals first."""
        if self.old == self.new:
            return [f"~ {self.name} {self.type} TTL {self.old_ttl} -> {self.ttl}"]
        gone = [
            f"- {self.name} {self.type} {value}" for value in sorted(set(self.old) - set(self.new))
        ]
        return gone + [
            f"+ {self.name} {self.type} {value}" for value in sorted(set(self.new) - set(self.old))
        ]


def candidates(domain: str, ours: Ours) -> list[Key]:
    """The places where an earlier run may have left something: they are read although nothing may be wanted there."""
    names = [
        f"{prefix}.{domain}"
        for prefix in (*_TAGGED, *(f"{selector}._domainkey" for selector in sorted(ours.selectors)))
    ]
    keys = [
        (domain, "MX"),
        (domain, "TXT"),
        *((name, "TXT") for name in names),
        *((f"{prefix}.{domain}", "SRV") for prefix in SRV_PREFIXES),
    ]
    return [
        *keys,
        *((f"{label}.{domain}", rdtype) for label in _HOSTS for rdtype in ("A", "AAAA", "CAA")),
    ]


def recognised(key: Key, value: str, domain: str, ours: Ours) -> bool:
    """Whether a record that nobody wants any more carries our mark. In doubt it is somebody else's and stays."""
    name, rdtype = key
    prefix = name.removesuffix(domain).rstrip(".")
    if rdtype == "TXT" and not prefix:
        return is_spf(value) and f"include:{ours.spf_include}" in value.lower().split()
    if rdtype == "TXT" and prefix in _TAGGED:
        return re.sub(r"\s", "", value).lower().startswith(_TAGGED[prefix])
    if rdtype == "TXT":
        return prefix.removesuffix("._domainkey") in ours.selectors and "p=" in value
    if rdtype == "MX":
        return _host(value) in ours.hosts
    if rdtype == "SRV":
        return prefix in SRV_PREFIXES and _host(value) in {*ours.hosts, ""}
    return prefix in _HOSTS and value in (ours.authorities if rdtype == "CAA" else ours.addresses)


def taken(
    key: Key, values: t.Iterable[str], published: t.Container[str], domain: str, ours: Ours
) -> str:
    """Say why a place is left to those who have records there; nothing where each is known to be ours.

    The provider's domain may have had its mail elsewhere before the estate was there, and its MX must not be taken over.
    """
    others = sorted(
        value
        for value in values
        if value not in published and not recognised(key, value, domain, ours)
    )
    if not others:
        return ""
    name, rdtype = key
    return (
        f"{name} {rdtype}: somebody else's records stay: {', '.join(others)}. Remove them if its mail is to come to the nodes; "
        f"if it is not, let provider.contact be an address in {name}"
    )


def _host(value: str) -> str:
    return value.split()[-1].rstrip(".").lower()


def plan(
    wanted: t.Mapping[Key, RRset],
    existing: t.Mapping[Key, RRset],
    published: t.Mapping[Key, t.AbstractSet[str]],
    held: t.Collection[Key] = (),
) -> list[Change]:
    """The changes for one domain, sorted. ``published`` is what an earlier run put there, value by value: of what is not wanted
    any more, only that goes. ``held`` are places that stay as they are for now, whatever is wanted there."""
    changes = []
    for key in sorted({*wanted, *existing} - set(held)):
        have = existing.get(key, RRset(*key, 0, frozenset()))
        want = wanted.get(key)
        if want:
            pattern = alike(key, want.values)
            foreign = frozenset(value for value in have.values if not is_alike(pattern, value))
            values = want.values | foreign
        else:
            values = foreign = have.values - published.get(key, frozenset())
        # A record set has one time to live; where somebody else's records stand beside ours, it is theirs.
        ttl = want.ttl if want and not foreign else have.ttl
        if values != have.values or (want and have.values and ttl != have.ttl):
            changes.append(
                Change(*key, tuple(sorted(have.values)), tuple(sorted(values)), have.ttl, ttl)
            )
    return changes
