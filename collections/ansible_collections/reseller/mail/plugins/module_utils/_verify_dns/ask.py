# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the world about every name of an estate. Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from .. import _https_policy
from .._compile import _services, autoconfig
from .._dns_query import LOOP, in_turn
from .._finding import Finding, worst
from . import clients, mail_hosts, more, reports, senders, settings, zone
from .catalogue import Fault, finding, shown
from .known import Known, learn
from .policy import faults as policy_faults
from .settle import Judge, Outcome, lines, settle

if t.TYPE_CHECKING:
    from .._dns_query import Asker, Reply
    from .._model.estate import Estate
    from .questions import Question

JUDGES: t.Final[dict[str, Judge]] = {
    "dns.null_mx": mail_hosts.null_mx,
    "dns.spf": senders.spf,
    "dns.null_spf": senders.exact,
    "dns.provider_mx": mail_hosts.provider_mx,
    "dns.provider_spf": senders.exact,
    "dns.node_spf": senders.exact,
    "dns.dkim": senders.dkim,
    "dns.dmarc": reports.dmarc,
    "dns.dmarc_grant": reports.grant,
    "dns.mta_sts": reports.mta_sts,
    "dns.tls_rpt": reports.tls_rpt,
    "dns.srv": clients.srv,
    "dns.autoconfig": clients.settings,
    "dns.autodiscover": clients.settings,
    "dns.address": clients.address,
    "dns.node_address": mail_hosts.node_address,
    "dns.tlsa": mail_hosts.tlsa,
    "dns.fcrdns": mail_hosts.fcrdns,
}
"""By the question; MX and CAA need more than the answer."""
SELF = frozenset({"dns.node_address", "dns.mx"})
"""Where a CNAME is the fault, wherever it leads."""
COVERING = frozenset(
    {
        "dns.alias_loop",
        "dns.alias_apex",
        "dns.address_alias",
        "dns.node_address_alias",
        "dns.leftover_autodiscover",
    }
)
REVERSE = frozenset({"dns.fcrdns"})
NAMES = 50
"""Names that are asked about at once: a zone's servers are then asked about the same soon one after the other."""
FETCHES = 32
"""Policies and settings that are fetched at once; most of the time each waits."""


def _careful(judge: Judge, question: Question, reply: Reply) -> t.Iterator[Fault]:
    """What goes before any judging: names that lead in a circle, and domains that are aliases."""
    if reply.why == LOOP:
        yield Fault(
            "dns.alias_loop",
            f"{question.name} → {reply.alias} → …",
            question.lines,
            lines(question, reply, ()),
        )
    elif (
        reply.alias
        and question.name == question.subject
        and question.group in ("dns.mx", "dns.null_mx")
    ):
        yield Fault(
            "dns.alias_apex",
            f"a CNAME to {reply.alias}",
            question.lines,
            lines(question, reply, ()),
        )
    else:
        yield from judge(question, reply)


