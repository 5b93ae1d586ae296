# SPDX-License-Identifier: GPL-3.0-or-later
"""The usual text of a file → what is written in it, without events and nodes in between.

PRIVATE to the collection. Pure. It knows a small part of YAML: block mappings and lists, plain and
quoted words, flow lists and mappings in one line, comments. At the first line that it does not
know, and at the first fault, it gives up. Then ``yaml_nodes`` and ``typed_values`` read the file,
and only they report faults. Where this reader does not give up, both give the same values and
places: a test compares them for generated texts.
"""

from __future__ import annotations

import re
import typing as t
from types import MappingProxyType

from .._model.values import Secret
from . import schema
from .scalars import Scalar
from .written import Written
from .yaml_nodes import decoded

_END = r" *(?:(?<!\S)#.*)?"
"""Spaces and a comment."""
_FIRST = r"(?=\w|-\w)(?![nN](?:ull|ULL) *(?:[],}#]|$))"
"""The first character of plain words that are no null."""
_INNER = r"\w.@+/=%()& '-"
_PLAIN = rf"{_FIRST}[,{_INNER}]++(?::[\w/][,{_INNER}]*+)*+"
_PLAIN_IN_FLOW = rf"{_FIRST}[{_INNER}]++(?::[\w/][{_INNER}]*+)*+"
"""Plain words. Spaces can follow them: take them off."""
_LINE = re.compile(rf"( *+)(- )?+(?:([a-z_]++):(?: ++|$))?+(?:({_PLAIN})|([\[{{\"'].*+))?{_END}")
"""Indentation, dash, key, plain words, and any other value with what comes behind it."""
_PLAIN_WORDS, _OTHER = 4, 5
"""The groups of _LINE that are the value."""
_BEHIND = re.compile(_END)
_QUOTED = re.compile(rf"(?:\"([^\"\\]*)\"|'([^']*)'){_END}")
_IN_FLOW = re.compile(
    rf" *(?:([\]\[{{}},])|([a-z_]+): +|({_PLAIN_IN_FLOW})(?=[\],}}])|\"([^\"\\]*)\"|'([^']*)')"
)
_FLAT = re.compile(rf"\[{_PLAIN_IN_FLOW}(?:, {_PLAIN_IN_FLOW})*\]")
"""A flow list of plain words."""
_PAIR = rf"[a-z_]+: {_PLAIN_IN_FLOW}"
_FLAT_TABLE = re.compile(rf"\{{{_PAIR}(?:, {_PAIR})*\}}")
"""A flow mapping of plain words."""
_SIGN, _KEY, _WORDS = 1, 2, 3
"""The groups of _IN_FLOW. The others are quoted words."""
_START = "---\n"
_NOTHING: t.Final[t.Mapping[str, t.Any]] = MappingProxyType({})

Kind = t.Union[Scalar, schema.Many, schema.Table]


class _Doubt(Exception):
    """The text is not usual, or has a fault."""


_REASONS = (_Doubt, KeyError, ValueError)
"""Why this reader gives up: a doubt, an unknown key, an unfit value."""


def read(content: bytes, table: schema.Table) -> t.Optional[Written]:
    """Return what is in a file; None if the general reader must read it."""
    text, fault = decoded("", content)
    if fault is not None:
        return None
    reader = _Lines(table)
    try:
        return reader.read(text), reader.unused
    except _REASONS:
        return None


class _Level:
    """A table or list that is open.

    Attributes:
        kind: What it is in the schema.
        column: The column of its keys or dashes, counted from 0.
        line: The line where it begins, counted from 1.
        keys: The keys of a table; none for a list.
        readers: The readers of a table's single values; none for a list.
        is_table: Whether it is a table.
        own: The values that are written in a table.
        items: The items of a list.
        pending: The key whose value has not come yet; empty if there is none.
        above: The path of the keys in it, for ``unused``; None if they are not noted.
    """

    __slots__ = (
        "above", "column", "is_table", "items", "keys", "kind", "line", "own", "pending", "readers",
    )  # fmt: skip

    def __init__(self, kind: Kind, line: int, column: int, above: t.Optional[str]) -> None:
        self.kind = kind
        self.line = line
        self.column = column
        self.above = above
        self.is_table = isinstance(kind, schema.Table)
        self.keys = kind.keys if isinstance(kind, schema.Table) else _NOTHING
        self.readers = kind.readers if isinstance(kind, schema.Table) else _NOTHING
        self.own: dict[str, t.Any] = {}
        self.items: list[t.Any] = []
        self.pending = ""


