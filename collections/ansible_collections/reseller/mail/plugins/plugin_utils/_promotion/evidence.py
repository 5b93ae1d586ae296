# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of evidence for promotion: what verify found and what reports counted, day by day.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import typing as t
from dataclasses import dataclass, field

from .._model import mx

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Estate
    from .._model.tenant import Tenant
    from .._verify.finding import Finding

FILE = "state/promotion_evidence.json"
"""In the estate. The underscore keeps it apart from node reports: no node can have that name."""

KEPT = 60
"""Days that the log has. Older reports are ignored, so none is counted again after its day left the
log."""

MAX_FAILURES = 20
MAX_REPORTS = 500
MAX_COUNT = 10**9
"""Limits for one domain and day, so that reports cannot make the log grow without end."""

_REQUIRED = {
    "dmarc": ("dns.spf", "dns.dkim", "dns.dmarc"),
    "mta_sts": ("dns.mx", "dns.mta_sts", "dns.mta_sts_policy"),
}
"""By policy, the questions of verify that must be ok on a green day."""
_AGAINST = {
    "dmarc": ("dns.spf", "dns.dkim", "dns.provider_spf", "mail.dkim"),
    "mta_sts": ("dns.mx", "dns.mta_sts", "mail.tls"),
}
"""By policy, how ids of findings begin that make a day red if they fail."""
_SOFT = ("dns.spf",)
"""Questions for which a warning is green: it is about terms that the tenant added."""


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """A failure that a report counts: mail from one of our addresses, or TLS to one of our hosts.

    ``source`` is the address or the host. ``what`` failed: SPF, DKIM, both, or a result type of
    RFC 8460 section 4.3. ``count`` is the number of messages or sessions.
    """

    source: str
    what: str
    count: int
    reporter: str

    @property
    def blocks(self) -> bool:
        """Return whether the failure delays a step.

        DMARC passes with one of SPF and DKIM. Forwarded mail often loses the other one.
        """
        return self.what not in ("SPF", "DKIM")

    @property
    def words(self) -> str:
        """Return the failure as a sentence."""
        is_mail = self.what in ("SPF", "DKIM", "SPF and DKIM")
        unit = ("message" if is_mail else "session") + "s" * (self.count != 1)
        return (
            f"{self.count} {unit} {'from' if is_mail else 'to'} {self.source} failed {self.what}"
            f" (reported by {self.reporter})"
        )


@dataclass(slots=True)
class Day:
    """The evidence about one domain on one day.

    ``verified`` has for each policy an empty text if verify was green, else the id of the finding
    that failed. ``passed`` and ``tls_passed`` count messages and sessions of ours. ``foreign``
    counts messages from other addresses. ``reports`` are the keys of the reports that were counted.
    """

    day: datetime.date
    verified: dict[str, str] = field(default_factory=dict)
    passed: int = 0
    failed: list[Failure] = field(default_factory=list)
    foreign: int = 0
    tls_passed: int = 0
    tls_failed: list[Failure] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)


