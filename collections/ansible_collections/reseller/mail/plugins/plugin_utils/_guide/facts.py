# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of each domain's page, independent of the language.

PRIVATE to the collection. Pure: the model and the findings come in as arguments.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from .._compile import dns
from .._dns.record import PURPOSES
from .._dns.zone_text import rdata
from .._model import services
from .._model.names import nearest
from .._model.suspension import DEFAULT, Suspension, in_effect
from .._verify.finding import Finding
from . import dns_hosts

if t.TYPE_CHECKING:
    from .._dns.record import Record
    from .._model.domain import Domain
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant

UNCHECKED, PENDING, SUSPENDED = "unchecked", "pending", "suspended"
ORDER = ("fail", "blocked", "warn", SUSPENDED, PENDING, UNCHECKED, "ok", "na")
"""States of a page, worst first. ``unchecked``: verify has no result. ``pending``: the hosts have
not reported the key yet. ``suspended`` is the state of a page only. The others are states of
findings."""

SECTIONS: t.Final = {
    "receive": ("mx", "backup_mx", "provider_mx", "null_mx"),
    "send": ("spf", "provider_spf", "node_spf", "dkim", "dmarc", "dmarc_grant", "null_spf"),
    "secure": ("mta_sts", "mta_sts_address", "tls_rpt", "tlsa", "caa"),
    "find": (
        "client_address",
        "autoconfig",
        "autodiscover",
        "node_address",
        "backup_mx_address",
        "ptr",
        "srv",
    ),
}
"""The sections of a page in their order, each with the purposes of its records. What few people
need is last."""


POLICY, SETTINGS = "dns.mta_sts_policy", "dns.settings"
"""Questions about what hosts serve by HTTPS: the provider must act, also if the tenant writes the
DNS. Without the settings, people enter them by hand."""

RECOMMENDED = frozenset({SETTINGS, "dns.dnssec", "dns.servers", "dns.leftover", "dns.wildcard"}) | {
    purpose.finding for purpose in PURPOSES.values() if not purpose.needed
}
"""Questions that do not delay a domain: mail works while they have at most a warning."""


FOLDED: t.Final = 3
"""So many records of a purpose are always shown."""


@dataclass(frozen=True, slots=True)
class Card:
    """The records of one purpose, each with its state, and verify's findings about them.

    ``rows`` are (record, state). ``pending`` are selectors of DKIM keys that the hosts have not
    reported yet. ``keys`` are (selector, state) of DKIM keys. ``needed`` is whether the domain
    needs the records before it is ready for mail.
    """

    purpose: str
    state: str
    managed: bool
    rows: tuple[tuple[Record, str], ...]
    findings: tuple[Finding, ...] = ()
    pending: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    needed: bool = True

    @property
    def is_folded(self) -> bool:
        """Return whether the page shows the records on request only.

        These are many records that mail does not need, and none of them is wrong.
        """
        wrong = any(state in ("fail", "warn", "blocked") for _record, state in self.rows)
        return not self.needed and len(self.rows) > FOLDED and not wrong


