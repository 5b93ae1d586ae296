# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of a node's report the estate takes over, and which it refuses.

PRIVATE to the collection. Pure.

What a node reports gets into the estate, from there into DNS, and receivers trust DNS. A host that
somebody took over can report anything. So a node may report the DKIM keys with which it signs the
domains placed on it, under its own selectors, and the TLS keys of its own names. For a domain that
was moved away it may only report a later state of a key that is known. Otherwise it could sign for
the domain for ever.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._host.keys.key_names import (
    STATES,
    number,
)

from .._compile import opendkim
from .._language.scalars import Scalar
from .._language.schema.kinds import Many, Table
from .._language.schema.state import STATE
from .._model import mx
from .._model.words import shown

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node

Row = dict[str, str]

MOST_KEYS = 40
"""Of one domain: the keys that sign, the next keys, and those of a week of emergencies."""
MOST_ROWS = 400_000
"""Of one report: as many as a full node has while all its keys are changed."""
_NAMES = {"dkim": "domain", "tls": "name"}
"""By part: the column with the subject of a row. All rows about one subject are taken, or none."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The result for one part of a report.

    Attributes:
        rows: the rows to write into the estate.
        refused: one sentence for each subject or report that is refused.
    """

    rows: list[Row]
    refused: list[str]


def judged(estate: Estate, node: Node, part: str, reported: t.Any) -> Judged:
    """Return the rows of a node's report that it may make, and what is refused.

    Subjects that are refused keep the rows that the estate has now. ``part`` is ``dkim`` or
    ``tls``; ``reported`` is what the node sent.
    """
    former = _former(estate, node, part)
    if not isinstance(reported, list) or len(reported) > MOST_ROWS:
        return Judged(
            [row for rows in former.values() for row in rows],
            [f"the report of {node.name} is not a list of at most {MOST_ROWS} keys"],
        )
    read = _read_all(part, reported)
    rule = _dkim_rule(estate, node, former) if part == "dkim" else _tls_rule(estate, node)
    refused = _refused(read, rule)
    # A row without a readable subject can be about any subject that is missing now.
    keep_all = bool(read.unread)
    kept = {subject: rows for subject, rows in former.items() if keep_all or subject in refused}
    kept |= {subject: rows for subject, rows in read.rows.items() if subject not in refused}
    return Judged(
        [row for rows in kept.values() for row in rows],
        _refusals(node, part, refused, read.unread),
    )


def _refused(read: _Read, rule: Rule) -> dict[str, str]:
    """Return why subjects are refused: what could not be read, or what the rule does not allow."""
    refused = dict(read.refused)
    for subject, rows in read.rows.items():
        if subject not in refused and (fault := rule(subject, rows)):
            refused[subject] = fault
    return refused


def _refusals(node: Node, part: str, refused: t.Mapping[str, str], unread: int) -> list[str]:
    """Return one sentence for each refused subject, and one for the rows without a subject."""
    sentences = [
        f"the report of {node.name} about {subject} is refused: {fault}"
        for subject, fault in sorted(refused.items())
    ]
    if unread:
        sentences.append(
            f"{node.name} reports {unread} keys without a readable {_NAMES[part]}; they are refused"
        )
    return sentences


class _Read(t.NamedTuple):
    """A report as it was read.

    Attributes:
        rows: the rows by subject, also those of refused subjects.
        refused: by subject, what is wrong with one of its rows.
        unread: the number of rows without a readable subject.
    """

    rows: dict[str, list[Row]]
    refused: dict[str, str]
    unread: int


def _read_all(part: str, reported: t.Iterable[t.Any]) -> _Read:
    """Return all rows of a report by subject."""
    rows: dict[str, list[Row]] = {}
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
            rows.setdefault(subject, []).append(row)
    return _Read(rows, refused, unread)


def _former(estate: Estate, node: Node, part: str) -> dict[str, list[Row]]:
    """Return the rows that the estate has of a node now, by subject."""
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
    """Return a row as the schema reads it, and what is wrong with it.

    The row has no subject if the subject cannot be read.
    """
    row: Row = {}
    fault = "" if isinstance(raw, dict) else "it is not a row"
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
"""Return why a node may not report these rows of a subject; empty if it may."""


def _dkim_rule(estate: Estate, node: Node, former: t.Mapping[str, list[Row]]) -> Rule:
    """Return the rule for DKIM keys: own selectors of domains for which the node signs."""
    signs = opendkim.algorithms_of(estate, node)
    taken = opendkim.selectors_of_other_nodes(estate, node)

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
    """Return the rule for TLS keys: one row for each name of the node."""
    names = frozenset(mx.names(estate, node))

    def fault(name: str, rows: list[Row]) -> str:
        if name not in names:
            return "it is not a name under which the node takes mail"
        return "it is reported twice" if len(rows) > 1 else ""

    return fault
