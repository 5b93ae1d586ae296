# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes record sets into zones by RFC 2136 updates. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._dns_plan import Change, Key, RRset, split_txt
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


@dataclass(slots=True)
class Found:
    """What the primary server holds at the places that were asked for."""

    sets: dict[Key, RRset] = field(default_factory=dict)
    raw: dict[tuple[str, str, str], t.Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


async def read(asker: Asker, primary: Primary, wanted: t.Collection[Key], candidates: t.Collection[Key]) -> Found:
    """The record sets at the wanted and the candidate places. Silence is a fault where something is wanted: nothing may be
    written on a guess about what is there."""
    found = Found()
    keys = sorted({*wanted, *candidates})
    for key, reply in zip(keys, await asyncio.gather(*(asker.ask(primary.server, *key) for key in keys)), strict=True):
        if reply.state == "silent" and key in wanted:
            found.faults.append(f"{primary.server} does not say what {key[0]} {key[1]} is: {reply.why}")
        elif reply.alias and key in wanted:
            # RFC 2136 section 3.4.2.2: a server silently ignores other records at a CNAME's name.
            found.faults.append(f"{key[0]} is a CNAME to {reply.alias}; remove it, {key[1]} cannot stand beside it")
        elif reply.state == "answer" and not reply.alias:
            found.sets[key] = RRset(*key, reply.ttl, reply.values)
            found.raw.update({(*key, value): rdata for value, rdata in reply.raw})
    return found


def _rdata(change: Change, value: str, raw: t.Mapping[tuple[str, str, str], t.Any]) -> t.Any:
    if (change.name, change.type, value) in raw:
        return raw[change.name, change.type, value]
    if change.type == "TXT":
        return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, split_txt(value))
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(change.type), value)


async def send(primary: Primary, zone: str, changes: t.Sequence[Change], raw: t.Mapping[tuple[str, str, str], t.Any]) -> None:
    """One update for one zone: all of it or nothing happens (RFC 2136 section 3.4)."""
    update = dns.update.UpdateMessage(zone + ".")
    for change in changes:
        name = dns.name.from_text(change.name)
        update.delete(name, change.type)
        for value in change.new:
            update.add(name, change.ttl, _rdata(change, value, raw))
    if primary.key_name:
        update.use_tsig(dns.tsigkeyring.from_text({primary.key_name: primary.key_secret}), algorithm=dns.name.from_text(primary.key_algorithm))
    server = primary.server
    try:
        response = await dns.asyncquery.tcp(update, server.address, primary.timeout, server.port)
    except (OSError, EOFError, dns.exception.DNSException) as exc:
        raise DnsFailure(f"{zone}: {server} did not take the update: {exc or type(exc).__name__}") from exc
    if response.rcode() != dns.rcode.NOERROR:
        raise DnsFailure(f"{zone}: {server} refused the update: {dns.rcode.to_text(response.rcode())}")


async def _serial(asker: Asker, server: Server, zone: str) -> int:
    reply = await asker.ask(server, zone, "SOA")
    return int(next(iter(reply.values)).split()[2]) if reply.state == "answer" else -1


def _reached(serial: int, goal: int) -> bool:
    """Serial number arithmetic (RFC 1982): the number wraps around."""
    return serial >= 0 and (serial - goal) % 2**32 < 2**31


async def wait(asker: Asker, primary: Primary, zone: str, seconds: float) -> list[str]:
    """Waits until every authoritative server of the zone has what the primary has; returns those that had not in time."""
    goal = await _serial(asker, primary.server, zone)
    waiting = await asker.servers_of(zone)
    deadline = time.monotonic() + seconds
    while True:
        serials = await asyncio.gather(*(_serial(asker, server, zone) for server in waiting))
        waiting = [server for server, serial in zip(waiting, serials, strict=True) if not _reached(serial, goal)]
        if not waiting or time.monotonic() > deadline:
            return [str(server) for server in waiting]
        await asyncio.sleep(0.5)
