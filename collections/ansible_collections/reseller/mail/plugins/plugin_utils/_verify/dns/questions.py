# SPDX-License-Identifier: GPL-3.0-or-later
"""The questions about an estate's names: which record sets must exist.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, replace

from ..._compile import dns as compile_dns
from ..._compile.dns import provider
from ..._dns.record import PURPOSES, Record
from ..._dns.zone_text import zone_line

if t.TYPE_CHECKING:
    from ..._model.estate import Estate


@dataclass(frozen=True, slots=True)
class Question:
    """One record set, and the values that it must have.

    Attributes:
        group: The question's id in the catalogue.
        values: The values; empty if the set must not exist.
        lines: The records as lines to copy.
    """

    group: str
    subject: str
    name: str
    type: str
    values: frozenset[str]
    lines: tuple[str, ...]

    @property
    def value(self) -> str:
        """Return the value of a set that has exactly one."""
        return next(iter(self.values))

    def line(self, value: str, ttl: int = 3600) -> str:
        """Return a value of this set as a line to copy."""
        return record_line(self.name, ttl, self.type, value)


def record_line(name: str, ttl: int, rdtype: str, value: str) -> str:
    """Return a record as a line to copy."""
    return zone_line(Record(name, name, rdtype, ttl, value, False))


def questions(records: t.Iterable[Record]) -> list[Question]:
    """Return the questions about these records, sorted by subject."""
    sets: dict[tuple[str, str, str, str], list[Record]] = {}
    for record in records:
        sets.setdefault(
            (record.domain, PURPOSES[record.purpose].finding, record.name, record.type), []
        ).append(record)
    return [
        Question(
            group,
            subject,
            name,
            rdtype,
            frozenset(_plain(rdtype, one.value) for one in rows),
            tuple(sorted(record_line(name, one.ttl, rdtype, one.value) for one in rows)),
        )
        for (subject, group, name, rdtype), rows in sorted(sets.items())
    ]


def of_estate(estate: Estate) -> dict[str, list[Question]]:
    """Return all questions about an estate, by subject."""
    found = {question.subject: [question] for question in _missing_ipv6(estate)}
    in_service = tuple(f" {key.current}" for state in estate.states for key in state.tls)
    for question in questions([*compile_dns.records(estate), *compile_dns.reverse_records(estate)]):
        if question.group == "dns.tlsa":
            question = replace(
                question,
                lines=tuple(sorted(question.lines, key=lambda line: not line.endswith(in_service))),
            )
        found.setdefault(question.subject, []).append(question)
    for question in [*_tls_reports_by_dns(estate, found), *_removed_keys(estate)]:
        if question.subject in found:
            found[question.subject].append(question)
    return found


def _missing_ipv6(estate: Estate) -> t.Iterator[Question]:
    """Yield a question about the AAAA records of each host without an IPv6 address in the files."""
    for host, (_purpose, addresses) in provider.hosts(estate).items():
        if not any(":" in address for address in addresses):
            yield Question("dns.node_address", host, host, "AAAA", frozenset(), ())


def _tls_reports_by_dns(
    estate: Estate, found: t.Mapping[str, t.Sequence[Question]]
) -> t.Iterator[Question]:
    """Yield a question about TLS reports for each name with an MTA-STS policy whose files have no
    address for them: DNS may have one."""
    for _tenant, domain in estate.served_domains():
        if not domain.mta_sts or domain.mta_sts.mode == "none" or domain.tls_reports_to:
            continue
        for name in domain.names:
            if any(one.group == "dns.mta_sts" for one in found.get(name, ())):
                yield Question("dns.tls_rpt", name, f"_smtp._tls.{name}", "TXT", frozenset(), ())


def _removed_keys(estate: Estate) -> t.Iterator[Question]:
    """Yield a question about each DKIM key that a node has removed: it must not be in DNS."""
    for state in estate.states:
        for key in state.dkim:
            if key.state == "removed":
                name = f"{key.selector}._domainkey.{key.domain}"
                yield Question("dns.dkim", key.domain, name, "TXT", frozenset(), ())


def _plain(rdtype: str, value: str) -> str:
    """Return a value in a form to compare: lower case, except TXT; addresses shortened."""
    if rdtype in ("A", "AAAA"):
        return str(ipaddress.ip_address(value))
    return value if rdtype == "TXT" else value.lower()
