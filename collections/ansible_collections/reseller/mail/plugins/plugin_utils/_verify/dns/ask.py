# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the name servers about every name of an estate, and return the findings.

Does input and output; runs on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ..._compile import autoconfig
from ..._dns import https
from ..._dns.query import LOOP, gather_limited
from ..._model import services
from ..finding import Finding, worst
from . import clients, followup_queries, mail_hosts, reports, senders, settings, zone
from .catalogue import Defect, finding, shown
from .expected import Known, learn
from .merge_answers import Judge, Outcome, lines, merge
from .policy import faults as policy_faults

if t.TYPE_CHECKING:
    from ..._dns.query import Asker, Reply
    from ..._model.estate import Estate
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
"""What compares an answer, by the question's id. MX and CAA need further queries."""
SELF = frozenset({"dns.node_address", "dns.mx"})
"""Questions for which a CNAME is wrong, with any target."""
COVERING = frozenset(
    {
        "dns.cname_loop",
        "dns.cname_apex",
        "dns.address_cname",
        "dns.node_address_cname",
        "dns.leftover_autodiscover",
    }
)
REVERSE = frozenset({"dns.fcrdns"})
_FIRST = ("dns.mx", "dns.null_mx")
NAMES = 50
"""How many names are asked about at once. So questions to one zone are close in time."""
FETCHES = 32
"""How many policies and settings are fetched at once. They spend most of the time waiting."""


