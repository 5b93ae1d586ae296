# SPDX-License-Identifier: GPL-3.0-or-later
"""Read whole zones from the primary server by AXFR (RFC 5936), signed like updates.

PRIVATE to the collection. Does input and output. Runs on the controller only (needs dnspython).

A question per record set takes one round trip and about half a millisecond of processor time. A
zone takes as much as two or three questions.
"""

from __future__ import annotations

import asyncio
import typing as t

from .._dns.query import Reply, value_text
from .primary import DnsFailure, Primary, about_key, sign

try:
    import dns.asyncquery
    import dns.exception
    import dns.message
    import dns.name
    import dns.rcode
    import dns.rdatatype
    import dns.tsig
    import dns.xfr
except ImportError:  # Callers report `query.DNSPYTHON_IMPORT_ERROR`.
    pass

if t.TYPE_CHECKING:
    from .._dns.query import Server

AT_ONCE = 8
"""Zones that are transferred at the same time, each over a connection of its own."""
PATIENCE = 3
"""Zones in a row that the server does not transfer, after which no other is requested."""
SHOWN = 3
"""Zones that a note names."""


class _Records:
    """The record sets of a transfer, by name and type, as the library hands them over.

    It takes the place of the library's ``Zone``, which compares every record with all others of its
    set, several times. Signatures are left out.
    """

    def __init__(self, origin: t.Any) -> None:
        self.sets: dict[t.Any, dict[t.Any, t.Any]] = {}
        self._origin = origin

    def origin_information(self) -> tuple[t.Any, bool, t.Any]:
        """Return the zone's name, and that names are absolute."""
        return self._origin, False, self._origin

    def from_wire_origin(self) -> None:
        """Return to which name others are relative: to none."""

    def writer(self, _replacement: bool = False) -> _Records:
        """Return what takes the records."""
        return self

    def add(self, name: t.Any, rdataset: t.Any) -> None:
        """Add records to a set. One set may come in several messages."""
        if rdataset.rdtype != dns.rdatatype.RRSIG:
            sets = self.sets.setdefault(name, {})
            before = sets.setdefault(rdataset.rdtype, rdataset)
            if before is not rdataset:
                before.update(rdataset)

    def replace(self, name: t.Any, rdataset: t.Any) -> None:
        """Keep a set, and no other of its name and type."""
        self.sets.setdefault(name, {})[rdataset.rdtype] = rdataset

    def commit(self) -> None:
        """End a transfer that is complete."""

    def rollback(self) -> None:
        """Forget a transfer that is not complete."""
        self.sets.clear()


class Transferred:
    """The records of one zone.

    Attributes:
        zone: The name of the zone.
        serial: Its serial number.
    """

    def __init__(self, zone: str, server: Server, records: _Records) -> None:
        self.zone = zone
        self._server = str(server)
        self._sets = {
            name.to_text().rstrip(".").lower(): sets for name, sets in records.sets.items()
        }
        self.serial = int(self._sets[zone][dns.rdatatype.SOA][0].serial)
        self._cuts = frozenset(
            name for name, sets in self._sets.items() if name != zone and dns.rdatatype.NS in sets
        )
        self._renamed = frozenset(
            name for name, sets in self._sets.items() if dns.rdatatype.DNAME in sets
        )

    def holds(self, name: str) -> bool:
        """Return whether this zone alone decides what the server answers for a name.

        It does not for names in other zones: those from a delegation downwards (RFC 1034 section
        4.2.1), and those below a DNAME (RFC 6672).
        """
        while name != self.zone:
            above = name.partition(".")[2]
            if not above or name in self._cuts or above in self._renamed:
                return False
            name = above
        return True

    def reply(self, name: str, rdtype: str) -> Reply:
        """Return what the server answers for a name and type in this zone.

        A CNAME is not followed. A wildcard does not count, because a record at the name replaces
        it.
        """
        sets = self._sets.get(name, {})
        alias = sets.get(dns.rdatatype.CNAME)
        if alias:
            target = alias[0].target.to_text().rstrip(".").lower()
            return Reply(self._server, "none", ttl=alias.ttl, alias=target)
        found = sets.get(dns.rdatatype.from_text(rdtype))
        if not found:
            return Reply(self._server, "none")
        raw = tuple((value_text(one), one) for one in found)
        values = frozenset(text for text, _one in raw)
        return Reply(self._server, "answer", values, found.ttl, raw=raw)


class Transfers:
    """Transfers of zones from the primary server.

    Attributes:
        refused: The reason for each zone that was requested and not transferred.
    """

    def __init__(self, primary: Primary) -> None:
        self.refused: dict[str, str] = {}
        self._primary = primary
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._failures = 0

    async def get(self, zone: str) -> t.Optional[Transferred]:
        """Return the records of a zone as they are now, or ``None`` if it is not transferred.

        ``None`` never means that the server does not have the zone. After ``PATIENCE`` failures in
        a row, no zone is requested any more.
        """
        async with self._gate:
            if zone in self.refused or self._failures >= PATIENCE:
                return None
            try:
                records = await _transfer(self._primary, zone)
            except DnsFailure as exc:
                self.refused[zone] = str(exc)
                self._failures += 1
                return None
            self._failures = 0
            return Transferred(zone, self._primary.server, records)

    def notes(self) -> list[str]:
        """Return a note for users if a zone was not transferred: its records cost many questions.

        There is one note for all zones.
        """
        if not self.refused:
            return []
        names = sorted(self.refused)
        key = self._primary.key_name
        allowed = f"the TSIG key {key}" if key else "the address of this machine"
        shown = f"{', '.join(names[:SHOWN])}{', …' if len(names) > SHOWN else ''}"
        return [
            f"{self._primary.server} did not transfer {shown} (AXFR: {self.refused[names[0]]});"
            " this run asked about every record set instead, which takes longer; allow"
            f" {allowed} to transfer the zones"
        ]


async def _transfer(primary: Primary, zone: str) -> _Records:
    """Return the records of a zone. Raise DnsFailure with the reason if it cannot be had.

    Each wait ends after ``primary.timeout``.
    """
    server = primary.server
    records = _Records(dns.name.from_text(zone))
    query = dns.message.make_query(f"{zone}.", dns.rdatatype.AXFR)
    sign(query, primary)
    try:
        await dns.asyncquery.inbound_xfr(
            server.address, t.cast(t.Any, records), query, server.port, primary.timeout
        )
    except dns.xfr.TransferError as exc:
        raise DnsFailure(str(dns.rcode.to_text(exc.rcode))) from exc
    except dns.tsig.PeerBadKey as exc:
        # Knot answers so, too, if it knows the key and the key may only update.
        raise DnsFailure("BADKEY") from exc
    except dns.tsig.PeerError as exc:
        raise DnsFailure(about_key(exc, primary)) from exc
    except (OSError, EOFError, dns.exception.Timeout) as exc:
        raise DnsFailure(f"no answer over TCP: {exc or 'timeout'}", silent=True) from exc
    except (ValueError, dns.exception.DNSException) as exc:
        raise DnsFailure(str(exc) or type(exc).__name__) from exc
    return records
