# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of evidence that promotion counts: day by day and domain by domain, what verify said, and what others reported.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding
    from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
    from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant

FILE = "state/promotion_evidence.json"
"""In the estate; no node can have that name."""

KEPT = 60
"""Days. An older report is not looked at, so none is counted twice after its day was dropped."""

MAX_FAILURES = 20
MAX_REPORTS = 500
MAX_COUNT = 10**9
"""Of one domain and day: whoever writes reports does not decide how large the log grows."""

_REQUIRED = {
    "dmarc": ("dns.spf", "dns.dkim", "dns.dmarc"),
    "mta_sts": ("dns.mx", "dns.mta_sts", "dns.mta_sts_policy"),
}
_AGAINST = {
    "dmarc": ("dns.spf", "dns.dkim", "dns.provider_spf", "mail.dkim"),
    "mta_sts": ("dns.mx", "dns.mta_sts", "mail.tls"),
}
_SOFT = ("dns.spf",)
"""A warning there is about the tenant's own terms."""


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """Something of ours that failed at others: mail from an address, or TLS to a host."""

    source: str
    what: str
    count: int
    reporter: str

    @property
    def blocks(self) -> bool:
        """DMARC passes with one of SPF and DKIM; mail that is passed on loses the other by nobody's fault."""
        return self.what not in ("SPF", "DKIM")

    @property
    def words(self) -> str:
        things = (
            "message" if self.what in ("SPF", "DKIM", "SPF and DKIM") else "session"
        ) + "s" * (self.count != 1)
        link = "from" if things.startswith("message") else "to"
        return (
            f"{self.count} {things} {link} {self.source} failed {self.what} (says {self.reporter})"
        )


@dataclass(slots=True)
class Day:
    """One domain's day. ``verified``: by policy, nothing when verify was green, else the finding that was not; ``foreign`` messages
    came from elsewhere, authenticated or not; ``reports`` are those that were counted."""

    day: datetime.date
    verified: dict[str, str] = field(default_factory=dict)
    passed: int = 0
    failed: list[Failure] = field(default_factory=list)
    foreign: int = 0
    tls_passed: int = 0
    tls_failed: list[Failure] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)


Log = t.Dict[str, t.Dict[datetime.date, Day]]
"""By domain."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a report: ``source`` is an address that sent (DMARC) or a host that received (TLS)."""

    source: str
    count: int
    spf: bool = False
    dkim: bool = False
    passed_on: bool = False
    what: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a stranger says about one domain and day. ``key`` tells it from all others."""

    policy: str
    domain: str
    day: datetime.date
    key: str
    reporter: str
    rows: tuple[Row, ...]


class Ours:
    """What of the estate others can tell us about: names, addresses that send, hosts that receive."""

    def __init__(self, estate: Estate, sources: t.Iterable[str] = ()) -> None:
        self.names = {
            name: domain.name
            for _tenant, domain in estate.served_domains()
            for name in domain.names
        }
        addresses = (
            address
            for node in estate.nodes
            for address in (*node.addresses, *node.outbound_addresses)
        )
        self.networks = [ipaddress.ip_network(one, strict=False) for one in (*addresses, *sources)]
        self.hosts = frozenset(
            (
                *(node.hostname for node in estate.nodes),
                *(backup.hostname for backup in estate.backup_mx),
            )
        )

    def sends(self, address: str) -> bool:
        try:
            one = ipaddress.ip_address(address)
        except ValueError:
            return False
        one = (
            getattr(one, "ipv4_mapped", None) or one
        )  # RFC 4291 section 2.5.5.2: how an IPv6 socket names an IPv4 host
        return any(one in network for network in self.networks if network.version == one.version)


@dataclass(slots=True)
class Counts:
    """What became of the reports."""

    new: int = 0
    known: int = 0
    strange: int = 0
    old: int = 0
    future: int = 0
    too_many: int = 0


def absorb(log: Log, reports: t.Iterable[Report], ours: Ours, today: datetime.date) -> Counts:
    """Counts each report once. Reports about others' domains, from the future and from long ago are not believed."""
    counts = Counts()
    for report in reports:
        domain = ours.names.get(report.domain)
        days = log.get(domain or "", {})
        if domain is None:
            counts.strange += 1
        elif report.day > today:
            counts.future += 1
        elif (today - report.day).days > KEPT:
            counts.old += 1
        elif any(report.key in day.reports for day in days.values()):
            counts.known += 1
        elif len(days.get(report.day, Day(report.day)).reports) >= MAX_REPORTS:
            counts.too_many += 1
        else:
            counts.new += 1
            _count(log.setdefault(domain, {}).setdefault(report.day, Day(report.day)), report, ours)
    return counts


def _count(day: Day, report: Report, ours: Ours) -> None:
    day.reports.append(report.key)
    for row in report.rows:
        if report.policy == "mta_sts":
            if not row.what:
                day.tls_passed = min(day.tls_passed + row.count, MAX_COUNT)
            elif not row.source or row.source in ours.hosts:
                _add(day.tls_failed, row.source or "our MX", row.what, row.count, report.reporter)
        elif row.passed_on or not ours.sends(row.source):
            day.foreign = min(day.foreign + row.count, MAX_COUNT)
        else:
            lost = " and ".join(
                name for name, aligned in (("SPF", row.spf), ("DKIM", row.dkim)) if not aligned
            )
            if row.spf or row.dkim:
                day.passed = min(day.passed + row.count, MAX_COUNT)
            if lost:
                _add(day.failed, row.source, lost, row.count, report.reporter)


