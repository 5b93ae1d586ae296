# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows in a SQL dump, as mysqldump, pg_dump, sqlite3's .dump and PostfixAdmin's own backup write them.

PRIVATE to the collection. Pure. Nothing is executed: INSERT and COPY are read for their rows, CREATE TABLE for the names of
columns. Statements are found by their words, because PostfixAdmin's backup writes CREATE TABLE without a semicolon. A database
would refuse a row that has not one value for each column, and so does this: values under the wrong columns are guesses.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._exchange.sql_tokens import (
    SqlFault,
    Token,
    Tokens,
    copy_cell,
    line_counter,
)

_NOT_A_COLUMN = (
    "PRIMARY",
    "UNIQUE",
    "KEY",
    "INDEX",
    "CONSTRAINT",
    "FULLTEXT",
    "FOREIGN",
    "CHECK",
    "EXCLUDE",
    "LIKE",
)
_REST_OF_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)")
_END_OF_COPY = re.compile(r"(?<=[\r\n])\\\.(?=[\r\n]|\Z)")
# Each tool says so when it is done. A dump with the first line and without the last one is a part.
_WHOLE = (
    (r"^-- (?:MySQL|MariaDB) dump ", r"^-- Dump completed"),
    (r"^-- PostgreSQL database dump$", r"^-- PostgreSQL database dump complete"),
    (r"^BEGIN TRANSACTION;", r"COMMIT;\s*\Z"),
    (r"^-- phpMyAdmin SQL Dump[^\0]*^START TRANSACTION;", r"^COMMIT;"),
    (r"^-- Adminer \S+ .*dump$", r"^-- [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}(?: \w+)?\s*\Z"),
)
# What may stand between INSERT or REPLACE and INTO, which MySQL lets one leave out.
_MODIFIERS = (
    "LOW_PRIORITY",
    "DELAYED",
    "HIGH_PRIORITY",
    "IGNORE",
    "OR",
    "REPLACE",
    "ABORT",
    "ROLLBACK",
    "FAIL",
    "INTO",
)


@dataclass(frozen=True)
class Row:
    """One row of a table: its line in the dump, and its values by column. NULL is empty."""

    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")


