# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes record sets into zones by RFC 2136 updates. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.sets import Key, RRset
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.text import split_txt
from ansible_collections.reseller.mail.plugins.module_utils._dns_plan import Change
from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker, Server

try:
    import dns.asyncquery
    import dns.exception
    import dns.name
    import dns.rcode
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.rdtypes.ANY.TXT
    import dns.tsigkeyring
    import dns.update
except ImportError:  # the importer of _dns_query reports it
    pass


class DnsFailure(Exception):
    """A name server refused or did not understand; the text is fit for the user."""


@dataclass(frozen=True, slots=True)
class Primary:
    """The server that takes updates and the key it knows us by."""

    server: Server
    key_name: str = ""
    key_algorithm: str = "hmac-sha256"
    key_secret: str = field(default="", repr=False)
    timeout: float = 10.0


BATCH = 100
"""Record sets in one update: with keys of 2048 bits about 45,000 bytes, and a message ends at 65,535."""
_NOT_HERE = ("REFUSED", "NOTAUTH", "not authoritative")


@dataclass(slots=True)
class Found:
    """What the primary server holds at the places that were asked for. ``absent`` says why it holds no such zone at all."""

    sets: dict[Key, RRset] = field(default_factory=dict)
    raw: dict[tuple[str, str, str], t.Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    absent: str = ""


async def read(asker: Asker, primary: Primary, wanted: t.Collection[Key], candidates: t.Collection[Key]) -> Found:
    """The record sets at the wanted and the candidate places. Silence is a fault where something is wanted: nothing may be
    written on a guess about what is there."""
    found = Found()
    aliases: dict[tuple[str, str], list[str]] = {}
    keys = sorted({*wanted, *candidates})
    for key, reply in zip(keys, await asyncio.gather(*(asker.ask(primary.server, *key) for key in keys)), strict=True):
        if reply.state == "silent" and reply.why.startswith(_NOT_HERE):
            found.absent = found.absent or f"{key[0]}: {reply.why}"
        elif reply.state == "silent" and key in wanted:
            found.faults.append(f"{primary.server} does not say what {key[0]} {key[1]} is: {reply.why}")
        elif reply.alias and key in wanted:
            # RFC 2136 section 3.4.2.2: a server silently ignores other records at a CNAME's name.
            aliases.setdefault((key[0], reply.alias), []).append(key[1])
        elif reply.state == "answer" and not reply.alias:
            found.sets[key] = RRset(*key, reply.ttl, reply.values)
            found.raw.update({(*key, value): rdata for value, rdata in reply.raw})
    for (name, target), types in aliases.items():
        found.faults.append(f"{name} is a CNAME to {target}; remove it, {', '.join(types)} cannot stand beside it")
    return found


def _rdata(change: Change, value: str, raw: t.Mapping[tuple[str, str, str], t.Any]) -> t.Any:
    if (change.name, change.type, value) in raw:
        return raw[change.name, change.type, value]
    if change.type == "TXT":
        return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, split_txt(value))
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(change.type), value)


async def send(primary: Primary, zone: str, changes: t.Sequence[Change], raw: t.Mapping[tuple[str, str, str], t.Any]) -> None:
    """Updates of one zone. Each message is done whole or not at all (RFC 2136 section 3.4), and all of a name's changes are in one."""
    batch: list[Change] = []
    for change in sorted(changes):
        if len(batch) >= BATCH and change.name != batch[-1].name:
            await _send(primary, zone, batch, raw)
            batch = []
        batch.append(change)
    await _send(primary, zone, batch, raw)


async def _send(primary: Primary, zone: str, changes: t.Sequence[Change], raw: t.Mapping[tuple[str, str, str], t.Any]) -> None:
    update = dns.update.UpdateMessage(zone + ".")
    for change in changes:
        name = dns.name.from_text(change.name)
        update.delete(name, change.type)
        for value in change.new:
            update.add(name, change.ttl, _rdata(change, value, raw))
    server = primary.server
    try:
        if primary.key_name:
            update.use_tsig(dns.tsigkeyring.from_text({primary.key_name: primary.key_secret}), algorithm=dns.name.from_text(primary.key_algorithm))
        response = await dns.asyncquery.tcp(update, server.address, primary.timeout, server.port)
    except (OSError, EOFError, ValueError, dns.exception.DNSException) as exc:
        raise DnsFailure(f"{zone}: {server} did not take the update: {exc or type(exc).__name__}") from exc
    if response.rcode() != dns.rcode.NOERROR:
        raise DnsFailure(f"{zone}: {server} refused the update: {dns.rcode.to_text(response.rcode())}")


async def check(asker: Asker, primary: Primary, changes: t.Sequence[Change]) -> list[str]:
    """Whether the primary holds what it took: servers may drop parts of an update without a word (RFC 2136 section 3.4.2.2)."""
    replies = await asyncio.gather(*(asker.ask(primary.server, change.name, change.type) for change in changes))
    wrong = []
    for change, reply in zip(changes, replies, strict=True):
        if reply.values != frozenset(change.new):
            found = ", ".join(sorted(reply.values)) or ("missing" if reply.state == "none" else reply.why)
            wrong.append(f"{primary.server} took the update, and yet {change.name} {change.type} is {found}")
    return wrong
