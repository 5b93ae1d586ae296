# SPDX-License-Identifier: GPL-3.0-or-later
"""What receivers make of an SPF record and of everything that it includes (RFC 7208).

PRIVATE to the collection. Runs on the controller (needs spftrace and a resolver); ``faults`` is pure. Evaluating is the library's;
what the outcome means for a tenant of the estate is ours.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

try:
    import spftrace
except ImportError as exc:
    SPFTRACE_IMPORT_ERROR: t.Optional[ImportError] = exc
    Transport: t.Any = object
else:
    SPFTRACE_IMPORT_ERROR = None
    Transport = spftrace.BaseResolver

from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.sets import is_spf
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.text import quoted

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker, Reply

MOST_LOOKUPS = 10
MOST_VOID = 2
"""RFC 7208 section 4.6.4; a lookup is void that finds nothing."""
SECONDS = 60.0

STRANGERS = ("198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1")
"""Addresses that send no mail in the world: for benchmarks (RFC 2544) and documentation (RFC 5737)."""

FORMER_HOSTS = {
    "_custspf.one.com": "one.com",
    "_mailcust.gandi.net": "Gandi",
    "_spf.google.com": "Google Workspace",
    "_spf.mail.hostinger.com": "Hostinger",
    "_spf.mx.cloudflare.net": "Cloudflare Email Routing",
    "_spf.protonmail.ch": "Proton Mail",
    "_spf-eu.ionos.com": "IONOS",
    "_spf-us.ionos.com": "IONOS",
    "aspmx.googlemail.com": "Google Workspace",
    "mx.ovh.com": "OVHcloud",
    "spf.messagingengine.com": "Fastmail",
    "spf.migadu.com": "Migadu",
    "spf.privateemail.com": "Namecheap Private Email",
    "protection.outlook.com": "Microsoft 365",
    "spf.titan.email": "Titan",
    "secureserver.net": "GoDaddy",
    "zohomail.com": "Zoho Mail",
    "zohomail.eu": "Zoho Mail",
}
"""Hosts of mailboxes by what their customers include. Services that send newsletters or invoices are not listed: they may stay."""


@dataclass(frozen=True, slots=True)
class Chain:
    """One domain's record as receivers see it. ``senders`` and ``stranger`` are verdicts of RFC 7208 section 2.6; ``lookups`` and ``voids``
    what a message costs that no term matches, which is the most it can; ``records`` are every domain on the way with its record;
    ``why`` is the reason of an error."""

    domain: str
    senders: tuple[tuple[str, str], ...]
    stranger: str
    lookups: int
    voids: int
    records: tuple[tuple[str, str], ...]
    why: str = ""

    @property
    def unsure(self) -> bool:
        """Whether a name server on the way did not answer: then nothing can be said."""
        return "temperror" in (self.stranger, *(verdict for _address, verdict in self.senders))


@dataclass(frozen=True, slots=True)
class SpfFault:
    """Something that receivers, or attackers, will notice: the finding's id, what was found, what to do."""

    id: str
    found: str
    remedy: str


class _Transport(Transport):
    """Lends the library our way of asking, so that a thousand tenants ask for the provider's record once."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def _lookup(self, name: str, rtype: str) -> tuple[str, list[str]]:
        return outcome(await self._asker.look_up(name, rtype), rtype)


def outcome(reply: Reply, rtype: str) -> tuple[str, list[str]]:
    """A reply in the library's words: the code, and values without an MX's preference or a name's last dot."""
    if reply.state == "silent":
        return "SERVFAIL", []
    if reply.state == "none":
        return reply.why or "NOERROR", []
    values = sorted(reply.values)
    return "NOERROR", values if rtype == "TXT" else [
        value.rpartition(" ")[2].rstrip(".") for value in values
    ]


async def walk(asker: Asker, domain: str, senders: t.Iterable[str]) -> Chain:
    """The chain of a domain, evaluated for each of its outbound addresses and for a stranger's."""
    if SPFTRACE_IMPORT_ERROR is not None:
        raise SPFTRACE_IMPORT_ERROR
    limits = spftrace.Limits(time_limit=SECONDS, audit=True)
    senders = tuple(dict.fromkeys(senders))
    stranger = next(address for address in STRANGERS if address not in senders)
    results = {}
    for address in (*senders, stranger):
        evaluator = spftrace.Evaluator(_Transport(asker), limits)
        results[address] = await evaluator.evaluate(address, f"postmaster@{domain}", domain)
    last = results[stranger]
    events = last.trace.to_list()
    return Chain(
        domain,
        tuple((address, results[address].verdict) for address in senders),
        last.verdict,
        last.dns_terms_used,
        last.void_lookups_used,
        tuple(dict.fromkeys(_records(events))),  # once each: in a circle they come again
        next((event["reason"] for event in events if event["kind"] == "exit"), ""),
    )


def _records(events: t.Iterable[t.Mapping[str, t.Any]]) -> t.Iterator[tuple[str, str]]:
    for event in events:
        if event["kind"] == "txt_lookup":
            yield from ((event["domain"], text) for text in event["records"] if is_spf(text))


