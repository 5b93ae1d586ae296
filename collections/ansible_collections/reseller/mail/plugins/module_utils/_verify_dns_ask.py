# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the world what `_verify_dns` wants to know. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import typing as t
from collections import defaultdict
from dataclasses import replace

from ansible_collections.reseller.mail.plugins.module_utils import _https_policy
from ansible_collections.reseller.mail.plugins.module_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.module_utils._dns_publish import policies
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns import (
    Answer,
    Question,
    answer,
    questions,
    reverse,
    servers,
    to_findings,
)

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker
    from ansible_collections.reseller.mail.plugins.module_utils._model import Estate, Node


async def _ask(asker: Asker, question: Question) -> Answer:
    replies = await asker.authoritative(question.name, question.type)
    if question.id == "dns.address" and any(reply.alias for reply in replies):
        # A name for clients may be a CNAME; what counts is where a client ends up.
        replies = [await asker.look_up(question.name, question.type)]
    return answer(question, replies)


async def _mx_target(asker: Asker, subject: str, hosts: t.Iterable[str], mx_is_right: bool) -> t.Optional[Finding]:
    """RFC 5321 section 5.1 and RFC 2181 section 10.3: an MX names a host that has addresses itself; no CNAME, no address.
    A host without addresses is worth a finding of its own only where it is the right one."""
    faults, silent = [], []
    for host in hosts:
        if all(label.isdigit() for label in host.split(".")) or ":" in host:
            faults.append(f"{host} is an address, not a name")
            continue
        replies = [reply for rdtype in ("A", "AAAA") for reply in await asker.authoritative(host, rdtype)]
        alias = next((reply.alias for reply in replies if reply.alias), "")
        if alias:
            faults.append(f"{host} is a CNAME to {alias}")
        elif not replies or all(reply.state == "silent" for reply in replies):
            silent.append(f"no name server answers about {host}")
        elif mx_is_right and not any(reply.values for reply in replies):
            faults.append(f"{host} has no A or AAAA record")
    expected = "the MX names a host with A or AAAA records, no CNAME, no address"
    if faults:
        remedy = "give the host A and AAAA records of its own, and name it in the MX"
        return Finding("dns.mx_target", subject, "fail", expected, "; ".join(faults), remedy)
    if not mx_is_right:
        return None
    return Finding("dns.mx_target", subject, "blocked" if silent else "ok", expected, "; ".join(silent) or ", ".join(hosts))


async def _policy(asker: Asker, name: str, policy: str, hosts: t.Iterable[str], context: t.Any) -> Finding:
    """The MTA-STS policy as a sending server fetches it, and whether it allows the MX that the world knows (RFC 8461)."""
    url = f"https://mta-sts.{name}{_https_policy.PATH}"
    fetched = await asyncio.to_thread(_https_policy.fetch, name, await asker.addresses(f"mta-sts.{name}"), context)
    fault = _https_policy.judge(fetched, policy)
    strangers = [] if fetched.error else [host for host in hosts if not _https_policy.covers(fetched.body, host)]
    if strangers and not fault:
        fault = f"the policy does not allow the MX {', '.join(strangers)}"
    expected = f"{url}: 200 text/plain, " + "; ".join(policy.split("\n")).replace("\r", "").strip("; ")
    remedy = f"converge the node that serves {name}, then: curl -v {url}"
    return Finding("dns.mta_sts_policy", name, "fail" if fault else "ok", expected, fault or "the policy", remedy if fault else "")


