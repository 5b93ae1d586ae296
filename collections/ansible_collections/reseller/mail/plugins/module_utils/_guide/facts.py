# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain's page says, before it is said in any language.

PRIVATE to the collection. Pure: the model, the records and the findings come in.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from .._compile import _services, dns
from .._compile.dns.text import rdata
from .._finding import Finding
from .._names import nearest
from . import dns_hosts

if t.TYPE_CHECKING:
    from .._compile.dns import Record
    from .._model.domain import Domain
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant

UNCHECKED, PENDING = "unchecked", "pending"
ORDER = ("fail", "blocked", "warn", PENDING, UNCHECKED, "ok", "na")
"""States of a page, worst first. ``unchecked``: verify did not say. ``pending``: the hosts have not made it yet."""

SECTIONS: t.Final = {
    "receive": ("mx", "backup_mx", "null_mx", "provider_mx"),
    "send": ("spf", "null_spf", "provider_spf", "node_spf", "dkim", "dmarc", "dmarc_grant"),
    "secure": ("mta_sts", "mta_sts_address", "tls_rpt", "tlsa", "caa"),
    "find": (
        "client_address",
        "srv",
        "autoconfig",
        "autodiscover",
        "node_address",
        "backup_mx_address",
        "ptr",
    ),
}
"""In the order of a page, what for, and the purposes of records that serve it."""


POLICY, SETTINGS = "dns.mta_sts_policy", "dns.settings"
"""What hosts serve by HTTPS, whoever writes the DNS. Without the latter people enter their settings themselves."""

RECOMMENDED = frozenset({SETTINGS, "dns.dnssec", "dns.servers", "dns.leftover", "dns.wildcard"}) | {
    purpose.finding for purpose in dns.PURPOSES.values() if not purpose.needed
}
"""Nothing to wait for: mail works while they have no worse than a warning."""


@dataclass(frozen=True, slots=True)
class Card:
    """The records of one purpose, each with its state, and what verify said."""

    purpose: str
    state: str
    managed: bool
    rows: tuple[tuple[Record, str], ...]
    findings: tuple[Finding, ...] = ()
    pending: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    """DKIM: (selector, state of the key)."""

    @property
    def needed(self) -> bool:
        return dns.PURPOSES[self.purpose].needed


@dataclass(frozen=True, slots=True)
class Task:
    """One row of the go-live list. ``id`` is a purpose or, with a dot, a finding's id; ``owner`` tenant or provider."""

    id: str
    state: str
    owner: str
    needed: bool = True
    about: str = ""

    @property
    def is_open(self) -> bool:
        return self.needed and self.state not in ("ok", "na")


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of one name's page."""

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
    """What else is for the tenant to mend in its DNS, by question: about no record of the page."""
    pending: bool = field(default=False)

    @property
    def live(self) -> bool:
        """Ready for real mail: everything that is needed was checked and is well (S3-34)."""
        return not any(task.is_open for task in self.tasks)

    @property
    def verified(self) -> bool:
        return self.name in {
            known
            for domain in self.tenant.domains
            if domain.verified
            for known in (domain.name, *_verified(domain))
        }

    @property
    def state(self) -> str:
        return worst(task.state for task in self.tasks if task.needed)

    @property
    def client_host(self) -> str:
        return _services.host(self.domain, self.node)

    @property
    def clients(self) -> tuple[tuple[str, int, str], ...]:
        """(protocol, port, tls or starttls), the best first."""
        return _services.offered(self.domain)


def worst(states: t.Iterable[str]) -> str:
    """The state that several amount to."""
    return min(states, key=ORDER.index, default="na")


def _verified(domain: Domain) -> t.Iterator[str]:
    return (alias.name for alias in domain.domain_aliases if alias.verified)


def sheets(estate: Estate, findings: t.Iterable[Finding]) -> list[Sheet]:
    """One for every domain and domain alias of tenants that are not terminated, also of those that hosts do not know yet."""
    known = _Findings(findings)
    served: dict[str, list[Record]] = defaultdict(list)
    for record in dns.records(estate):
        served[record.domain].append(record)
    missing: dict[str, list[str]] = defaultdict(list)
    for name, selector in dns.pending(estate):
        missing[name].append(selector)
    keys: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for state in estate.states:
        for key in state.dkim:
            keys[key.domain].append((key.selector, key.state))
    found = []
    for tenant in estate.tenants:
        if tenant.state == "terminated":
            continue
        names = [name for domain in tenant.domains for name in domain.names]
        for domain in tenant.domains:
            for name in domain.names:
                records = served.get(name) or [
                    one for one in dns.records_of(estate, tenant, domain) if one.domain == name
                ]
                hosts = {
                    host
                    for host in (
                        domain.branding.hostname if name == domain.name else None,
                        estate.node_of(tenant).hostname,
                    )
                    if host
                }
                cards = list(_cards(records, known, missing.get(name, ()), keys.get(name, ())))
                zone = _zone(name, names)
                about = dict.fromkeys(
                    (*known.of(name), *known.of(zone))
                )  # a finding about name servers is one about their zone
                servers = dns_hosts.names_in(
                    " ".join(one.found for one in about if question(one.id) == "dns.servers")
                )
                tasks = tuple(_tasks(cards, known, name, hosts))
                found.append(
                    Sheet(
                        name,
                        tenant,
                        domain,
                        estate.node_of(tenant),
                        zone,
                        _sections(cards),
                        tasks,
                        dns_hosts.recognise(servers),
                        tuple(servers),
                        _others(tasks, known.of(name)),
                        tenant.state == "pending",
                    )
                )
    return sorted(found, key=lambda sheet: sheet.name)