class _Subject:
    """Everything about one name."""

    def __init__(
        self, asker: Asker, known: Known, name: str, context: t.Any, waits: t.Counter[str]
    ) -> None:
        self.asker, self.known, self.name, self.context, self.waits = (
            asker,
            known,
            name,
            context,
            waits,
        )
        self.asked = known.subjects[name]
        self.outcomes: list[Outcome] = []
        self.blocked: dict[str, str] = {}

    async def findings(self, provider_fault: str) -> list[Finding]:
        """The MX first, because nothing else about mail means anything while it points elsewhere."""
        lost = await zone.lost(self.asker, self.name)
        if lost:
            where = lost[0].id
            return [
                *lost,
                *(self._blocked(group, f"not asked: {where}") for group in self._groups()),
            ]
        first = [question for question in self.asked if question.group in ("dns.mx", "dns.null_mx")]
        self.outcomes += await asyncio.gather(*map(self._ask, first))
        wrong = {fault.id for one in self.outcomes for fault in one.faults} & mail_hosts.ASTRAY
        unknown = any(one.silent for one in self.outcomes)
        if wrong or unknown:
            why = f"not asked: the MX {'is wrong' if wrong else 'is not known'}"
            self.blocked.update(
                (group, why) for group in self._groups() if group not in ("dns.mx", "dns.null_mx")
            )
            return self._said()
        self.outcomes += await asyncio.gather(
            *(self._ask(one) for one in self.asked if one not in first)
        )
        self.outcomes += [
            one
            for rows in await asyncio.gather(
                more.spf(self.asker, self.known, self.outcomes, provider_fault, self.blocked),
                more.dmarc(self.asker, self.known, self.outcomes),
                more.dkim(self.asker, self.known, self.name, self.outcomes),
                self._policy(),
                self._settings(),
            )
            for one in rows
        ]
        return self._said()

    def _groups(self) -> list[str]:
        fetched = [
            *(["dns.mta_sts_policy"] if self.name in self.known.policies else ()),
            *(["dns.settings"] if self.name in self.known.settings else ()),
        ]
        return sorted({question.group for question in self.asked} - REVERSE | set(fetched))

    async def _ask(self, question: Question) -> Outcome:
        replies = await self.asker.authoritative(question.name, question.type)
        if question.group not in SELF and any(
            reply.alias and not reply.values and reply.why != LOOP for reply in replies
        ):
            # A CNAME into another zone: what counts is where a client, or a receiver, ends up.
            end = await self.asker.look_up(question.name, question.type)
            replies = [end] if end.state != "silent" else []
        judge: Judge = JUDGES.get(question.group, clients.caa)
        if question.group == "dns.mx":
            judge = partial(mail_hosts.mx, kinds=await more.kinds(self.asker, question, replies))
        elif question.group == "dns.caa" and any(reply.state == "none" for reply in replies):
            judge = partial(clients.caa, above=await more.caa_above(self.asker, question.name))
        return settle(question, replies, partial(_careful, judge))

    async def _policy(self) -> list[Outcome]:
        """The MTA-STS policy as a sending server fetches it; the record waits for the policy, not for whoever publishes it."""
        policy = self.known.policies.get(self.name)
        if policy is None:
            return []
        host, group = f"mta-sts.{self.name}", "dns.mta_sts_policy"
        if any(
            one.silent or one.faults
            for one in self.outcomes
            if one.question.name == host and one.question.group == "dns.address"
        ):
            self.blocked[group] = f"it waits for {host}"
            return []
        url = f"https://{host}{_https_policy.PATH}"
        fetched = await asyncio.to_thread(
            _https_policy.fetch,
            self.name,
            await self.asker.addresses(host),
            self.context,
            waits=self.waits,
        )
        hosts = [
            mail_hosts.target(value)
            for reply in await self.asker.authoritative(self.name, "MX")
            for value in reply.values
        ]
        found = tuple(policy_faults(self.name, url, fetched, policy, dict.fromkeys(hosts)))
        record = next((one for one in self.outcomes if one.question.group == "dns.mta_sts"), None)
        if found and record and {fault.id for fault in record.faults} == {"dns.mta_sts_missing"}:
            self.outcomes.remove(record)
            self.blocked["dns.mta_sts"] = "it waits until the policy can be fetched"
        expected = (f"{url}: 200 text/plain, " + "; ".join(policy.split("\r\n")).strip("; "),)
        return [
            Outcome(more.question(group, self.name, host, "HTTPS", expected), found, "the policy")
        ]

    async def _settings(self) -> list[Outcome]:
        """What mail programs are told, asked for as Thunderbird and Outlook do."""
        outcomes = []
        for label, path in _services.SETTINGS.items() if self.name in self.known.settings else ():
            host, group = f"{label}.{self.name}", "dns.settings"
            if any(
                one.silent or one.faults
                for one in self.outcomes
                if one.question.name == host and one.question.group == f"dns.{label}"
            ):
                self.blocked[group] = f"it waits for {host}"
                continue
            addresses = await self.asker.addresses(host)
            if not addresses:  # what is wrong with the zone is a finding of its own
                self.blocked[group] = f"{host} cannot be resolved"
                continue
            url, post = (
                f"https://{host}{path}",
                autoconfig.QUESTION.format(domain=self.name).encode()
                if label == "autodiscover"
                else b"",
            )
            fetched = await asyncio.to_thread(
                _https_policy.ask, host, path, addresses, self.context, post=post, waits=self.waits
            )
            found = tuple(
                settings.faults(
                    host,
                    url,
                    fetched,
                    autoconfig.answer(label, *self.known.settings[self.name], self.name),
                )
            )
            outcomes.append(
                Outcome(
                    more.question(
                        group,
                        self.name,
                        host,
                        "HTTPS",
                        (f"{url}: 200 text/xml, the settings of the files",),
                    ),
                    found,
                    url,
                )
            )
        return outcomes

    def _blocked(self, group: str, why: str) -> Finding:
        return Finding(group, self.name, "blocked", "", why)

    def _said(self) -> list[Finding]:
        return [
            *(self._blocked(group, why) for group, why in sorted(self.blocked.items())),
            *told(self.name, self.outcomes, set(self.blocked)),
        ]