@dataclass(frozen=True, slots=True)
class Task:
    """One row of the list of what is left to do.

    ``id`` is the purpose of records, or the id of a question of verify, which has a dot. ``owner``
    is who must act: ``tenant`` or ``provider``.
    """

    id: str
    state: str
    owner: str
    needed: bool = True
    about: str = ""

    @property
    def is_open(self) -> bool:
        """Return whether it must be done before the domain is ready for mail."""
        return self.needed and self.state not in ("ok", "na")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The content of the page of a domain or a domain alias.

    ``zone`` is the zone in which its records are entered. ``host`` is the DNS host, if ``servers``,
    the name servers, are known. ``others`` are problems in the tenant's DNS that are about no
    record of the page: (question, findings). ``pending`` is whether the tenant is pending.
    """

    name: str
    tenant: Tenant
    domain: Domain
    node: Node
    zone: str
    sections: tuple[tuple[str, tuple[Card, ...]], ...]
    tasks: tuple[Task, ...]
    host: t.Optional[dns_hosts.DnsHost] = None
    servers: tuple[str, ...] = ()
    others: tuple[tuple[str, tuple[Finding, ...]], ...] = ()
    pending: bool = field(default=False)

    @property
    def suspended(self) -> str:
        """Return what is suspended, ``tenant`` or ``domain``; nothing if hosts do not serve it."""
        if not (self.tenant.served and self.verified):
            return ""
        if self.tenant.state == "suspended":
            return "tenant"
        return "domain" if self.domain.state == "suspended" else ""

    @property
    def cells(self) -> Suspension:
        """Return what the suspended name can still do."""
        return in_effect(self.tenant, self.domain) or DEFAULT

    @property
    def may_log_in(self) -> bool:
        """Return whether a suspension leaves the logins. A relay domain has none to refuse."""
        return bool(self.domain.relay) or self.cells.login == "allow"

    @property
    def live(self) -> bool:
        """Return whether the name is ready for mail: all that is needed is ok (S3-34).

        A suspended name and a name without addresses are not.
        """
        return not (self.suspended or self.parked or self.open_tasks)

    @property
    def open_tasks(self) -> list[Task]:
        """Return what must be done.

        A suspended name does not go live. Only what is wrong must be repaired, because it still
        receives mail. A name without addresses needs nothing.
        """
        found = [task for task in self.tasks if task.is_open and not self.parked]
        return [one for one in found if not self.suspended or one.state in ("fail", "warn")]

    @property
    def tasks_left(self) -> list[Task]:
        """Return what is not in order: what is needed first, then what the tenant must do."""
        found = [task for task in self.tasks if task.state not in ("ok", "na")]
        return sorted(
            found,
            key=lambda task: (not task.needed, task.owner != "tenant", ORDER.index(task.state)),
        )

    @property
    def tasks_done(self) -> list[Task]:
        """Return what is in order."""
        return [task for task in self.tasks if task.state in ("ok", "na")]

    @property
    def parked(self) -> bool:
        """Return whether the name has no address, so that it neither sends nor receives mail."""
        return services.is_parked(self.domain)

    @property
    def verified(self) -> bool:
        """Return whether the provider knows that the name belongs to the tenant."""
        return self.name in {
            name for domain in self.tenant.domains for name in _verified_names(domain)
        }

    @property
    def state(self) -> str:
        """Return the worst state of what is needed.

        A name without addresses needs nothing, so what is wrong with it is at most a warning.
        """
        states = [task.state for task in self.tasks if task.needed or self.parked]
        if self.parked:
            states = ["warn" if state in ("fail", "blocked") else state for state in states]
        return worst([*states, *([SUSPENDED] if self.suspended else [])])

    @property
    def client_host(self) -> str:
        """Return the host name for mail programs."""
        return services.host(self.domain, self.node)

    @property
    def clients(self) -> tuple[tuple[str, int, str], ...]:
        """Return (protocol, port, tls or starttls) of each service, the best first."""
        return services.offered(self.domain)


def worst(states: t.Iterable[str]) -> str:
    """Return the worst of the states, ``na`` if there is none."""
    return min(states, key=ORDER.index, default="na")


def _verified_names(domain: Domain) -> tuple[str, ...]:
    """Return the verified names of a domain; none if the domain itself is not verified."""
    if not domain.verified:
        return ()
    return (domain.name, *(alias.name for alias in domain.domain_aliases if alias.verified))


def sheets(estate: Estate, findings: t.Iterable[Finding]) -> list[Sheet]:
    """Return the pages of all domains and domain aliases, sorted by name.

    Pending tenants and unverified domains have pages, too. Terminated tenants have none.
    """
    evidence = _Evidence(estate, findings)
    found = []
    for tenant in estate.tenants:
        if tenant.state == "terminated":
            continue
        for domain in tenant.domains:
            for name in domain.names:
                found.append(_sheet(name, tenant, domain, evidence))
    return sorted(found, key=lambda sheet: sheet.name)


class _Evidence:
    """The records, DKIM keys and findings of the estate, by name."""

    def __init__(self, estate: Estate, findings: t.Iterable[Finding]) -> None:
        self.estate = estate
        self.findings = _Findings(findings)
        self.pending: dict[str, list[str]] = defaultdict(list)
        for name, selector in dns.pending(estate):
            self.pending[name].append(selector)
        self.keys: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for state in estate.states:
            for key in state.dkim:
                self.keys[key.domain].append((key.selector, key.state))
        self._served: dict[str, list[Record]] = defaultdict(list)
        for record in dns.records(estate):
            self._served[record.domain].append(record)

    def records(self, name: str, tenant: Tenant, domain: Domain) -> list[Record]:
        """Return the records of a name, also those of a name that hosts do not serve yet."""
        return self._served.get(name) or [
            one for one in dns.records_of(self.estate, tenant, domain) if one.domain == name
        ]


def _sheet(name: str, tenant: Tenant, domain: Domain, evidence: _Evidence) -> Sheet:
    """Return the page of one name."""
    node, known = evidence.estate.node_of(tenant), evidence.findings
    cards = list(
        _cards(
            evidence.records(name, tenant, domain),
            known,
            evidence.pending.get(name, ()),
            evidence.keys.get(name, ()),
            services.is_parked(domain),
        )
    )
    zone = _zone(name, [one for each in tenant.domains for one in each.names])
    # Findings about name servers are about the zone.
    about = dict.fromkeys((*known.of(name), *known.of(zone)))
    servers = dns_hosts.names_in(
        " ".join(one.found for one in about if question(one.id) == "dns.servers")
    )
    hosts = {node.hostname}
    if name == domain.name and domain.branding.hostname:
        hosts.add(domain.branding.hostname)
    tasks = tuple(_tasks(cards, known, name, hosts))
    return Sheet(
        name,
        tenant,
        domain,
        node,
        zone,
        _sections(cards),
        tasks,
        dns_hosts.recognise(servers),
        tuple(servers),
        _others(tasks, known.of(name)),
        tenant.state == "pending",
    )


class _Findings:
    """The findings by the name that they are about.

    The name is the subject, the domain of an address, or the domain of the last address of ``sender
    → recipient``.
    """

    def __init__(self, findings: t.Iterable[Finding]) -> None:
        self._by_subject: dict[str, list[Finding]] = defaultdict(list)
        for finding in findings:
            self._by_subject[finding.subject.rpartition("→")[2].strip().rpartition("@")[2]].append(
                finding
            )

    def of(self, name: str) -> list[Finding]:
        """Return the findings about a name."""
        return self._by_subject.get(name, [])

    def answers(self, asked: str, records: t.Iterable[Record]) -> list[Finding]:
        """Return the findings of one question about the names of these records."""
        subjects = dict.fromkeys(
            name for record in records for name in (record.domain, record.name)
        )
        return [
            one
            for subject in subjects
            for one in self.of(subject)
            if question(one.id) == asked and one.subject == subject
        ]


def _cards(
    records: t.Iterable[Record],
    known: _Findings,
    pending: t.Sequence[str],
    keys: t.Sequence[tuple[str, str]],
    parked: bool,
) -> t.Iterator[Card]:
    """Yield the card of each purpose.

    ``pending`` are selectors, ``keys`` are (selector, state) of the name's DKIM keys. ``parked`` is
    whether the name has no address: then no record is needed.
    """
    by_purpose: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_purpose[record.purpose].append(record)
    if pending:
        by_purpose.setdefault("dkim", [])
    for purpose, ours in by_purpose.items():
        is_dkim = purpose == "dkim"
        found = known.answers(PURPOSES[purpose].finding, ours)
        rows = tuple(
            (record, _state(record, ours, found)) for record in sorted(ours, key=_is_not_offered)
        )
        states = [*(one.state for one in found), *(state for _record, state in rows)]
        if is_dkim and pending:
            states.append(PENDING)
        yield Card(
            purpose,
            worst(states),
            all(record.managed for record in ours),
            rows,
            tuple(one for one in found if one.state not in ("ok", "na")),
            tuple(pending if is_dkim else ()),
            tuple(keys if is_dkim else ()),
            PURPOSES[purpose].needed and not parked,
        )


def _is_not_offered(record: Record) -> bool:
    """Return whether an SRV record means that a service is not offered."""
    return record.type == "SRV" and record.value.endswith(" .")


def _state(record: Record, ours: t.Sequence[Record], findings: t.Sequence[Finding]) -> str:
    """Return the state of a record.

    A finding is about all records of its question and subject, unless it lists some of them. Then
    the others are ``ok``.
    """
    about = [one for one in findings if one.subject in (record.domain, record.name)]
    states = [
        one.state
        for one in about
        if _lists(one, record) or not any(_lists(one, other) for other in ours)
    ]
    if states:
        return worst(states)
    return "ok" if about else UNCHECKED


def _lists(finding: Finding, record: Record) -> bool:
    """Return whether a finding that is not ``ok`` has the record among those to publish.

    ``expected`` has only the beginning of a long value.
    """
    start, kind, end = (
        f"{record.name}. ",
        f" IN {record.type} ",
        f" IN {record.type} {rdata(record.type, record.value)}",
    )
    lines = [
        line.removeprefix("publish ")
        for line in f"{finding.expected}\n{finding.remedy}".splitlines()
    ]
    return finding.state not in ("ok", "na") and any(
        line.startswith(start) and (line.endswith(end) or (kind in line and "… (" in line))
        for line in lines
    )


def question(finding_id: str) -> str:
    """Return the question that a finding answers: ``dns.spf`` for ``dns.spf_two``.

    The id itself is returned if the finding is about no record.
    """
    return max(
        (one for one in _QUESTIONS if finding_id == one or finding_id.startswith(f"{one}_")),
        key=len,
        default=finding_id,
    )


def _sections(cards: t.Sequence[Card]) -> tuple[tuple[str, tuple[Card, ...]], ...]:
    """Return (section, its cards), without empty sections."""
    by_purpose = {card.purpose: card for card in cards}
    found = (
        (section, tuple(by_purpose[one] for one in purposes if one in by_purpose))
        for section, purposes in SECTIONS.items()
    )
    return tuple((section, ours) for section, ours in found if ours)


def _tasks(
    cards: t.Sequence[Card], known: _Findings, name: str, hosts: t.Iterable[str]
) -> t.Iterator[Task]:
    """Yield the rows of the list of what is left: the records, then the other questions of verify.

    The latter are about the name, its addresses and its hosts.
    """
    ordered = [card for _section, ours in _sections(cards) for card in ours]
    managed = all(card.managed for card in cards)
    for card in ordered:
        yield Task(
            card.purpose,
            card.state,
            "provider" if card.managed or card.state == PENDING else "tenant",
            card.needed,
        )
    on_cards = {PURPOSES[card.purpose].finding for card in cards}
    rest: dict[tuple[str, str], list[str]] = defaultdict(list)
    for subject in (name, *sorted(hosts)):
        for finding in known.of(subject):
            asked = question(finding.id)
            if subject != name or asked not in on_cards:
                rest[asked, _owner(asked, subject == name, managed)].append(finding.state)
    for (finding_id, owner), states in sorted(rest.items()):
        yield Task(
            finding_id,
            worst(states),
            owner,
            finding_id not in RECOMMENDED or (worst(states) == "fail" and finding_id != SETTINGS),
        )


def _others(
    tasks: t.Iterable[Task], findings: t.Sequence[Finding]
) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    """Return (question, findings) for the problems in the tenant's DNS that are about no record."""
    found = []
    for task in tasks:
        if task.owner == "tenant" and task.id.startswith("dns."):
            bad = tuple(
                finding
                for finding in findings
                if question(finding.id) == task.id and finding.state in ("fail", "warn")
            )
            if bad:
                found.append((task.id, bad))
    return tuple(found)


def _owner(asked: str, own: bool, managed: bool) -> str:
    """Return who must act: the tenant for its own DNS and its full mailboxes, else the provider.

    ``own`` is whether the finding is about the name itself, ``managed`` whether the provider writes
    its DNS.
    """
    if asked.startswith("quota."):
        return "tenant"
    is_in_dns = asked.startswith("dns.") and asked not in (POLICY, SETTINGS)
    return "tenant" if own and is_in_dns and not managed else "provider"


def _zone(name: str, names: t.Collection[str]) -> str:
    """Return the zone of a name: the topmost of the tenant's names above it, else the name itself.

    Only the files are used, so a zone cut between these names is not seen.
    """
    above = nearest(name, names)
    return _zone(above, names) if above else name


_QUESTIONS = frozenset(purpose.finding for purpose in PURPOSES.values()) | {
    POLICY,
    SETTINGS,
    "dns.servers",
    "dns.dnssec",
    "dns.cname",
    "dns.leftover",
    "dns.resolver",
}
