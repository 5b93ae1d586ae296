# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge the answers of several name servers to one question.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .catalogue import Defect

if t.TYPE_CHECKING:
    from ..._dns.query import Reply
    from .questions import Question

Judge = t.Callable[["Question", "Reply"], t.Iterator[Defect]]
AGREE = "every name server gives the same answer"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one question.

    Attributes:
        faults: What is wrong; empty if nothing is.
        found: What the servers answered, if nothing is wrong.
        silent: Whether no server answered, so that nothing is known.
    """

    question: Question
    faults: tuple[Defect, ...] = ()
    found: str = ""
    silent: bool = False


def merge(question: Question, replies: t.Iterable[Reply], judge: Judge) -> Outcome:
    """Return the result of a question from the replies of all servers.

    Silent servers do not count: they are a finding of their own. If some servers have the right
    answer and others do not, the change is propagating. If all are wrong, the result has each
    defect once.
    """
    heard = [(reply, tuple(judge(question, reply))) for reply in replies if reply.state != "silent"]
    if not heard:
        return Outcome(question, silent=True)
    late = [(reply, faults) for reply, faults in heard if faults]
    found = ", ".join(sorted(heard[0][0].values)) or "no record, as expected"
    if not late:
        return Outcome(question, found=found)
    if len(late) < len(heard):
        wrong = [
            f"{reply.server}: {'; '.join(fault.found for fault in faults)} (TTL {reply.ttl} s)"
            for reply, faults in late
        ]
        seconds = str(max(60, *(reply.ttl for reply, _faults in late)))
        fault = Defect(
            "dns.propagating",
            f"{question.name} {question.type}: {'; '.join(wrong)}",
            words=(("seconds", seconds),),
        )
        return Outcome(question, (fault,), found)
    merged = {fault.id: fault for _reply, faults in reversed(late) for fault in faults}
    return Outcome(question, tuple(merged.values()))


def lines(question: Question, reply: Reply, values: t.Iterable[str]) -> tuple[str, ...]:
    """Return records of a reply as lines to remove; if there is a CNAME, that one instead."""
    alias = (f"{question.name}. {reply.ttl} IN CNAME {reply.alias}.",) if reply.alias else ()
    return alias or tuple(question.line(value, reply.ttl) for value in sorted(values))
