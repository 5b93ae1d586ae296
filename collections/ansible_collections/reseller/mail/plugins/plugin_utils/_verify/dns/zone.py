# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify zones themselves: their name servers and their signatures.

Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import time
import typing as t

from ..._dns.query import BOGUS, LAME, MOST_SERVERS, NO_TCP
from ..finding import Finding
from .catalogue import Defect, finding

try:
    import dns.dnssec
    import dns.rdatatype
except ImportError:
    pass  # _dns/query.py reports it: DNSPYTHON_IMPORT_ERROR

if t.TYPE_CHECKING:
    from ..._dns.query import Asker

LEAST = 2
SERVERS = "two or more name servers that all answer, also over IPv6"
SIGNED = "a signed zone with valid signatures"


async def look(asker: Asker, zone: str) -> list[Finding]:
    """Return whether a zone has enough name servers and is signed; nothing if it is not found."""
    reply, soa = await asyncio.gather(asker.look_up(zone, "NS"), asker.look_up(zone, "SOA"))
    names = sorted(value.rstrip(".") for value in reply.values)[:MOST_SERVERS]
    if not names:
        return []
    words = (("name", zone),)
    faults = []
    if len(names) < LEAST:
        faults.append(Defect("dns.servers_few", f"only {names[0]}", words=words))
    others = await asyncio.gather(*(asker.look_up(name, "AAAA") for name in names))
    with_ipv6 = [name for name, one in zip(names, others, strict=True) if one.values]
    if len(with_ipv6) < min(LEAST, len(names)) and not any(one.state == "silent" for one in others):
        faults.append(
            Defect(
                "dns.servers_no_ipv6",
                f"{len(with_ipv6)} of {len(names)} have AAAA records: {', '.join(names)}",
                words=words,
            )
        )
    return [
        *(finding(fault, zone, SERVERS) for fault in faults),
        *await _signed(asker, zone, soa.secure),
    ]


async def _signed(asker: Asker, zone: str, secure: bool) -> list[Finding]:
    """Return the finding about a zone's signatures, as far as they do not fail."""
    if secure:
        return [Finding("dns.dnssec", zone, "ok", SIGNED, "signed")]
    above, keys = await asyncio.gather(asker.look_up(zone, "DS"), asker.look_up(zone, "DNSKEY"))
    if "silent" in (above.state, keys.state):
        return [Finding("dns.dnssec", zone, "blocked", SIGNED, "the resolver does not answer")]
    if above.values:
        # The zone above has a DS record, but the answer is not validated: the resolver does not
        # validate at all.
        return [
            Finding(
                "dns.dnssec",
                zone,
                "na",
                SIGNED,
                "the resolver does not validate; name one that does: verify_dns_resolver",
            )
        ]
    words = (("name", zone), ("ds", "; ".join(_ds(zone, [one for _text, one in keys.raw]))))
    id_ = "dns.dnssec_no_ds" if keys.values else "dns.dnssec_unsigned"
    return [
        finding(
            Defect(id_, "no DS record" if keys.values else "not signed", words=words), zone, SIGNED
        )
    ]


def _ds(zone: str, keys: t.Iterable[t.Any]) -> list[str]:
    """Return the DS records for the parent zone, of the keys with the flag SEP (RFC 4034 section
    2.1.1)."""
    return [
        dns.dnssec.make_ds(f"{zone}.", key, "SHA256").to_text() for key in keys if key.flags & 1
    ]


async def lost(asker: Asker, name: str) -> list[Finding]:
    """Return why a name cannot be asked about: its zone has bad signatures, or no server answers.

    Return nothing if it can.
    """
    reply = await asker.look_up(name, "SOA")
    if reply.why == BOGUS:
        return [await _bogus(asker, name)]
    if reply.state == "silent":
        servers = await asker.delegation(name)
        return [
            _dead(
                name,
                [(str(server), (await asker.ask(server, name, "SOA")).why) for server in servers],
                reply.why,
            )
        ]
    zone = await asker.zone_of(name)
    if reply.why == "NXDOMAIN" and not reply.alias and zone is not None and "." not in zone:
        # Directly below a top-level domain, a name that does not exist was never registered. On
        # lower levels, only records are missing.
        return [
            finding(
                Defect("dns.servers_none", f"{name} does not exist", words=(("name", name),)),
                name,
                SERVERS,
            )
        ]
    return []


def _dead(name: str, whys: list[tuple[str, str]], why: str) -> Finding:
    """Return the finding about a zone without answers. The name may be registered nevertheless."""
    whys = whys or [("its name servers", f"the resolver gets no answer from them ({why})")]
    silent = [(server, why) for server, why in whys if not _is_lame(why)]
    id_, rows = ("dns.servers_silent", silent) if silent else ("dns.servers_lame", whys)
    words = (("name", name), ("server", ", ".join(server for server, _why in rows)))
    return finding(
        Defect(
            id_, "; ".join(f"{server}: {why}" for server, why in whys), words=words, state="fail"
        ),
        name,
        SERVERS,
    )


def _is_lame(why: str) -> bool:
    """Return whether a server has answered that it does not serve the zone."""
    return why in (LAME, "REFUSED", "NOTAUTH")


async def _bogus(asker: Asker, name: str) -> Finding:
    """Return the finding about a zone whose signatures the resolver refuses."""
    response = await asker.unchecked(name, "SOA")
    rrsets = (*response.answer, *response.authority) if response is not None else ()
    owners = [
        rrset.name.to_text().rstrip(".").lower()
        for rrset in rrsets
        if rrset.rdtype == dns.rdatatype.SOA
    ]
    zone = owners[0] if owners else name
    answer = await asker.unchecked(zone, "DNSKEY")
    rrsets = answer.answer if answer is not None else []
    keys = [one for rrset in rrsets if rrset.rdtype == dns.rdatatype.DNSKEY for one in rrset]
    ends = [
        one.expiration for rrset in rrsets if rrset.rdtype == dns.rdatatype.RRSIG for one in rrset
    ]
    words = (("name", zone), ("ds", "; ".join(_ds(zone, keys))))
    if not keys:
        fault = Defect("dns.dnssec_no_key", "a DS record, but no key", words=words)
    elif ends and max(ends) < time.time():
        fault = Defect(
            "dns.dnssec_expired",
            f"expired on {time.strftime('%Y-%m-%d', time.gmtime(max(ends)))}",
            words=words,
        )
    else:
        fault = Defect(
            "dns.dnssec_bogus",
            "the resolver refuses it (SERVFAIL), but answers without validation",
            words=words,
        )
    return finding(fault, zone, SIGNED)


def heard(zone: str, servers: t.Mapping[str, t.Collection[str]]) -> list[Finding]:
    """Return the findings about a zone's servers, from all questions to them.

    A dead server is one finding, not one for each record.
    """
    good = any("" in whys for whys in servers.values())
    groups: dict[str, dict[str, list[str]]] = {}
    for server, whys in sorted(servers.items()):
        for why in sorted(filter(None, whys)):
            id_ = (
                "dns.servers_no_tcp"
                if why == NO_TCP
                else "dns.servers_lame"
                if _is_lame(why)
                else "dns.servers_silent"
            )
            groups.setdefault(id_, {}).setdefault(server, []).append(why)
    found = []
    for id_, rows in groups.items():
        words = (("name", zone), ("server", ", ".join(rows)))
        text = "; ".join(f"{server}: {', '.join(whys)}" for server, whys in rows.items())
        found.append(
            finding(Defect(id_, text, words=words, state="" if good else "fail"), zone, SERVERS)
        )
    return found
