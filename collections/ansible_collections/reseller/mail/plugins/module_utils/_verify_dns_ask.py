# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the world what `_verify_dns` wants to know. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import typing as t
from collections import defaultdict

from ansible_collections.reseller.mail.plugins.module_utils import _https_policy
from ansible_collections.reseller.mail.plugins.module_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.module_utils._dns_publish import policies
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns import Answer, Question, answer, questions, to_findings

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker
    from ansible_collections.reseller.mail.plugins.module_utils._model import Estate, Node


async def _ask(asker: Asker, question: Question) -> Answer:
    replies = await asker.authoritative(question.name, question.type)
    if question.id == "dns.address" and any(reply.alias for reply in replies):
        # A name for clients may be a CNAME; what counts is where a client ends up.
        replies = [await asker.look_up(question.name, question.type)]
    return answer(question, replies)


async def _mx_target(asker: Asker, subject: str, hosts: t.Iterable[str]) -> Finding:
    """RFC 5321 section 5.1 and RFC 2181 section 10.3: an MX names a host that has addresses itself; no CNAME, no address."""
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
            silent.append(f"no answer about {host}")
        elif not any(reply.values for reply in replies):
            faults.append(f"{host} has no A or AAAA record")
    expected = "the MX names a host with A or AAAA records, no CNAME, no address"
    if faults:
        return Finding("dns.mx_target", subject, "fail", expected, "; ".join(faults), "give the host A and AAAA records of its own, and name it in the MX")
    if silent:
        return Finding("dns.mx_target", subject, "warn", expected, "; ".join(silent), "make the name servers of the MX host answer")
    return Finding("dns.mx_target", subject, "ok", expected, ", ".join(hosts))


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
    missing, silent = [], []
    for address in node.addresses:
        reply = await asker.look_up(ipaddress.ip_address(address).reverse_pointer, "PTR")
        names = [value.rstrip(".") for value in reply.values]
        forward = {found for name in names for found in await asker.addresses(name)}
        if reply.state == "silent":
            silent.append(f"{address}: {reply.why}")
        elif address not in forward:
            missing.append(f"{address} -> {', '.join(names) or 'no name'} -> {', '.join(sorted(forward)) or 'no address'}")
    expected = f"{', '.join(node.addresses)} -> {node.hostname} -> the same"
    if missing or silent:
        return Finding("dns.fcrdns", node.hostname, "fail" if missing else "warn", expected, "; ".join(missing + silent),
                       "let the owner of the address range set the PTR, and the zone of the host name its address")
    return Finding("dns.fcrdns", node.hostname, "ok", expected, "they agree")


async def _subject(asker: Asker, asked: list[Question], policy: t.Optional[str], pending: list[str], context: t.Any) -> list[Finding]:
    """Everything about one name: the MX first, because nothing else about mail means anything while it points elsewhere."""
    subject = asked[0].subject
    first = [await _ask(asker, question) for question in asked if question.id == "dns.mx"]
    findings = to_findings(first)
    replies = [reply for one in first for reply in await asker.authoritative(one.question.name, "MX")]
    hosts = sorted({value.split()[-1].rstrip(".") for reply in replies for value in reply.values})
    if hosts:
        findings.append(await _mx_target(asker, subject, hosts))
    if any(one.state == "fail" for one in first):
        rest = sorted({question.id for question in asked} - {"dns.mx"} | ({"dns.mta_sts_policy"} if policy else set()))
        return findings + [Finding(one, subject, "blocked", "", "not asked: the MX is wrong", "") for one in rest]
    findings += to_findings(await asyncio.gather(*(_ask(asker, question) for question in asked if question.id != "dns.mx")))
    if policy:
        findings.append(await _policy(asker, subject, policy, hosts, context))
    findings += [
        Finding("dns.dkim", subject, "warn", f"{selector}._domainkey.{subject} holds the key of {selector}", "pending: the node has not reported a key",
                f"converge {selector}, then publish") for selector in pending
    ]
    return findings


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
