# SPDX-License-Identifier: GPL-3.0-or-later
"""Further queries that show what an answer means.

Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import replace

from ..._dns import spf as dns_spf
from ..._dns.rrset import is_spf
from ..._dns.text_records import Malformed, dkim_key, is_of
from . import mail_hosts, previous_providers, reports, senders
from .catalogue import Defect
from .merge_answers import Outcome, lines, merge
from .questions import Question

if t.TYPE_CHECKING:
    from ..._dns.query import Asker, Reply
    from .expected import Known

UNUSED = "reseller-mail-unused-name"
"""A label that exists only where a wildcard makes it."""
SELECTORS = ("default", "dkim", "mail")
"""Selectors under which operators publish keys by hand, in addition to the names of nodes."""
ABSENT = frozenset({"dns.dkim_missing", "dns.dkim_ed25519_missing"})
MOST = 10
"""How many hosts, or receivers of reports, of one record set are looked up. A record set may name
a thousand, and each costs a query."""


def question(
    group: str, subject: str, name: str, rdtype: str, lines_: tuple[str, ...] = ()
) -> Question:
    """Return a question for a finding about something that no record of the model needs."""
    return Question(group, subject, name, rdtype, frozenset(), lines_)


async def kinds(asker: Asker, one: Question, replies: t.Iterable[Reply]) -> dict[str, str]:
    """Return what is wrong with MX hosts that are not ours: ``an alias of NAME`` or ``unresolved``.

    A host is not unresolved if a name server does not answer.
    """
    found = {}
    for host in sorted(
        mail_hosts.external_hosts(one, (value for reply in replies for value in reply.values))
    )[:MOST]:
        addresses = await asyncio.gather(asker.look_up(host, "A"), asker.look_up(host, "AAAA"))
        alias = next((reply.alias for reply in addresses if reply.alias), "")
        if alias:
            found[host] = f"an alias of {alias}"
        elif all(reply.state == "none" for reply in addresses):
            found[host] = "unresolved"
    return found


async def caa_above(asker: Asker, name: str) -> frozenset[str]:
    """Return the CAA records of the closest name above that has some (RFC 8659 section 3)."""
    while "." in name:
        name = name.partition(".")[2]
        reply = await asker.look_up(name, "CAA")
        if reply.values or reply.state == "silent":
            return reply.values
    return frozenset()


async def provider(asker: Asker, known: Known) -> str:
    """Return why the SPF record that every tenant includes is not usable now; empty if it is."""
    for one in known.subjects.get(known.provider, ()):
        if one.group == "dns.provider_spf":
            outcome = merge(one, await asker.authoritative(one.name, one.type), senders.exact)
            if outcome.silent or outcome.faults:
                return f"it waits for the SPF record of {known.provider}"
    return ""


async def spf(
    asker: Asker,
    known: Known,
    outcomes: list[Outcome],
    provider_fault: str,
    blocked: dict[str, str],
) -> list[Outcome]:
    """Return what is wrong with the SPF record as receivers evaluate it, and a record of type 99.

    If it cannot be evaluated now, add the question to ``blocked``.
    """
    mine = next(
        (one for one in outcomes if one.question.group in ("dns.spf", "dns.provider_spf")), None
    )
    if mine is None or mine.silent:
        return []
    asked = mine.question
    found = await _spf_type99(asker, asked)
    if mine.faults:
        return found
    wanted = next(value for value in asked.values if is_spf(value))
    sending = known.sending.get(asked.subject)
    if provider_fault and f"include:{known.provider}" in wanted.split():
        blocked["dns.spf"] = provider_fault
        return found
    chain = await dns_spf.evaluate(asker, asked.subject, sending.addresses if sending else ())
    if chain.is_uncertain:
        blocked[asked.group] = "a name server in the chain does not answer"
        return found
    faults = tuple(_chain_defects(chain, asked, wanted, sending.relay if sending else ""))
    return [*found, Outcome(asked, faults)] if faults else found


def _chain_defects(
    chain: dns_spf.Chain, asked: Question, wanted: str, relay: str
) -> t.Iterator[Defect]:
    """Yield what is wrong with an evaluated chain. With a relay, -all must be last."""
    for one in dns_spf.faults(chain, asked.lines[0], wanted.split()[-1], relay):
        strict = relay and wanted.endswith(" -all")
        state = "fail" if one.id == "dns.spf_tail" and strict else ""
        yield Defect(one.id, one.found, words=(("todo", one.remedy),), state=state)


async def _spf_type99(asker: Asker, asked: Question) -> list[Outcome]:
    """Return that there is an SPF record of type 99, which is no longer used (RFC 7208 section
    3.1)."""
    old = await asker.one_authoritative(asked.name, "SPF")
    if old is None or not old.values:
        return []
    values = sorted(old.values)
    gone = tuple(f"{asked.name}. {old.ttl} IN SPF {value}" for value in values)
    return [Outcome(asked, (Defect("dns.spf_type99", ", ".join(values), remove=gone),))]


async def dmarc(asker: Asker, known: Known, outcomes: list[Outcome]) -> list[Outcome]:
    """Return what is wrong with the receivers of reports: they must exist and accept the reports.

    A permission that we must publish ourselves is a finding of its own.
    """
    found = []
    for one in outcomes:
        unread = any(fault.id.endswith(("_missing", "_two", "_syntax")) for fault in one.faults)
        if one.question.group not in ("dns.dmarc", "dns.tls_rpt") or one.silent or unread:
            continue
        replies = [
            reply for reply in await asker.authoritative(one.question.name, "TXT") if reply.values
        ]
        for address in list(
            dict.fromkeys(
                address
                for reply in replies
                for address in reports.receivers(one.question, reply.values)
            )
        )[:MOST]:
            fault = await _receiver(asker, known, one.question, replies[0], address)
            if fault:
                found.append(Outcome(one.question, (fault,)))
    return found


async def _receiver(
    asker: Asker, known: Known, asked: Question, reply: Reply, address: str
) -> t.Optional[Defect]:
    """Return what is wrong with one receiver of reports; None if nothing is."""
    domain = address.rpartition("@")[2]
    if known.is_unknown(address):
        own = [value for value in reply.values if address in value.lower()]
        return Defect(
            f"{asked.group}_no_mailbox",
            f"{address} does not exist here",
            asked.lines,
            lines(asked, reply, own),
            (("address", address),),
        )
    subject = asked.subject
    if (
        asked.group != "dns.dmarc"
        or domain == subject
        or domain.endswith(f".{subject}")
        or subject.endswith(f".{domain}")
    ):
        return None
    name = f"{subject}._report._dmarc.{domain}"
    grant = await asker.look_up(name, "TXT")
    if (
        name in known.grants
        or grant.state == "silent"
        or any(is_of("dmarc", value) for value in grant.values)
    ):
        return None
    return Defect(
        "dns.dmarc_unauthorised",
        f"{domain} does not agree to reports about {subject}",
        (f'{name}. 3600 IN TXT "v=DMARC1"',),
    )


async def dkim(asker: Asker, known: Known, subject: str, outcomes: list[Outcome]) -> list[Outcome]:
    """Return further findings about DKIM.

    These are keys under another selector, servers that hide keys, keys of previous providers, and
    algorithms without a key in service.
    """
    mine = [one for one in outcomes if one.question.group == "dns.dkim" and one.question.values]
    absent = [one for one in mine if _ids(one) & ABSENT]
    found = await _beneath(asker, subject, mine, absent, outcomes)
    faults = [_unsigned(subject, *one) for one in known.unsigned.get(subject, ())]
    found += (
        [Outcome(question("dns.dkim", subject, subject, "TXT"), tuple(faults))] if faults else []
    )
    made = await wildcard(asker, subject)  # a wildcard also answers for old selectors
    return [
        *found,
        *made,
        *(await _leftover(asker, subject) if (mine or faults) and not made else []),
    ]


def _ids(outcome: Outcome) -> set[str]:
    """Return the ids of what is wrong."""
    return {fault.id for fault in outcome.faults}


def _unsigned(subject: str, node: str, algorithm: str, reported: bool) -> Defect:
    """Return the defect about an algorithm without a key in service."""
    key, words = {"rsa": "RSA key", "ed25519": "Ed25519 key"}[algorithm], (("node", node),)
    if not reported:
        return Defect(
            "dns.dkim_pending", f"{node} has not reported the {key} of {subject}", words=words
        )
    return Defect(
        "dns.dkim_unsigned", f"{node} does not sign with the {key} of {subject} yet", words=words
    )


async def _beneath(
    asker: Asker,
    subject: str,
    mine: list[Outcome],
    absent: list[Outcome],
    outcomes: list[Outcome],
) -> list[Outcome]:
    """Return what is wrong with ``_domainkey``, which exists if a key is below it (RFC 8020).

    If no key exists at all, replace the outcomes about missing keys by ``dns.dkim_none``.
    """
    if not mine:
        return []
    moved = await _elsewhere(asker, subject, mine, absent, outcomes) if absent else False
    above = f"_domainkey.{subject}"
    deny = [
        reply.server for reply in await asker.authoritative(above, "TXT") if reply.why == "NXDOMAIN"
    ]
    if not deny:
        return []
    if moved or any(
        not one.silent and not _ids(one) & {*ABSENT, "dns.propagating"} for one in mine
    ):
        servers = ", ".join(deny)
        found = f"{servers}: {above} does not exist (NXDOMAIN), although keys are below it"
        fault = Defect("dns.dkim_hidden", found, words=(("server", servers),))
        return [Outcome(question("dns.dkim", subject, above, "TXT"), (fault,))]
    if len(absent) == len(mine):
        for one in absent:
            fault = Defect(
                "dns.dkim_none", f"{above} does not exist (NXDOMAIN)", one.question.lines
            )
            outcomes[outcomes.index(one)] = replace(one, faults=(fault,))
    return []


async def _elsewhere(
    asker: Asker,
    subject: str,
    mine: list[Outcome],
    absent: list[Outcome],
    outcomes: list[Outcome],
) -> bool:
    """Return whether a missing key is at another selector; replace the outcomes about such keys."""
    selectors = dict.fromkeys([*SELECTORS, *(one.question.name.partition(".")[0] for one in mine)])
    there = {
        selector: await asker.look_up(f"{selector}._domainkey.{subject}", "TXT")
        for selector in selectors
    }
    moved = False
    for one in (one for one in absent if "dns.dkim_missing" in _ids(one)):
        want = dkim_key(one.question.value)["p"]
        other = next(
            (
                selector
                for selector, reply in there.items()
                if any(_holds(value, want) for value in reply.values)
            ),
            None,
        )
        if other:
            fault = Defect(
                "dns.dkim_selector",
                f"the key of {one.question.name} is at {other}._domainkey.{subject}",
                one.question.lines,
            )
            outcomes[outcomes.index(one)] = replace(one, faults=(fault,))
            moved = True
    return moved


def _holds(value: str, key: str) -> bool:
    """Return whether a record has this public key."""
    try:
        return dkim_key(value)["p"] == key
    except Malformed:
        return False


async def _leftover(asker: Asker, subject: str) -> list[Outcome]:
    """Return the keys of previous providers that are still in DNS."""
    faults = []
    for selector, host in previous_providers.SELECTORS.items():
        name = f"{selector}._domainkey.{subject}"
        reply = await asker.one_authoritative(name, "TXT")
        if reply is not None and (reply.alias or reply.values):
            asked = question("dns.leftover", subject, name, "TXT")
            faults.append(
                Defect(
                    "dns.leftover_dkim",
                    f"{name} ({host})",
                    remove=lines(asked, reply, reply.values),
                )
            )
    return [Outcome(question("dns.leftover", subject, subject, "TXT"), tuple(faults), "nothing")]


async def wildcard(asker: Asker, subject: str) -> list[Outcome]:
    """Return that a wildcard exists below the name.

    Only an answer with records counts: NOERROR without records may be a wildcard without this type,
    but some servers give it for every name.
    """
    name = f"{UNUSED}.{subject}"
    for rdtype in ("TXT", "A"):
        reply = await asker.one_authoritative(name, rdtype)
        if reply is None or reply.why == "NXDOMAIN":
            return []
        if reply.alias or reply.values:
            asked = question("dns.wildcard", subject, f"*.{subject}", rdtype)
            gone = tuple(line.replace(UNUSED, "*") for line in lines(asked, reply, reply.values))
            found = f"{name} exists: {', '.join(sorted(reply.values)) or reply.alias}"
            return [Outcome(asked, (Defect("dns.wildcard", found, remove=gone),))]
    return []
