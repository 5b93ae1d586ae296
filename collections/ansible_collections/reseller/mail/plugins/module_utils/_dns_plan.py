# SPDX-License-Identifier: GPL-3.0-or-later
"""What must change in a zone so that it says what the model says, and nothing else in it changes.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness, no DNS library: record data is text as in a zone file, a TXT
record is one string, not split and not quoted.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

Key = t.Tuple[str, str]
"""Owner name (lower case, no trailing dot) and type: what DNS calls a record set."""

SRV_PREFIXES = ("_submission._tcp", "_submissions._tcp", "_imap._tcp", "_imaps._tcp", "_pop3._tcp", "_pop3s._tcp", "_sieve._tcp")
_TAGGED = {"_dmarc": "v=dmarc1", "_mta-sts": "v=stsv1", "_smtp._tls": "v=tlsrptv1"}


@dataclass(frozen=True, slots=True)
class RRset:
    """The records of one name and type, with their common time to live."""

    name: str
    type: str
    ttl: int
    values: frozenset[str]

    @property
    def key(self) -> Key:
        return self.name, self.type


@dataclass(frozen=True, slots=True)
class Ours:
    """By what we recognise a record that an earlier run published and that is no longer wanted."""

    hosts: frozenset[str]
    addresses: frozenset[str]
    selectors: frozenset[str]
    spf_include: str


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
        gone = [f"- {self.name} {self.type} {value}" for value in sorted(set(self.old) - set(self.new))]
        return gone + [f"+ {self.name} {self.type} {value}" for value in sorted(set(self.new) - set(self.old))]


def is_spf(value: str) -> bool:
    """RFC 7208 section 4.5: the version section is ``v=spf1`` followed by a space or the end, in any case."""
    return value.lower() == "v=spf1" or value.lower().startswith("v=spf1 ")


def _is_shared(key: Key, domain: str) -> bool:
    """The apex TXT holds everybody's proofs of ownership: there only the SPF record is ours."""
    return key == (domain, "TXT")


def candidates(domain: str, ours: Ours) -> list[Key]:
    """The places where an earlier run may have left something: they are read although nothing may be wanted there."""
    names = [f"{prefix}.{domain}" for prefix in (*_TAGGED, *(f"{selector}._domainkey" for selector in sorted(ours.selectors)))]
    keys = [(domain, "MX"), (domain, "TXT"), *((name, "TXT") for name in names), *((f"{prefix}.{domain}", "SRV") for prefix in SRV_PREFIXES)]
    return [*keys, (f"mta-sts.{domain}", "A"), (f"mta-sts.{domain}", "AAAA")]


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
    return prefix == "mta-sts" and value in ours.addresses


def _host(value: str) -> str:
    return value.split()[-1].rstrip(".").lower()


def plan(
    domain: str,
    wanted: t.Mapping[Key, RRset],
    existing: t.Mapping[Key, RRset],
    ours: Ours,
    held: t.Collection[Key] = (),
) -> list[Change]:
    """The changes for one domain, sorted. ``held`` are places that stay as they are for now, whatever is wanted there."""
    changes = []
    for key in sorted({*wanted, *existing} - set(held)):
        foreign: frozenset[str] = frozenset()
        have = existing.get(key, RRset(*key, 0, frozenset()))
        want = wanted.get(key)
        if _is_shared(key, domain):
            foreign = frozenset(value for value in have.values if not is_spf(value))
            mine = want.values if want else frozenset(value for value in have.values - foreign if not recognised(key, value, domain, ours))
            values = foreign | mine
        elif want:
            values = want.values
        else:
            values = frozenset(value for value in have.values if not recognised(key, value, domain, ours))
        # A record set has one time to live; where somebody else's records stand beside ours, it is theirs.
        ttl = want.ttl if want and not foreign else have.ttl
        if values != have.values or (want and have.values and ttl != have.ttl):
            changes.append(Change(*key, tuple(sorted(have.values)), tuple(sorted(values)), have.ttl, ttl))
    return changes


def split_txt(value: str) -> list[bytes]:
    """A TXT string as character-strings of at most 255 bytes (RFC 1035 section 3.3.14); readers join them without a space."""
    raw = value.encode()
    return [raw[start : start + 255] for start in range(0, len(raw), 255)] or [b""]
