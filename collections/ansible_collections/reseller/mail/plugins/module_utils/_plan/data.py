# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for programs; docs/plan.md describes it.

PRIVATE to the collection. Pure. Only numbers, words and texts; no secret, and amounts as text, because JSON's numbers are no money.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._plan import Plan, Section
from ansible_collections.reseller.mail.plugins.module_utils._plan.text import headline

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._billing import Line
    from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Position

VERSION = 1
"""Raised when a field goes or changes its meaning, not when one is added."""

Data = dict[str, t.Any]


def data(plan: Plan) -> Data:
    """The whole plan."""
    return {
        "version": VERSION,
        "summary": headline(plan),
        "before": plan.before,
        "after": plan.after,
        "refused": plan.refused,
        "counts": plan.counts(),
        "faults": [_fault(fault) for fault in plan.faults],
        "faults_before": [_fault(fault) for fault in plan.faults_before],
        "actor": plan.actor,
        "roles": list(plan.roles),
        "refusals": [_fault(fault) for fault in plan.refusals],
        "deletions": plan.deletions,
        "risks": [
            {
                "id": risk.id,
                "tenant": risk.tenant,
                "subject": risk.subject,
                "what": risk.what,
                **_at(risk.at),
            }
            for risk in plan.risks
        ],
        "without_effect": list(plan.mute),
        "sections": [_section(section) for section in plan.sections],
    }


def _section(section: Section) -> Data:
    bill = section.effects.bill
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
            for each in section.effects.ledger
        ],
        "dns": [
            {
                "name": each.name,
                "type": each.type,
                "before": list(each.before),
                "after": list(each.after),
                "managed": each.managed,
            }
            for each in section.effects.dns
        ],
        "bill": None
        if bill is None
        else {
            "currency": bill.currency,
            "before": str(bill.before),
            "after": str(bill.after),
            "gone": [_line(each) for each in bill.gone],
            "new": [_line(each) for each in bill.new],
        },
    }


def _line(each: Line) -> Data:
    return {
        "what": each.what,
        "quantity": each.quantity,
        "price": str(each.price),
        "amount": str(each.amount),
    }


def _fault(fault: Fault) -> Data:
    return {"id": fault.id, "what": fault.what, "allowed": fault.allowed, **_at(fault.position)}


def _at(at: Position) -> Data:
    return {"file": at.file, "line": at.line, "column": at.column}