async def _fcrdns(asker: Asker, node: Node) -> Finding:
    """Large receivers refuse senders whose address, name and address again do not agree."""
    answers = [(address, await _ask(asker, reverse(node, address))) for address in node.addresses]
    forward = await asker.addresses(node.hostname)
    expected = "; ".join(f"{address} → {node.hostname} → {address}" for address in node.addresses)
    wrong = [(address, one) for address, one in answers if one.state not in ("ok", "blocked")]
    lost = [address for address in node.addresses if str(ipaddress.ip_address(address)) not in forward]
    if wrong:
        found = "; ".join(f"{address} → {one.found}" for address, one in wrong)
        return Finding("dns.fcrdns", node.hostname, "fail", expected, found, "\n".join(one.remedy for _address, one in wrong))
    if lost or any(one.state == "blocked" for _address, one in answers):
        found = f"{node.hostname} does not lead to {', '.join(lost)}" if lost else "no name server answers"
        return Finding("dns.fcrdns", node.hostname, "blocked", expected, found)
    return Finding("dns.fcrdns", node.hostname, "ok", expected, "they agree")


def _waiting(finding: Finding) -> Finding:
    return replace(finding, state="blocked", found=f"{finding.found}; it waits until the policy can be fetched", remedy="")


async def _subject(asker: Asker, asked: list[Question], policy: t.Optional[str], pending: list[str], context: t.Any) -> list[Finding]:
    """Everything about one name: the MX first, because nothing else about mail means anything while it points elsewhere."""
    subject = asked[0].subject
    first = [await _ask(asker, question) for question in asked if question.id == "dns.mx"]
    findings = to_findings(first)
    replies = [reply for one in first for reply in await asker.authoritative(one.question.name, "MX")]
    hosts = sorted({value.split()[-1].rstrip(".") for reply in replies for value in reply.values})
    bad = any(one.state in ("fail", "blocked") for one in first)
    target = await _mx_target(asker, subject, hosts, not bad) if hosts else None
    findings += [target] if target else []
    if bad:
        late = {question.id for question in asked} - {"dns.mx"} | ({"dns.mta_sts_policy"} if policy else set()) | (set() if target else {"dns.mx_target"})
        findings += [Finding(one, subject, "blocked", "", f"not asked: the MX {'is wrong' if replies else 'is not known'}") for one in sorted(late)]
        asked = [one.question for one in first]
    else:
        findings += to_findings(await asyncio.gather(*(_ask(asker, question) for question in asked if question.id != "dns.mx")))
    if policy and not bad:
        fetched = await _policy(asker, subject, policy, hosts, context)
        # The record waits for the policy, not for whoever publishes it.
        findings = [_waiting(one) if one.id == "dns.mta_sts" and {one.state, fetched.state} == {"fail"} else one for one in findings] + [fetched]
    findings += [] if bad else [
        Finding("dns.dkim", subject, "warn", f"{selector}._domainkey.{subject} holds the key of {selector}", "pending: the node has not reported a key",
                f"converge {selector}, then publish") for selector in pending
    ]
    return [*findings, servers(subject, [(question, await asker.authoritative(question.name, question.type)) for question in asked])]


async def findings(estate: Estate, asker: Asker, ca_file: str = "") -> list[Finding]:
    """Every answer about every served name, the provider's own and the nodes'. Without a resolver there is no way to ask anybody."""
    resolver = await asker.look_up(".", "NS")
    if resolver.state == "silent":
        return [Finding("dns.resolver", str(asker.resolver), "fail", "an answer", resolver.why, "name a resolver that answers: verify_dns_resolver")]
    context = _https_policy.tls_context(ca_file)
    by_subject: dict[str, list[Question]] = defaultdict(list)
    for question in questions(estate, compile_dns.records(estate)):
        by_subject[question.subject].append(question)
    served, pending = policies(estate), defaultdict(list)
    for name, selector in compile_dns.pending(estate):
        pending[name].append(selector)
    work = [_subject(asker, asked, served.get(subject), pending[subject], context) for subject, asked in sorted(by_subject.items())]
    found = await asyncio.gather(*work, *(_as_list(_fcrdns(asker, node)) for node in estate.nodes))
    return [finding for rows in found for finding in rows]


async def _as_list(work: t.Coroutine[t.Any, t.Any, Finding]) -> list[Finding]:
    return [await work]
