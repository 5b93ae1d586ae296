# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes and the schema → typed values, and every fault in the values of one file.

PRIVATE to the collection. Pure. A wrong value is left out, and its default is used. A table without
a required key is left out as a whole. So one fault hides no other.
"""

from __future__ import annotations

import typing as t

from .._model.values import Fault, Position, Secret
from .._model.words import meant, shown
from . import schema
from .scalars import Scalar
from .source import Source
from .yaml_nodes import LIST, MAPPING, SCALAR, YamlNode

Values = dict[str, t.Any]
"""The values of a table by its keys. The entry ``at`` is the table's position. Items of a list
that is ``placed`` are pairs of value and position."""

MAX_SUGGESTIONS = 200
"""In one file. Each costs a quarter of a millisecond. A file with more unknown keys is another kind
of file, not a misspelt one."""

_BAD: t.Final = object()
_KEYS_OF_FILES = {name: frozenset(table.keys) for name, table in schema.FILES.items()}
_DEFAULTS = {
    name: frozenset(t.cast(schema.Table, table.keys["defaults"].type).keys)
    for name, table in schema.FILES.items()
    if "defaults" in table.keys
}


class Walker:
    """Reads the nodes of one file.

    Attributes:
        faults: The faults so far.
        holes: ``(file, key)`` for each key of the file below which something was left out.
        unused: The path of each use of a key that hosts do not act on yet, such as
            ``account.yml: defaults.retention``.
    """

    def __init__(self, file: str, source: t.Optional[Source] = None) -> None:
        self.file = file
        self.source = source
        self.unused: list[str] = []
        # The path of the table that is being read. None below an unused key: it counts once.
        self._above: t.Optional[str] = None
        self.faults: list[Fault] = []
        self.holes: set[tuple[str, str]] = set()
        self._left_out = 0
        # How many values could not be read. Those of list items are not counted: the item is kept.
        self._blank = 0
        self._unknown = 0

    def fault(self, node: YamlNode, fault_id: str, what: str, allowed: str) -> None:
        """Note a fault at a node."""
        self.faults.append(
            Fault(Position(self.file, node.line, node.column), fault_id, what, allowed)
        )

    def file_values(self, root: t.Optional[YamlNode], table: schema.Table) -> t.Optional[Values]:
        """Return the values of a whole file, or None if it is no table.

        An empty file is an empty table.
        """
        self._above = f"{table.name}: "
        values = self.table(root if root is not None else YamlNode(MAPPING, {}, 1, 1), table)
        return None if values is _BAD else t.cast(Values, values)

    def _value(self, name: str, key: schema.Key, node: YamlNode) -> t.Any:
        """Return the value of a key, or _BAD after a fault."""
        above = self._above
        if above is not None and key.acts == schema.NOT_YET:
            self.unused.append(f"{above}{name}")
        if isinstance(key.type, Scalar):
            return self.scalar(node, key.type)
        if above is not None:
            self._above = None if key.acts == schema.NOT_YET else f"{above}{name}."
        value = self.collection(node, key.type)
        self._above = above
        return value

    def collection(self, node: YamlNode, kind: schema.Many | schema.Table) -> t.Any:
        """Return the values of a list or table, or _BAD after a fault."""
        if node.null:
            self.fault(node, "no-value", node.why_null(), "a value, or leave the key out")
            return _BAD
        if isinstance(kind, schema.Table):
            return self.table(node, kind)
        return self.many(node, kind)

    def scalar(self, node: YamlNode, kind: Scalar) -> t.Any:
        """Return a single value, or _BAD after a fault."""
        if node.kind is not SCALAR:
            self.fault(
                node,
                "wrong-type",
                f"this is a {node.kind}, not a single value",
                kind.allowed,
            )
        elif node.null:
            self.fault(node, "no-value", node.why_null(), kind.allowed)
        elif node.tag is None:
            try:
                value = kind.read(node.value)
            except ValueError as error:
                self.fault(node, "unfit-value", str(error), kind.allowed)
            else:
                return Secret(value, vaulted=False) if kind.secret else value
        elif not (kind.secret and node.tag == "!vault"):
            self.fault(
                node, "unfit-tag", f"the tag {shown(node.tag)} is not allowed here", kind.allowed
            )
        elif node.value.startswith("$ANSIBLE_VAULT;"):
            return Secret(node.value, vaulted=True)
        else:
            self.fault(node, "unfit-value", "this is not output of ansible-vault", kind.allowed)
        return _BAD

    def many(self, node: YamlNode, kind: schema.Many) -> t.Any:
        """Return the values of a list as a tuple, or _BAD after a fault."""
        of = kind.of
        if node.kind != LIST:
            wanted = (
                f"a list of {_plural(of.name)}"
                if isinstance(of, schema.Table)
                else f"a list; each item {of.allowed}"
            )
            self.fault(node, "wrong-type", f"this is a {node.kind}, not a list", wanted)
            return _BAD
        left_out, blank = self._left_out, self._blank
        if isinstance(of, schema.Table):
            found = [self.table(item, of) for item in node.value]
        elif kind.placed:
            found = [self._placed(item, of) for item in node.value]
        else:
            found = [self.scalar(item, of) for item in node.value]
        values = tuple(value for value in found if value is not _BAD)
        # An item is kept if one of its values could not be read.
        self._left_out, self._blank = left_out + len(found) - len(values), blank
        return values

    def _placed(self, node: YamlNode, kind: Scalar) -> t.Any:
        """Return a single value and its place, or _BAD after a fault."""
        value = self.scalar(node, kind)
        return value if value is _BAD else (value, Position(self.file, node.line, node.column))

    def table(self, node: YamlNode, table: schema.Table) -> t.Any:
        """Return the values of a table, or _BAD after a fault that leaves the table out."""
        if node.kind != MAPPING:
            self._not_a_table(node, table)
            return _BAD
        if table.free is not None:
            return self._free(node, table.free)
        values: Values = table.defaults.copy()
        values["at"] = Position(self.file, node.line, node.column, self.source)
        bad, misspelt = self._keys(node, table, values)
        bad += self._missing(node, table, misspelt)
        # A file is kept with holes, so that the rest of it is validated, too.
        if table.name not in schema.FILES:
            return _BAD if bad else values
        self.holes.update((self.file, name) for name in bad)
        return values

    def _keys(self, node: YamlNode, table: schema.Table, values: Values) -> tuple[list[str], str]:
        """Read the keys of a table into ``values``.

        Return the required keys that could not be read, and the text of the faults that suggest a
        key.
        """
        whole_file = table.name in schema.FILES
        bad: list[str] = []
        misspelt = ""
        for name, (line, column, value_node) in node.value.items():
            key = table.keys.get(name)
            if key is None:
                misspelt += self._unknown_key(Position(self.file, line, column), name, table)
                continue
            before = self._left_out + self._blank
            value = self._value(name, key, value_node)
            if value is not _BAD:
                values[name] = value
            else:
                if key.required:
                    bad.append(name)
                if not whole_file:
                    self._blank += 1
            if whole_file and (value is _BAD or self._left_out + self._blank != before):
                self.holes.add((self.file, name))
        return bad, misspelt

    def _missing(self, node: YamlNode, table: schema.Table, misspelt: str) -> list[str]:
        """Return the required keys that a table does not have, and note a fault for each.

        ``misspelt`` is the text of the faults that suggest a key. A key that they name gets no
        second fault.
        """
        missing = [name for name in table.required if name not in node.value]
        for name in missing:
            if f"mean {name}?" not in misspelt:
                self.fault(
                    node,
                    "missing-key",
                    f"{_article(table.name)} lacks the key {name}",
                    f"{name}: {_wanted(table.keys[name].type)}",
                )
        return missing

    def _not_a_table(self, node: YamlNode, table: schema.Table) -> None:
        """Note that a node is something else than a table."""
        if table.name in _ITEMS:
            what = f"this is a {node.kind}, not {_article(table.name)} with keys"
        else:
            what = f"this is a {node.kind}, not the keys of {table.name}"
        wanted = f"the keys {', '.join(table.keys)}" if table.keys else "keys with values"
        self.fault(node, "wrong-type", what, wanted)

    def _free(self, node: YamlNode, kind: Scalar) -> Values:
        """Return the values of a table that takes any keys."""
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

    def _unknown_key(self, at: Position, name: str, table: schema.Table) -> str:
        """Note an unknown key. Return the suggested key in words; empty if there is none."""
        home = _home_of(name, table)
        if home == table.name:
            what = f"{shown(name)} is no key of {table.name}, but of its defaults"
            self.faults.append(Fault(at, "unknown-key", what, f"defaults: {{{name}: ...}}"))
            return ""
        allowed = ", ".join(table.keys)
        if home:
            what = f"{shown(name)} belongs in {home}, not in this file"
            self.faults.append(Fault(at, "foreign-key", what, allowed))
            return ""
        self._unknown += 1
        near = meant(name, table.keys) if self._unknown <= MAX_SUGGESTIONS else ""
        what = f"{shown(name)} is no key of {_article(table.name)}{near}"
        self.faults.append(Fault(at, "unknown-key", what, allowed))
        return near


def _home_of(name: str, table: schema.Table) -> str:
    """Return the file in which a key of a file can be, if it cannot be here; empty if nowhere.

    The result is the file itself if the key can be in its defaults.
    """
    if table.name not in _KEYS_OF_FILES:
        return ""
    if table.name == "<domain>.yml" and name == "defaults":
        return "account.yml"
    in_defaults_of_account = name in _DEFAULTS["account.yml"]
    if table.name == "<domain>.yml" and in_defaults_of_account:
        return "defaults of account.yml"
    for home, keys in _KEYS_OF_FILES.items():
        if home != table.name and name in keys and "state/" not in home + table.name:
            return home
    if name in _DEFAULTS.get(table.name, ()):
        return table.name
    return "defaults of account.yml" if in_defaults_of_account else ""


def _items(kind: schema.Type) -> t.Iterator[str]:
    """Yield the names of the tables that are items of lists. Other tables exist once."""
    if isinstance(kind, schema.Many) and isinstance(kind.of, schema.Table):
        yield kind.of.name
        kind = kind.of
    if isinstance(kind, schema.Table):
        for key in kind.keys.values():
            yield from _items(key.type)


_ITEMS = frozenset(
    name for table in (*schema.FILES.values(), schema.CONTRACTS) for name in _items(table)
)


def _article(name: str) -> str:
    """Return a table's name, with an article if it is an item of a list."""
    if name not in _ITEMS:
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _plural(name: str) -> str:
    """Return the plural of a table's name."""
    return f"{name}es" if name[-1] in "sx" else f"{name}s"


def _wanted(kind: schema.Type) -> str:
    """Return in words what the value of a missing key must be."""
    if isinstance(kind, schema.Many):
        return f"a list, each item {_wanted(kind.of)}"
    if isinstance(kind, Scalar):
        return kind.allowed
    return (
        _article(kind.name)
        if kind.name in _ITEMS
        else f"the keys {', '.join(kind.required or kind.keys)}"
    )
