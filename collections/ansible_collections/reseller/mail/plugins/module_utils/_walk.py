# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes + schema → typed values, collecting every fault on the way.

PRIVATE to the collection. Pure. A value that is at fault is left out (its default stands in), a table that lacks
something required is left out whole; so one fault hides no other.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _schema
from ansible_collections.reseller.mail.plugins.module_utils._model.values import (
    Fault,
    Position,
    Secret,
)
from ansible_collections.reseller.mail.plugins.module_utils._nodes import (
    LIST,
    MAPPING,
    SCALAR,
    Node,
    meant,
    shown,
)
from ansible_collections.reseller.mail.plugins.module_utils._scalars import Scalar

Values = dict[str, t.Any]
"""What a table says; ``at`` is its position."""

MAX_SUGGESTIONS = 200
"""In one file: each costs a quarter of a millisecond, and a file of more unknown keys is not misspelt but foreign."""

_BAD: t.Final = object()
_KEYS_OF_FILES = {name: frozenset(table.keys) for name, table in _schema.FILES.items()}
_DEFAULTS = {
    name: frozenset(t.cast(_schema.Table, table.keys["defaults"].type).keys)
    for name, table in _schema.FILES.items()
    if "defaults" in table.keys
}


class Walker:
    """Reads one file's nodes. ``faults`` grows while it walks; ``holes`` are the file's keys below which something was left out."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.holes: set[tuple[str, str]] = set()
        self._left_out = 0
        self._blank = 0  # values that could not be read, but for those of list items, which are still there without them
        self._unknown = 0

    def fault(self, node: Node, fault_id: str, what: str, allowed: str) -> None:
        self.faults.append(
            Fault(Position(self.file, node.line, node.column), fault_id, what, allowed)
        )

    def file_values(self, root: t.Optional[Node], table: _schema.Table) -> t.Optional[Values]:
        """What a whole file says; an empty one is an empty table."""
        values = self.table(root if root is not None else Node(MAPPING, {}, 1, 1), table)
        return None if values is _BAD else t.cast(Values, values)

    def collection(self, node: Node, kind: _schema.Many | _schema.Table) -> t.Any:
        """A list or a table, or _BAD after noting why."""
        if node.null:
            self.fault(node, "no-value", "nothing is written here", "a value, or leave the key out")
            return _BAD
        if isinstance(kind, _schema.Table):
            return self.table(node, kind)
        return self.many(node, kind)

    def scalar(self, node: Node, kind: Scalar) -> t.Any:
        """A single value, or _BAD after noting why."""
        if node.kind is not SCALAR:
            self.fault(
                node,
                "wrong-type",
                f"a {node.kind} stands where a single value belongs",
                kind.allowed,
            )
        elif node.null:
            self.fault(node, "no-value", "nothing is written here", kind.allowed)
        elif node.tag is None:
            try:
                value = kind.read(node.value)
            except ValueError as error:
                self.fault(node, "unfit-value", str(error), kind.allowed)
            else:
                return Secret(value, vaulted=False) if kind.secret else value
        elif not (kind.secret and node.tag == "!vault"):
            self.fault(
                node, "unfit-tag", f"the tag {shown(node.tag)} may not stand here", kind.allowed
            )
        elif node.value.startswith("$ANSIBLE_VAULT;"):
            return Secret(node.value, vaulted=True)
        else:
            self.fault(node, "unfit-value", "this is no output of ansible-vault", kind.allowed)
        return _BAD

    def many(self, node: Node, kind: _schema.Many) -> t.Any:
        of = kind.of
        if node.kind != LIST:
            wanted = (
                f"a list of {_plural(of.name)}"
                if isinstance(of, _schema.Table)
                else f"a list; each item {of.allowed}"
            )
            self.fault(node, "wrong-type", f"a {node.kind} stands where a list belongs", wanted)
            return _BAD
        left_out, blank = self._left_out, self._blank
        read = self.table if isinstance(of, _schema.Table) else self.scalar
        values = tuple(
            value for value in [read(item, of) for item in node.value] if value is not _BAD
        )  # type: ignore[arg-type]
        self._left_out, self._blank = (
            left_out + len(node.value) - len(values),
            blank,
        )  # what an item lacks does not make it missing
        return values

    def table(self, node: Node, table: _schema.Table) -> t.Any:
        if node.kind != MAPPING or node.tag is not None:
            wanted = f"the keys {', '.join(table.keys)}" if table.keys else "keys with values"
            place = (
                f"{_article(table.name)} with keys belongs"
                if table.name in _ITEMS
                else f"the keys of {table.name} belong"
            )
            self.fault(node, "wrong-type", f"a {node.kind} stands where {place}", wanted)
            return _BAD
        if table.free is not None:
            return self._free(node, table.free)
        values: Values = dict(table.defaults)
        values["at"] = Position(self.file, node.line, node.column, node)
        whole_file = table.name in _schema.FILES
        bad: list[str] = []
        misspelt = ""
        for name, (line, column, value_node) in node.value.items():
            key = table.keys.get(name)
            if key is None:
                misspelt += self._unknown_key(Position(self.file, line, column), name, table)
                continue
            before = self._left_out + self._blank
            value = (
                self.scalar(value_node, key.type)
                if isinstance(key.type, Scalar)
                else self.collection(value_node, key.type)
            )
            if value is not _BAD:
                values[name] = value
            else:
                if key.required:
                    bad.append(name)
                if not whole_file:
                    self._blank += 1
            if whole_file and (value is _BAD or self._left_out + self._blank != before):
                self.holes.add((self.file, name))
        bad += self._missing(node, table, misspelt)
        # A file is kept with holes in it, so that all else in it is judged too.
        if not whole_file:
            return _BAD if bad else values
        self.holes.update((self.file, name) for name in bad)
        return values

    def _missing(self, node: Node, table: _schema.Table, misspelt: str) -> list[str]:
        """The required keys that a table does not have. ``misspelt`` are the faults that name a key which was probably meant."""
        missing = [name for name in table.required if name not in node.value]
        for name in missing:
            if f"mean {name}?" not in misspelt:
                self.fault(
                    node,
                    "missing-key",
                    f"{_article(table.name)} lacks {name}",
                    f"{name}: {_wanted(table.keys[name].type)}",
                )
        return missing

    def _free(self, node: Node, kind: Scalar) -> Values:
        values: Values = {}
        for name, (line, column, value_node) in node.value.items():
            try:
                kind.read(name)
            except ValueError as error:
                self.faults.append(
                    Fault(
                        Position(self.file, line, column), "unfit-value", str(error), kind.allowed
                    )
                )
                continue
            value = self.scalar(value_node, kind)
            if value is not _BAD:
                values[name] = value
        return values

    def _unknown_key(self, at: Position, name: str, table: _schema.Table) -> str:
        """The fault that fits; what is returned names the key that was probably meant."""
        if table.name in _KEYS_OF_FILES:
            if table.name == "<domain>.yml" and name in ("defaults", *_DEFAULTS["account.yml"]):
                what = f"{shown(name)} does not belong into this file, but into {'account.yml' if name == 'defaults' else 'defaults of account.yml'}"
                self.faults.append(Fault(at, "foreign-key", what, ", ".join(table.keys)))
                return ""
            for home, keys in _KEYS_OF_FILES.items():
                if home != table.name and name in keys and "state/" not in home + table.name:
                    what = f"{shown(name)} does not belong into this file, but into {home}"
                    self.faults.append(Fault(at, "foreign-key", what, ", ".join(table.keys)))
                    return ""
            if name in _DEFAULTS.get(table.name, ()):
                what = f"{shown(name)} is no key of {table.name}, but of its defaults"
                self.faults.append(Fault(at, "unknown-key", what, f"defaults: {{{name}: ...}}"))
                return ""
            if name in _DEFAULTS["account.yml"]:
                what = f"{shown(name)} does not belong into this file, but into defaults of account.yml"
                self.faults.append(Fault(at, "foreign-key", what, ", ".join(table.keys)))
                return ""
        self._unknown += 1
        near = meant(name, table.keys) if self._unknown <= MAX_SUGGESTIONS else ""
        self.faults.append(
            Fault(
                at,
                "unknown-key",
                f"{shown(name)} is no key of {_article(table.name)}{near}",
                ", ".join(table.keys),
            )
        )
        return near


def _items(kind: _schema.Type) -> t.Iterator[str]:
    """The names of the tables that stand in lists: of those there is one and another, of the others there is one."""
    if isinstance(kind, _schema.Many) and isinstance(kind.of, _schema.Table):
        yield kind.of.name
        kind = kind.of
    if isinstance(kind, _schema.Table):
        for key in kind.keys.values():
            yield from _items(key.type)


_ITEMS = frozenset(name for table in _schema.FILES.values() for name in _items(table))


def _article(name: str) -> str:
    if name not in _ITEMS:
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _plural(name: str) -> str:
    return f"{name}es" if name[-1] in "sx" else f"{name}s"


def _wanted(kind: _schema.Type) -> str:
    if isinstance(kind, _schema.Many):
        return f"a list, each item {_wanted(kind.of)}"
    if isinstance(kind, Scalar):
        return kind.allowed
    return (
        _article(kind.name)
        if kind.name in _ITEMS
        else f"the keys {', '.join(kind.required or kind.keys)}"
    )
