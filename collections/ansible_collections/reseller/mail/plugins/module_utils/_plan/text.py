# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan as a person reads it in a terminal: a diff in the words of the files, then what it does beyond them.

PRIVATE to the collection. Pure. Every line begins with its sign: ``+`` comes, ``-`` goes, ``~`` differs, ``!`` is a risk or refusal.
"""

from __future__ import annotations

import typing as t
from itertools import groupby

from ansible_collections.reseller.mail.plugins.module_utils import _billing
from ansible_collections.reseller.mail.plugins.module_utils._plan import Plan, Section
from ansible_collections.reseller.mail.plugins.module_utils._plan.things import (
    ADDED,
    CHANGED,
    REMOVED,
    Change,
    line,
    short,
)

Line = tuple[str, str]
"""A sign and what it is about; an empty sign is a heading."""

SIGNS = {ADDED: "+", CHANGED: "~", REMOVED: "-"}
FOLDED = 4
"""So many things that change in the very same way are told in one line."""
NAMED = 3


def plural(number: int, noun: str) -> str:
    """1 file, 2 files."""
    many = (
        f"{noun}es"
        if noun.endswith(("x", "s"))
        else noun
        if noun.endswith("limits")
        else f"{noun}s"
    )
    return f"{number:,} {noun if number == 1 else many}"


def headline(plan: Plan) -> str:
    """The plan in one sentence."""
    way = f"{line(plan.before)} → {line(plan.after)}"
    if plan.faults:
        return f"{way}: no plan, because the new files have {plural(len(plan.faults), 'fault')}"
    if not plan.sections:
        more = f"; {plural(len(plan.mute), 'file')} changed without effect" if plan.mute else ""
        return f"{way}: nothing changes{more}"
    counts = (
        ", ".join(f"{number:,} {action}" for action, number in plan.counts().items() if number)
        or "no thing of the files"
    )
    tenants = sum(bool(section.tenant) for section in plan.sections)
    return (
        f"{way}: {counts}; {plural(tenants, 'tenant')} touched; {plural(len(plan.risks), 'risk')}"
    )


def notes(plan: Plan) -> list[Line]:
    """What stands above everything else: faults, refusals, risks."""
    found: list[Line] = []
    if plan.faults_before:
        found.append(
            (
                "",
                f"{line(plan.before)} has {plural(len(plan.faults_before), 'fault')} itself; compared with what could be read of it",
            )
        )
    if plan.actor and not plan.faults:
        found.append(
            (
                "",
                f"{line(plan.actor)} is {', '.join(plan.roles) or 'nobody with a role'}; {_verdict(plan)}",
            )
        )
        found += [("!", line(str(refusal))) for refusal in plan.refusals]
    if plan.deletions:
        found += [("", "Refused by the guard against mass deletion"), ("!", line(plan.deletions))]
    if plan.risks:
        found.append(("", "Risks"))
        for (tenant, name), group in groupby(plan.risks, key=lambda risk: (risk.tenant, risk.id)):
            marks = list(group)
            whose = f"{tenant or 'provider'}: "
            if len(marks) < FOLDED:
                found += [
                    ("!", f"{whose}{name}: {line(mark.subject)}: {line(mark.what)}")
                    for mark in marks
                ]
            else:
                found.append(
                    (
                        "!",
                        f"{whose}{name}: {len(marks):,} times: {_some([line(mark.subject) for mark in marks])}",
                    )
                )
    if plan.mute:
        found.append(("", "Changed without effect"))
        found += [("~", line(each)) for each in plan.mute]
    return found


def _verdict(plan: Plan) -> str:
    if plan.refusals:
        return f"not allowed: {plural(len(plan.refusals), 'edit')}"
    return "may make this change" if plan.sections or plan.mute else "there is no edit to judge"


def title(section: Section) -> str:
    """Whose section it is."""
    if not section.tenant:
        return "provider"
    return f"tenant {section.tenant}{f' ({line(section.organisation)})' if section.organisation else ''}"


def lines(section: Section) -> list[Line]:
    """A section's lines."""
    return [*_changes(section.changes), *_ledger(section), *_dns(section), *_bill(section)]


def _changes(changes: t.Sequence[Change]) -> t.Iterator[Line]:
    folded: dict[tuple[str, str, tuple[str, ...]], list[Change]] = {}
    for change in changes:
        keys = tuple(str(key) for key in change.keys)
        folded.setdefault(
            (
                change.action,
                change.subject.kind,
                keys if change.action == CHANGED else (str(change.subject),),
            ),
            [],
        ).append(change)
    for (action, kind, keys), group in folded.items():
        if len(group) >= FOLDED:
            yield (
                "~",
                f"{plural(len(group), kind)}: {'; '.join(keys)} ({_some([line(change.subject.name) for change in group])})",
            )
            continue
        for change in group:
            name = line(str(change.subject))
            told = [
                _told(key.key, key.texts[1]) if action == ADDED else str(key) for key in change.keys
            ]
            if action == ADDED or len(told) < 2:
                yield SIGNS[action], f"{name}{': ' if told else ''}{', '.join(told)}"
            else:
                yield SIGNS[action], name
                yield from ((SIGNS[action], f"    {each}") for each in told)


def _told(key: str, text: str) -> str:
    return f"{key} {text}"


def _some(names: t.Sequence[str]) -> str:
    more = len(names) - NAMED
    return f"{', '.join(names[:NAMED])}{f' and {more:,} more' if more > 0 else ''}"


def _ledger(section: Section) -> t.Iterator[Line]:
    if section.effects.ledger:
        yield "", "ledger"
    for (kind, name), group in groupby(
        section.effects.ledger, key=lambda count: (count.kind, count.name)
    ):
        yield "~", f"{kind} {name}: {'; '.join(str(count) for count in group)}"


def _dns(section: Section) -> t.Iterator[Line]:
    if section.effects.dns:
        yield "", "DNS"
    for record in section.effects.dns:
        place = f"{record.name} {record.type}"
        by = "" if record.managed else "   (not the provider's zone)"
        if len(record.before) == len(record.after) == 1:
            yield "~", f"{place} {short(record.before[0])} → {short(record.after[0])}{by}"
            continue
        yield from (
            ("-", f"{place} {short(value)}{by}")
            for value in record.before
            if value not in record.after
        )
        yield from (
            ("+", f"{place} {short(value)}{by}")
            for value in record.after
            if value not in record.before
        )


def _bill(section: Section) -> t.Iterator[Line]:
    bill = section.effects.bill
    if bill:
        yield (
            "",
            f"month {_billing.money(bill.before, bill.currency)} → {_billing.money(bill.after, bill.currency)}",
        )
        yield from (("-", line(str(each))) for each in bill.gone)
        yield from (("+", line(str(each))) for each in bill.new)


def text(plan: Plan, style: t.Callable[[str, str], str] = lambda sign, words: words) -> str:
    """The whole plan; ``style`` paints a line by its sign."""
    out = []
    for section in plan.sections:
        out += [
            "",
            style("", title(section)),
            *(_indented(style, sign, words) for sign, words in lines(section)),
        ]
    above = notes(plan)
    if above:
        out += [""]
    out += [_indented(style, sign, words, 0) for sign, words in above]
    out += ["", style("", headline(plan))]
    return "\n".join(out).lstrip("\n")


def _indented(style: t.Callable[[str, str], str], sign: str, words: str, depth: int = 2) -> str:
    if not sign:
        return style("", f"{' ' * depth}{words}")
    return style(sign, f"{' ' * depth}  {sign} {words}")
