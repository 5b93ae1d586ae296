# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate an SPF record with all its includes as receivers do, and find what is wrong (RFC 7208).

PRIVATE to the collection. Runs on the controller (needs spftrace and a resolver). ``faults`` is
pure.

The library spftrace evaluates the record. This file decides what the result means for a tenant.
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

from .rrset import is_spf
from .zone_text import quoted

if t.TYPE_CHECKING:
    from .query import Asker, Reply

MOST_LOOKUPS = 10
"""Lookups that the evaluation of one record may need (RFC 7208 section 4.6.4)."""
MOST_VOID = 2
"""Lookups among them that may find nothing (RFC 7208 section 4.6.4)."""
SECONDS = 60.0
"""Time for the evaluation of one record."""

EXTERNAL_ADDRESSES = ("198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1")
"""Addresses from which no mail comes in practice.

The first is for benchmarks (RFC 2544), the others are for documentation (RFC 5737).
"""

PREVIOUS_PROVIDERS = {
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
"""Providers of mailboxes, by the name that their customers include or list.

Services that send newsletters or invoices are not among them: they may stay in a record.
"""


@dataclass(frozen=True, slots=True)
class Chain:
    """One domain's SPF record with all its includes, as receivers evaluate it.

    Attributes:
        domain: The domain.
        senders: Each address for outgoing mail with its result (RFC 7208 section 2.6).
        external: The result for an address outside the estate.
        lookups: The lookups for a message that no term matches. No message needs more.
        voids: The lookups among them that find nothing.
        records: Every domain in the chain with its record.
        why: The reason, if the result for the external address is an error.
    """

    domain: str
    senders: tuple[tuple[str, str], ...]
    external: str
    lookups: int
    voids: int
    records: tuple[tuple[str, str], ...]
    why: str = ""

    @property
    def is_uncertain(self) -> bool:
        """Return whether a name server in the chain did not answer, so that nothing is known."""
        return "temperror" in (self.external, *(result for _address, result in self.senders))

    @property
    def has_permanent_error(self) -> bool:
        """Return whether receivers cannot evaluate the record."""
        return self.external == "permerror"


@dataclass(frozen=True, slots=True)
class SpfFault:
    """One defect of a record: the finding's id, what was found, and what to do."""

    id: str
    found: str
    remedy: str


class _Transport(Transport):
    """The resolver that the library asks. It uses the answers that ``verify`` already has.

    So the provider's record is requested once, also for a thousand tenants.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def _lookup(self, name: str, rtype: str) -> tuple[str, list[str]]:
        """Return the answer to one lookup of the library."""
        return as_library_answer(await self._asker.look_up(name, rtype), rtype)


def as_library_answer(reply: Reply, rtype: str) -> tuple[str, list[str]]:
    """Return the response code and the values of a reply in the form that the library wants.

    Values have no preference of an MX and no last dot of a name.
    """
    if reply.state == "silent":
        return "SERVFAIL", []
    if reply.state == "none":
        return reply.why or "NOERROR", []
    values = sorted(reply.values)
    return "NOERROR", (
        values if rtype == "TXT" else [value.rpartition(" ")[2].rstrip(".") for value in values]
    )


async def evaluate(asker: Asker, domain: str, senders: t.Iterable[str]) -> Chain:
    """Return the chain of a domain, evaluated for its addresses and for an external address.

    ``senders`` are the addresses from which the domain's mail leaves. Raise ImportError if the
    library is missing.
    """
    if SPFTRACE_IMPORT_ERROR is not None:
        raise SPFTRACE_IMPORT_ERROR
    limits = spftrace.Limits(time_limit=SECONDS, audit=True)
    senders = tuple(dict.fromkeys(senders))
    external = next(address for address in EXTERNAL_ADDRESSES if address not in senders)
    evaluations = {}
    for address in (*senders, external):
        evaluator = spftrace.Evaluator(_Transport(asker), limits)
        evaluations[address] = await evaluator.evaluate(address, f"postmaster@{domain}", domain)
    results = {address: one.verdict for address, one in evaluations.items()}
    last = evaluations[external]
    events = last.trace.to_list()
    return Chain(
        domain,
        tuple((address, results[address]) for address in senders),
        results[external],
        last.dns_terms_used,
        last.void_lookups_used,
        tuple(dict.fromkeys(_records(events))),  # in a loop of includes, records come again
        next((event["reason"] for event in events if event["kind"] == "exit"), ""),
    )


def _records(events: t.Iterable[t.Mapping[str, t.Any]]) -> t.Iterator[tuple[str, str]]:
    """Yield each domain that was evaluated with its SPF record, from the library's trace."""
    for event in events:
        if event["kind"] == "txt_lookup":
            yield from ((event["domain"], text) for text in event["records"] if is_spf(text))


def faults(
    chain: Chain, wanted: str, expected_tail: str = "-all", relay: str = ""
) -> t.Iterator[SpfFault]:
    """Yield every defect of a chain.

    ``wanted`` is the record for the model, as a line of a zone file. ``relay`` is the name that the
    operator of a relay wants included, if the domain's mail leaves through it. Nothing is
    yielded if a server did not answer. Nothing is yielded either if the domain has no record or
    more than one: other findings report that.
    """
    own = [text for domain, text in chain.records if _folded(domain) == chain.domain]
    if chain.is_uncertain or len(own) != 1:
        return
    remedies = _Remedies(own[0], wanted, expected_tail)
    yield from _too_many_lookups(chain, remedies)
    yield from _result_for_others(chain, remedies)
    yield from _ptr_terms(chain, remedies)
    yield from _own_senders(chain, remedies, relay)
    yield from _other_tail(chain, remedies)
    yield from _previous_providers(chain, remedies)


@dataclass(frozen=True, slots=True)
class _Remedies:
    """What to publish in place of one record.

    Attributes:
        own: The domain's record.
        wanted: The record for the model, as a line of a zone file.
        expected_tail: The term with which the record should end.
    """

    own: str
    wanted: str
    expected_tail: str

    def replace(self, record: str = "") -> str:
        """Return the remedy that replaces the record by another one, or by the wanted one.

        Both together would be worse than either of them.
        """
        return f"remove {self._start}{quoted(self.own)}\npublish {record or self.wanted}"

    def without(self, *gone: str) -> str:
        """Return the remedy that removes terms, and adds the wanted ones that are missing."""
        # A remedy must not let every address pass. So a term that does is removed, too.
        lost = {one.lower() for one in (*gone, "all", "+all")}
        version, *terms = (one for one in self.own.split() if one.lower() not in lost)
        kept = {one.lower() for one in terms}
        ours = [
            one
            for one in _terms_of_line(self.wanted)
            if one.lower() not in kept and not _matches_every_address(one)
        ]
        # Without redirect and all, the result for an address that no term matches is neutral
        # (RFC 7208 section 4.7).
        end = [] if any(map(_matches_every_address, terms)) else [self.expected_tail]
        return self.replace(self._start + quoted(" ".join((version, *ours, *terms, *end))))

    @property
    def _start(self) -> str:
        """Return the line of the wanted record up to its data."""
        return self.wanted.partition('"')[0]


def _too_many_lookups(chain: Chain, remedies: _Remedies) -> t.Iterator[SpfFault]:
    """Yield a fault if receivers need too many lookups, or too many that find nothing."""
    if chain.lookups > MOST_LOOKUPS:
        terms = (term for _domain, text in chain.records for term in text.split()[1:])
        asking = ", ".join(dict.fromkeys(term for term in terms if _needs_lookup(term)))
        yield SpfFault(
            "dns.spf_lookups",
            f"{chain.lookups} lookups in the whole chain, {MOST_LOOKUPS} are allowed: {asking}",
            f"remove terms until {MOST_LOOKUPS} lookups are left, or:\n{remedies.replace()}",
        )
    if chain.voids > MOST_VOID:
        yield SpfFault(
            "dns.spf_void",
            f"{chain.voids} lookups find nothing, {MOST_VOID} are allowed",
            f"remove the terms whose names do not exist, or:\n{remedies.replace()}",
        )


def _result_for_others(chain: Chain, remedies: _Remedies) -> t.Iterator[SpfFault]:
    """Yield a fault if the record cannot be evaluated, or lets every address pass."""
    within_limits = chain.lookups <= MOST_LOOKUPS and chain.voids <= MOST_VOID
    if chain.has_permanent_error and within_limits:
        why = chain.why or "the record cannot be evaluated"
        yield SpfFault("dns.spf_syntax", why, remedies.replace())
    elif chain.external == "pass":
        texts = " | ".join(text for _domain, text in chain.records)
        yield SpfFault(
            "dns.spf_any_host",
            f"an address that does not belong to the estate passes: {texts}",
            remedies.replace(),
        )


def _ptr_terms(chain: Chain, remedies: _Remedies) -> t.Iterator[SpfFault]:
    """Yield a fault for each record that uses ``ptr``, which RFC 7208 section 5.5 discourages."""
    for domain, text in chain.records:
        used = [term for term in text.split()[1:] if _mechanism(term) == "ptr"]
        if used:
            is_own = text == remedies.own
            rest = f":\n{remedies.without(*used)}" if is_own else "; receivers may ignore it"
            yield SpfFault(
                "dns.spf_ptr",
                f"{domain} uses ptr: {text}",
                f"remove {used[0]} (RFC 7208 section 5.5){rest}",
            )


def _own_senders(chain: Chain, remedies: _Remedies, relay: str) -> t.Iterator[SpfFault]:
    """Yield a fault if mail from the estate's addresses or from its relay does not pass."""
    failing = [
        f"{address}: {result}"
        for address, result in chain.senders
        if result not in ("pass", "permerror")
    ]
    included = {_folded(domain) for domain, _text in chain.records}
    if relay and relay not in included and not chain.has_permanent_error:
        failing.append(f"those of the relay (include:{relay})")
    if failing:
        yield SpfFault(
            "dns.spf_sender",
            f"addresses for outgoing mail do not pass: {', '.join(failing)}",
            remedies.replace(),
        )


def _other_tail(chain: Chain, remedies: _Remedies) -> t.Iterator[SpfFault]:
    """Yield a fault if the record ends in another tail than the expected one.

    A record that ends in ``redirect`` has the tail of another record. If every address
    passes, or the record cannot be evaluated, there is a fault already.
    """
    terms = remedies.own.lower().split()[1:]
    tail = next((term for term in terms if _unqualified(term) == "all"), "")
    is_redirected = not tail and any(term.startswith("redirect=") for term in terms)
    if tail == remedies.expected_tail or is_redirected or chain.external in ("pass", "permerror"):
        return
    yield SpfFault(
        "dns.spf_tail",
        f"the record ends in {tail or 'no all'} instead of {remedies.expected_tail}",
        remedies.replace(),
    )


def _previous_providers(chain: Chain, remedies: _Remedies) -> t.Iterator[SpfFault]:
    """Yield a fault for each term that lets a previous provider of mailboxes send."""
    wanted = remedies.wanted.lower().split()
    former = {}
    for term in remedies.own.lower().split()[1:]:
        provider = _provider_of(term)
        if provider and term not in wanted:
            former[term] = provider
    for term, provider in former.items():
        yield SpfFault(
            "dns.spf_leftover",
            f"{term} still lets {provider} send as {chain.domain}",
            f"when no mail is sent from there any more:\n{remedies.without(*former)}",
        )


def _folded(domain: str) -> str:
    """Return a domain name in lower case, without the last dot."""
    return domain.rstrip(".").lower()


def _unqualified(term: str) -> str:
    """Return a term without its qualifier."""
    return term.lstrip("+-~?")


def _mechanism(term: str) -> str:
    """Return the mechanism's name of a term, in lower case."""
    return _unqualified(term.lower()).partition(":")[0]


def _needs_lookup(term: str) -> bool:
    """Return whether a term counts as a lookup (RFC 7208 section 4.6.4)."""
    name = _mechanism(term).partition("/")[0]
    is_redirect = _unqualified(term.lower()).startswith("redirect=")
    return name in ("include", "a", "mx", "ptr", "exists") or is_redirect


def _terms_of_line(line: str) -> list[str]:
    """Return the terms of the record in a line of a zone file."""
    return "".join(re.findall(r'"([^"]*)"', line)).split()[1:]


def _matches_every_address(term: str) -> bool:
    """Return whether a term decides about every address that no term before it matches."""
    return _unqualified(term.lower()) == "all" or term.lower().startswith("redirect=")


def _provider_of(term: str) -> t.Optional[str]:
    """Return the provider of mailboxes that a term lets send, or ``None``."""
    kind, _colon, target = _unqualified(term).replace("redirect=", "include:").partition(":")
    if kind not in ("include", "a", "mx"):
        return None
    # A prefix length may follow the name (RFC 7208 section 5.3).
    target = target.partition("/")[0].rstrip(".")
    for suffix, name in PREVIOUS_PROVIDERS.items():
        if target == suffix or target.endswith(f".{suffix}"):
            return name
    return None
