# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be asked besides, to say what an answer means. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t
from dataclasses import replace

from .. import _spf_chain
from .._compile.dns.sets import is_spf
from .._text_records import Malformed, dkim_key, is_of
from . import former, mail_hosts, reports, senders
from .catalogue import Fault
from .questions import Question
from .settle import Outcome, lines, settle

if t.TYPE_CHECKING:
    from .._dns_query import Asker, Reply
    from .known import Known

NOBODY = "reseller-mail-nobody-made-this"
"""A label that exists only where a wildcard makes it."""
SELECTORS = ("default", "dkim", "mail")
"""Under which keys are published by hand, beside the names of nodes."""
ABSENT = frozenset({"dns.dkim_missing", "dns.dkim_ed25519_missing"})
MOST = 10
"""Hosts, or receivers of reports, of one record set that are asked about: anybody may name a thousand, and have us ask for each."""


def question(
    group: str, subject: str, name: str, rdtype: str, lines_: tuple[str, ...] = ()
) -> Question:
    """A question that no record of the model stands behind."""
    return Question(group, subject, name, rdtype, frozenset(), lines_)


async def kinds(asker: Asker, one: Question, replies: t.Iterable[Reply]) -> dict[str, str]:
    """What is wrong with MX hosts that are not ours. A server that does not answer proves nothing."""
    found = {}
    for host in sorted(
        mail_hosts.strangers(one, (value for reply in replies for value in reply.values))
    )[:MOST]:
        addresses = await asyncio.gather(asker.look_up(host, "A"), asker.look_up(host, "AAAA"))
        alias = next((reply.alias for reply in addresses if reply.alias), "")
        if alias:
            found[host] = f"an alias of {alias}"
        elif all(reply.state == "none" for reply in addresses):
            found[host] = "unresolved"
    return found


async def caa_above(asker: Asker, name: str) -> frozenset[str]:
    """The set of the closest name above that has one (RFC 8659 section 3)."""
    while "." in name:
        name = name.partition(".")[2]
        reply = await asker.look_up(name, "CAA")
        if reply.values or reply.state == "silent":
            return reply.values
    return frozenset()


async def provider(asker: Asker, known: Known) -> str:
    """Why the record that every tenant includes cannot be relied upon; empty when it can."""
    for one in known.subjects.get(known.provider, ()):
        if one.group == "dns.provider_spf":
            outcome = settle(one, await asker.authoritative(one.name, one.type), senders.exact)
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
    """What receivers make of the record, and whether it stands in the old type, too."""
    mine = next(
        (one for one in outcomes if one.question.group in ("dns.spf", "dns.provider_spf")), None
    )
    if mine is None or mine.silent:
        return []
    asked, found = mine.question, []
    old = [reply for reply in await asker.authoritative(asked.name, "SPF") if reply.values]
    if old:
        gone = tuple(
            f"{asked.name}. {old[0].ttl} IN SPF {value}" for value in sorted(old[0].values)
        )
        found.append(
            Outcome(
                asked, (Fault("dns.spf_type99", ", ".join(sorted(old[0].values)), remove=gone),)
            )
        )
    if mine.faults:
        return found
    wanted = next(value for value in asked.values if is_spf(value))
    sending = known.sending.get(asked.subject)
    if provider_fault and f"include:{known.provider}" in wanted.split():
        blocked["dns.spf"] = provider_fault
        return found
    chain = await _spf_chain.walk(asker, asked.subject, sending.addresses if sending else ())
    if chain.unsure:
        blocked["dns.spf" if asked.group == "dns.spf" else asked.group] = (
            "a name server on the way does not answer"
        )
        return found
    faults, relay = [], sending.relay if sending else ""
    for one in _spf_chain.faults(chain, asked.lines[0], wanted.split()[-1], relay):
        strict = one.id == "dns.spf_tail" and relay
        faults.append(
            Fault(one.id, one.found, words=(("todo", one.remedy),), state="fail" if strict else "")
        )
    return [*found, Outcome(asked, tuple(faults))] if faults else found


