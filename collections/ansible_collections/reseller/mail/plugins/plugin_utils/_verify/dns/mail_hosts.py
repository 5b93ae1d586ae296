# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare MX records, and the names, addresses and TLSA records of mail hosts.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from . import previous_providers
from .catalogue import Defect
from .merge_answers import lines

if t.TYPE_CHECKING:
    from ..._dns.query import Reply
    from .questions import Question

ASTRAY = frozenset(
    {
        "dns.mx_missing",
        "dns.mx_foreign",
        "dns.mx_null",
        "dns.mx_cname",
        "dns.mx_address",
        "dns.mx_unresolved",
        "dns.cname_apex",
    }
)
"""With these findings, mail does not reach our hosts, and nothing else of the domain is asked."""


def target(value: str) -> str:
    """Return the host in an MX record."""
    return value.rpartition(" ")[2].rstrip(".").lower()


def is_address(host: str) -> bool:
    """Return whether a name is an address instead."""
    return ":" in host or (host.replace(".", "").isdigit() and bool(host))


def external_hosts(question: Question, values: t.Iterable[str]) -> set[str]:
    """Return the MX hosts that are not ours. They may be a CNAME, or have no address."""
    ours = {target(value) for value in question.values}
    return {
        host for host in map(target, values) if host and host not in ours and not is_address(host)
    }


def mx(question: Question, reply: Reply, kinds: t.Mapping[str, str]) -> t.Iterator[Defect]:
    """Yield what is wrong with an MX record set.

    ``kinds`` has what is wrong with hosts that are not ours: ``an alias of NAME`` or
    ``unresolved``.
    """
    if not reply.values:
        yield Defect("dns.mx_missing", "no MX", question.lines)
    elif reply.values != question.values:
        first = target(min(question.values, key=lambda value: int(value.split()[0])))
        if first in map(target, reply.values):
            yield _mixed_mx(question, reply)
        else:
            yield _foreign_mx(question, reply, kinds)


def _mixed_mx(question: Question, reply: Reply) -> Defect:
    """Return what is wrong with an MX record set that has the node among its hosts."""
    gone = lines(question, reply, reply.values - question.values)
    found = ", ".join(sorted(reply.values))
    ours, there = set(map(target, question.values)), set(map(target, reply.values))
    others = there - ours
    if "" in others:
        text = f"a null MX together with other MX records: {found}"
        return Defect("dns.mx_null_mixed", text, question.lines, gone)
    if others:
        previous = {
            host: name
            for host in sorted(others)
            if (name := previous_providers.host_of(host, previous_providers.MX))
        }
        id_ = "dns.mx_leftover" if len(previous) == len(others) else "dns.mx_extra"
        names = ", ".join(sorted(set(previous.values())))
        return Defect(id_, f"{found} ({names})" if names else found, question.lines, gone)
    if ours - there and reply.values < question.values:
        missing = tuple(line for line in question.lines if target(line) in ours - there)
        return Defect("dns.mx_backup", found, missing)
    return Defect("dns.mx_priority", found, question.lines, gone)


def _foreign_mx(question: Question, reply: Reply, kinds: t.Mapping[str, str]) -> Defect:
    """Return what is wrong with an MX record set that does not have the node."""
    gone = lines(question, reply, reply.values - question.values)
    others = set(map(target, reply.values)) - set(map(target, question.values))
    kind = next((kinds[host] for host in sorted(others) if kinds.get(host)), "")
    if others == {""}:
        id_ = "dns.mx_null"
    elif any(map(is_address, others)):
        id_ = "dns.mx_address"
    elif kind:
        id_ = "dns.mx_unresolved" if kind == "unresolved" else "dns.mx_cname"
    else:
        id_ = "dns.mx_foreign"
    found = ", ".join(sorted(reply.values))
    return Defect(id_, f"{found} is {kind}" if kind else found, question.lines, gone)


def provider_mx(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the MX of the provider's domain.

    Other hosts may have its mail. Then nothing is published, and they must have a postmaster.
    """
    gone = lines(question, reply, reply.values - question.values)
    found = ", ".join(sorted(reply.values))
    if not reply.values:
        yield Defect("dns.provider_mx_missing", "no MX", question.lines)
    elif not set(map(target, reply.values)) & set(map(target, question.values)):
        yield Defect(
            "dns.provider_mx_elsewhere", found, question.lines, gone, (("name", question.name),)
        )
    elif reply.values != question.values:
        yield Defect("dns.provider_mx_other", found, question.lines, gone)


def null_mx(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with a null MX, which must be the only record (RFC 7505 section 3)."""
    if not reply.values:
        yield Defect("dns.null_mx_missing", "no MX", question.lines)
    elif reply.values != question.values:
        yield Defect(
            "dns.null_mx_other",
            ", ".join(sorted(reply.values)),
            question.lines,
            lines(question, reply, reply.values - question.values),
        )


def node_address(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the addresses of a mail host's name, which is no CNAME (RFC 2181
    section 10.3).

    ``questions.of_estate`` also asks for the AAAA records of a host without IPv6.
    """
    if reply.alias:
        yield Defect(
            "dns.node_address_cname",
            f"a CNAME to {reply.alias}",
            question.lines,
            lines(question, reply, ()),
        )
    elif not reply.values and not question.values:
        yield Defect(
            "dns.node_address_no_ipv6",
            "no IPv6 address in the files, and none in DNS",
            words=(("host", question.name),),
        )
    elif not reply.values:
        yield Defect("dns.node_address_missing", f"no {question.type} record", question.lines)
    elif reply.values != question.values:
        yield Defect(
            "dns.node_address_other",
            ", ".join(sorted(reply.values)),
            question.lines,
            lines(question, reply, reply.values - question.values),
        )


def fcrdns(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with a reverse record, which is the host's name in EHLO."""
    extra = reply.values - question.values
    if not reply.values:
        yield Defect(
            "dns.fcrdns_missing",
            f"no PTR record{f' ({reply.why})' if reply.why == 'NXDOMAIN' else ''}",
            question.lines,
        )
    elif not reply.values & question.values:
        yield Defect(
            "dns.fcrdns_other",
            ", ".join(sorted(reply.values)),
            question.lines,
            lines(question, reply, extra),
        )
    elif extra:
        yield Defect(
            "dns.fcrdns_two",
            ", ".join(sorted(reply.values)),
            question.lines,
            lines(question, reply, extra),
        )


def tlsa_text(value: str) -> str:
    """Return a TLSA record's data in lower case, and without spaces in the digest, which libraries
    and servers may add."""
    words = value.lower().split()
    return " ".join([*words[:3], "".join(words[3:])])


def tlsa(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the TLSA records of a mail host.

    The first line of the question is the key in service (``questions.of_estate``): without it, mail
    stops. Other records do no harm: one that matches is enough (RFC 7671 section 5).
    """
    have = {tlsa_text(value): value for value in reply.values}
    wanted = [line.split(None, 4)[4].lower() for line in question.lines]
    missing = tuple(
        line for line, value in zip(question.lines, wanted, strict=True) if value not in have
    )
    if not have:
        yield Defect("dns.tlsa_missing", "no TLSA record", question.lines)
    elif wanted[0] not in have:
        gone = lines(question, reply, (value for text, value in have.items() if text not in wanted))
        yield Defect("dns.tlsa_other", ", ".join(sorted(have)), missing, gone)
    elif missing:
        yield Defect("dns.tlsa_next", ", ".join(sorted(have)), missing)