def _add(failures: list[Failure], source: str, what: str, count: int, reporter: str) -> None:
    for index, one in enumerate(failures):
        if (one.source, one.what, one.reporter) == (source, what, reporter):
            failures[index] = Failure(source, what, min(one.count + count, MAX_COUNT), reporter)
            return
    failures.append(Failure(source, what, min(count, MAX_COUNT), reporter))
    failures.sort(
        key=lambda one: (not one.blocks, -one.count, one)
    )  # what holds a step back is never what is left out
    del failures[MAX_FAILURES:]


def checked_on(report: t.Mapping[str, t.Any]) -> t.Optional[datetime.date]:
    """The day, in UTC, on which verify asked, by its report's own word: a copy of the file is younger, and would be another green day."""
    checked = report.get("checked")
    return (
        datetime.datetime.fromisoformat(checked).astimezone(datetime.UTC).date()
        if checked
        else None
    )


def absorb_findings(
    log: Log, findings: t.Iterable[Finding], estate: Estate, day: datetime.date
) -> int:
    """What verify said on that day, domain by domain; the worse of two answers on one day stays. How many domains it spoke of."""
    by_subject: dict[str, list[Finding]] = {}
    for finding in findings:
        by_subject.setdefault(finding.subject, []).append(finding)
    spoken = 0
    for tenant, domain in estate.served_domains():
        verdicts = _verdicts(estate, tenant, domain, by_subject)
        spoken += bool(verdicts)
        for policy, verdict in verdicts.items():
            verified = log.setdefault(domain.name, {}).setdefault(day, Day(day)).verified
            verified[policy] = verified.get(policy) or verdict
    return spoken


def _verdicts(
    estate: Estate, tenant: Tenant, domain: Domain, by_subject: t.Mapping[str, t.Sequence[Finding]]
) -> dict[str, str]:
    """By policy: nothing for green, else what failed. What was not asked, or had no answer, is neither: then the day does not count."""
    node = estate.node_of(tenant)
    hosts = (node.name, node.hostname, *(backup.hostname for backup in estate.backup_mx))
    shared = [
        finding
        for subject in (estate.provider.domain, *hosts)
        for finding in by_subject.get(subject, ())
    ]
    own = {name: by_subject.get(name, ()) for name in domain.names}
    found = {}
    for policy, required in _REQUIRED.items():
        about = [finding for rows in (shared, *own.values()) for finding in rows]
        failed = sorted(
            one.id for one in about if one.state == "fail" and one.id.startswith(_AGAINST[policy])
        )
        if failed:
            found[policy] = failed[0]
        elif all(_all_well(rows, required) for rows in own.values()):
            found[policy] = ""
    return found


def _all_well(rows: t.Sequence[Finding], required: t.Iterable[str]) -> bool:
    # What is not well has an id of its own below the question's.
    states = {
        wanted: {
            one.state
            for one in rows
            if one.id == wanted or (wanted in _SOFT and one.id.startswith(f"{wanted}_"))
        }
        for wanted in required
    }
    return all(
        seen and seen <= ({"ok", "warn"} if wanted in _SOFT else {"ok"})
        for wanted, seen in states.items()
    )


def pruned(log: Log, domains: t.Container[str], today: datetime.date) -> Log:
    """Without what is too old to count, and without domains that left. Days to come stay, though nothing counts them: it is the clock
    that went back."""
    kept = {
        domain: {one: day for one, day in days.items() if (today - one).days <= KEPT}
        for domain, days in log.items()
        if domain in domains
    }
    return {domain: days for domain, days in kept.items() if days}


def text(log: Log) -> str:
    """Sorted, one day a line; what is nothing is left out."""
    rows = (_row(domain, log[domain][day]) for domain in sorted(log) for day in sorted(log[domain]))
    lines = ",\n".join("    " + json.dumps(row) for row in rows)
    return '{\n  "evidence": [' + (f"\n{lines}\n  " if lines else "") + "]\n}\n"


def _row(domain: str, day: Day) -> dict[str, t.Any]:
    rest = {
        "verified": dict(sorted(day.verified.items())),
        "passed": day.passed,
        "failed": [_listed(one) for one in day.failed],
        "foreign": day.foreign,
        "tls_passed": day.tls_passed,
        "tls_failed": [_listed(one) for one in day.tls_failed],
        "reports": sorted(day.reports),
    }
    return {
        "domain": domain,
        "day": day.day.isoformat(),
        **{name: value for name, value in rest.items() if value},
    }


def _listed(one: Failure) -> list[t.Union[str, int]]:
    return [one.source, one.what, one.count, one.reporter]


def read(written: str) -> Log:
    """The log from its text; ValueError says that it is none."""
    log: Log = {}
    try:
        for row in json.loads(written)["evidence"]:
            day = Day(
                datetime.date.fromisoformat(row["day"]),
                {str(policy): str(why) for policy, why in row.get("verified", {}).items()},
                int(row.get("passed", 0)),
                [_failure(one) for one in row.get("failed", ())],
                int(row.get("foreign", 0)),
                int(row.get("tls_passed", 0)),
                [_failure(one) for one in row.get("tls_failed", ())],
                [str(key) for key in row.get("reports", ())],
            )
            log.setdefault(str(row["domain"]), {})[day.day] = day
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{FILE} is not what evidence wrote: {error}") from error
    return log


def _failure(row: t.Sequence[t.Any]) -> Failure:
    source, what, count, reporter = row
    return Failure(str(source), str(what), int(count), str(reporter))
