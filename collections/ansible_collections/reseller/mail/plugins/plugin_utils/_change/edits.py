# SPDX-License-Identifier: GPL-3.0-or-later
"""The edits between two revisions: every changed key of every changed file, with its place.

PRIVATE to the collection. Pure. Edits are about the text of the files, not about its effect:
rights depend on the text. A key that a nearer level overrides changes nothing today, and it is an
edit all the same.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._language.yaml_nodes import LIST, MAPPING, SCALAR, YamlNode, parse
from .._model.values import Position
from .._model.words import shown
from .revision import FILE

if t.TYPE_CHECKING:
    from .revision import Revision

_NAMES = ("name", "identity", "group", "hostname", "address")
"""Keys that name the tables of a list: the first one that a table has."""

ADDED, REMOVED, CHANGED, TEXT_CHANGED = (
    "added",
    "removed",
    "changed",
    "changed in comments or layout",
)

Node = t.Optional[YamlNode]


@dataclass(frozen=True, slots=True)
class Edit:
    """One changed key of a file, or one changed file.

    Attributes:
        at: The place after the change; of a removed key, its place before the change.
        file: The path in the estate. If ``inside`` is false, the path in the repository.
        inside: Whether the file is in the folder of the estate.
        path: The key, such as ``("mailboxes", ":jo", "quota")``. It is empty for a whole file. A
            step with a colon is the name of an object in a list.
        what: What was done: ``ADDED``, ``REMOVED``, ``CHANGED`` or ``TEXT_CHANGED``.
        kind: The kind of the entry after the change, such as ``FILE``.
        before, after: The values, None if there is none.
    """

    at: Position
    file: str
    inside: bool
    path: tuple[str, ...]
    what: str
    kind: str = FILE
    before: Node = None
    after: Node = None

    @property
    def keys(self) -> str:
        """Return the keys without the names of objects: ``mailboxes.quota``."""
        return ".".join(step for step in self.path if not step.startswith(":"))

    @property
    def text(self) -> t.Optional[str]:
        """Return the value after the change if it is a scalar, else None."""
        return self.after.value if self.after is not None and self.after.kind == SCALAR else None


def edits(before: Revision, after: Revision) -> list[Edit]:
    """Return all edits, sorted by place."""
    found: list[Edit] = []
    for path in sorted(before.entries.keys() | after.entries.keys()):
        if before.entries.get(path) != after.entries.get(path):
            found += _edits_of_file(path, before, after)
    return sorted(found, key=lambda edit: (edit.at, edit.path))


def _edits_of_file(path: str, before: Revision, after: Revision) -> t.Iterator[Edit]:
    """Yield the edits of one changed path: of the whole file, of its keys, or both."""
    inside = path.startswith(after.prefix)
    name = path.removeprefix(after.prefix) if inside else path
    old, new = (before.files.get(name), after.files.get(name)) if inside else (None, None)
    was, now = before.entries.get(path), after.entries.get(path)
    kind = now.kind if now else FILE
    what = _what_was_done(was, now)
    changed = list(_edits_of_keys(name, old, new))
    if what != CHANGED or not changed or kind != FILE:
        if what == CHANGED and kind == FILE and old is not None and new is not None:
            what = TEXT_CHANGED
        at = Position(name if name.isprintable() else shown(name), 1, 1)
        yield Edit(at, name, inside, (), what, kind)
    yield from changed


def _what_was_done(old: object, new: object) -> str:
    """Return ``ADDED``, ``REMOVED`` or ``CHANGED``. None: there was or is nothing."""
    if old is None:
        return ADDED
    return REMOVED if new is None else CHANGED


def _edits_of_keys(file: str, old: t.Optional[bytes], new: t.Optional[bytes]) -> t.Iterator[Edit]:
    """Yield the changed keys of a file that the loader reads.

    A side that is missing, or that is no readable YAML, counts as empty. Then every key of the
    other side is added or removed.
    """
    if old is None and new is None:
        return
    nodes = (
        (parse(file, content)[0] if content is not None else None) or YamlNode(MAPPING, {}, 1, 1)
        for content in (old, new)
    )
    yield from _edits_of_nodes(file, (), *nodes)


def _edits_of_nodes(file: str, path: tuple[str, ...], old: Node, new: Node) -> t.Iterator[Edit]:
    """Yield every leaf in which two nodes differ. A missing node counts as an empty one."""
    if (old is None and new is None) or (old and new and same(old, new)):
        return
    if _are_plain_mappings(old, new):
        olds, news = _entries(old), _entries(new)
    elif _are_lists_of_tables(old, new):
        olds, news = _tables_by_name(old), _tables_by_name(new)
    else:
        olds, news = {}, {}
    if not olds and not news:
        yield _leaf(file, path, old, new)
    for step in dict.fromkeys((*olds, *news)):
        yield from _edits_of_nodes(file, (*path, step), olds.get(step), news.get(step))


def _are_plain_mappings(old: Node, new: Node) -> bool:
    """Return whether both nodes are mappings whose keys can be compared. A tag is one value."""
    node = new or old
    return _kinds(old, new) == {MAPPING} and node is not None and not node.tag


def _are_lists_of_tables(old: Node, new: Node) -> bool:
    """Return whether both nodes are lists of tables, and the newer one is not empty."""
    node = new or old
    return (
        _kinds(old, new) == {LIST}
        and node is not None
        and bool(node.value)
        and all(item.kind == MAPPING for side in (old, new) if side for item in side.value)
    )


def _kinds(*nodes: Node) -> set[str]:
    """Return the kinds of the nodes that are there."""
    return {node.kind for node in nodes if node}


def _entries(node: Node) -> dict[str, YamlNode]:
    """Return the values of a mapping by their keys."""
    return {key: entry[2] for key, entry in node.value.items()} if node else {}


def _leaf(file: str, path: tuple[str, ...], old: Node, new: Node) -> Edit:
    """Return the edit of one key."""
    node = t.cast(YamlNode, new or old)
    at = Position(file, node.line, node.column)
    return Edit(at, file, True, path, _what_was_done(old, new), FILE, old, new)


def _tables_by_name(node: Node) -> dict[str, YamlNode]:
    """Return the tables of a list by their name, ``:jo``. A repeated name gets an ending."""
    found: dict[str, YamlNode] = {}
    for item in node.value if node else ():
        # Names of mailboxes and addresses are the same name in lower and upper case.
        name = f":{_name_of_table(item).strip().lower()}"
        while name in found:
            name += " (again)"
        found[name] = item
    return found


def _name_of_table(item: YamlNode) -> str:
    """Return the value of the first key that names a table; empty if it has none."""
    for key in _NAMES:
        if key in item.value and item.value[key][2].kind == SCALAR:
            return str(item.value[key][2].value)
    return ""


def same(one: YamlNode, other: YamlNode) -> bool:
    """Return whether two nodes have the same content, wherever they are in the file."""
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
