# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes record sets into zones by RFC 2136 updates. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
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
    import dns.tsig
    import dns.tsigkeyring
    import dns.update
except ImportError:  # the importer of _dns_query reports it
    pass


class DnsFailure(Exception):
    """A name server refused or did not understand; the text is fit for the user, and never holds a secret. ``everywhere``: it is about
    the key, so that no other zone would fare better. ``silent``: there was no answer, which one large zone may cause as well."""

    def __init__(self, text: str, everywhere: bool = False, silent: bool = False) -> None:
        super().__init__(text)
        self.everywhere = everywhere
        self.silent = silent


@dataclass(frozen=True, slots=True)
class Primary:
    """The server that takes updates and the key it knows us by."""

    server: Server
    key_name: str = ""
    key_algorithm: str = "hmac-sha256"
    key_secret: str = field(default="", repr=False)
    timeout: float = 10.0


BATCH = 45_000
"""Bytes of record data in one update, old and new ones; a message ends at 65,535, and names stand in it as well."""
_NOT_HERE = ("REFUSED", "NOTAUTH", "not authoritative")
Raw = t.Dict[t.Tuple[str, str, str], t.List[t.Any]]
"""By name, type and value: the library's record data, more than one where a TXT is there twice, split differently."""


@dataclass(slots=True)
class Found:
    """What the primary server holds at the places that were asked for. ``absent`` says why it holds no such zone at all."""

    sets: dict[Key, RRset] = field(default_factory=dict)
    raw: Raw = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    absent: str = ""


async def read(
    asker: Asker, primary: Primary, wanted: t.Collection[Key], candidates: t.Collection[Key]
) -> Found:
    """The record sets at the wanted and the candidate places. Silence is a fault where something is wanted: nothing may be
    written on a guess about what is there."""
    found = Found()
    aliases: dict[tuple[str, str], list[str]] = {}
    keys = sorted({*wanted, *candidates})
    for key, reply in zip(
        keys, await asyncio.gather(*(asker.ask(primary.server, *key) for key in keys)), strict=True
    ):
        if reply.state == "silent" and reply.why.startswith(_NOT_HERE):
            found.absent = found.absent or f"{key[0]}: {reply.why}"
        elif reply.state == "silent" and key in wanted:
            found.faults.append(
                f"{primary.server} does not say what {key[0]} {key[1]} is: {reply.why}"
            )
        elif reply.alias and key in wanted:
            # RFC 2136 section 3.4.2.2: a server silently ignores other records at a CNAME's name.
            aliases.setdefault((key[0], reply.alias), []).append(key[1])
        elif reply.state == "answer" and not reply.alias:
            found.sets[key] = RRset(*key, reply.ttl, reply.values)
            for value, rdata in reply.raw:
                found.raw.setdefault((*key, value), []).append(rdata)
    for (name, target), types in aliases.items():
        found.faults.append(
            f"{name} is a CNAME to {target}; remove it, {', '.join(types)} cannot stand beside it"
        )
    return found


def _rdata(change: Change, value: str, raw: Raw) -> t.Any:
    if (change.name, change.type, value) in raw:
        return raw[change.name, change.type, value][0]
    if change.type == "TXT":
        return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, split_txt(value))
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(change.type), value)


def batches(changes: t.Iterable[Change]) -> t.Iterator[list[Change]]:
    """The changes of a zone, sorted, in parts that fit into one message each; all of a name's changes are in one."""
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
    """About as many bytes as a change takes in an update: each record and each deletion with a header, a name and its data."""
    head = len(change.name) + 2 + 10
    return head * (len(change.old) + len(change.new) + 2) + sum(
        len(value.encode()) + len(value) // 255 + 1 for value in (*change.old, *change.new)
    )


async def send(primary: Primary, zone: str, changes: t.Sequence[Change], raw: Raw) -> None:
    """One update of a zone. It is done whole or not at all (RFC 2136 section 3.4)."""
    server = primary.server
    try:
        response = await dns.asyncquery.tcp(
            _message(primary, zone, changes, raw), server.address, primary.timeout, server.port
        )
    except dns.tsig.PeerError as exc:
        raise DnsFailure(
            f"{server} did not take the update: {_about_key(exc, primary)}", everywhere=True
        ) from exc
    except (OSError, EOFError, dns.exception.Timeout) as exc:
        raise DnsFailure(
            f"{zone}: {server} did not take the update over TCP: {exc or 'no answer'}", silent=True
        ) from exc
    except (ValueError, dns.exception.DNSException) as exc:
        raise DnsFailure(
            f"{zone}: {server} did not take the update: {exc or type(exc).__name__}"
        ) from exc
    if response.rcode() in (
        dns.rcode.NXRRSET,
        dns.rcode.YXRRSET,
        dns.rcode.NXDOMAIN,
        dns.rcode.YXDOMAIN,
    ):
        raise DnsFailure(
            f"{zone}: somebody changed records there while this run planned; nothing was changed, run it again"
        )
    if response.rcode() != dns.rcode.NOERROR:
        hint = "" if primary.key_name else "; it was not signed with a TSIG key"
        raise DnsFailure(
            f"{zone}: {server} refused the update: {dns.rcode.to_text(response.rcode())}{hint}"
        )


def _message(primary: Primary, zone: str, changes: t.Sequence[Change], raw: Raw) -> t.Any:
    """The update, which holds only if everything is as it was when the changes were planned (RFC 2136 section 2.4): what somebody else
    wrote in between would be lost."""
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
    try:
        base64.b64decode(primary.key_secret.encode("ascii"), validate=True)
    except ValueError:
        # Not `from exc`: what the library says of a text may hold a part of it.
        raise DnsFailure(
            f"the secret of the TSIG key {primary.key_name} is not base64", everywhere=True
        ) from None
    try:
        return dns.tsigkeyring.from_text({primary.key_name: primary.key_secret})
    except (ValueError, dns.exception.DNSException):
        raise DnsFailure(
            f"{primary.key_name!r} can be no name of a TSIG key", everywhere=True
        ) from None


def _about_key(error: Exception, primary: Primary) -> str:
    """What a server means that does not believe a signature (RFC 8945 section 5.2)."""
    key = f"the TSIG key {primary.key_name}"
    if isinstance(error, dns.tsig.PeerBadKey):
        return f"it does not know {key} for {primary.key_algorithm}"
    if isinstance(error, dns.tsig.PeerBadSignature):
        return f"its secret of {key} is another one"
    if isinstance(error, dns.tsig.PeerBadTime):
        return "its clock and that of this machine are too far apart for TSIG"
    return f"something is wrong with {key}: {error}"


async def check(asker: Asker, primary: Primary, changes: t.Sequence[Change]) -> list[str]:
    """Whether the primary holds what it took: servers may drop parts of an update without a word (RFC 2136 section 3.4.2.2)."""
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
                f"{primary.server} took the update, and yet {change.name} {change.type} is {found}"
            )
    return wrong
