# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges MX records, and what mail hosts' own names and addresses say.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from . import former
from .catalogue import Fault
from .settle import lines

if t.TYPE_CHECKING:
    from .._dns_query import Reply
    from .questions import Question

ASTRAY = frozenset(
    {
        "dns.mx_missing",
        "dns.mx_foreign",
        "dns.mx_null",
        "dns.mx_alias",
        "dns.mx_address",
        "dns.mx_unresolved",
        "dns.alias_apex",
    }
)
"""With these, mail does not come here, and nothing else about the domain means anything yet."""


def target(value: str) -> str:
    """The host that an MX names."""
    return value.rpartition(" ")[2].rstrip(".").lower()


def is_address(host: str) -> bool:
    """Whether a name is an address instead."""
    return ":" in host or (host.replace(".", "").isdigit() and bool(host))


def strangers(question: Question, values: t.Iterable[str]) -> set[str]:
    """The hosts that are not ours, of which more has to be known: is it a CNAME, does it have addresses."""
    ours = {target(value) for value in question.values}
    return {
        host for host in map(target, values) if host and host not in ours and not is_address(host)
    }


def mx(question: Question, reply: Reply, kinds: t.Mapping[str, str]) -> t.Iterator[Fault]:
    """``kinds`` says of other hosts ``alias to NAME`` or ``unresolved``."""
    gone = lines(question, reply, reply.values - question.values)
    found = ", ".join(sorted(reply.values))
    if not reply.values:
        yield Fault("dns.mx_missing", "no MX", question.lines)
        return
    if reply.values == question.values:
        return
    ours = {target(value) for value in question.values}
    first = target(min(question.values, key=lambda value: int(value.split()[0])))
    there = {target(value) for value in reply.values}
    others = there - ours
    if first in there:
        if "" in others:
            yield Fault(
                "dns.mx_null_mixed", f"a null MX beside others: {found}", question.lines, gone
            )
        elif others:
            old = {
                host: name for host in sorted(others) if (name := former.host_of(host, former.MX))
            }
            id_ = "dns.mx_leftover" if len(old) == len(others) else "dns.mx_extra"
            names = ", ".join(sorted(set(old.values())))
            yield Fault(id_, f"{found} ({names})" if names else found, question.lines, gone)
        elif ours - there and reply.values < question.values:
            yield Fault(
                "dns.mx_backup",
                found,
                tuple(line for line in question.lines if target(line) in ours - there),
            )
        else:
            yield Fault("dns.mx_priority", found, question.lines, gone)
        return
    kind = next((kinds[host] for host in sorted(others) if kinds.get(host)), "")
    if others == {""}:
        id_ = "dns.mx_null"
    elif any(map(is_address, others)):
        id_ = "dns.mx_address"
    elif kind:
        id_ = "dns.mx_unresolved" if kind == "unresolved" else "dns.mx_alias"
    else:
        id_ = "dns.mx_foreign"
    yield Fault(id_, f"{found}{f' is {kind}' if kind else ''}", question.lines, gone)


def provider_mx(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """The provider's domain may have its mail elsewhere: then nothing is published, and it is theirs to have a postmaster."""
    gone = lines(question, reply, reply.values - question.values)
    found = ", ".join(sorted(reply.values))
    if not reply.values:
        yield Fault("dns.provider_mx_missing", "no MX", question.lines)
    elif not set(map(target, reply.values)) & set(map(target, question.values)):
        yield Fault(
            "dns.provider_mx_elsewhere", found, question.lines, gone, (("name", question.name),)
        )
    elif reply.values != question.values:
        yield Fault("dns.provider_mx_other", found, question.lines, gone)


def null_mx(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """RFC 7505 section 3: one record, and no other beside it."""
    if not reply.values:
        yield Fault("dns.null_mx_missing", "no MX", question.lines)
    elif reply.values != question.values:
        yield Fault(
            "dns.null_mx_other",
            ", ".join(sorted(reply.values)),
            question.lines,
            lines(question, reply, reply.values - question.values),
        )


def node_address(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """A mail host's name has exactly its addresses (RFC 2181 section 10.3). One without IPv6 is asked about, too: ``questions.of_estate``."""
    if reply.alias:
        yield Fault(
            "dns.node_address_alias",
            f"a CNAME to {reply.alias}",
            question.lines,
            lines(question, reply, ()),
        )
    elif not reply.values and not question.values:
        yield Fault(
            "dns.node_address_no_ipv6",
            "no IPv6 address in the files, and none in DNS",
            words=(("host", question.name),),
        )
    elif not reply.values:
        yield Fault("dns.node_address_missing", f"no {question.type} record", question.lines)
    elif reply.values != question.values:
        yield Fault(
            "dns.node_address_other",
            ", ".join(sorted(reply.values)),
            question.lines,
            lines(question, reply, reply.values - question.values),
        )


def fcrdns(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """An address's name, which is its host's name in EHLO."""
    extra = reply.values - question.values
    if not reply.values:
        yield Fault(
            "dns.fcrdns_missing",
            f"no PTR record{f' ({reply.why})' if reply.why == 'NXDOMAIN' else ''}",
            question.lines,
        )
    elif not reply.values & question.values:
        yield Fault(
            "dns.fcrdns_other",
            ", ".join(sorted(reply.values)),
            question.lines,
            lines(question, reply, extra),
        )
    elif extra:
        yield Fault(
            "dns.fcrdns_two",
            ", ".join(sorted(reply.values)),
            question.lines,
            lines(question, reply, extra),
        )


def tlsa_text(value: str) -> str:
    """A TLSA record's data as the model writes it; libraries and servers put spaces into the digest."""
    words = value.lower().split()
    return " ".join([*words[:3], "".join(words[3:])])


def tlsa(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """The key in service, which stands first (``questions.of_estate``), is the one whose absence stops mail. Others beside ours do no harm:
    one that matches is enough (RFC 7671 section 5)."""
    have = {tlsa_text(value): value for value in reply.values}
    wanted = [line.split(None, 4)[4].lower() for line in question.lines]
    missing = tuple(
        line for line, value in zip(question.lines, wanted, strict=True) if value not in have
    )
    if not have:
        yield Fault("dns.tlsa_missing", "no TLSA record", question.lines)
    elif wanted[0] not in have:
        gone = lines(question, reply, (value for text, value in have.items() if text not in wanted))
        yield Fault("dns.tlsa_other", ", ".join(sorted(have)), missing, gone)
    elif missing:
        yield Fault("dns.tlsa_next", ", ".join(sorted(have)), missing)