@dataclass
class Dump:
    """What was read of the wanted tables. ``faults`` are lines and what is wrong there; with one the rest cannot be trusted."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    columns: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    """Of every wanted table that is created or has rows: the line that says so, and its columns."""
    faults: list[tuple[int, str]] = field(default_factory=list)


class _Reader:
    def __init__(self, text: str, wanted: t.Container[str]) -> None:
        self.text = text
        self.wanted = wanted
        self.tokens = Tokens(text)
        self.line = line_counter(text)
        self.last = len(text.rstrip())
        self.dump = Dump()

    def fault(self, at: int, what: str) -> None:
        self.dump.faults.append((self.line(min(at, self.last)), what))

    def read(self) -> Dump:
        try:
            self._statements()
        except SqlFault as error:
            self.fault(error.at, str(error))
        else:
            for first, last in _WHOLE:
                if re.search(first, self.text, re.MULTILINE) and not re.search(
                    last, self.text, re.MULTILINE
                ):
                    self.fault(
                        self.last,
                        "the dump ends here without the last line that its tool writes: it is a part",
                    )
        return self.dump

    def _statements(self) -> None:
        before, begins = Token("", "", 0), True
        while (token := self.tokens.next()).kind:
            copies = begins and token.is_word("COPY")
            if token.is_word("INTO"):
                self._into(token, before)
            elif (
                begins
                and token.is_word("INSERT", "REPLACE")
                and not self.tokens.peek().is_word(*_MODIFIERS)
            ):
                self._insert(token.at)
            elif token.is_word("TABLE") and before.is_word("CREATE", "TEMPORARY"):
                self._create()
            elif copies:
                self._copy(token.at)
            elif begins and token.is_word("UPDATE", "DELETE"):
                self._change(token)
            elif begins and token.is_word("ALTER", "RENAME"):
                self._rename(token)
            elif begins and token.is_word("DROP", "TRUNCATE"):
                self._empty()
            begins = copies or token.is_mark(";")
            before = token

    def _table(self) -> str:
        token = self.tokens.next()
        while token.is_word("TABLE", "IF", "NOT", "EXISTS", "ONLY", "FROM"):
            token = self.tokens.next()
        name = token.identifier
        # A schema or a database may stand before the name; a prefix of PostfixAdmin's own tables is part of it.
        while name and self.tokens.take_mark("."):
            name = self.tokens.next().identifier
        return name

    def _into(self, token: Token, before: Token) -> None:
        if before.is_word("MERGE") or self.tokens.peek().is_word("TABLE"):
            self._change(
                before if before.is_word("MERGE") else Token("word", "LOAD DATA", token.at)
            )
        elif before.is_word("INSERT", *_MODIFIERS):
            self._insert(token.at)

    def _empty(self) -> None:
        """Forget a table's rows, as the database does: a dump may be followed by a newer one."""
        self.dump.rows.pop(self._table(), None)

    def _rename(self, statement: Token) -> None:
        """Note a fault where a table or a column gets another name: rows stand under names that this does not follow."""
        renames, names = statement.is_word("RENAME"), set()
        while (token := self.tokens.peek()).kind and not token.is_mark(";"):
            renames = renames or token.is_word("RENAME")
            names.add(self.tokens.next().identifier)
        for name in sorted(name for name in names if renames and name in self.wanted):
            self.fault(
                statement.at,
                f"{statement.value.upper()} of the table {name} is not read: dump the tables as they are",
            )

    def _change(self, statement: Token) -> None:
        name = self._table()
        if name in self.wanted:
            self.fault(
                statement.at,
                f"{statement.value.upper()} of the table {name} is not read: dump the tables as they are",
            )

    def _create(self) -> None:
        at = self.tokens.at
        name = self._table()
        if not self.tokens.take_mark("("):
            if name in self.wanted and not self.tokens.peek().is_word("LIKE"):
                self.fault(
                    at,
                    f"CREATE TABLE {name} without its columns is not read: dump the tables as they are",
                )
            return
        columns: list[str] = []
        depth, first = 1, True
        while depth:
            token = self.tokens.next()
            if not token.kind:
                raise SqlFault(at, f"the dump ends in the middle of CREATE TABLE {name}")
            if token.is_mark("(") or token.is_mark(")"):
                depth += 1 if token.value == "(" else -1
            elif token.is_mark(",") and depth == 1:
                first = True
                continue
            elif first and depth == 1 and token.identifier and not token.is_word(*_NOT_A_COLUMN):
                columns.append(token.identifier)
            first = False
        self._declare(name, at, columns)

    def _declare(self, name: str, at: int, columns: list[str]) -> None:
        if name in self.wanted:
            self.dump.columns[name] = (self.line(at), columns)

    def _columns(self, name: str, at: int) -> list[str]:
        """The columns that a statement names, or those of the table."""
        if self.tokens.take_mark("("):
            names = []
            while not (token := self.tokens.next()).is_mark(")"):
                if not token.kind:
                    raise SqlFault(at, "the dump ends in the middle of a list of columns")
                if token.identifier:
                    names.append(token.identifier)
            if name not in self.dump.columns:
                self._declare(name, at, names)
            return names
        if name not in self.dump.columns:
            raise SqlFault(
                at,
                f"the dump does not say which columns the table {name} has: dump it with its structure",
            )
        return self.dump.columns[name][1]

    def _take(self, name: str, line: int, columns: list[str], values: list[str]) -> None:
        if len(values) == len(columns):
            self.dump.rows.setdefault(name, []).append(
                Row(line, dict(zip(columns, values, strict=True)))
            )
        else:
            self.dump.faults.append(
                (
                    line,
                    f"a row of the table {name} has {len(values)} values for {len(columns)} columns",
                )
            )

    def _insert(self, at: int) -> None:
        name = self._table()
        if name not in self.wanted:
            return
        columns = self._columns(name, at)
        if not (token := self.tokens.next()).is_word("VALUES", "VALUE"):
            raise SqlFault(
                at,
                f"INSERT INTO {name} without VALUES is not read (found {token.value or 'the end'!r})",
            )
        while True:
            start = self.tokens.next()
            if not start.is_mark("("):
                what = f"a row begins with a bracket, not with {start.value[:20]!r}"
                raise SqlFault(
                    start.at,
                    what if start.kind else f"the dump ends in the middle of the rows of {name}",
                )
            self._take(name, self.line(start.at), columns, self._values(start.at))
            if not self.tokens.take_mark(","):
                break
        end = self.tokens.peek()
        if not (end.is_mark(";") or end.is_word("ON", "AS", "RETURNING")):
            what = (
                f"after a row of {name} comes {end.value[:20]!r} in place of a comma or semicolon"
            )
            raise SqlFault(
                end.at, what if end.kind else f"the dump ends in the middle of the rows of {name}"
            )

    def _values(self, start: int) -> list[str]:
        """One row's values, behind its bracket."""
        values = []
        while True:
            values.append(self._value(start))
            token = self.tokens.next()
            if token.is_mark(")"):
                return values
            if not token.kind:
                raise SqlFault(start, "the dump ends in the middle of this row")
            if not token.is_mark(","):
                raise SqlFault(
                    start,
                    f"in this row {token.value[:20]!r} follows a value: a text ends too early, or is not closed where it should be",
                )

    def _value(self, start: int) -> str:
        token = self.tokens.next()
        if token.is_text:
            value = token.value
        elif token.kind == "number":
            value = (
                _hexadecimal(token.value[2:], start)
                if token.value.startswith("0x")
                else token.value
            )
        elif token.kind != "word":
            what = f"in this row {token.value[:20]!r} stands where a value should"
            raise SqlFault(start, what if token.kind else "the dump ends in the middle of this row")
        elif self.tokens.peek().is_text and (
            token.value.startswith("_") or token.is_word("N", "B")
        ):
            value = self.tokens.next().value  # a character set's introducer
        elif self.tokens.peek().is_text and token.is_word("X"):
            value = _hexadecimal(self.tokens.next().value, start)
        elif self.tokens.peek().is_mark("("):
            value = self._called(token, start)
        else:
            value = "" if token.is_word("NULL", "DEFAULT") else token.value
        if self.tokens.take_mark(":"):  # PostgreSQL's cast: '…'::character varying(255)
            while self.tokens.peek().is_mark(":") or self.tokens.peek().kind == "word":
                self.tokens.next()
            if self.tokens.take_mark("("):
                self._values(start)
        return value

    def _called(self, function: Token, start: int) -> str:
        """What sqlite3 writes for texts with line ends: replace('a\\nb','\\n',char(10)) or unistr('a\\u000ab')."""
        self.tokens.take_mark("(")
        given = self._values(start)
        name = function.value.lower()
        if name == "replace" and len(given) == 3:
            return given[0].replace(given[1], given[2])
        if name == "char" and all(
            re.fullmatch("[0-9]{1,7}", code) and int(code) < 0x110000 for code in given
        ):
            return "".join(chr(int(code)) for code in given)
        if name == "unistr" and len(given) == 1:
            return re.sub(
                r"\\(?:\\|u([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4}))",
                lambda one: chr(int(one[1] or one[2] or one[3] or "5c", 16)),
                given[0],
            )
        raise SqlFault(
            start,
            f"in this row stands the function {function.value[:20]}(), which only a database can compute",
        )

    def _copy(self, at: int) -> None:
        """PostgreSQL: rows of tabs up to a line with backslash and dot (manual, COPY)."""
        name = self._table()
        if name not in self.wanted:
            self._skip_copy()
            return
        columns = self._columns(name, at)
        source = []
        while not (token := self.tokens.next()).is_mark(";"):
            if not token.kind:
                raise SqlFault(at, f"the dump ends in the middle of COPY {name}")
            source.append(token.value.lower())
        if source != ["from", "stdin"]:
            raise SqlFault(
                at,
                f"COPY {name} {' '.join(source)} is not read; allowed: COPY … FROM stdin; in the text format, as pg_dump writes it",
            )
        self._copied(name, columns)

    def _skip_copy(self) -> None:
        while not (token := self.tokens.next()).is_mark(";"):
            if not token.kind:
                return
            if token.is_word("STDIN"):
                self._copied("", [])
                return

    def _copied(self, name: str, columns: list[str]) -> None:
        # Lines end in LF, CR or CR LF; a CR that belongs to a value is written as \r.
        first = _REST_OF_LINE.match(self.text, self.tokens.at)
        begin = first.end() if first else len(self.text)
        stop = _END_OF_COPY.search(self.text, begin)
        if stop is None:
            raise SqlFault(begin - 1, "the dump ends in the middle of the rows that begin here")
        if name:
            line = self.line(begin)
            body = self.text[begin : stop.start()]
            for number, row in enumerate(re.split("\r\n|\r|\n", body)[:-1]):
                self._take(
                    name, line + number, columns, [copy_cell(cell) for cell in row.split("\t")]
                )
        self.tokens.at = stop.end()


def _hexadecimal(digits: str, at: int) -> str:
    try:
        return bytes.fromhex(digits).decode()
    except ValueError:
        raise SqlFault(at, "in this row stands a hexadecimal value that is no UTF-8 text") from None


def rows(text: str, wanted: t.Container[str]) -> Dump:
    """Return the rows of the wanted tables, whose names are in lower case, and every fault of the dump."""
    return _Reader(text, wanted).read()