async def dmarc(asker: Asker, known: Known, outcomes: list[Outcome]) -> list[Outcome]:
    """Whether those who get reports exist, and agree. A permission that is ours to publish is a finding of its own."""
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
) -> t.Optional[Fault]:
    domain = address.rpartition("@")[2]
    if known.is_nobody(address):
        own = [value for value in reply.values if address in value.lower()]
        return Fault(
            f"{asked.group}_nobody",
            f"{address} is nobody's",
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
    return Fault(
        "dns.dmarc_unauthorised",
        f"{domain} does not agree to reports about {subject}",
        (f'{name}. 3600 IN TXT "v=DMARC1"',),
    )


async def dkim(asker: Asker, known: Known, subject: str, outcomes: list[Outcome]) -> list[Outcome]:
    """Where a missing key may be instead; servers that hide a key; keys of previous hosts; algorithms that no key signs with."""
    mine = [one for one in outcomes if one.question.group == "dns.dkim" and one.question.values]
    absent = [one for one in mine if _ids(one) & ABSENT]
    found = await _beneath(asker, subject, mine, absent, outcomes)
    faults = [_unsigned(subject, *one) for one in known.unsigned.get(subject, ())]
    found += (
        [Outcome(question("dns.dkim", subject, subject, "TXT"), tuple(faults))] if faults else []
    )
    made = await wildcard(asker, subject)  # it answers for former selectors, too
    return [
        *found,
        *made,
        *(await _leftover(asker, subject) if (mine or faults) and not made else []),
    ]


def _ids(outcome: Outcome) -> set[str]:
    return {fault.id for fault in outcome.faults}


def _unsigned(subject: str, node: str, algorithm: str, reported: bool) -> Fault:
    key, words = {"rsa": "RSA key", "ed25519": "Ed25519 key"}[algorithm], (("node", node),)
    if not reported:
        return Fault(
            "dns.dkim_pending", f"{node} has not reported the {key} of {subject}", words=words
        )
    return Fault(
        "dns.dkim_unsigned", f"{node} does not sign with the {key} of {subject} yet", words=words
    )


async def _beneath(
    asker: Asker,
    subject: str,
    mine: list[Outcome],
    absent: list[Outcome],
    outcomes: list[Outcome],
) -> list[Outcome]:
    """What is below ``_domainkey``, and whether the servers say so: what has something below it exists (RFC 8020)."""
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
        found = f"{servers}: {above} does not exist (NXDOMAIN), though keys are below it"
        fault = Fault("dns.dkim_hidden", found, words=(("server", servers),))
        return [Outcome(question("dns.dkim", subject, above, "TXT"), (fault,))]
    if len(absent) == len(mine):
        for one in absent:
            fault = Fault("dns.dkim_none", f"{above} does not exist (NXDOMAIN)", one.question.lines)
            outcomes[outcomes.index(one)] = replace(one, faults=(fault,))
    return []


async def _elsewhere(
    asker: Asker,
    subject: str,
    mine: list[Outcome],
    absent: list[Outcome],
    outcomes: list[Outcome],
) -> bool:
    """Say so where a missing key is at another selector; return whether one is."""
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
            fault = Fault(
                "dns.dkim_selector",
                f"the key of {one.question.name} is at {other}._domainkey.{subject}",
                one.question.lines,
            )
            outcomes[outcomes.index(one)] = replace(one, faults=(fault,))
            moved = True
    return moved


def _holds(value: str, key: str) -> bool:
    try:
        return dkim_key(value)["p"] == key
    except Malformed:
        return False


async def _leftover(asker: Asker, subject: str) -> list[Outcome]:
    faults = []
    for selector, host in former.SELECTORS.items():
        name = f"{selector}._domainkey.{subject}"
        reply = next(
            (one for one in await asker.authoritative(name, "TXT") if one.alias or one.values), None
        )
        if reply is not None:
            asked = question("dns.leftover", subject, name, "TXT")
            faults.append(
                Fault(
                    "dns.leftover_dkim",
                    f"{name} ({host})",
                    remove=lines(asked, reply, reply.values),
                )
            )
    return [Outcome(question("dns.leftover", subject, subject, "TXT"), tuple(faults), "nothing")]


async def wildcard(asker: Asker, subject: str) -> list[Outcome]:
    """A wildcard without the type that is asked for answers NOERROR, too, but so do servers that deny everything that way; so only an
    answer counts."""
    name = f"{NOBODY}.{subject}"
    for rdtype in ("TXT", "A"):
        for reply in await asker.authoritative(name, rdtype):
            if reply.alias or reply.values:
                asked = question("dns.wildcard", subject, f"*.{subject}", rdtype)
                gone = tuple(
                    line.replace(NOBODY, "*") for line in lines(asked, reply, reply.values)
                )
                return [
                    Outcome(
                        asked,
                        (
                            Fault(
                                "dns.wildcard",
                                f"{name} exists: {', '.join(sorted(reply.values)) or reply.alias}",
                                remove=gone,
                            ),
                        ),
                    )
                ]
            if reply.why == "NXDOMAIN":
                return []
    return []