Log = t.Dict[str, t.Dict[datetime.date, Day]]
"""The days of each domain."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a report.

    ``source`` is an address that sent (DMARC) or a host that received (TLS). ``passed_on``: a
    mailing list or a forwarder sent it. ``what`` is the result of a TLS session that failed.
    """

    source: str
    count: int
    spf: bool = False
    dkim: bool = False
    passed_on: bool = False
    what: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A DMARC or TLS report about one domain and day. Each report has another ``key``."""

    policy: str
    domain: str
    day: datetime.date
    key: str
    reporter: str
    rows: tuple[Row, ...]


class Ours:
    """What of the estate reports can be about: names, addresses that send, hosts that receive.

    ``sources`` are more addresses and networks that send; a wrong one raises ValueError.
    """

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
        """Return whether the address sends for the estate."""
        try:
            one = ipaddress.ip_address(address)
        except ValueError:
            return False
        # An IPv6 socket names an IPv4 host by a mapped address (RFC 4291 section 2.5.5.2).
        one = getattr(one, "ipv4_mapped", None) or one
        return any(one in network for network in self.networks if network.version == one.version)


@dataclass(slots=True)
class Counts:
    """How many reports were counted (``new``) or ignored, by reason."""

    new: int = 0
    known: int = 0
    strange: int = 0
    old: int = 0
    future: int = 0
    too_many: int = 0


def count_reports(
    log: Log, reports: t.Iterable[Report], ours: Ours, today: datetime.date
) -> Counts:
    """Add each report to the log once; return how many were added or ignored.

    Reports about other domains, from the future and from more than 60 days ago are ignored.
    """
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
            day = log.setdefault(domain, {}).setdefault(report.day, Day(report.day))
            day.reports.append(report.key)
            for row in report.rows:
                if report.policy == "mta_sts":
                    _count_tls_row(day, row, report.reporter, ours)
                else:
                    _count_dmarc_row(day, row, report.reporter, ours)
    return counts


def _count_tls_row(day: Day, row: Row, reporter: str, ours: Ours) -> None:
    """Add sessions that succeeded or failed to a day. Failures of other hosts are ignored."""
    if not row.what:
        day.tls_passed = min(day.tls_passed + row.count, MAX_COUNT)
    elif not row.source or row.source in ours.hosts:
        _add_failure(day.tls_failed, row.source or "our MX", row.what, row.count, reporter)


def _count_dmarc_row(day: Day, row: Row, reporter: str, ours: Ours) -> None:
    """Add messages to a day: as foreign, as passed, and as failed if SPF or DKIM failed."""
    if row.passed_on or not ours.sends(row.source):
        day.foreign = min(day.foreign + row.count, MAX_COUNT)
        return
    if row.spf or row.dkim:
        day.passed = min(day.passed + row.count, MAX_COUNT)
    lost = [name for name, aligned in (("SPF", row.spf), ("DKIM", row.dkim)) if not aligned]
    if lost:
        _add_failure(day.failed, row.source, " and ".join(lost), row.count, reporter)


def _add_failure(
    failures: list[Failure], source: str, what: str, count: int, reporter: str
) -> None:
    """Add a failure to those of a day, or its count to the same failure."""
    for index, one in enumerate(failures):
        if (one.source, one.what, one.reporter) == (source, what, reporter):
            failures[index] = Failure(source, what, min(one.count + count, MAX_COUNT), reporter)
            return
    failures.append(Failure(source, what, min(count, MAX_COUNT), reporter))
    # Failures that delay a step come first, so the limit never drops them for others.
    failures.sort(key=lambda one: (not one.blocks, -one.count, one))
    del failures[MAX_FAILURES:]


def checked_on(report: t.Mapping[str, t.Any]) -> t.Optional[datetime.date]:
    """Return the day in UTC on which verify asked, from the field ``checked`` of its report.

    The time of the file does not count: a copy of the file would be another green day. Returns None
    for a report without the field; raises ValueError if it is no time.
    """
    checked = report.get("checked")
    return (
        datetime.datetime.fromisoformat(checked).astimezone(datetime.UTC).date()
        if checked
        else None
    )


def count_findings(
    log: Log, findings: t.Iterable[Finding], estate: Estate, day: datetime.date
) -> int:
    """Add the findings of verify to a day of the log; return how many domains have a result.

    Of two results on one day, the worse one stays.
    """
    by_subject: dict[str, list[Finding]] = {}
    for finding in findings:
        by_subject.setdefault(finding.subject, []).append(finding)
    domains = 0
    for tenant, domain in estate.served_domains():
        results = _results(estate, tenant, domain, by_subject)
        domains += bool(results)
        for policy, failed in results.items():
            verified = log.setdefault(domain.name, {}).setdefault(day, Day(day)).verified
            verified[policy] = verified.get(policy) or failed
    return domains


def _results(
    estate: Estate, tenant: Tenant, domain: Domain, by_subject: t.Mapping[str, t.Sequence[Finding]]
) -> dict[str, str]:
    """Return for each policy an empty text for green, else the id of the first failure.

    A policy with a question that was not asked, or had no answer, is not in the result: the day
    does not count for it.
    """
    hosts = (tenant.placement, *(host for _priority, host in mx.hosts(estate, tenant)))
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
        elif all(_is_green(rows, question) for rows in own.values() for question in required):
            found[policy] = ""
    return found


def _is_green(rows: t.Sequence[Finding], question: str) -> bool:
    """Return whether verify has results for the question, and all of them are green.

    Only ``ok`` is green. For the questions in ``_SOFT``, ``warn`` is green, too.
    """
    if question not in _SOFT:
        states = {one.state for one in rows if one.id == question}
        return states == {"ok"}
    # A warning has an id of its own, which begins with the question's.
    states = {one.state for one in rows if one.id == question or one.id.startswith(f"{question}_")}
    return bool(states) and states <= {"ok", "warn"}


def pruned(log: Log, domains: t.Container[str], today: datetime.date) -> Log:
    """Return the log without days that are too old, and without domains that left the estate.

    Days in the future stay, and are not counted: the clock was set back.
    """
    kept = {
        domain: {one: day for one, day in days.items() if (today - one).days <= KEPT}
        for domain, days in log.items()
        if domain in domains
    }
    return {domain: days for domain, days in kept.items() if days}


def text(log: Log) -> str:
    """Return the log as JSON: sorted, one day on each line, without empty values."""
    rows = (_row(domain, log[domain][day]) for domain in sorted(log) for day in sorted(log[domain]))
    lines = ",\n".join("    " + json.dumps(row) for row in rows)
    return '{\n  "evidence": [' + (f"\n{lines}\n  " if lines else "") + "]\n}\n"


def _row(domain: str, day: Day) -> dict[str, t.Any]:
    """Return a day as it is written."""
    rest = {
        "verified": dict(sorted(day.verified.items())),
        "passed": day.passed,
        "failed": [_failure_row(one) for one in day.failed],
        "foreign": day.foreign,
        "tls_passed": day.tls_passed,
        "tls_failed": [_failure_row(one) for one in day.tls_failed],
        "reports": sorted(day.reports),
    }
    return {
        "domain": domain,
        "day": day.day.isoformat(),
        **{name: value for name, value in rest.items() if value},
    }


def _failure_row(one: Failure) -> list[t.Union[str, int]]:
    """Return a failure as it is written."""
    return [one.source, one.what, one.count, one.reporter]


def read(written: str) -> Log:
    """Return the log from its text. Raises ValueError if the text is not one."""
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
    """Return a failure from what was written."""
    source, what, count, reporter = row
    return Failure(str(source), str(what), int(count), str(reporter))