class _Findings:
    """By whom they are about: a name, the domain of an address, or of the last address of ``sender → recipient``."""

    def __init__(self, findings: t.Iterable[Finding]) -> None:
        self._by_subject: dict[str, list[Finding]] = defaultdict(list)
        for finding in findings:
            self._by_subject[finding.subject.rpartition("→")[2].strip().rpartition("@")[2]].append(
                finding
            )

    def of(self, name: str) -> list[Finding]:
        return self._by_subject.get(name, [])


def _cards(
    records: t.Iterable[Record],
    known: _Findings,
    pending: t.Sequence[str],
    keys: t.Sequence[tuple[str, str]],
) -> t.Iterator[Card]:
    rows: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        rows[record.purpose].append(record)
    if pending:
        rows.setdefault("dkim", [])
    for purpose, ours in rows.items():
        subjects = dict.fromkeys(name for record in ours for name in (record.domain, record.name))
        asked = dns.PURPOSES[purpose].finding
        heard = [
            one
            for subject in subjects
            for one in known.of(subject)
            if question(one.id) == asked and one.subject == subject
        ]
        stated = [(record, _state(record, ours, heard)) for record in ours]
        state = worst(
            [
                *(one.state for one in heard),
                *(one for _record, one in stated),
                *(PENDING for _selector in pending if purpose == "dkim"),
            ]
        )
        shown = tuple(one for one in heard if one.state not in ("ok", "na"))
        dkim = purpose == "dkim"
        managed = all(record.managed for record in ours)
        yield Card(
            purpose,
            state,
            managed,
            tuple(stated),
            shown,
            tuple(pending if dkim else ()),
            tuple(keys if dkim else ()),
        )


def _state(record: Record, ours: t.Sequence[Record], heard: t.Sequence[Finding]) -> str:
    """A finding speaks for all records of its question and subject, unless it lists those that it is about; the others are well then."""
    about = [one for one in heard if one.subject in (record.domain, record.name)]
    states = [
        one.state
        for one in about
        if _lists(one, record) or not any(_lists(one, other) for other in ours)
    ]
    return worst(states) if states else "ok" if about else UNCHECKED


def _lists(finding: Finding, record: Record) -> bool:
    """Whether a finding that is not ``ok`` names the record among those to publish; long ones are cut off in ``expected``."""
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
    """What was asked: ``dns.spf_two`` answers ``dns.spf``. An id that is no record's is its own question."""
    return max(
        (one for one in _QUESTIONS if finding_id == one or finding_id.startswith(f"{one}_")),
        key=len,
        default=finding_id,
    )


def _sections(cards: t.Sequence[Card]) -> tuple[tuple[str, tuple[Card, ...]], ...]:
    by_purpose = {card.purpose: card for card in cards}
    found = (
        (section, tuple(by_purpose[one] for one in purposes if one in by_purpose))
        for section, purposes in SECTIONS.items()
    )
    return tuple((section, ours) for section, ours in found if ours)


def _tasks(
    cards: t.Sequence[Card], known: _Findings, name: str, hosts: t.Iterable[str]
) -> t.Iterator[Task]:
    """Records first, then everything else that verify said about the name, its addresses and its hosts."""
    ordered = [card for _section, ours in _sections(cards) for card in ours]
    managed = all(card.managed for card in cards)
    for card in ordered:
        yield Task(
            card.purpose,
            card.state,
            "provider" if card.managed or card.state == PENDING else "tenant",
            card.needed,
        )
    spoken_for = {dns.PURPOSES[card.purpose].finding for card in cards}
    rest: dict[tuple[str, str], list[str]] = defaultdict(list)
    for subject in (name, *sorted(hosts)):
        for finding in known.of(subject):
            asked = question(finding.id)
            if subject != name or asked not in spoken_for:
                rest[asked, _owner(asked, subject == name, managed)].append(finding.state)
    for (finding_id, owner), states in sorted(rest.items()):
        yield Task(
            finding_id,
            worst(states),
            owner,
            finding_id not in RECOMMENDED or (worst(states) == "fail" and finding_id != SETTINGS),
        )


def _others(
    tasks: t.Iterable[Task], heard: t.Sequence[Finding]
) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    mine = [
        task.id
        for task in tasks
        if "." in task.id and task.owner == "tenant" and task.id.startswith("dns.")
    ]
    told = (
        (
            one,
            tuple(
                finding
                for finding in heard
                if question(finding.id) == one and finding.state in ("fail", "warn")
            ),
        )
        for one in mine
    )
    return tuple((one, found) for one, found in told if found)


def _owner(finding_id: str, own: bool, managed: bool) -> str:
    """Whose it is to mend: a tenant's are its own DNS and how full its mailboxes are."""
    if finding_id.startswith("quota."):
        return "tenant"
    return (
        "tenant"
        if own
        and finding_id.startswith("dns.")
        and not managed
        and finding_id not in (POLICY, SETTINGS)
        else "provider"
    )


def _zone(name: str, names: t.Collection[str]) -> str:
    """The zone that a name's records are entered in, as far as the files tell: the topmost of the tenant's names above it."""
    above = nearest(name, names)
    return _zone(above, names) if above else name


_QUESTIONS = frozenset(purpose.finding for purpose in dns.PURPOSES.values()) | {
    POLICY,
    SETTINGS,
    "dns.servers",
    "dns.dnssec",
    "dns.alias",
    "dns.leftover",
    "dns.resolver",
}
