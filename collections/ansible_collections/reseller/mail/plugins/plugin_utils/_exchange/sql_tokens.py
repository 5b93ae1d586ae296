# SPDX-License-Identifier: GPL-3.0-or-later
"""Split a SQL dump into tokens, by the rules of MySQL or of the SQL standard (PostgreSQL, SQLite).

PRIVATE to the collection. Pure. A backslash in a text escapes in MySQL only: PostgreSQL (manual
4.1.2.1, ``standard_conforming_strings``) and SQLite (lang_expr.html) keep it as it is.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

_COMMON = r"""
    (?P<space>\s+|--[^\n]*|{comment}/\*.*?\*/)
  | {texts}
  | (?P<name>{name})
  | (?P<word>[A-Za-z_][\w$]*)
  | (?P<number>[-+]?(?:0x[0-9A-Fa-f]+|[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?))
  | (?P<mark>[^'"`])
"""
_ESCAPED = r"'(?P<escaped>(?:[^'\\]|\\.|'')*)'"
_MYSQL = re.compile(
    _COMMON.format(
        comment=r"\#[^\n]*|",
        texts=_ESCAPED + r'''|"(?P<double>(?:[^"\\]|\\.|"")*)"''',
        name=r"`(?:[^`]|``)+`",
    ),
    re.VERBOSE | re.DOTALL,
)
_STANDARD = re.compile(
    _COMMON.format(
        comment="",
        texts="[eE]"
        + _ESCAPED
        + r"|'(?P<plain>(?:[^']|'')*)'|\$(?P<tag>\w*)\$(?P<dollar>.*?)\$(?P=tag)\$",
        name=r'"(?:[^"]|"")+"|`[^`]+`|\[[^\]\n]+\]',
    ),
    re.VERBOSE | re.DOTALL,
)
_TEXTS = ("escaped", "double", "plain", "dollar")
# What PostgreSQL, SQLite and their tools write, and MySQL never writes.
_IS_STANDARD = re.compile(
    r"""^(?: --\ PostgreSQL\ database\ dump | SET\ standard_conforming_strings\ =\ on
           | PRAGMA\ foreign_keys | BEGIN\ TRANSACTION; | COPY\ \S+\ .*FROM\ stdin )""",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)
_OLD_POSTGRES = re.compile(r"^SET standard_conforming_strings = off", re.MULTILINE | re.IGNORECASE)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a", "b": "\b"}
_KNOWN_ESCAPES = frozenset("0'\"bnrtZ\\%_")
"""What MySQL's tools escape (MySQL manual, String Literals). PostgreSQL's E'' adds f, v, x, u and
digits."""


class SqlFault(Exception):
    """Something that cannot be read. ``at`` is the position where it begins."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at


@dataclass(frozen=True)
class Token:
    """One token of a dump, with its position.

    ``kind`` is text, double, name, word, number or mark; it is empty at the end of the dump.
    ``double`` is a text in double quotes: MySQL reads it as a text, and mysqldump --compatible=ansi
    writes names this way.
    """

    kind: str
    value: str
    at: int

    def is_mark(self, mark: str) -> bool:
        """Return whether the token is this mark."""
        return self.kind == "mark" and self.value == mark

    def is_word(self, *words: str) -> bool:
        """Return whether the token is one of these words, in any case."""
        return self.kind == "word" and self.value.upper() in words

    @property
    def is_text(self) -> bool:
        """Return whether the token is a text."""
        return self.kind in ("text", "double")

    @property
    def identifier(self) -> str:
        """Return the name of a table or column in lower case; empty if it is none."""
        return self.value.lower() if self.kind in ("word", "name", "double") else ""


class Tokens:
    """The tokens of a dump, one after the other, without comments. ``at`` is the position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        standard = bool(_IS_STANDARD.search(text)) and not _OLD_POSTGRES.search(text)
        self.pattern = _STANDARD if standard else _MYSQL

    def next(self) -> Token:
        """Return the next token and go behind it. Raise ``SqlFault`` for an unclosed text."""
        while self.at < len(self.text):
            found = self.pattern.match(self.text, self.at)
            if found is None:
                raise SqlFault(self.at, "the text that begins here is not closed")
            start, self.at = self.at, found.end()
            if found["space"] is None:
                return self._token(found, start)
        return Token("", "", self.at)

    def peek(self) -> Token:
        """Return the next token and stay before it."""
        at = self.at
        token = self.next()
        self.at = at
        return token

    def take_mark(self, mark: str) -> bool:
        """Go behind the mark if it is the next token; return whether it is."""
        at = self.at
        if self.next().is_mark(mark):
            return True
        self.at = at
        return False

    def _token(self, found: re.Match[str], start: int) -> Token:
        """Return the token that the pattern found."""
        for kind in _TEXTS:
            value = found.groupdict().get(kind)
            if value is not None:
                return Token(
                    "double" if kind == "double" else "text",
                    self._unescaped(kind, value, start),
                    start,
                )
        if found["name"] is not None:
            quote, name = found["name"][0], found["name"][1:-1]
            return Token("name", name.replace(quote * 2, quote), start)
        kind = next(kind for kind in ("word", "number", "mark") if found[kind] is not None)
        return Token(kind, found[kind], start)

    def _unescaped(self, kind: str, value: str, start: int) -> str:
        """Return a text without its escapes."""
        if kind == "plain":
            return value.replace("''", "'")
        if kind == "dollar":
            return value
        quote = '"' if kind == "double" else "'"

        def one(found: re.Match[str]) -> str:
            """Return the character of one escape."""
            if found[1] is None:
                return quote
            if self.pattern is _MYSQL and found[1] not in _KNOWN_ESCAPES:
                raise SqlFault(
                    start,
                    f"a text has \\{found[1]}, which no tool of MySQL writes: give the whole dump,"
                    " with the first lines that name its database",
                )
            # MySQL keeps the backslash of \% and \_ (manual, Table 11.1).
            return f"\\{found[1]}" if found[1] in "%_" else _ESCAPES.get(found[1], found[1])

        return re.sub(rf"\\(.)|{quote}{quote}", one, value, flags=re.DOTALL)


def copy_cell(cell: str) -> str:
    """Return the value of a cell of PostgreSQL's COPY (manual, COPY, Text Format).

    NULL is an empty text.
    """
    if cell == "\\N":
        return ""

    def one(found: re.Match[str]) -> str:
        """Return the character of one escape."""
        escape = found[1]
        if escape[0] == "x" and len(escape) > 1:
            return chr(int(escape[1:], 16))
        if escape[0] in "01234567":
            return chr(int(escape, 8))
        return {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}.get(
            escape, escape
        )

    return re.sub(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", one, cell, flags=re.DOTALL)


def line_counter(text: str) -> t.Callable[[int], int]:
    """Return a function that returns the line of a position. It is fast if positions only grow."""
    before = (0, 1)

    def line(at: int) -> int:
        """Return the line of a position, counted from 1."""
        nonlocal before
        if at < before[0]:
            before = (0, 1)
        before = (at, before[1] + text.count("\n", before[0], at))
        return before[1]

    return line