def faults(
    chain: Chain, wanted: str, expected_tail: str = "-all", relay: str = ""
) -> t.Iterator[SpfFault]:
    """Everything wrong with a chain; ``wanted`` is the record that the model asks for, as a line, and ``relay`` what the premium relay's operator
    wants included, where mail leaves by it. Nothing where a server did not answer, or where the domain has no record or two: those are
    findings about the record set."""
    own = [text for domain, text in chain.records if domain.rstrip(".").lower() == chain.domain]
    if chain.unsure or len(own) != 1:
        return
    place = wanted.partition('"')[0]

    def instead(record: str) -> str:
        """One record in the place of the other: both together would be worse than either."""
        return f"remove {place}{quoted(own[0])}\npublish {record}"

    def without(*gone: str) -> str:
        # An end that lets everybody pass goes, too: a remedy never opens a domain.
        lost = {one.lower() for one in (*gone, "all", "+all")}
        version, *terms = (one for one in own[0].split() if one.lower() not in lost)
        kept = {one.lower() for one in terms}
        ours = [one for one in _terms(wanted) if one.lower() not in kept and not _ends(one)]
        # Without redirect and all, an address that no term matches is neutral (RFC 7208 section 4.7).
        end = [] if any(map(_ends, terms)) else [expected_tail]
        return instead(place + quoted(" ".join((version, *ours, *terms, *end))))

    publish = instead(wanted)
    if chain.lookups > MOST_LOOKUPS:
        asking = ", ".join(
            dict.fromkeys(
                term for _domain, text in chain.records for term in text.split()[1:] if _asks(term)
            )
        )
        remedy = f"take terms out until {MOST_LOOKUPS} are left, or:\n{publish}"
        yield SpfFault(
            "dns.spf_lookups", f"{chain.lookups} lookups over the whole chain: {asking}", remedy
        )
    if chain.voids > MOST_VOID:
        yield SpfFault(
            "dns.spf_void",
            f"{chain.voids} lookups that find nothing",
            f"take out the terms whose names are gone, or:\n{publish}",
        )
    if chain.stranger == "permerror" and chain.lookups <= MOST_LOOKUPS and chain.voids <= MOST_VOID:
        yield SpfFault("dns.spf_syntax", chain.why or "the record cannot be evaluated", publish)
    elif chain.stranger == "pass":
        yield SpfFault(
            "dns.spf_stranger",
            "an address that is nobody's passes: "
            + " | ".join(text for _domain, text in chain.records),
            publish,
        )
    for domain, text in chain.records:
        used = [
            term
            for term in text.split()[1:]
            if term.lower().lstrip("+-~?").partition(":")[0] == "ptr"
        ]
        if used:
            mine = f":\n{without(*used)}" if text == own[0] else "; receivers may ignore it"
            yield SpfFault(
                "dns.spf_ptr",
                f"{domain} uses ptr: {text}",
                f"take {used[0]} out (RFC 7208 section 5.5){mine}",
            )
    failing = [
        f"{address}: {verdict}"
        for address, verdict in chain.senders
        if verdict not in ("pass", "permerror")
    ]
    included = {domain.rstrip(".").lower() for domain, _text in chain.records}
    if relay and relay not in included and chain.stranger != "permerror":
        failing.append(f"those of the premium relay (include:{relay})")
    if failing:
        yield SpfFault(
            "dns.spf_sender",
            f"addresses that mail leaves from do not pass: {', '.join(failing)}",
            publish,
        )
    terms = own[0].lower().split()[1:]
    tail = next((term for term in terms if term.lstrip("+-~?") == "all"), "")
    redirected = any(term.startswith("redirect=") for term in terms)
    if (
        tail != expected_tail
        and not (redirected and not tail)
        and chain.stranger not in ("pass", "permerror")
    ):
        yield SpfFault(
            "dns.spf_tail",
            f"the record ends in {tail or 'no all'} instead of {expected_tail}",
            publish,
        )
    former = {
        term: host
        for term in terms
        if (host := _former_host(term)) and term not in wanted.lower().split()
    }
    for term, host in former.items():
        remedy = f"once nothing is sent from there:\n{without(*former)}"
        yield SpfFault(
            "dns.spf_leftover", f"{term} still lets {host} send as {chain.domain}", remedy
        )


def _asks(term: str) -> bool:
    word = term.lower().lstrip("+-~?")
    name = word.partition(":")[0].partition("/")[0]
    return name in ("include", "a", "mx", "ptr", "exists") or word.startswith("redirect=")


def _terms(line: str) -> list[str]:
    """Return the terms of the record in a line."""
    return "".join(re.findall(r'"([^"]*)"', line)).split()[1:]


def _ends(term: str) -> bool:
    """Whether a term decides about every address that comes to it."""
    return term.lower().lstrip("+-~?") == "all" or term.lower().startswith("redirect=")


def _former_host(term: str) -> t.Optional[str]:
    kind, _colon, target = term.lstrip("+-~?").replace("redirect=", "include:").partition(":")
    if kind not in ("include", "a", "mx"):
        return None
    target = target.partition("/")[0].rstrip(
        "."
    )  # RFC 7208 section 5.3: a length may follow the name
    return next(
        (
            name
            for suffix, name in FORMER_HOSTS.items()
            if target == suffix or target.endswith(f".{suffix}")
        ),
        None,
    )
