# SPDX-License-Identifier: GPL-3.0-or-later
"""Group records into record sets and zones, and decide which records of a set are ours.

PRIVATE to the collection. Pure: no DNS library.

Record data is text as in a zone file. A TXT record is one string, not split and not quoted.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .._model.names import nearest
from .record import PURPOSES

if t.TYPE_CHECKING:
    from .record import Record

Key = t.Tuple[str, str]
"""Owner name (lower case, no last dot) and type, which identify a record set."""

_SPF = r"v=spf1(\s|$)"


@dataclass(frozen=True, slots=True)
class RRset:
    """The records of one name and type, with their common time to live in seconds."""

    name: str
    type: str
    ttl: int
    values: frozenset[str]

    @property
    def key(self) -> Key:
        """Return the owner name and the type."""
        return self.name, self.type


def record_sets(records: t.Iterable[Record]) -> dict[Key, RRset]:
    """Return the records as sets, sorted."""
    found: dict[Key, RRset] = {}
    for record in sorted(records):
        key = (record.name, record.type)
        before = found[key].values if key in found else frozenset()
        found[key] = RRset(*key, record.ttl, before | {record.value})
    return dict(sorted(found.items()))


def yielding(records: t.Iterable[Record]) -> set[Key]:
    """Return the sets that must not replace a set of other people."""
    return {(record.name, record.type) for record in records if PURPOSES[record.purpose].yields}


def by_zone(sets: t.Mapping[Key, RRset], zones: t.Container[str]) -> dict[str, dict[Key, RRset]]:
    """Return the sets by the closest of the given zones. Sets that are in none are left out."""
    found: dict[str, dict[Key, RRset]] = {}
    for key, rrset in sets.items():
        zone = key[0] if key[0] in zones else nearest(key[0], zones)
        if zone is not None:
            found.setdefault(zone, {})[key] = rrset
    return dict(sorted(found.items()))


def likely_zones(records: t.Iterable[Record], known: t.Iterable[str] = ()) -> set[str]:
    """Return the names that are probably zones, for programs that cannot ask DNS.

    A domain is taken for a zone if it is below no other domain. ``known`` are further zones.
    """
    found = {record.domain for record in records} | set(known)
    return {name for name in found if name in known or nearest(name, found) is None}


def is_spf(value: str) -> bool:
    """Return whether receivers take a TXT value for an SPF record.

    It begins with ``v=spf1`` in any case, followed by a space or the end (RFC 7208 section 4.5).
    """
    return re.match(_SPF, value, re.I) is not None


def replaced_pattern(key: Key, wanted: t.Iterable[str]) -> str:
    """Return the pattern of the values in a set that our records replace.

    In a set that is not TXT, these are all values. A TXT set can contain records of different kinds
    and of different people. There our records replace values with the same version tag, and every
    key at our selector.
    """
    name, rdtype = key
    if rdtype != "TXT":
        return ""
    if "._domainkey." in name:
        return r"(.*;)?\s*p\s*="
    if any(map(is_spf, wanted)):
        return _SPF
    # Case and spaces around a tag have no meaning (RFC 9989 section 4.8, RFC 8460 section 3,
    # RFC 8461 section 3.1).
    tags = sorted(
        {re.escape(value.partition(";")[0].partition("=")[2].strip()) for value in wanted}
    )
    return rf"\s*v\s*=\s*({'|'.join(tags)})\s*(;|$)"


def is_replaced(pattern: str, value: str) -> bool:
    """Return whether a value in DNS matches a pattern of ``replaced_pattern``."""
    return re.match(pattern, value, re.I | re.S) is not None
