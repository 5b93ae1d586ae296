# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the records of mail programs (SRV, autoconfig, autodiscover, names) and CAA records.

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

NOT_OFFERED = "0 0 0 ."


def srv(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with a service's SRV record.

    A service that is not offered has ``0 0 0 .`` (RFC 6186 section 3.4) or no record.
    """
    want = question.value
    found = {value if not value.endswith(" .") else NOT_OFFERED for value in reply.values}
    text = f"{question.name}: {', '.join(sorted(reply.values))}"
    if not found:
        if want != NOT_OFFERED:
            yield Defect("dns.srv_missing", f"{question.name}: no such record", question.lines)
    elif found != question.values:
        id_ = "dns.srv_offered" if want == NOT_OFFERED else "dns.srv_target"
        yield Defect(
            id_, text, question.lines, lines(question, reply, reply.values - question.values)
        )


def settings(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the names autoconfig and autodiscover.

    A CNAME is as good as addresses if its end has them.
    """
    old = (
        previous_providers.host_of(reply.alias, previous_providers.CLIENTS) if reply.alias else None
    )
    old = old or next(
        filter(
            None,
            (
                previous_providers.host_of(value.split()[-1], previous_providers.CLIENTS)
                for value in reply.values
            ),
        ),
        None,
    )
    if old:
        gone = lines(question, reply, reply.values)
        yield Defect(
            "dns.leftover_autodiscover",
            f"{question.name} leads to {old}: {reply.alias or ', '.join(sorted(reply.values))}",
            question.lines,
            gone,
        )
    elif not reply.values:
        yield Defect(
            f"{question.group}_missing",
            f"{question.name} {question.type}: no such record",
            question.lines,
        )
    elif reply.values != question.values:
        found = f"{question.name} {question.type}: {', '.join(sorted(reply.values))}"
        yield Defect(
            f"{question.group}_elsewhere",
            found,
            question.lines,
            lines(question, reply, reply.values - question.values),
        )


def address(question: Question, reply: Reply) -> t.Iterator[Defect]:
    """Yield what is wrong with the addresses of a branded name or of ``mta-sts``.

    ``mta-sts`` may be a CNAME. A branded name may not, because it has other records as well.
    """
    if not reply.values:
        yield Defect(
            "dns.address_missing",
            f"{question.name}: no {question.type} record",
            question.lines,
            lines(question, reply, ()),
        )
    elif reply.values != question.values:
        found = f"{question.name}: {', '.join(sorted(reply.values))}"
        yield Defect(
            "dns.address_elsewhere",
            found,
            question.lines,
            lines(question, reply, reply.values - question.values),
        )
    elif reply.alias and not question.name.startswith("mta-sts."):
        yield Defect(
            "dns.address_cname",
            f"{question.name} is a CNAME to {reply.alias}",
            question.lines,
            lines(question, reply, ()),
        )


def issuers(values: t.Iterable[str]) -> set[str]:
    """Return the authorities in a CAA record set (RFC 8659 section 4.2), without parameters."""
    found = set()
    for value in values:
        _flags, tag, text = value.split(None, 2)
        if tag.lower() == "issue":
            found.add(text.strip('"').partition(";")[0].strip().lower())
    return found


def caa(question: Question, reply: Reply, above: t.Collection[str] = ()) -> t.Iterator[Defect]:
    """Yield what is wrong with the CAA records of a name.

    If the name has none, ``above`` counts: the set of the closest name above that has one (RFC 8659
    section 3).
    """
    counts = reply.values or frozenset(above)
    ours, named = issuers(question.values), issuers(counts)
    restricts = any(value.split(None, 2)[1].lower() == "issue" for value in counts)
    if restricts and not ours <= named:
        gone = lines(question, reply, reply.values - question.values)
        where = "" if reply.values else " by a record of a name above"
        yield Defect(
            "dns.caa_forbids",
            f"{question.name}{where}: {', '.join(sorted(counts))}",
            question.lines,
            gone,
        )
    elif not restricts:
        yield Defect("dns.caa_missing", f"{question.name}: no CAA record", question.lines)
