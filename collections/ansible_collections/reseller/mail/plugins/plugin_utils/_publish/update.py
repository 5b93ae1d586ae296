# SPDX-License-Identifier: GPL-3.0-or-later
"""Read record sets from the primary server, and change them by updates (RFC 2136).

PRIVATE to the collection. Does input and output. Runs on the controller only (needs dnspython).
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import typing as t
from dataclasses import dataclass, field

from .._dns.query import Asker, Server
from .._dns.rrset import Key, RRset
from .._dns.zone_text import split_txt
from .plan import Change

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
    import dns.tsigkeyring
    import dns.update
except ImportError:  # Callers report `query.DNSPYTHON_IMPORT_ERROR`.
    pass


class DnsFailure(Exception):
    """An error: a name server did not accept an update. The text is for users and has no secret.

    Attributes:
        everywhere: The cause is the TSIG key, so updates of other zones would fail, too.
        silent: The server did not answer. One large zone may be the cause.
    """

    def __init__(self, text: str, everywhere: bool = False, silent: bool = False) -> None:
        super().__init__(text)
        self.everywhere = everywhere
        self.silent = silent


@dataclass(frozen=True, slots=True)
class Primary:
    """The server that accepts updates, and the TSIG key for it.

    Attributes:
        server: The server.
        key_name: The name of the key. Updates are not signed without it.
        key_algorithm: The algorithm of the key.
        key_secret: The secret in base64.
        timeout: Seconds to wait for one answer.
    """

    server: Server
    key_name: str = ""
    key_algorithm: str = "hmac-sha256"
    key_secret: str = field(default="", repr=False)
    timeout: float = 10.0


BATCH = 45_000
"""Bytes of old and new record data in one update.

A message has at most 65,535 bytes, and it also contains names.
"""
_NOT_HERE = ("REFUSED", "NOTAUTH", "not authoritative")
"""How the reasons begin that mean: the server does not have the zone."""
Raw = t.Dict[t.Tuple[str, str, str], t.List[t.Any]]
"""The library's record data, by name, type and value.

A value has two of them if a TXT is there twice and split in different ways.
"""


@dataclass(slots=True)
class Found:
    """What the primary server has at the requested names and types.

    Attributes:
        sets: The record sets.
        raw: The library's record data of their values.
        faults: What prevents an update, for users.
        absent: The reason why the server does not have the zone, or a part of it.
    """

    sets: dict[Key, RRset] = field(default_factory=dict)
    raw: Raw = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    absent: str = ""


async def read(
    asker: Asker, primary: Primary, wanted: t.Collection[Key], searched: t.Collection[Key]
) -> Found:
    """Return the primary server's record sets at the wanted and the searched names and types.

    If the server does not answer for a wanted one, that is a fault: without knowing the records
    there, none may be written.
    """
    found = Found()
    aliases: dict[tuple[str, str], list[str]] = {}
    keys = sorted({*wanted, *searched})
    for key, reply in zip(
        keys, await asyncio.gather(*(asker.ask(primary.server, *key) for key in keys)), strict=True
    ):
        if reply.state == "silent" and reply.why.startswith(_NOT_HERE):
            found.absent = found.absent or f"{key[0]}: {reply.why}"
        elif reply.state == "silent" and key in wanted:
            found.faults.append(
                f"{primary.server} gave no usable answer for {key[0]} {key[1]}: {reply.why}"
            )
        elif reply.alias and key in wanted:
            # A server ignores other records at the name of a CNAME, without an error (RFC 2136
            # section 3.4.2.2).
            aliases.setdefault((key[0], reply.alias), []).append(key[1])
        elif reply.state == "answer" and not reply.alias:
            found.sets[key] = RRset(*key, reply.ttl, reply.values)
            for value, rdata in reply.raw:
                found.raw.setdefault((*key, value), []).append(rdata)
    for (name, target), types in aliases.items():
        found.faults.append(
            f"{name} is a CNAME to {target}; remove it: {', '.join(types)} cannot exist beside a"
            " CNAME"
        )
    return found


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
            f"{server} did not accept the update: {_about_key(exc, primary)}", everywhere=True
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
    if primary.key_name:
        update.use_tsig(_keyring(primary), algorithm=dns.name.from_text(primary.key_algorithm))
    return update


def _keyring(primary: Primary) -> t.Any:
    """Return the key for the library. Raise DnsFailure if its name or secret is not valid."""
    try:
        base64.b64decode(primary.key_secret.encode("ascii"), validate=True)
    except ValueError:
        # Not `from exc`: the library's message may contain a part of the secret.
        raise DnsFailure(
            f"the secret of the TSIG key {primary.key_name} is not base64", everywhere=True
        ) from None
    try:
        return dns.tsigkeyring.from_text({primary.key_name: primary.key_secret})
    except (ValueError, dns.exception.DNSException):
        raise DnsFailure(
            f"{primary.key_name!r} cannot be the name of a TSIG key", everywhere=True
        ) from None


def _about_key(error: Exception, primary: Primary) -> str:
    """Return why a server did not accept a signature, for users (RFC 8945 section 5.2)."""
    key = f"the TSIG key {primary.key_name}"
    if isinstance(error, dns.tsig.PeerBadKey):
        return f"it does not know {key} for {primary.key_algorithm}"
    if isinstance(error, dns.tsig.PeerBadSignature):
        return f"it has another secret for {key}"
    if isinstance(error, dns.tsig.PeerBadTime):
        return "its clock and the clock of this machine differ too much for TSIG"
    return f"{key} does not work: {error}"


async def differences(asker: Asker, primary: Primary, changes: t.Sequence[Change]) -> list[str]:
    """Return a line for each change that the primary server accepted but does not have.

    Servers may ignore parts of an update without an error (RFC 2136 section 3.4.2.2).
    """
    replies = await asyncio.gather(
        *(asker.ask(primary.server, change.name, change.type) for change in changes)
    )
    wrong = []
    for change, reply in zip(changes, replies, strict=True):
        if reply.values != frozenset(change.new):
            found = ", ".join(sorted(reply.values)) or (
                "missing" if reply.state == "none" else reply.why
            )
            wrong.append(
                f"{primary.server} accepted the update, but {change.name} {change.type} is {found}"
            )
    return wrong
