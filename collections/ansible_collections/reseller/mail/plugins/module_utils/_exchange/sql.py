# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows in a SQL dump, as mysqldump, pg_dump, sqlite3's .dump and PostfixAdmin's own backup write them.

PRIVATE to the collection. Pure. Nothing is executed: INSERT and COPY are read for their rows, CREATE TABLE for the names of
columns. Statements are found by their words, because PostfixAdmin's backup writes CREATE TABLE without a semicolon.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|\#[^\n]*|/\*.*?\*/)
      | '(?P<text>(?:[^'\\]|\\.|'')*)'
      | (?P<name>`[^`]+`|"[^"]+")
      | (?P<word>[A-Za-z_][\w.]*)
      | (?P<number>[-+]?[0-9][0-9.eE+-]*)
      | (?P<mark>[^'])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a", "b": "\b"}
_NOT_A_COLUMN = frozenset(("PRIMARY", "UNIQUE", "KEY", "INDEX", "CONSTRAINT", "FULLTEXT", "FOREIGN", "CHECK"))


@dataclass(frozen=True)
class Row:
    """One row of a table: its line in the dump, and its values by column. NULL is empty."""

    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")


class _Reader:
    def __init__(self, text: str, wanted: t.Container[str]) -> None:
        self.text = text
        self.wanted = wanted
        self.at = 0
        self.columns: dict[str, list[str]] = {}
        self.rows: dict[str, list[Row]] = {}
        self._counted = (0, 1)

    def line(self, at: int) -> int:
        before, number = self._counted
        if at < before:
            before, number = 0, 1
        self._counted = (at, number + self.text.count("\n", before, at))
        return self._counted[1]

    def next(self) -> tuple[str, str, int]:
        """Kind, value and place of the next token; the kind is empty at the end."""
        while self.at < len(self.text):
            found = _TOKEN.match(self.text, self.at)
            if found is None:  # a quote that nothing closes
                self.at = len(self.text)
                break
            start, self.at = self.at, found.end()
            kind = found.lastgroup or ""
            if kind == "space":
                continue
            value = found[kind]
            if kind == "text":
                value = re.sub(r"\\(.)|''", lambda one: "'" if one[1] is None else _ESCAPES.get(one[1], one[1]), value, flags=re.DOTALL)
            elif kind == "name":
                kind, value = "word", value[1:-1]
            return kind, value, start
        return "", "", self.at

    def peek(self) -> tuple[str, str, int]:
        at = self.at
        token = self.next()
        self.at = at
        return token

    def read(self) -> dict[str, list[Row]]:
        before = ""
        while True:
            kind, value, _at = self.next()
            if not kind:
                return self.rows
            word = value.upper() if kind == "word" else ""
            if word == "INTO" and before in ("INSERT", "IGNORE", "REPLACE"):
                self._insert()
            elif word == "TABLE" and before in ("CREATE", "TEMPORARY"):
                self._create()
            elif word == "COPY":
                self._copy()
            before = word

    def _table(self) -> str:
        kind, value, _at = self.next()
        while kind == "word" and value.upper() in ("IF", "NOT", "EXISTS", "ONLY"):
            kind, value, _at = self.next()
        # A schema or a database may stand before the name; a prefix of PostfixAdmin's own tables is part of it.
        return value.rpartition(".")[2] if kind == "word" else ""

    def _create(self) -> None:
        name = self._table()
        if self.next()[1] != "(":
            return
        columns: list[str] = []
        depth, first = 1, True
        while depth:
            kind, value, _at = self.next()
            if not kind:
                return
            if kind == "mark" and value in "()":
                depth += 1 if value == "(" else -1
            elif kind == "mark" and value == "," and depth == 1:
                first = True
                continue
            elif first and kind == "word" and depth == 1 and value.upper() not in _NOT_A_COLUMN:
                columns.append(value)
            first = False
        self.columns[name] = columns

    def _names(self) -> list[str]:
        names: list[str] = []
        while True:
            kind, value, _at = self.next()
            if not kind or value == ")":
                return names
            if kind == "word":
                names.append(value)

    def _insert(self) -> None:
        name = self._table()
        columns = self.columns.get(name, [])
        if self.peek()[1] == "(":
            self.next()
            columns = self._names()
        if self.next()[1].upper() != "VALUES":
            return
        while self.peek()[1] == "(":
            _kind, _value, start = self.next()
            values = self._values()
            if values is None:
                return
            if name in self.wanted:
                self.rows.setdefault(name, []).append(Row(self.line(start), dict(zip(columns, values, strict=False))))
            if self.peek()[1] != ",":
                return
            self.next()

    def _values(self) -> t.Optional[list[str]]:
        """One row's values; None when the dump ends in the middle of it."""
        values: list[str] = []
        current: t.Optional[str] = None
        depth = 0
        while True:
            kind, value, _at = self.next()
            if not kind:
                return None
            if value == ")" and kind == "mark" and depth == 0:
                return [*values, current or ""]
            if kind == "mark" and value == "," and depth == 0:
                values.append(current or "")
                current = None
            elif kind == "mark" and value in "()":
                depth += 1 if value == "(" else -1
            elif kind == "text" or (kind in ("number", "word") and not (kind == "word" and (value.upper() in ("NULL", "E") or value.startswith("_")))):
                current = value

    def _copy(self) -> None:
        """PostgreSQL: rows of tabs up to a line with backslash and dot."""
        name = self._table()
        columns = self.columns.get(name, [])
        if self.peek()[1] == "(":
            self.next()
            columns = self._names()
        end = self.text.find("\n", self.at)
        if end < 0 or "stdin" not in self.text[self.at : end].lower():
            return
        stop = self.text.find("\n\\.", end)
        body = self.text[end + 1 : stop if stop >= 0 else len(self.text)]
        line = self.line(end + 1)
        for number, row in enumerate(body.split("\n") if stop > end else ()):
            cells = ["" if cell == "\\N" else re.sub(r"\\(.)", lambda one: _ESCAPES.get(one[1], one[1]), cell) for cell in row.split("\t")]
            if name in self.wanted:
                self.rows.setdefault(name, []).append(Row(line + number, dict(zip(columns, cells, strict=False))))
        self.at = stop + 3 if stop >= 0 else len(self.text)


def rows(text: str, wanted: t.Container[str]) -> dict[str, list[Row]]:
    """The rows of the wanted tables."""
    return _Reader(text, wanted).read()
