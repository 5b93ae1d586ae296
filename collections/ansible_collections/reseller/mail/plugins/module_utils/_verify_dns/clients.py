# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what mail programs follow (SRV, autoconfig, autodiscover, names) and who may issue the names' certificates.

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

NOT_OFFERED = "0 0 0 ."


def srv(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """Where a service is; ``0 0 0 .`` says nowhere (RFC 6186 section 3.4), and so does silence."""
    want = question.value
    found = {value if not value.endswith(" .") else NOT_OFFERED for value in reply.values}
    text = f"{question.name}: {', '.join(sorted(reply.values))}"
    if not found:
        if want != NOT_OFFERED:
            yield Fault("dns.srv_missing", f"{question.name}: no such record", question.lines)
    elif found != question.values:
        id_ = "dns.srv_offered" if want == NOT_OFFERED else "dns.srv_target"
        yield Fault(
            id_, text, question.lines, lines(question, reply, reply.values - question.values)
        )


def settings(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """autoconfig and autodiscover: a CNAME is as good as an address when it ends where it should."""
    old = former.host_of(reply.alias, former.CLIENTS) if reply.alias else None
    old = old or next(
        filter(None, (former.host_of(value.split()[-1], former.CLIENTS) for value in reply.values)),
        None,
    )
    if old:
        gone = lines(question, reply, reply.values)
        yield Fault(
            "dns.leftover_autodiscover",
            f"{question.name} leads to {old}: {reply.alias or ', '.join(sorted(reply.values))}",
            question.lines,
            gone,
        )
    elif not reply.values:
        yield Fault(
            f"{question.group}_missing",
            f"{question.name} {question.type}: no such record",
            question.lines,
        )
    elif reply.values != question.values:
        found = f"{question.name} {question.type}: {', '.join(sorted(reply.values))}"
        yield Fault(
            f"{question.group}_elsewhere",
            found,
            question.lines,
            lines(question, reply, reply.values - question.values),
        )


def address(question: Question, reply: Reply) -> t.Iterator[Fault]:
    """A name of the domain's own. ``mta-sts`` may be a CNAME; a branded name has other records beside its addresses."""
    if not reply.values:
        yield Fault(
            "dns.address_missing",
            f"{question.name}: no {question.type} record",
            question.lines,
            lines(question, reply, ()),
        )
    elif reply.values != question.values:
        found = f"{question.name}: {', '.join(sorted(reply.values))}"
        yield Fault(
            "dns.address_elsewhere",
            found,
            question.lines,
            lines(question, reply, reply.values - question.values),
        )
    elif reply.alias and not question.name.startswith("mta-sts."):
        yield Fault(
            "dns.address_alias",
            f"{question.name} is a CNAME to {reply.alias}",
            question.lines,
            lines(question, reply, ()),
        )


def issuers(values: t.Iterable[str]) -> set[str]:
    """The authorities that a CAA record set names (RFC 8659 section 4.2), without their parameters."""
    found = set()
    for value in values:
        _flags, tag, text = value.split(None, 2)
        if tag.lower() == "issue":
            found.add(text.strip('"').partition(";")[0].strip().lower())
    return found


def caa(question: Question, reply: Reply, above: t.Collection[str] = ()) -> t.Iterator[Fault]:
    """``above`` is what counts where the name has none: the set of the closest name above it that has one (RFC 8659 section 3)."""
    counts = reply.values or frozenset(above)
    ours, named = issuers(question.values), issuers(counts)
    restricts = any(value.split(None, 2)[1].lower() == "issue" for value in counts)
    if restricts and not ours <= named:
        gone = lines(question, reply, reply.values - question.values)
        where = "" if reply.values else " by what a name above says"
        yield Fault(
            "dns.caa_forbids",
            f"{question.name}{where}: {', '.join(sorted(counts))}",
            question.lines,
            gone,
        )
    elif not restricts:
        yield Fault("dns.caa_missing", f"{question.name}: no CAA record", question.lines)
