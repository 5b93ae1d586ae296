# SPDX-License-Identifier: GPL-3.0-or-later
"""When a mail host may change its TLS key, so that senders that verify it by DNSSEC notice nothing.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness. Standard library
only: it runs on the host.

DNS always has TLSA records of two keys (DANE: RFC 7672): of the key in service and of the next key,
which is already on the host. A key goes into service when no resolver can remember records without
it any more.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, replace

from ..timestamps import timestamp
from .pem import der

TTLS = 2
"""How many TTLs of the record to wait. Caches forget after one (RFC 7671 section 8.1); secondary
name servers may be late by as much."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the authoritative name servers answered about the next key of one name.

    Attributes:
        key: SHA-256 of the public half of the key that they were asked for.
        ttl: the longest TTL of the record, in seconds.
        why: why the record counts as not shown; empty when every server shows it.
        absent: whether at least one server answered that the record is not there.
    """

    key: str
    ttl: int = 0
    why: str = ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Since when every server has shown a next key, as the host notes it.

    Attributes:
        key: SHA-256 of the public half of the key.
        since: when all servers showed the key for the first time, in seconds since 1970.
        ttl: the longest TTL that the record had since then, in seconds.
    """

    key: str
    since: int
    ttl: int

    @property
    def ready(self) -> int:
        """Return when the key may go into service, in seconds since 1970."""
        return self.since + TTLS * self.ttl


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one name, by the SHA-256 of their public halves; empty where there is none."""

    name: str
    current: str
    next: str = ""
    note: t.Optional[Note] = None


def digest(pem: str) -> str:
    """Return what a TLSA record 3 1 1 holds of a public key in PEM (RFC 6698 section 2.1).

    Raise ValueError when the text is no public key.
    """
    return hashlib.sha256(der(pem)).hexdigest()


def noted(keys: Keys, evidence: t.Optional[Evidence], now: int) -> Keys:
    """Return the keys with the note that follows from the evidence.

    A server that does not answer does not prove that the record is gone: the note stays.
    """
    if evidence is None or evidence.key != keys.next:
        return keys
    if evidence.absent:
        return replace(keys, note=None)
    if evidence.why:
        return keys
    if keys.note is None:
        return replace(keys, note=Note(keys.next, now, evidence.ttl))
    return replace(keys, note=replace(keys.note, ttl=max(keys.note.ttl, evidence.ttl)))


def refusal(keys: Keys, evidence: t.Optional[Evidence], now: int) -> str:
    """Return why the next key must not go into service yet; empty when it may.

    ``keys`` are those that ``noted`` returned.
    """
    if not keys.next:
        return "there is no next key yet"
    if evidence is None or evidence.key != keys.next:
        return "its next key is not known to DNS yet; publish it, and ask again"
    if evidence.why:
        return f"its next key is not to be seen everywhere in DNS: {evidence.why}"
    note = keys.note or Note(keys.next, now, evidence.ttl)
    if keys.note is None or now < note.ready:
        return (
            f"its next key has been in DNS since {timestamp(note.since)}, and resolvers may"
            f" remember records without it until {timestamp(note.ready)}"
        )
    return ""


def lines(before: Keys, after: Keys) -> list[str]:
    """Return the lines of the diff for one name."""
    name, found = after.name, []
    if before.current != after.current:
        found.append(f"~ tls key {name} {_short(before.current)} -> {_short(after.current)}")
    if before.next != after.next and after.next:
        found.append(f"{'~' if before.next else '+'} next tls key {name} {_short(after.next)}")
    elif before.next != after.next:
        found.append(f"- next tls key {name}")
    if after.note and before.note != after.note:
        found.append(
            f"~ next tls key {name} in DNS since {timestamp(after.note.since)}, TTL"
            f" {after.note.ttl} s"
        )
    elif before.note and not after.note and before.next == after.next:
        found.append(f"~ next tls key {name} not in DNS")
    return found


def _short(key: str) -> str:
    """Return the first 12 characters of a digest, or "none" for no key."""
    return f"{key[:12]}…" if len(key) > 12 else key or "none"
