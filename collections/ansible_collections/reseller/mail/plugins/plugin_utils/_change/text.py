# SPDX-License-Identifier: GPL-3.0-or-later
"""The change summary as a person reads it in a terminal: what changes, then the risks.

PRIVATE to the collection. Pure. Every line begins with a sign: ``+`` is added, ``-`` is removed,
``~`` is changed, ``!`` is a risk or a refusal.
"""

from __future__ import annotations

import typing as t
from itertools import groupby

from . import billing
from .consequences import DELETED, KEPT
from .objects import ADDED, CHANGED, REMOVED, Change, KeyChange, line, short
from .summary import ChangeSummary, Section

if t.TYPE_CHECKING:
    from .consequences import RecordChange
    from .risks import Risk

Line = tuple[str, str]
"""A sign and the text behind it. A heading has an empty sign."""

Style = t.Callable[[str, str], str]
"""Returns a line with the colours of its sign."""

SIGNS = {ADDED: "+", CHANGED: "~", REMOVED: "-"}
FOLDED = 4
"""From this number on, objects that change in the same way share one line."""
NAMED = 3
"""So many of them are named there."""
WHOLE = 20
"""If a refused change has more lines than this, each tenant has one line."""
IN_FILES = "The files of plan_markdown and plan_json have every change."


def plural(number: int, noun: str) -> str:
    """Return a number and its noun: "1 file", "2 files"."""
    many = f"{noun}s"
    if noun.endswith("limits"):
        many = noun
    elif noun.endswith(("x", "s")):
        many = f"{noun}es"
    return f"{number:,} {noun if number == 1 else many}"


def headline(summary: ChangeSummary) -> str:
    """Return the summary in one sentence."""
    way = f"{line(summary.before)} → {line(summary.after)}"
    if summary.faults:
        faults = plural(len(summary.faults), "fault")
        return f"{way}: refused, because the new files have {faults}"
    if not summary.sections:
        silent = plural(len(summary.without_effect), "file")
        more = f"; {silent} changed without effect" if summary.without_effect else ""
        return f"{way}: nothing changes{more}"
    counts = ", ".join(
        f"{number:,} {action}" for action, number in summary.counts().items() if number
    )
    tenants = plural(sum(bool(section.tenant) for section in summary.sections), "tenant")
    return (
        f"{way}: {counts or 'no object of the files'}; {tenants} touched;"
        f" {plural(len(summary.risks), 'risk')}"
    )


def notes(summary: ChangeSummary) -> list[Line]:
    """Return the lines that concern the whole change: faults, refusals, risks."""
    found: list[Line] = []
    if summary.faults_before:
        faults = plural(len(summary.faults_before), "fault")
        found.append(
            (
                "",
                f"{line(summary.before)} has {faults} itself; compared with what could be read"
                " of it",
            )
        )
    if summary.actor and not summary.faults:
        found.append(("", _result_for_actor(summary)))
        found += [("!", line(str(refusal))) for refusal in summary.refusals]
    if summary.deletions:
        found += [("", "Refused by the deletion guard"), ("!", line(summary.deletions))]
    if summary.unmoved:
        found.append(("", "Refused because mail has to be moved first"))
        found += [("!", line(str(fault))) for fault in summary.unmoved]
    if summary.risks:
        found.append(("", "Risks"))
        found += _risk_lines(summary.risks)
    if summary.without_effect:
        found.append(("", "Changed without effect"))
        found += [("~", line(each)) for each in summary.without_effect]
    return found


def _result_for_actor(summary: ChangeSummary) -> str:
    """Return who the actor is, and whether this actor may make the change."""
    if summary.refusals:
        result = f"not allowed: {plural(len(summary.refusals), 'edit')}"
    elif summary.sections or summary.without_effect:
        result = "may make this change"
    else:
        result = "the change has no edits"
    if not summary.roles:
        return f"{line(summary.actor)} has no role; {result}"
    return f"{line(summary.actor)} is {', '.join(summary.roles)}; {result}"


def _risk_lines(risks: t.Iterable[Risk]) -> t.Iterator[Line]:
    """Yield a line for each risk, or one for many of a tenant with the same id."""
    for (tenant, name), group in groupby(risks, key=lambda risk: (risk.tenant, risk.id)):
        same = list(group)
        head = f"{tenant or 'provider'}: {name}"
        if len(same) < FOLDED:
            yield from (("!", f"{head}: {line(one.subject)}: {line(one.what)}") for one in same)
        else:
            names = _first_names([line(one.subject) for one in same])
            yield "!", f"{head}: {len(same):,} times: {names}"


def title(section: Section) -> str:
    """Return the heading of a section: the tenant with its organisation, or "provider"."""
    if not section.tenant:
        return "provider"
    organisation = f" ({line(section.organisation)})" if section.organisation else ""
    return f"tenant {section.tenant}{organisation}"


def lines(section: Section) -> list[Line]:
    """Return the lines of a section."""
    return [
        *_change_lines(section.changes),
        *_ledger_lines(section),
        *_dns_lines(section),
        *_mail_lines(section),
        *_bill_lines(section),
    ]


