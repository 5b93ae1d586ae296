# SPDX-License-Identifier: GPL-3.0-or-later
"""What the world should say about an estate's names, and what its answers mean.

PRIVATE to the collection. Pure: no Ansible, no network, no clock; the answers come in as arguments.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._compile.dns import PURPOSES, Record, zone_line
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns.sets import is_spf
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding, worst

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Reply
    from ansible_collections.reseller.mail.plugins.module_utils._model import Estate, Node

_VERSIONED = {"dns.dmarc": "v=dmarc1", "dns.mta_sts": "v=stsv1", "dns.tls_rpt": "v=tlsrptv1"}
_SPF = ("dns.spf", "dns.provider_spf", "dns.node_spf", "dns.null_spf")


@dataclass(frozen=True, slots=True)
class Question:
    """One record set that the world is asked about, and what it should hold. ``lines`` are its records, ready to be copied."""

    id: str
    subject: str
    name: str
    type: str
    values: frozenset[str]
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question's replies amount to."""

    question: Question
    state: str
    found: str
    remedy: str


def record_line(name: str, ttl: int, rdtype: str, value: str) -> str:
    """A record as a line to copy."""
    return zone_line(Record(name, name, rdtype, ttl, value, False))


def questions(estate: Estate, records: t.Iterable[Record]) -> list[Question]:
    """Everything to ask, by subject: the records of the model."""
    sets: dict[tuple[str, str, str, str], list[Record]] = {}
    for record in records:
        sets.setdefault((record.domain, PURPOSES[record.purpose].finding, record.name, record.type), []).append(record)
    asked = [
        Question(question_id, subject, name, rdtype, frozenset(_plain(rdtype, one.value) for one in rows),
                 tuple(sorted(record_line(name, one.ttl, rdtype, one.value) for one in rows)))
        for (subject, question_id, name, rdtype), rows in sorted(sets.items())
    ]
    return asked


def reverse(node: Node, address: str) -> Question:
    """The reverse name of a node's address."""
    name = ipaddress.ip_address(address).reverse_pointer
    line = record_line(name, 3600, "PTR", f"{node.hostname}.")
    return Question("dns.ptr", node.hostname, name, "PTR", frozenset([f"{node.hostname}."]), (line,))


def _plain(rdtype: str, value: str) -> str:
    """A value in the one form that compares."""
    if rdtype in ("A", "AAAA"):
        return str(ipaddress.ip_address(value))
    return value if rdtype == "TXT" else value.lower()


def tags(value: str) -> dict[str, str]:
    """``k=v; k=v`` as DKIM, DMARC, MTA-STS and TLS-RPT write it; white space inside a value means nothing there."""
    pairs = (part.partition("=") for part in value.split(";") if part.strip())
    return {name.strip().lower(): "".join(text.split()) for name, _sign, text in pairs}


def _compare_spf(question: Question, values: frozenset[str]) -> tuple[str, str]:
    """A tenant may allow more senders than ours in its own record, but must keep our terms and the refusing tail."""
    found = sorted(filter(is_spf, values))
    if len(found) != 1:
        return "fail", f"{len(found)} SPF records: {' | '.join(found)}" if found else "no SPF record"
    want, have = (text.lower().split() for text in (next(iter(question.values)), found[0]))
    if want == have:
        return "ok", found[0]
    if not set(want[:-1]) <= set(have):
        return "fail", found[0]
    return ("ok" if have[-1] == want[-1] else "warn"), found[0]


def _compare_versioned(question: Question, values: frozenset[str]) -> tuple[str, str]:
    version = _VERSIONED[question.id]
    found = sorted(value for value in values if "".join(value.split()).lower().startswith(version))
    if len(found) != 1:
        return "fail", f"{len(found)} records of {version}: {' | '.join(found)}" if found else "no such record"
    if tags(found[0]) == tags(next(iter(question.values))):
        return "ok", found[0]
    # A tenant that writes its own DNS may choose another DMARC policy or other report addresses: to be looked at, not broken.
    return ("fail" if question.id == "dns.mta_sts" else "warn"), found[0]


