# SPDX-License-Identifier: GPL-3.0-or-later
"""The change summary as data for programs; docs/plan.md describes it.

PRIVATE to the collection. Pure. It has no secrets. Amounts of money are texts, because JSON's
numbers are floating-point numbers in many programs.
"""

from __future__ import annotations

import typing as t

from .summary import ChangeSummary, Section
from .text import headline

if t.TYPE_CHECKING:
    from .._model.values import Fault, Position
    from .billing import Line

VERSION = 1
"""Raised when a field is removed or changes its meaning, not when one is added."""

Data = dict[str, t.Any]


def data(summary: ChangeSummary) -> Data:
    """Return the whole summary."""
    return {
        "version": VERSION,
        "summary": headline(summary),
        "before": summary.before,
        "after": summary.after,
        "refused": summary.refused,
        "counts": summary.counts(),
        "faults": [_fault(fault) for fault in summary.faults],
        "faults_before": [_fault(fault) for fault in summary.faults_before],
        "actor": summary.actor,
        "roles": list(summary.roles),
        "refusals": [_fault(fault) for fault in summary.refusals],
        "deletions": summary.deletions,
        "unmoved": [_fault(fault) for fault in summary.unmoved],
        "risks": [
            {
                "id": risk.id,
                "tenant": risk.tenant,
                "subject": risk.subject,
                "what": risk.what,
                **_at(risk.at),
            }
            for risk in summary.risks
        ],
        "without_effect": list(summary.without_effect),
        "sections": [_section(section) for section in summary.sections],
    }


def _section(section: Section) -> Data:
    """Return the changes and consequences of one tenant."""
    bill = section.consequences.bill
    return {
        "tenant": section.tenant,
        "organisation": section.organisation,
        "changes": [
            {
                "action": change.action,
                "kind": change.subject.kind,
                "name": change.subject.name,
                "keys": [
                    {"key": key.key, "before": key.texts[0], "after": key.texts[1]}
                    for key in change.keys
                ],
                **_at(change.at),
            }
            for change in section.changes
        ],
        "ledger": [
            {
                "kind": each.kind,
                "name": each.name,
                "counter": each.counter,
                "before": each.before,
                "after": each.after,
                "limit": each.limit,
            }
            for each in section.consequences.ledger
        ],
        "dns": [
            {
                "name": each.name,
                "type": each.type,
                "before": list(each.before),
                "after": list(each.after),
                "managed": each.managed,
            }
            for each in section.consequences.dns
        ],
        "mail": [
            {"fate": each.fate, "mailboxes": list(each.mailboxes), "days": each.days}
            for each in section.consequences.mail
        ],
        "bill": (
            None
            if bill is None
            else {
                "currency": bill.currency,
                "before": str(bill.before),
                "after": str(bill.after),
                "gone": [_line(each) for each in bill.gone],
                "new": [_line(each) for each in bill.new],
            }
        ),
    }


def _line(each: Line) -> Data:
    """Return a line of a bill."""
    return {
        "what": each.what,
        "quantity": each.quantity,
        "price": str(each.price),
        "amount": str(each.amount),
    }


def _fault(fault: Fault) -> Data:
    """Return a fault or a refusal."""
    return {"id": fault.id, "what": fault.what, "allowed": fault.allowed, **_at(fault.position)}


def _at(at: Position) -> Data:
    """Return the fields of a place in the files."""
    return {"file": at.file, "line": at.line, "column": at.column}