def _change_lines(changes: t.Sequence[Change]) -> t.Iterator[Line]:
    """Yield the lines of the changed objects. Objects that change in the same way share one."""
    alike: dict[tuple[str, str, tuple[str, ...]], list[Change]] = {}
    for change in changes:
        keys = tuple(str(key) for key in change.keys)
        what = keys if change.action == CHANGED else (str(change.subject),)
        alike.setdefault((change.action, change.subject.kind, what), []).append(change)
    for (_action, kind, keys), group in alike.items():
        if len(group) >= FOLDED:
            names = _first_names([line(change.subject.name) for change in group])
            yield "~", f"{plural(len(group), kind)}: {'; '.join(keys)} ({names})"
        else:
            for change in group:
                yield from _lines_of_change(change)


def _lines_of_change(change: Change) -> t.Iterator[Line]:
    """Yield the lines of one object. Several changed keys have a line each."""
    sign, name = SIGNS[change.action], line(str(change.subject))
    keys = [_new_key(key) if change.action == ADDED else str(key) for key in change.keys]
    if change.action == ADDED or len(keys) < 2:
        yield sign, f"{name}{': ' if keys else ''}{', '.join(keys)}"
    else:
        yield sign, name
        yield from ((sign, f"    {each}") for each in keys)


def _new_key(change: KeyChange) -> str:
    """Return a key of a new object with its value."""
    return f"{change.key} {change.texts[1]}"


def _first_names(names: t.Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - NAMED
    return f"{', '.join(names[:NAMED])}{f' and {more:,} more' if more > 0 else ''}"


def _ledger_lines(section: Section) -> t.Iterator[Line]:
    """Yield the counters of the ledger that change, one line for each account."""
    counts = section.consequences.ledger
    if counts:
        yield "", "ledger"
    for (kind, name), group in groupby(counts, key=lambda count: (count.kind, count.name)):
        yield "~", f"{kind} {name}: {'; '.join(str(count) for count in group)}"


def _dns_lines(section: Section) -> t.Iterator[Line]:
    """Yield the DNS records that change."""
    if section.consequences.dns:
        yield "", "DNS"
    for record in section.consequences.dns:
        yield from _lines_of_record(record)


def _lines_of_record(record: RecordChange) -> t.Iterator[Line]:
    """Yield one line for a record that changes its only value, else a line for each value."""
    place = f"{record.name} {record.type}"
    by = "" if record.managed else "   (not the provider's zone)"
    if len(record.before) == len(record.after) == 1:
        yield "~", f"{place} {short(record.before[0])} → {short(record.after[0])}{by}"
        return
    for sign, values, others in (
        ("-", record.before, record.after),
        ("+", record.after, record.before),
    ):
        for value in values:
            if value not in others:
                yield sign, f"{place} {short(value)}{by}"


def _mail_lines(section: Section) -> t.Iterator[Line]:
    """Yield what becomes of stored mail and passwords."""
    if section.consequences.mail:
        yield "", "stored mail and passwords"
    for change in section.consequences.mail:
        count = plural(len(change.mailboxes), "mailbox")
        names = _first_names(change.mailboxes)
        of = f"{count} ({names})" if change.mailboxes else "all that its node keeps"
        if change.fate == KEPT:
            yield "~", f"kept for {plural(change.days, 'day')}, then deleted: {of}"
        elif change.fate == DELETED:
            confirm = f"-e mail_purge_confirmed={section.tenant}"
            yield "-", f"deleted at once by a run with {confirm}: {of}"
        else:
            yield "+", f"returns, if the node still keeps it: {of}"


def _bill_lines(section: Section) -> t.Iterator[Line]:
    """Yield the monthly sum before and after, and the lines of the bill that differ."""
    bill = section.consequences.bill
    if bill:
        before = billing.money(bill.before, bill.currency)
        after = billing.money(bill.after, bill.currency)
        yield "", f"month {before} → {after}"
        yield from (("-", line(str(each))) for each in bill.gone)
        yield from (("+", line(str(each))) for each in bill.new)


def text(summary: ChangeSummary, style: Style = lambda sign, words: words) -> str:
    """Return the whole summary. ``style`` colours each line by its sign.

    Of a refused change with many lines, each tenant has only one: the reasons must not be lost
    among them.
    """
    whole = [(section, lines(section)) for section in summary.sections]
    if summary.refused and sum(len(content) for _section, content in whole) > WHOLE:
        out = [style("", _in_short(section)) for section in summary.sections]
        out += [style("", IN_FILES)]
    else:
        out = []
        for section, content in whole:
            out += ["", style("", title(section))]
            out += [_indented(style, sign, words) for sign, words in content]
    above = notes(summary)
    if above:
        out += [""]
    out += [_indented(style, sign, words, 0) for sign, words in above]
    out += ["", style("", headline(summary))]
    return "\n".join(out).lstrip("\n")


def _in_short(section: Section) -> str:
    """Return one line with the numbers of a section."""
    actions = [change.action for change in section.changes]
    parts = [f"{actions.count(each):,} {each}" for each in SIGNS if each in actions]
    if section.consequences.dns:
        parts.append(plural(len(section.consequences.dns), "DNS record"))
    bill = section.consequences.bill
    if bill:
        before, after = (billing.money(each, bill.currency) for each in (bill.before, bill.after))
        parts.append(f"month {before} → {after}")
    return f"{title(section)}: {', '.join(parts) or 'only its ledger changes'}"


def _indented(style: Style, sign: str, words: str, depth: int = 2) -> str:
    """Return a line with its sign, indented by ``depth`` spaces and two more below a heading."""
    if not sign:
        return style("", f"{' ' * depth}{words}")
    return style(sign, f"{' ' * depth}  {sign} {words}")
