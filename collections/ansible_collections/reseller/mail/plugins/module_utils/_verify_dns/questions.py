# SPDX-License-Identifier: GPL-3.0-or-later
"""What the world is asked about an estate's names.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, replace

from .._compile import dns as compile_dns
from .._compile.dns import PURPOSES, Record, provider, zone_line

if t.TYPE_CHECKING:
    from .._model.estate import Estate


@dataclass(frozen=True, slots=True)
class Question:
    """One record set, and what it should hold: nothing where ``values`` is empty. ``lines`` are its records, ready to be copied."""

    group: str
    subject: str
    name: str
    type: str
    values: frozenset[str]
    lines: tuple[str, ...]

    @property
    def value(self) -> str:
        """The one value of a set that can have no more."""
        return next(iter(self.values))

    def line(self, value: str, ttl: int = 3600) -> str:
        """Some value of this set as a line to copy."""
        return record_line(self.name, ttl, self.type, value)


def record_line(name: str, ttl: int, rdtype: str, value: str) -> str:
    """A record as a line to copy."""
    return zone_line(Record(name, name, rdtype, ttl, value, False))


def questions(records: t.Iterable[Record]) -> list[Question]:
    """The record sets of the model, by subject."""
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
    """All that is asked about each subject."""
    found: dict[str, list[Question]] = {}
    without = [
        host
        for host, (_purpose, addresses) in provider.hosts(estate).items()
        if not any(":" in one for one in addresses)
    ]
    for host in without:
        found[host] = [Question("dns.node_address", host, host, "AAAA", frozenset(), ())]
    in_service = tuple(f" {key.current}" for state in estate.states for key in state.tls)
    for question in questions([*compile_dns.records(estate), *compile_dns.wishes(estate)]):
        if question.group == "dns.tlsa":
            question = replace(
                question,
                lines=tuple(sorted(question.lines, key=lambda line: not line.endswith(in_service))),
            )
        found.setdefault(question.subject, []).append(question)
    for _tenant, domain in estate.served_domains():
        if domain.mta_sts and domain.mta_sts.mode != "none" and not domain.tls_reports_to:
            for name in domain.names:
                if any(one.group == "dns.mta_sts" for one in found.get(name, ())):
                    found[name].append(
                        Question("dns.tls_rpt", name, f"_smtp._tls.{name}", "TXT", frozenset(), ())
                    )
    for state in estate.states:
        for key in state.dkim:
            if key.state == "removed" and key.domain in found:
                name = f"{key.selector}._domainkey.{key.domain}"
                found[key.domain].append(
                    Question("dns.dkim", key.domain, name, "TXT", frozenset(), ())
                )
    return found


def _plain(rdtype: str, value: str) -> str:
    """A value in the one form that compares."""
    if rdtype in ("A", "AAAA"):
        return str(ipaddress.ip_address(value))
    return value if rdtype == "TXT" else value.lower()