class _Lines:
    """Reads the lines of one file. ``levels`` are the open tables and lists, the root first."""

    def __init__(self, table: schema.Table) -> None:
        self.table = table
        self.unused: list[str] = []
        self.levels: list[_Level] = []

    def read(self, text: str) -> dict[str, t.Any]:
        """Return the values of the file. Raise an error of _REASONS if it is not usual.

        Most of the time for a large estate is spent here: hence one flat loop.
        """
        match = _LINE.fullmatch
        first = 2 if text.startswith(_START) else 1
        top = _Level(self.table, first, -1, None)  # no key is at its column
        for number, line in enumerate(text.removeprefix(_START).split("\n"), first):
            found = match(line)
            if found is None:
                raise _Doubt
            spaces, dash, name, plain, other = found.groups()
            column = len(spaces)
            if dash is not None:
                top = self._list_at(number, column)
                if name is None:
                    self._item(top, plain, other, number, found)
                    continue
                top = self._open(top, number, column + 2)
            elif name is None:
                _is_nothing(plain, other)
                continue
            elif column != top.column or top.pending or not top.is_table:
                top = self._table_at(number, column)
            if name in top.own:
                raise _Doubt
            if plain is None:
                self._no_plain_words(top, name, other, number, found)
            else:
                top.own[name] = top.readers[name](plain.rstrip(" "))
        return self._end()

    def _end(self) -> dict[str, t.Any]:
        """Return the values of the file whose lines have all come."""
        if not self.levels:
            raise _Doubt
        while len(self.levels) > 1:
            self._close()
        return t.cast(dict[str, t.Any], self._value_of(self.levels[0]))

    def _no_plain_words(
        self,
        top: _Level,
        name: str,
        other: t.Optional[str],
        number: int,
        found: re.Match[str],
    ) -> None:
        """Read the line of a key with another value than plain words, or with none."""
        key = top.keys[name]
        if other is None:
            top.pending = name
        elif other[0] in "[{":
            top.own[name] = self._flow(
                key.type, self.below(top.above, name, key), other, number, found.start(_OTHER)
            )
        else:
            top.own[name] = _quoted(key.type, other)

    def _flow(
        self, kind: Kind, above: t.Optional[str], text: str, number: int, column: int
    ) -> t.Any:
        """Return the value of a list or mapping in one line."""
        if isinstance(kind, schema.Many) and not kind.placed and _FLAT.fullmatch(text):
            return tuple(_single(kind.of, words) for words in text[1:-1].split(", "))
        if isinstance(kind, schema.Table) and kind.free is None and _FLAT_TABLE.fullmatch(text):
            return self.values(kind, _pairs(kind, text[1:-1]), number, column, above)
        return _Flow(self, text, number, column).all_of(kind, above)

    def below(self, above: t.Optional[str], name: str, key: schema.Key) -> t.Optional[str]:
        """Return the path of the keys below a key; None below one that hosts do not act on."""
        if above is None or key.acts == schema.NOT_YET or isinstance(key.type, Scalar):
            return None
        return f"{above}{name}."

    def _item(
        self,
        top: _Level,
        plain: t.Optional[str],
        other: t.Optional[str],
        number: int,
        found: re.Match[str],
    ) -> None:
        """Read the line of an item that is no block mapping."""
        kind = t.cast(schema.Many, top.kind)
        column = found.start(_OTHER if plain is None else _PLAIN_WORDS)
        if plain is not None:
            value = _single(kind.of, plain)
        elif other is None:
            raise _Doubt
        elif other[0] in "[{":
            value = self._flow(kind.of, top.above, other, number, column)
        else:
            value = _quoted(kind.of, other)
        top.items.append((value, (number, column + 1)) if kind.placed else value)

    def _table_at(self, number: int, column: int) -> _Level:
        """Return the table whose keys are at a column, after closing what is below it."""
        if not self.levels:
            if column:
                raise _Doubt
            self.levels.append(_Level(self.table, number, 0, f"{self.table.name}: "))
        while True:
            top = self.levels[-1]
            if top.pending:
                if column <= top.column:
                    raise _Doubt
                level = self._open(top, number, column)
                if not level.is_table:
                    raise _Doubt
                return level
            if top.column < column:
                raise _Doubt
            if top.is_table and top.column == column:
                return top
            self._close()

    def _list_at(self, number: int, column: int) -> _Level:
        """Return the list whose dashes are at a column, after closing what is below it."""
        while self.levels:
            top = self.levels[-1]
            if top.pending and top.column <= column:
                level = self._open(top, number, column)
                if level.is_table:
                    raise _Doubt
                return level
            if not top.is_table and top.column == column:
                return top
            if top.column <= column:
                raise _Doubt
            self._close()
        raise _Doubt

    def _open(self, top: _Level, number: int, column: int) -> _Level:
        """Open the value of the pending key, or an item of a list, and return it."""
        kind: Kind
        if isinstance(top.kind, schema.Many):
            kind, above = top.kind.of, top.above
        else:
            key = top.keys[top.pending]
            kind, above = key.type, self.below(top.above, top.pending, key)
        if isinstance(kind, Scalar) or (isinstance(kind, schema.Table) and kind.free):
            raise _Doubt
        level = _Level(kind, number, column, above)
        self.levels.append(level)
        return level

    def _close(self) -> None:
        """Close the innermost table or list, and give its value to the one around it."""
        value = self._value_of(self.levels.pop())
        parent = self.levels[-1]
        if not parent.is_table:
            parent.items.append(value)
        else:
            parent.own[parent.pending] = value
            parent.pending = ""

    def _value_of(self, level: _Level) -> t.Any:
        """Return the value of a table or list whose lines have all come."""
        if level.pending:
            raise _Doubt
        if isinstance(level.kind, schema.Table):
            return self.values(level.kind, level.own, level.line, level.column, level.above)
        return tuple(level.items)

    def values(
        self,
        table: schema.Table,
        own: dict[str, t.Any],
        line: int,
        column: int,
        above: t.Optional[str],
    ) -> dict[str, t.Any]:
        """Return what is written in a table, and where the table is."""
        if above is not None and not table.unused.isdisjoint(own):
            self.unused += [f"{above}{name}" for name in own if name in table.unused]
        for name in table.required:
            if name not in own:
                raise _Doubt
        own["at"] = line, column + 1
        return own


