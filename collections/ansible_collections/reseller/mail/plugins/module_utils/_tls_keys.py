# SPDX-License-Identifier: GPL-3.0-or-later
"""When a mail host may change its TLS key without a sender noticing that verifies it by DNSSEC (DANE: RFC 7672).

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness. Standard library only: it runs on the host.

The records of two keys stand in DNS all the time: of the one in service, and of the next one, which lies on the host already. A key goes
into service when no resolver can remember records without it any more.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.reseller.mail.plugins.module_utils import _public_key
from ansible_collections.reseller.mail.plugins.module_utils._dkim import moment

TTLS = 2
"""RFC 7671 section 8.1 waits for caches to forget, one TTL; secondaries may be late by as much."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the authoritative servers say of a next key: every one shows it (``why`` is empty; ``ttl`` is the longest of the record), at
    least one says that it is not there (``absent``), or somebody does not answer."""

    key: str
    ttl: int = 0
    why: str = ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """Since when every server has shown a next key, and the longest time to live that it had meanwhile."""

    key: str
    since: int
    ttl: int

    @property
    def ready(self) -> int:
        return self.since + TTLS * self.ttl


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one name, by the SHA-256 of their public halves; empty where there is none."""

    name: str
    current: str
    next: str = ""
    note: t.Optional[Note] = None


def digest(pem: str) -> str:
    """What TLSA 3 1 1 holds of a public key in PEM (RFC 6698 section 2.1); ValueError when it is none."""
    return hashlib.sha256(_public_key.der(pem)).hexdigest()


def noted(keys: Keys, evidence: t.Optional[Evidence], now: int) -> Keys:
    """The same keys with what is to be noted. A server that does not answer is no sign that the record is gone."""
    note = keys.note
    if evidence and evidence.key == keys.next:
        if evidence.absent:
            note = None
        elif not evidence.why:
            note = (
                replace(note, ttl=max(note.ttl, evidence.ttl))
                if note
                else Note(keys.next, now, evidence.ttl)
            )
    return replace(keys, note=note)


def refusal(keys: Keys, evidence: t.Optional[Evidence], now: int) -> str:
    """Why the next key must not go into service yet; empty when it may. The keys are those that ``noted`` gave."""
    if not keys.next:
        return "there is no next key yet"
    if evidence is None or evidence.key != keys.next:
        return "its next key is not known to DNS yet; publish it, and ask again"
    if evidence.why:
        return f"its next key is not to be seen everywhere in DNS: {evidence.why}"
    if keys.note is None or now < keys.note.ready:
        since, ready = (
            (keys.note.since, keys.note.ready) if keys.note else (now, now + TTLS * evidence.ttl)
        )
        return f"its next key has been in DNS since {moment(since)}, and resolvers may remember records without it until {moment(ready)}"
    return ""


def lines(before: Keys, after: Keys) -> list[str]:
    """The diff, in the users' words."""
    name, said = after.name, []
    if before.current != after.current:
        said.append(f"~ tls key {name} {_short(before.current)} -> {_short(after.current)}")
    if before.next != after.next:
        said.append(
            f"{'~' if before.next else '+'} next tls key {name} {_short(after.next)}"
            if after.next
            else f"- next tls key {name}"
        )
    if after.note and before.note != after.note:
        said.append(
            f"~ next tls key {name} in DNS since {moment(after.note.since)}, TTL {after.note.ttl} s"
        )
    elif before.note and not after.note and before.next == after.next:
        said.append(f"~ next tls key {name} not in DNS")
    return said


def _short(key: str) -> str:
    return f"{key[:12]}…" if len(key) > 12 else key or "none"