def _careful(judge: Judge, question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield CNAME loops and domains that are a CNAME; else what ``judge`` finds in the reply."""
    if reply.why == LOOP:
        yield Defect(
            "dns.cname_loop",
            f"{question.name} → {reply.alias} → …",
            question.lines,
            lines(question, reply, ()),
        )
    elif reply.alias and question.name == question.subject and question.group in _FIRST:
        yield Defect(
            "dns.cname_apex",
            f"a CNAME to {reply.alias}",
            question.lines,
            lines(question, reply, ()),
        )
    else:
        yield from judge(question, reply)


class _Subject:
    """The questions about one name, and their results so far.

    Attributes:
        outcomes: The results.
        blocked: By question why it was not asked or has no result.
        waits: How often each address has not answered over HTTPS, for all names together.
    """

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
        """Return the findings about the name.

        The MX is asked first: while mail goes elsewhere, all other questions are blocked.
        """
        lost = await zone.lost(self.asker, self.name)
        if lost:
            where = lost[0].id
            return [
                *lost,
                *(self._blocked(group, f"not asked: {where}") for group in self._groups()),
            ]
        first = [question for question in self.asked if question.group in _FIRST]
        self.outcomes += await asyncio.gather(*map(self._ask, first))
        why = self._why_mail_is_elsewhere()
        if why:
            self.blocked.update((group, why) for group in self._groups() if group not in _FIRST)
        else:
            await self._ask_the_rest(
                [one for one in self.asked if one not in first], provider_fault
            )
        return [
            *(self._blocked(group, why) for group, why in sorted(self.blocked.items())),
            *findings_of(self.name, self.outcomes, set(self.blocked)),
        ]

    def _why_mail_is_elsewhere(self) -> str:
        """Return why nothing but the MX is asked, from the result about the MX; empty if all is."""
        if {fault.id for one in self.outcomes for fault in one.faults} & mail_hosts.ASTRAY:
            return "not asked: the MX is wrong"
        if any(one.silent for one in self.outcomes):
            return "not asked: the MX is not known"
        return ""

    async def _ask_the_rest(self, questions: t.Sequence[Question], provider_fault: str) -> None:
        """Ask all other questions, then the further queries that need their results."""
        self.outcomes += await asyncio.gather(*map(self._ask, questions))
        self.outcomes += [
            one
            for rows in await asyncio.gather(
                followup_queries.spf(
                    self.asker, self.known, self.outcomes, provider_fault, self.blocked
                ),
                followup_queries.dmarc(self.asker, self.known, self.outcomes),
                followup_queries.dkim(self.asker, self.known, self.name, self.outcomes),
                self._policy(),
                self._settings(),
            )
            for one in rows
        ]

    def _groups(self) -> list[str]:
        """Return the ids of all questions about the name."""
        fetched = [
            *(["dns.mta_sts_policy"] if self.name in self.known.policies else ()),
            *(["dns.settings"] if self.name in self.known.settings else ()),
        ]
        return sorted({question.group for question in self.asked} - REVERSE | set(fetched))

    async def _ask(self, question: Question) -> Outcome:
        """Ask every name server one question; return the result."""
        replies = await self.asker.authoritative(question.name, question.type)
        if question.group not in SELF and any(
            reply.alias and not reply.values and reply.why != LOOP for reply in replies
        ):
            # A CNAME into another zone: what counts is its end, as clients and receivers see it.
            end = await self.asker.look_up(question.name, question.type)
            replies = [end] if end.state != "silent" else []
        judge: Judge = JUDGES.get(question.group, clients.caa)
        if question.group == "dns.mx":
            judge = partial(
                mail_hosts.mx, kinds=await followup_queries.kinds(self.asker, question, replies)
            )
        elif question.group == "dns.caa" and any(reply.state == "none" for reply in replies):
            judge = partial(
                clients.caa, above=await followup_queries.caa_above(self.asker, question.name)
            )
        return merge(question, replies, partial(_careful, judge))

    async def _policy(self) -> list[Outcome]:
        """Return the result about the MTA-STS policy, fetched as a sender does.

        If the policy is wrong and its record is missing, the record is blocked: it is to be
        published after the policy.
        """
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
        url = f"https://{host}{https.PATH}"
        fetched = await asyncio.to_thread(
            https.fetch_policy,
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
            Outcome(
                followup_queries.question(group, self.name, host, "HTTPS", expected),
                found,
                "the policy",
            )
        ]

    async def _settings(self) -> list[Outcome]:
        """Return the results about settings, fetched as Thunderbird and Outlook do."""
        outcomes = []
        for label, path in services.SETTINGS.items() if self.name in self.known.settings else ():
            host, group = f"{label}.{self.name}", "dns.settings"
            if any(
                one.silent or one.faults
                for one in self.outcomes
                if one.question.name == host and one.question.group == f"dns.{label}"
            ):
                self.blocked[group] = f"it waits for {host}"
                continue
            addresses = await self.asker.addresses(host)
            if not addresses:  # the zone has a finding of its own
                self.blocked[group] = f"{host} cannot be resolved"
                continue
            url, post = (
                f"https://{host}{path}",
                (
                    autoconfig.OUTLOOK_REQUEST.format(domain=self.name).encode()
                    if label == "autodiscover"
                    else b""
                ),
            )
            fetched = await asyncio.to_thread(
                https.fetch, host, path, addresses, self.context, post=post, waits=self.waits
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
                    followup_queries.question(
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
        """Return the finding about a question that was not asked."""
        return Finding(group, self.name, "blocked", "", why)


def _uncovered(outcomes: list[Outcome]) -> list[Outcome]:
    """Return the results without consequences of a wrong CNAME, which hides all other records."""
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


def findings_of(
    subject: str, outcomes: t.Iterable[Outcome], skip: t.Collection[str] = ()
) -> list[Finding]:
    """Return the findings about a subject, one for each id.

    Several record sets of one kind (SRV, two selectors) are one answer. A question without defects
    has a finding with its own id, unless it is in ``skip``.
    """
    groups: dict[str, list[Outcome]] = {}
    for one in _uncovered(list(outcomes)):
        groups.setdefault(one.question.group, []).append(one)
    bad: dict[str, list[Finding]] = {}
    found = []
    for group, rows in sorted(groups.items()):
        for one in rows:
            for fault in one.faults:
                expected = "\n".join(one.question.lines)
                bad.setdefault(fault.id, []).append(finding(fault, subject, expected))
        if not any(one.faults for one in rows) and group not in skip:
            found.append(_without_defects(group, subject, rows))
    return [*found, *(_merged(rows) for rows in bad.values())]


def _without_defects(group: str, subject: str, rows: t.Sequence[Outcome]) -> Finding:
    """Return the finding about a question without defects: ``ok``, or ``blocked`` if silent."""
    expected = "\n".join(line for one in rows for line in one.question.lines)
    if any(one.silent for one in rows):
        return Finding(group, subject, "blocked", expected, "no name server answers")
    text = "\n".join(dict.fromkeys(one.found for one in rows))
    return Finding(group, subject, "ok", expected, shown(text))


def _merged(rows: t.Sequence[Finding]) -> Finding:
    """Return one finding for several with the same id and subject, each different line once."""

    def lines_of(key: str) -> str:
        return "\n".join(dict.fromkeys(filter(None, (getattr(one, key) for one in rows))))

    return Finding(
        rows[0].id,
        rows[0].subject,
        worst(one.state for one in rows),
        lines_of("expected"),
        lines_of("found"),
        lines_of("remedy"),
    )


async def _reverse(asker: Asker, asked: list[Question]) -> list[Finding]:
    """Return the findings about a host's reverse records.

    Large receivers refuse mail if the address, its name and the name's address do not match. A name
    without the address is a finding about the name.
    """
    subject = asked[0].subject
    outcomes = [
        merge(one, await asker.authoritative(one.name, "PTR"), mail_hosts.fcrdns) for one in asked
    ]
    return findings_of(subject, outcomes)


async def findings(
    estate: Estate,
    asker: Asker,
    ca_file: str = "",
    only: t.Optional[t.Collection[str]] = None,
    progress: t.Callable[[int, int], None] = lambda done, of: None,
) -> list[Finding]:
    """Return all findings about the served names, the provider's own and the hosts'.

    With ``only``, return those about these names. If the resolver does not answer, that is the only
    finding.
    ``progress`` is called with the numbers of names that are done, and of all names.
    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(FETCHES))
    resolver = await asker.look_up(".", "NS")
    if resolver.state == "silent":
        return [
            finding(Defect("dns.resolver_silent", resolver.why), str(asker.resolver), "an answer")
        ]
    known = learn(estate)
    names = [name for name in sorted(known.subjects) if only is None or name in only]
    provider_fault = await followup_queries.provider(asker, known)
    work = _questions_about(names, asker, known, provider_fault, https.tls_context(ca_file))
    found = await _all_done(work, progress)
    zones = {name for one in names if (name := await asker.zone_of(one)) and "." in name}
    found += await _zone_findings(asker, zones)
    bad = {one.subject for one in found if one.id.startswith("dns.servers_")}
    found += [
        Finding(
            "dns.servers", name, "ok", zone.SERVERS, ", ".join(sorted(asker.silences.get(name, ())))
        )
        for name in sorted(zones - bad)
    ]
    return list(dict.fromkeys(found))