class _Flow:
    """Reads a list or mapping in one line. ``offset`` is the column where the text begins."""

    def __init__(self, lines: _Lines, text: str, number: int, offset: int) -> None:
        self.lines = lines
        self.text = text
        self.number = number
        self.offset = offset
        self.at = 0

    def all_of(self, kind: Kind, above: t.Optional[str]) -> t.Any:
        """Return the value of the whole text."""
        value = self._value(kind, above, self._next())
        if not _BEHIND.fullmatch(self.text, self.at):
            raise _Doubt
        return value

    def _next(self) -> re.Match[str]:
        """Return what comes next, and go behind it."""
        found = _IN_FLOW.match(self.text, self.at)
        if found is None:
            raise _Doubt
        self.at = found.end()
        return found

    def _value(self, kind: Kind, above: t.Optional[str], token: re.Match[str]) -> t.Any:
        """Return the value that begins with a token."""
        group = token.lastindex or 0
        text = token.group(group)
        if group > _SIGN:
            if group == _KEY:
                raise _Doubt
            return _single(kind, text) if group == _WORDS else _text(kind, text)
        if text == "[" and isinstance(kind, schema.Many):
            return tuple(self._items(kind, above))
        if text == "{" and isinstance(kind, schema.Table):
            return self._table(kind, above)
        raise _Doubt

    def _parts(self, end: str) -> t.Iterator[re.Match[str]]:
        """Yield the first token of each item of a list or mapping, up to the sign at its end."""
        token = self._next()
        if token.group(_SIGN) == end:
            return
        while True:
            yield token
            sign = self._next().group(_SIGN)
            if sign == end:
                return
            if sign != ",":
                raise _Doubt
            token = self._next()

    def _items(self, kind: schema.Many, above: t.Optional[str]) -> t.Iterator[t.Any]:
        """Yield the items of a list whose bracket was read."""
        for token in self._parts("]"):
            value = self._value(kind.of, above, token)
            if kind.placed:
                group = token.lastindex or 0
                column = self.offset + token.start(group) - (group > _WORDS)  # with its quote
                value = (value, (self.number, column + 1))
            yield value

    def _table(self, kind: schema.Table, above: t.Optional[str]) -> dict[str, t.Any]:
        """Return the values of a mapping whose bracket was read."""
        column = self.offset + self.at - 1
        own: dict[str, t.Any] = {}
        for token in self._parts("}"):
            name = token.group(_KEY)
            if name is None or name in own:
                raise _Doubt
            if kind.free is not None:
                kind.free.read(name)
                own[name] = self._value(kind.free, above, self._next())
            else:
                key = kind.keys[name]
                own[name] = self._value(key.type, self.lines.below(above, name, key), self._next())
        if kind.free is not None:
            return own
        return self.lines.values(kind, own, self.number, column, above)


def _pairs(table: schema.Table, text: str) -> dict[str, t.Any]:
    """Return the values of a flow mapping of plain words, without its braces."""
    own: dict[str, t.Any] = {}
    for pair in text.split(", "):
        name, _colon, words = pair.partition(": ")
        if name in own:
            raise _Doubt
        read_value = table.readers.get(name)
        own[name] = (
            read_value(words.rstrip(" ")) if read_value else _single(table.keys[name].type, words)
        )
    return own


def _is_nothing(plain: t.Optional[str], other: t.Optional[str]) -> None:
    """Raise _Doubt if a line is neither empty nor a comment."""
    if plain is not None or other is not None:
        raise _Doubt


def _single(kind: Kind, words: str) -> t.Any:
    """Return the value of plain words."""
    return _text(kind, words.rstrip(" "))


def _quoted(kind: Kind, text: str) -> t.Any:
    """Return the value of a text in quotes."""
    found = _QUOTED.fullmatch(text)
    if found is None:
        raise _Doubt
    return _text(kind, found.group(found.lastindex or 0))


def _text(kind: Kind, text: str) -> t.Any:
    """Return the value of a text."""
    if not isinstance(kind, Scalar):
        raise _Doubt
    value = kind.read(text)
    return Secret(value, vaulted=False) if kind.secret else value