def _uncovered(outcomes: list[Outcome]) -> list[Outcome]:
    """Without what merely follows from a CNAME: beside it nothing else can stand at the name."""
    covered = {
        one.question.name for one in outcomes if any(fault.id in COVERING for fault in one.faults)
    }
    return [
        one
        for one in outcomes
        if one.question.name not in covered
        or not one.faults
        or any(fault.id in COVERING for fault in one.faults)
    ]


def told(
    subject: str, outcomes: t.Iterable[Outcome], skip: t.Collection[str] = ()
) -> list[Finding]:
    """One finding for each id: several record sets of one kind (SRV, two selectors) are one answer; a question that is well has one
    under its own id."""
    groups: dict[str, list[Outcome]] = {}
    for one in _uncovered(list(outcomes)):
        groups.setdefault(one.question.group, []).append(one)
    bad: dict[str, list[tuple[Outcome, Finding]]] = {}
    found = []
    for group, rows in sorted(groups.items()):
        for one in rows:
            for fault in one.faults:
                bad.setdefault(fault.id, []).append(
                    (one, finding(fault, subject, "\n".join(one.question.lines)))
                )
        expected = "\n".join(line for one in rows for line in one.question.lines)
        if any(one.faults for one in rows) or group in skip:
            continue
        if any(one.silent for one in rows):
            found.append(Finding(group, subject, "blocked", expected, "no name server answers"))
        else:
            found.append(
                Finding(
                    group,
                    subject,
                    "ok",
                    expected,
                    shown("\n".join(dict.fromkeys(one.found for one in rows))),
                )
            )
    for id_, pairs in bad.items():
        texts = [
            [getattr(one, key) for _outcome, one in pairs]
            for key in ("expected", "found", "remedy")
        ]
        expected, text, remedy = ("\n".join(dict.fromkeys(filter(None, rows))) for rows in texts)
        found.append(
            Finding(
                id_, subject, worst(one.state for _outcome, one in pairs), expected, text, remedy
            )
        )
    return found


async def _reverse(asker: Asker, asked: list[Question]) -> list[Finding]:
    """Large receivers refuse senders whose address, name and address again do not agree. Where the name does not lead back, that is a
    finding about the name."""
    subject = asked[0].subject
    outcomes = [
        settle(one, await asker.authoritative(one.name, "PTR"), mail_hosts.fcrdns) for one in asked
    ]
    return told(subject, outcomes)


async def findings(
    estate: Estate,
    asker: Asker,
    ca_file: str = "",
    only: t.Optional[t.Collection[str]] = None,
    progress: t.Callable[[int, int], None] = lambda done, of: None,
) -> list[Finding]:
    """Every answer about every served name, the provider's own and the hosts', or about some of them. Without a resolver there is no
    way to ask anybody. ``progress`` is told how many names of how many are done."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(FETCHES))
    resolver = await asker.look_up(".", "NS")
    if resolver.state == "silent":
        return [
            finding(Fault("dns.resolver_silent", resolver.why), str(asker.resolver), "an answer")
        ]
    known = learn(estate)
    context = _https_policy.tls_context(ca_file)
    provider_fault = await more.provider(asker, known)
    waits: t.Counter[str] = Counter()
    subjects = [
        _Subject(asker, known, name, context, waits)
        for name in sorted(known.subjects)
        if only is None or name in only
    ]
    work: list[t.Coroutine[t.Any, t.Any, list[Finding]]] = []
    for one in subjects:
        back = [question for question in one.asked if question.group in REVERSE]
        one.asked = [question for question in one.asked if question.group not in REVERSE]
        work.append(one.findings(provider_fault if one.name != known.provider else ""))
        work += [_reverse(asker, back)] if back else []
    done = 0

    async def told(part: t.Coroutine[t.Any, t.Any, list[Finding]]) -> list[Finding]:
        nonlocal done
        rows = await part
        done += 1
        progress(done, len(work))
        return rows

    found = [finding_ for rows in await in_turn(NAMES, work, told) for finding_ in rows]
    zones = {
        found_zone
        for one in subjects
        if (found_zone := await asker.zone_of(one.name)) and "." in found_zone
    }
    found += [
        one
        for rows in await asyncio.gather(*(zone.look(asker, name) for name in sorted(zones)))
        for one in rows
    ]
    for name, servers in sorted(asker.heard.items()):
        found += zone.heard(name, servers)
    amiss = {one.subject for one in found if one.id.startswith("dns.servers_")}
    found += [
        Finding(
            "dns.servers", name, "ok", zone.SERVERS, ", ".join(sorted(asker.heard.get(name, ())))
        )
        for name in sorted(zones - amiss)
    ]
    return list(dict.fromkeys(found))
