# SPDX-License-Identifier: GPL-3.0-or-later
"""What was written differently: every changed key of every changed file, with its place.

PRIVATE to the collection. Pure. This is about what files say, not about what it means: rights are judged on it, and a line
that changes nothing today (a key that a nearer one overrides) is written by somebody all the same.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._model.values import Position
from ansible_collections.reseller.mail.plugins.module_utils._nodes import (
    LIST,
    MAPPING,
    SCALAR,
    Node,
    parse,
    shown,
)
from ansible_collections.reseller.mail.plugins.module_utils._revision import FILE, Entry

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._revision import Revision

_NAMES = ("name", "identity", "group", "hostname", "address")
"""What tells the tables of a list apart, the first that a table has."""

ADDED, REMOVED, CHANGED, TEXT_CHANGED = (
    "added",
    "removed",
    "changed",
    "changed in comments or layout",
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One changed key of a file, ``("mailboxes", "jo", "quota")``; for a whole file the path is empty. ``what`` was done to
    it; ``kind`` is what lies there now. What is gone has its place in the revision before.

    ``file`` is the path in the estate; outside of it the path from the repository's top, and ``inside`` is false.
    """

    at: Position
    file: str
    inside: bool
    path: tuple[str, ...]
    what: str
    kind: str = FILE
    before: t.Optional[Node] = None
    after: t.Optional[Node] = None

    @property
    def keys(self) -> str:
        """The keys without the names of things: ``mailboxes.quota``."""
        return ".".join(step for step in self.path if not step.startswith(":"))

    @property
    def text(self) -> t.Optional[str]:
        """What the key says now, when that is a single word."""
        return self.after.value if self.after is not None and self.after.kind == SCALAR else None


def edits(before: Revision, after: Revision) -> list[Edit]:
    """All edits, by place."""
    found: list[Edit] = []
    paths = before.entries.keys() | after.entries.keys()
    for path in sorted(
        path for path in paths if before.entries.get(path) != after.entries.get(path)
    ):
        inside = path.startswith(after.prefix)
        name = path.removeprefix(after.prefix) if inside else path
        found += _file(
            name, inside, before, after, before.entries.get(path), after.entries.get(path)
        )
    return sorted(found, key=lambda edit: (edit.at, edit.path))


def _file(
    name: str,
    inside: bool,
    before: Revision,
    after: Revision,
    was: t.Optional[Entry],
    now: t.Optional[Entry],
) -> t.Iterator[Edit]:
    at = Position(name if name.isprintable() else shown(name), 1, 1)
    what = ADDED if was is None else REMOVED if now is None else CHANGED
    sides = (before.files.get(name), after.files.get(name)) if inside else (None, None)
    changed: list[Edit] = []
    if any(side is not None for side in sides):
        # A side that is missing, or beyond reading, says nothing: then every key of the other one is new or gone.
        old, new = (parse(name, side)[0] if side is not None else None for side in sides)
        changed = list(
            _nodes(name, (), old or Node(MAPPING, {}, 1, 1), new or Node(MAPPING, {}, 1, 1))
        )
    kind = now.kind if now else FILE
    if what != CHANGED or not changed or kind != FILE:
        if what == CHANGED and kind == FILE and sides[0] is not None and sides[1] is not None:
            what = TEXT_CHANGED
        yield Edit(at, name, inside, (), what, kind)
    yield from changed


def _nodes(
    file: str, path: tuple[str, ...], old: t.Optional[Node], new: t.Optional[Node]
) -> t.Iterator[Edit]:
    """Every leaf in which two nodes differ; a missing one counts as empty, so that all keys of what is new are told."""
    node = new or old
    if node is None or (old and new and same(old, new)):
        return
    kinds = {side.kind for side in (old, new) if side}
    if kinds == {MAPPING}:
        parts = ({}, {}) if node.tag else (old.value if old else {}, new.value if new else {})
        for key in dict.fromkeys((*parts[0], *parts[1])):
            yield from _nodes(
                file, (*path, key), *(side[key][2] if key in side else None for side in parts)
            )
        if not any(parts):
            yield _leaf(file, path, old, new)
    elif (
        kinds == {LIST}
        and all(item.kind == MAPPING for side in (old, new) if side for item in side.value)
        and node.value
    ):
        olds, news = _named(old), _named(new)
        for name in dict.fromkeys((*olds, *news)):
            yield from _nodes(file, (*path, name), olds.get(name), news.get(name))
    else:
        yield _leaf(file, path, old, new)


def _leaf(file: str, path: tuple[str, ...], old: t.Optional[Node], new: t.Optional[Node]) -> Edit:
    node = t.cast(Node, new or old)
    what = ADDED if old is None else REMOVED if new is None else CHANGED
    return Edit(Position(file, node.line, node.column), file, True, path, what, FILE, old, new)


def _named(node: t.Optional[Node]) -> dict[str, Node]:
    """The tables of a list by name, ``:jo``; a second one of a name is another thing."""
    found: dict[str, Node] = {}
    for item in node.value if node else ():
        name = next(
            (
                item.value[key][2].value
                for key in _NAMES
                if key in item.value and item.value[key][2].kind == SCALAR
            ),
            "",
        )
        # Names of mailboxes and addresses are one name in whatever case they are written.
        name = f":{name.strip().lower()}"
        while name in found:
            name += " (again)"
        found[name] = item
    return found


def same(one: Node, other: Node) -> bool:
    """Whether two nodes say the same, wherever they stand."""
    waiting = [(one, other)]
    while waiting:
        old, new = waiting.pop()
        if old is new:
            continue
        if (old.kind, old.tag, old.null) != (new.kind, new.tag, new.null):
            return False
        if old.kind == SCALAR:
            if old.value != new.value:
                return False
        elif len(old.value) != len(new.value):
            return False
        elif old.kind == LIST:
            waiting.extend(zip(old.value, new.value, strict=True))
        elif old.value.keys() != new.value.keys():
            return False
        else:
            waiting.extend((old.value[key][2], new.value[key][2]) for key in old.value)
    return True
