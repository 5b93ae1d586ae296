# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets, the zones they lie in, and what in a set is ours.

PRIVATE to the collection. Pure: no DNS library; record data is text as in a zone file, a TXT record is one string, not split and
not quoted.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ..._names import nearest

if t.TYPE_CHECKING:
    from .record import Record

Key = t.Tuple[str, str]
"""Owner name (lower case, no trailing dot) and type: what DNS calls a record set."""

_SPF = r"v=spf1(\s|$)"


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


def record_sets(records: t.Iterable[Record]) -> dict[Key, RRset]:
    """The records by their sets, sorted."""
    found: dict[Key, RRset] = {}
    for record in sorted(records):
        key = (record.name, record.type)
        before = found[key].values if key in found else frozenset()
        found[key] = RRset(*key, record.ttl, before | {record.value})
    return dict(sorted(found.items()))


def by_zone(sets: t.Mapping[Key, RRset], zones: t.Container[str]) -> dict[str, dict[Key, RRset]]:
    """The sets by the closest zone of those that are known; what lies in none is left out."""
    found: dict[str, dict[Key, RRset]] = {}
    for key, rrset in sets.items():
        zone = key[0] if key[0] in zones else nearest(key[0], zones)
        if zone is not None:
            found.setdefault(zone, {})[key] = rrset
    return dict(sorted(found.items()))


def likely_zones(records: t.Iterable[Record], known: t.Iterable[str] = ()) -> set[str]:
    """Where nobody can be asked: a domain is a zone of its own unless it lies below another one. ``known`` are zones besides."""
    found = {record.domain for record in records} | set(known)
    return {name for name in found if name in known or nearest(name, found) is None}


def is_spf(value: str) -> bool:
    """RFC 7208 section 4.5: the version section is ``v=spf1`` followed by a space or the end, in any case."""
    return re.match(_SPF, value, re.I) is not None


def alike(key: Key, wanted: t.Iterable[str]) -> str:
    """The pattern of records that ours take the place of: everything in a set that is not TXT; among TXT, which everybody
    puts beside each other, what has our version tag, and any key at our selector."""
    name, rdtype = key
    if rdtype != "TXT":
        return ""
    if "._domainkey." in name:
        return r"(.*;)?\s*p\s*="
    if any(map(is_spf, wanted)):
        return _SPF
    # Case and spaces mean nothing around a tag (RFC 9989 section 4.8, RFC 8460 section 3, RFC 8461 section 3.1).
    tags = sorted(
        {re.escape(value.partition(";")[0].partition("=")[2].strip()) for value in wanted}
    )
    return rf"\s*v\s*=\s*({'|'.join(tags)})\s*(;|$)"


def is_alike(pattern: str, value: str) -> bool:
    """Whether a record that is there is one of those that ``alike`` describes."""
    return re.match(pattern, value, re.I | re.S) is not None
