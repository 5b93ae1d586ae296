# SPDX-License-Identifier: GPL-3.0-or-later
"""Change record sets of the primary server by updates (RFC 2136).

PRIVATE to the collection. Does input and output. Runs on the controller only (needs dnspython).
"""

from __future__ import annotations

import itertools
import typing as t

from .._dns.zone_text import split_txt
from .plan import Change
from .primary import DnsFailure, Primary, about_key, sign

try:
    import dns.asyncquery
    import dns.exception
    import dns.name
    import dns.rcode
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.rdtypes.ANY.TXT
    import dns.tsig
    import dns.update
except ImportError:  # Callers report `query.DNSPYTHON_IMPORT_ERROR`.
    pass

if t.TYPE_CHECKING:
    from .read import Raw


BATCH = 45_000
"""Bytes of old and new record data in one update.

A message has at most 65,535 bytes, and it also contains names.
"""


def _rdata(change: Change, value: str, raw: Raw) -> t.Any:
    """Return the library's record data for a value: that in DNS if it is there, else new data."""
    if (change.name, change.type, value) in raw:
        return raw[change.name, change.type, value][0]
    if change.type == "TXT":
        return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, split_txt(value))
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(change.type), value)


def batches(changes: t.Iterable[Change]) -> t.Iterator[list[Change]]:
    """Yield the changes of a zone, sorted, in parts that fit into one message each.

    All changes of one name are in the same part.
    """
    batch: list[Change] = []
    filled = 0
    for _name, group in itertools.groupby(sorted(changes), key=lambda change: change.name):
        together = list(group)
        size = sum(map(_size, together))
        if batch and filled + size > BATCH:
            yield batch
            batch, filled = [], 0
        batch += together
        filled += size
    if batch:
        yield batch


def _size(change: Change) -> int:
    """Return about how many bytes a change needs in an update.

    Each record and each deletion has a header, a name and its data.
    """
    head = len(change.name) + 2 + 10
    return head * (len(change.old) + len(change.new) + 2) + sum(
        len(value.encode()) + len(value) // 255 + 1 for value in (*change.old, *change.new)
    )


async def send(primary: Primary, zone: str, changes: t.Sequence[Change], raw: Raw) -> None:
    """Send one update of a zone. The server does all of it or nothing (RFC 2136 section 3.4).

    ``raw`` has the library's record data of the values that are in DNS. Raise DnsFailure if the
    server did not accept the update.
    """
    server = primary.server
    try:
        response = await dns.asyncquery.tcp(
            _message(primary, zone, changes, raw), server.address, primary.timeout, server.port
        )
    except dns.tsig.PeerError as exc:
        raise DnsFailure(
            f"{server} did not accept the update: {about_key(exc, primary)}", everywhere=True
        ) from exc
    except (OSError, EOFError, dns.exception.Timeout) as exc:
        raise DnsFailure(
            f"{zone}: {server} did not accept the update over TCP: {exc or 'no answer'}",
            silent=True,
        ) from exc
    except (ValueError, dns.exception.DNSException) as exc:
        raise DnsFailure(
            f"{zone}: {server} did not accept the update: {exc or type(exc).__name__}"
        ) from exc
    if response.rcode() in (
        dns.rcode.NXRRSET,
        dns.rcode.YXRRSET,
        dns.rcode.NXDOMAIN,
        dns.rcode.YXDOMAIN,
    ):
        raise DnsFailure(
            f"{zone}: somebody else changed records of this zone during this run; nothing was"
            " changed; run the playbook again"
        )
    if response.rcode() != dns.rcode.NOERROR:
        hint = "" if primary.key_name else "; it was not signed with a TSIG key"
        raise DnsFailure(
            f"{zone}: {server} refused the update: {dns.rcode.to_text(response.rcode())}{hint}"
        )


def _message(primary: Primary, zone: str, changes: t.Sequence[Change], raw: Raw) -> t.Any:
    """Return the update message, signed if there is a key.

    It applies only if every set is still as it was when the changes were planned (RFC 2136 section
    2.4). Otherwise changes that somebody else made in between would be lost.
    """
    update = dns.update.UpdateMessage(zone + ".")
    for change in changes:
        name = dns.name.from_text(change.name)
        if change.old:
            update.present(
                name,
                *(rdata for value in change.old for rdata in raw[change.name, change.type, value]),
            )
        else:
            update.absent(name, change.type)
        update.delete(name, change.type)
        for value in change.new:
            update.add(name, change.ttl, _rdata(change, value, raw))
    sign(update, primary)
    return update
