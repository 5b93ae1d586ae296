# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a node's word about keys goes: what it says gets into the estate, from there into DNS, and everybody believes DNS.

PRIVATE to the collection. Pure.

A host that somebody took over can say whatever it likes. It may speak of the keys with which it signs the domains placed on it, under
its own selectors, and of the TLS keys of its own names. Of a domain that left it, it may say that a key that was known goes on in its
life, and nothing else: or it could sign for the domain for ever.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._compile import _mx, opendkim
from ansible_collections.reseller.mail.plugins.module_utils._dkim import STATES, number
from ansible_collections.reseller.mail.plugins.module_utils._nodes import shown
from ansible_collections.reseller.mail.plugins.module_utils._scalars import Scalar
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import Many, Table
from ansible_collections.reseller.mail.plugins.module_utils._schema.state import STATE

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate, Node

Row = dict[str, str]

MOST_KEYS = 40
"""Of one domain: those that sign, those that come, and those of a week of emergencies."""
MOST_ROWS = 400_000
"""Of one report: as many as a full node has while all its keys are changed."""
_NAMES = {"dkim": "domain", "tls": "name"}
"""By part: what its rows are about. All rows about one subject are taken, or none."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What of a report is written down, and what was refused and why."""

    rows: list[Row]
    refused: list[str]


def judged(estate: Estate, node: Node, part: str, reported: t.Any) -> Judged:
    """Return the rows of a node's report that it may make, beside the former ones of every subject that it was refused."""
    former = _former(estate, node, part)
    if not isinstance(reported, list) or len(reported) > MOST_ROWS:
        return Judged(
            [row for rows in former.values() for row in rows],
            [f"the report of {node.name} is no list of at most {MOST_ROWS} keys"],
        )
    told: dict[str, list[Row]] = {}
    refused: dict[str, str] = {}
    unread = 0
    for raw in reported:
        row, fault = _read(part, raw)
        subject = row.get(_NAMES[part], "")
        if not subject:
            unread += 1
        elif fault:
            refused.setdefault(subject, fault)
        else:
            told.setdefault(subject, []).append(row)
    rule = _dkim_rule(estate, node, former) if part == "dkim" else _tls_rule(estate, node)
    for subject, rows in told.items():
        if subject not in refused and (fault := rule(subject, rows)):
            refused[subject] = fault
    kept = {subject: rows for subject, rows in told.items() if subject not in refused}
    # A row that says nothing of whom it is about may be about any of those that are missing now.
    back = (
        former
        if unread
        else {subject: rows for subject, rows in former.items() if subject in refused}
    )
    rows = [row for rows in {**back, **kept}.values() for row in rows]
    said = [
        f"what {node.name} reports of {subject} is refused: {fault}"
        for subject, fault in sorted(refused.items())
    ]
    if unread:
        said.append(
            f"{node.name} reports {unread} keys without a readable {_NAMES[part]}; they are refused"
        )
    return Judged(rows, said)


def _former(estate: Estate, node: Node, part: str) -> dict[str, list[Row]]:
    """Return the rows that are written down, by subject."""
    found: dict[str, list[Row]] = {}
    for state in estate.states:
        for key in getattr(state, part) if state.node == node.name else ():
            row = {name: value for name in _columns(part) if (value := getattr(key, name))}
            found.setdefault(row[_NAMES[part]], []).append(row)
    return found


def _columns(part: str) -> dict[str, t.Any]:
    table = t.cast(Many, STATE.keys[part].type).of
    return t.cast(Table, table).keys


def _read(part: str, raw: t.Any) -> tuple[Row, str]:
    """Return a row as the schema reads it, and what is wrong with it; without a subject where not even that can be read."""
    row: Row = {}
    fault = "" if isinstance(raw, dict) else "it is no row"
    for name, column in _columns(part).items():
        value = raw.get(name, "") if isinstance(raw, dict) else ""
        if value == "" and not column.required:
            if column.default:
                row[name] = column.default
            continue
        try:
            if not isinstance(value, str) or t.cast(Scalar, column.type).read(value) != value:
                raise ValueError(f"{shown(str(value)[:100])} is not written so")
        except ValueError as error:
            fault = fault or f"{name}: {error}; allowed: {t.cast(Scalar, column.type).allowed}"
        else:
            row[name] = value
    return row, fault


Rule = t.Callable[[str, list[Row]], str]
"""Why a node may not say these rows of a subject; empty when it may."""


def _dkim_rule(estate: Estate, node: Node, former: t.Mapping[str, list[Row]]) -> Rule:
    signs = opendkim.algorithms_of(estate, node)
    taken = opendkim.taken(estate, node)

    def fault(domain: str, rows: list[Row]) -> str:
        known = {
            (row["selector"], row["algorithm"], row["public"]): row
            for row in former.get(domain, ())
        }
        for row in rows:
            before = known.get((row["selector"], row["algorithm"], row["public"]))
            if before and (
                domain in signs or STATES.index(row["state"]) >= STATES.index(before["state"])
            ):
                continue
            if domain not in signs:
                return f"the node does not sign for it (selector {row['selector']})"
            if row["selector"] in taken.get(domain, ()) or not number(
                node.name, row["algorithm"], row["selector"]
            ):
                return f"the selector {row['selector']} is not one of its own"
        if len({row["selector"] for row in rows}) < len(rows):
            return "it has two keys at one selector"
        return f"it has more than {MOST_KEYS} keys" if len(rows) > MOST_KEYS else ""

    return fault


def _tls_rule(estate: Estate, node: Node) -> Rule:
    names = frozenset(_mx.names(estate, node))

    def fault(name: str, rows: list[Row]) -> str:
        if name not in names:
            return "it is not a name under which the node takes mail"
        return "it is reported twice" if len(rows) > 1 else ""

    return fault