def _compare_dkim(question: Question, values: frozenset[str]) -> tuple[str, str]:
    want = tags(next(iter(question.values))).get("p")
    keys = [tags(value).get("p") for value in values if "p" in tags(value)]
    if len(keys) != 1:
        return "fail", f"{len(keys)} keys at {question.name}" if keys else "no key"
    if keys[0] == want:
        return "ok", "the key that the node reported"
    return "fail", "a revoked key (empty p=)" if keys[0] == "" else "another key than the node signs with"


def compare(question: Question, reply: Reply) -> tuple[str, str]:
    """What one server's answer is worth: a state and the answer in words."""
    if reply.state != "answer":
        return "fail", f"no such record ({reply.why})" if reply.why == "NXDOMAIN" else "no such record"
    if question.id in _SPF:
        return _compare_spf(question, reply.values)
    if question.id in _VERSIONED:
        return _compare_versioned(question, reply.values)
    if question.id == "dns.dkim":
        return _compare_dkim(question, reply.values)
    return ("ok" if reply.values == question.values else "fail"), ", ".join(sorted(reply.values))


def answer(question: Question, replies: t.Sequence[Reply]) -> Answer:
    """What all authoritative servers say together. A silent server is no proof of a missing record, and is a finding of its own
    (`servers`); servers that disagree are propagating."""
    heard = [(reply, *compare(question, reply)) for reply in replies if reply.state != "silent"]
    if not heard:
        return Answer(question, "blocked", "no name server answers", "")
    states = {state for _reply, state, _found in heard}
    if "ok" in states and len(states) > 1:
        stale = [f"{reply.server} says {found} (TTL {reply.ttl} s)" for reply, state, found in heard if state != "ok"]
        wait = max(60, *(reply.ttl for reply, state, _found in heard if state != "ok"))
        return Answer(question, "warn", f"propagating: {'; '.join(stale)}", f"wait {wait} s, then verify again")
    state, found = worst(states), "; ".join(sorted({found for _reply, _state, found in heard}))
    remedy = "publish " + "\n".join(question.lines)
    if state == "fail" and question.id in _SPF:
        extra = sorted(value for reply, _state, _found in heard for value in reply.values if is_spf(value) and value not in question.values)
        gone = [f"remove {record_line(question.name, heard[0][0].ttl, 'TXT', value)}" for value in dict.fromkeys(extra)]
        there = question.values <= heard[0][0].values
        remedy = "\n".join(gone if there else [*gone, remedy])
    return Answer(question, state, found, "" if state == "ok" else remedy)


def servers(subject: str, heard: t.Iterable[tuple[Question, t.Sequence[Reply]]]) -> Finding:
    """Whether every name server of the subject's zones answers; asked of all replies about it at once, because one dead server is one
    finding and not one a record."""
    silent: dict[str, set[str]] = {}
    good: set[str] = set()
    orphans = set()
    for question, replies in heard:
        if not replies:
            orphans.add(question.name)
        for reply in replies:
            if reply.state == "silent":
                silent.setdefault(reply.server, set()).add(reply.why)
            else:
                good.add(reply.server)
    faults = [f"{server}: {', '.join(sorted(why))}" for server, why in sorted(silent.items())]
    faults += [f"no name server could be found for {name}" for name in sorted(orphans)]
    if not faults:
        return Finding("dns.servers", subject, "ok", "every name server answers", ", ".join(sorted(good)))
    remedy = "make every name server answer, or take it out of the zone's NS records"
    return Finding("dns.servers", subject, "warn" if good else "fail", "every name server answers", "; ".join(faults), remedy)


def to_findings(answers: t.Iterable[Answer]) -> list[Finding]:
    """One finding for every question's id and subject: several record sets of one kind (SRV, two selectors) are one answer."""
    groups: dict[tuple[str, str], list[Answer]] = {}
    for one in answers:
        groups.setdefault((one.question.id, one.question.subject), []).append(one)
    findings = []
    for (question_id, subject), rows in sorted(groups.items()):
        state = worst(one.state for one in rows)
        shown = [one for one in rows if one.state == state]
        expected = "\n".join(line for one in shown for line in one.question.lines)
        found = "\n".join(dict.fromkeys(one.found if len(rows) == 1 else f"{one.question.name} {one.question.type}: {one.found}" for one in shown))
        remedy = "\n".join(dict.fromkeys(one.remedy for one in shown if one.remedy))
        findings.append(Finding(question_id, subject, state, expected, found, remedy))
    return findings
