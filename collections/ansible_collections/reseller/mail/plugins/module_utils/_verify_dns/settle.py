# SPDX-License-Identifier: GPL-3.0-or-later
"""What several name servers' answers to one question amount to.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .catalogue import Fault

if t.TYPE_CHECKING:
    from .._dns_query import Reply
    from .questions import Question

Judge = t.Callable[["Question", "Reply"], t.Iterator[Fault]]
AGREE = "every name server says the same"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``silent``: nobody answered, so nothing is known. ``found`` is what was found where all is well."""

    question: Question
    faults: tuple[Fault, ...] = ()
    found: str = ""
    silent: bool = False


def settle(question: Question, replies: t.Iterable[Reply], judge: Judge) -> Outcome:
    """A silent server proves nothing, and is a finding of its own. Where one server says what it should and another does not, the
    answer is on its way; where all are wrong, each in its way, everything that is wrong is said once."""
    heard = [(reply, tuple(judge(question, reply))) for reply in replies if reply.state != "silent"]
    if not heard:
        return Outcome(question, silent=True)
    late = [(reply, faults) for reply, faults in heard if faults]
    found = ", ".join(sorted(heard[0][0].values)) or "nothing, as it should be"
    if not late:
        return Outcome(question, found=found)
    if len(late) < len(heard):
        says = [
            f"{reply.server} says {'; '.join(fault.found for fault in faults)} (TTL {reply.ttl} s)"
            for reply, faults in late
        ]
        seconds = str(max(60, *(reply.ttl for reply, _faults in late)))
        fault = Fault(
            "dns.propagating",
            f"{question.name} {question.type}: {'; '.join(says)}",
            words=(("seconds", seconds),),
        )
        return Outcome(question, (fault,), found)
    merged = {fault.id: fault for _reply, faults in reversed(late) for fault in faults}
    return Outcome(question, tuple(merged.values()))


def lines(question: Question, reply: Reply, values: t.Iterable[str]) -> tuple[str, ...]:
    """Records that are there, as lines to remove; a CNAME that is in their place likewise."""
    alias = (f"{question.name}. {reply.ttl} IN CNAME {reply.alias}.",) if reply.alias else ()
    return alias or tuple(question.line(value, reply.ttl) for value in sorted(values))