def _questions_about(
    names: t.Iterable[str], asker: Asker, known: Known, provider_fault: str, context: t.Any
) -> list[t.Coroutine[t.Any, t.Any, list[Finding]]]:
    """Return what asks about each name, and apart from it what asks about its reverse records."""
    waits: t.Counter[str] = Counter()
    work: list[t.Coroutine[t.Any, t.Any, list[Finding]]] = []
    for name in names:
        one = _Subject(asker, known, name, context, waits)
        reverse = [question for question in one.asked if question.group in REVERSE]
        one.asked = [question for question in one.asked if question.group not in REVERSE]
        work.append(one.findings(provider_fault if name != known.provider else ""))
        if reverse:
            work.append(_reverse(asker, reverse))
    return work


async def _all_done(
    work: t.Sequence[t.Coroutine[t.Any, t.Any, list[Finding]]],
    progress: t.Callable[[int, int], None],
) -> list[Finding]:
    """Run the work, ``NAMES`` at once; return the findings in its order."""
    done = 0

    async def counted(part: t.Coroutine[t.Any, t.Any, list[Finding]]) -> list[Finding]:
        nonlocal done
        rows = await part
        done += 1
        progress(done, len(work))
        return rows

    return [one for rows in await gather_limited(NAMES, work, counted) for one in rows]


async def _zone_findings(asker: Asker, zones: t.Collection[str]) -> list[Finding]:
    """Return what is wrong with zones, and with all servers that were asked."""
    rows = await asyncio.gather(*(zone.look(asker, name) for name in sorted(zones)))
    return [
        *(one for found in rows for one in found),
        *(
            one
            for name, servers in sorted(asker.silences.items())
            for one in zone.heard(name, servers)
        ),
    ]
