# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the rows of a SQL dump of mysqldump, pg_dump, sqlite3 or PostfixAdmin's own backup.

PRIVATE to the collection. Pure. Nothing is executed: INSERT and COPY give the rows, CREATE TABLE
gives the names of columns. Statements are found by their words, because PostfixAdmin's backup
writes CREATE TABLE without a semicolon. A row must have one value for each column, as in a
database. Otherwise it is a fault, because its values could be under the wrong columns.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .sql_tokens import SqlFault, Token, Tokens, copy_cell, line_counter

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
# The first and the last line that each tool writes. A dump without the last line is incomplete.
_WHOLE = (
    (r"^-- (?:MySQL|MariaDB) dump ", r"^-- Dump completed"),
    (r"^-- PostgreSQL database dump$", r"^-- PostgreSQL database dump complete"),
    (r"^BEGIN TRANSACTION;", r"COMMIT;\s*\Z"),
    (r"^-- phpMyAdmin SQL Dump[^\0]*^START TRANSACTION;", r"^COMMIT;"),
    (r"^-- Adminer \S+ .*dump$", r"^-- [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}(?: \w+)?\s*\Z"),
)
# Words between INSERT or REPLACE and INTO. In MySQL, INTO is optional.
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
    """One row of a table: its line in the dump, and its values by column. NULL is an empty text."""

    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")


@dataclass
class Dump:
    """What was read of the wanted tables.

    Attributes:
        rows: The rows of each table.
        columns: Of each table that is created or has rows, the line and the names of its columns.
        faults: Lines, and what is wrong there. After a fault the other rows can be wrong, too.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    columns: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)


class _Reader:
    """Reads one dump, statement by statement."""

    def __init__(self, text: str, wanted: t.Container[str]) -> None:
        self.text = text
        self.wanted = wanted
        self.tokens = Tokens(text)
        self.line = line_counter(text)
        self.last = len(text.rstrip())
        self.dump = Dump()

    def fault(self, at: int, what: str) -> None:
        """Note a fault at a position."""
        self.dump.faults.append((self.line(min(at, self.last)), what))

    def read(self) -> Dump:
        """Return the rows and the faults of the dump."""
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
                        "the dump ends here without the last line that its tool writes: it is"
                        " incomplete",
                    )
        return self.dump

    def _statements(self) -> None:
        """Read all statements. ``begins`` is whether a token is the first one of a statement."""
        before, begins = Token("", "", 0), True
        while (token := self.tokens.next()).kind:
            copies = begins and token.is_word("COPY")
            if token.is_word("INTO"):
                self._into(token, before)
            elif token.is_word("TABLE") and before.is_word("CREATE", "TEMPORARY"):
                self._create()
            elif begins:
                self._statement(token)
            begins = copies or token.is_mark(";")
            before = token

    def _statement(self, token: Token) -> None:
        """Read a statement that is known by its first word."""
        if token.is_word("INSERT", "REPLACE"):
            if not self.tokens.peek().is_word(*_MODIFIERS):  # else INTO follows
                self._insert(token.at)
        elif token.is_word("COPY"):
            self._copy(token.at)
        elif token.is_word("UPDATE", "DELETE"):
            self._change(token)
        elif token.is_word("ALTER", "RENAME"):
            self._rename(token)
        elif token.is_word("DROP", "TRUNCATE"):
            self._empty()

    def _table(self) -> str:
        """Read the name of a table, and return it in lower case."""
        token = self.tokens.next()
        while token.is_word("TABLE", "IF", "NOT", "EXISTS", "ONLY", "FROM"):
            token = self.tokens.next()
        name = token.identifier
        # The name of a schema or a database can be before it. A prefix of PostfixAdmin's own tables
        # is part of the name.
        while name and self.tokens.take_mark("."):
            name = self.tokens.next().identifier
        return name

    def _into(self, token: Token, before: Token) -> None:
        """Read what follows INTO: rows, or a statement that is a fault for a wanted table."""
        if before.is_word("MERGE") or self.tokens.peek().is_word("TABLE"):
            self._change(
                before if before.is_word("MERGE") else Token("word", "LOAD DATA", token.at)
            )
        elif before.is_word("INSERT", *_MODIFIERS):
            self._insert(token.at)

    def _empty(self) -> None:
        """Remove the rows of a table, as a database does: a newer dump can follow in the file."""
        self.dump.rows.pop(self._table(), None)

    def _rename(self, statement: Token) -> None:
        """Note a fault if a wanted table or one of its columns gets another name."""
        renames, names = statement.is_word("RENAME"), set()
        while (token := self.tokens.peek()).kind and not token.is_mark(";"):
            renames = renames or token.is_word("RENAME")
            names.add(self.tokens.next().identifier)
        for name in sorted(name for name in names if renames and name in self.wanted):
            self.fault(
                statement.at,
                f"{statement.value.upper()} of the table {name} is not read: dump the tables as"
                " they are",
            )

    def _change(self, statement: Token) -> None:
        """Note a fault for a statement that changes the rows of a wanted table."""
        name = self._table()
        if name in self.wanted:
            self.fault(
                statement.at,
                f"{statement.value.upper()} of the table {name} is not read: dump the tables as"
                " they are",
            )

    def _create(self) -> None:
        """Read the names of the columns behind CREATE TABLE."""
        at = self.tokens.at
        name = self._table()
        if self.tokens.take_mark("("):
            self._declare(name, at, self._created_columns(name, at))
        elif name in self.wanted and not self.tokens.peek().is_word("LIKE"):
            self.fault(
                at,
                f"CREATE TABLE {name} without its columns is not read: dump the tables as they are",
            )

    def _created_columns(self, name: str, at: int) -> list[str]:
        """Return the columns of a table: the first words of the list, but not those of keys."""
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
        return columns

    def _declare(self, name: str, at: int, columns: list[str]) -> None:
        """Note the columns of a wanted table."""
        if name in self.wanted:
            self.dump.columns[name] = (self.line(at), columns)

    def _columns(self, name: str, at: int) -> list[str]:
        """Return the columns that a statement names, or those of the table."""
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
                f"the dump does not say which columns the table {name} has: dump it with its"
                " structure",
            )
        return self.dump.columns[name][1]

    def _take(self, name: str, line: int, columns: list[str], values: list[str]) -> None:
        """Add a row, or note a fault if it does not have one value for each column."""
        if len(values) == len(columns):
            self.dump.rows.setdefault(name, []).append(
                Row(line, dict(zip(columns, values, strict=True)))
            )
        else:
            self.dump.faults.append(
                (
                    line,
                    (
                        f"a row of the table {name} has {len(values)} values for {len(columns)}"
                        " columns"
                    ),
                )
            )

    def _insert(self, at: int) -> None:
        """Read the rows of an INSERT or REPLACE."""
        name = self._table()
        if name not in self.wanted:
            return
        columns = self._columns(name, at)
        if not (token := self.tokens.next()).is_word("VALUES", "VALUE"):
            raise SqlFault(
                at,
                f"INSERT INTO {name} without VALUES is not read (found"
                f" {token.value or 'the end'!r})",
            )
        ends_early = f"the dump ends in the middle of the rows of {name}"
        while True:
            start = self.tokens.next()
            if not start.is_mark("("):
                what = f"a row begins with a bracket, not with {start.value[:20]!r}"
                raise SqlFault(start.at, what if start.kind else ends_early)
            self._take(name, self.line(start.at), columns, self._values(start.at))
            if not self.tokens.take_mark(","):
                break
        end = self.tokens.peek()
        if not (end.is_mark(";") or end.is_word("ON", "AS", "RETURNING")):
            what = f"behind a row of {name} is {end.value[:20]!r}, not a comma or a semicolon"
            raise SqlFault(end.at, what if end.kind else ends_early)

    def _values(self, start: int) -> list[str]:
        """Read the values of a row behind its bracket, and return them."""
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
                    f"in this row {token.value[:20]!r} follows a value: a text ends too early, or"
                    " is not closed",
                )

    def _value(self, start: int) -> str:
        """Read one value and its cast, and return the value."""
        token = self.tokens.next()
        if token.is_text:
            value = token.value
        elif token.kind == "number":
            is_hexadecimal = token.value.startswith("0x")
            value = _hexadecimal(token.value[2:], start) if is_hexadecimal else token.value
        elif token.kind == "word":
            value = self._value_of_word(token, start)
        else:
            what = f"in this row {token.value[:20]!r} is in the place of a value"
            raise SqlFault(start, what if token.kind else "the dump ends in the middle of this row")
        if self.tokens.take_mark(":"):
            self._skip_cast(start)
        return value

    def _value_of_word(self, word: Token, start: int) -> str:
        """Return the value that begins with a word: a text, a function, NULL, TRUE."""
        following = self.tokens.peek()
        if following.is_text and (word.value.startswith("_") or word.is_word("N", "B")):
            return self.tokens.next().value  # the word names the character set of the text
        if following.is_text and word.is_word("X"):
            return _hexadecimal(self.tokens.next().value, start)
        if following.is_mark("("):
            return self._called(word, start)
        return "" if word.is_word("NULL", "DEFAULT") else word.value

    def _skip_cast(self, start: int) -> None:
        """Go behind PostgreSQL's cast: '…'::character varying(255)."""
        while self.tokens.peek().is_mark(":") or self.tokens.peek().kind == "word":
            self.tokens.next()
        if self.tokens.take_mark("("):
            self._values(start)

    def _called(self, function: Token, start: int) -> str:
        """Return the value of a function that sqlite3 writes for a text with line ends.

        These are replace('a\\nb','\\n',char(10)) and unistr('a\\u000ab').
        """
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
            f"in this row is the function {function.value[:20]}(), which only a database can"
            " compute",
        )

    def _copy(self, at: int) -> None:
        """Read rows up to a line with backslash and dot. Tabs separate cells (PostgreSQL, COPY)."""
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
                f"COPY {name} {' '.join(source)} is not read; allowed: COPY … FROM stdin; in the"
                " text format, as pg_dump writes it",
            )
        self._copied(name, columns)

    def _skip_copy(self) -> None:
        """Go behind the rows of a table that is not wanted."""
        while not (token := self.tokens.next()).is_mark(";"):
            if not token.kind:
                return
            if token.is_word("STDIN"):
                self._copied("", [])
                return

    def _copied(self, name: str, columns: list[str]) -> None:
        """Read the rows behind COPY. Without a name, only go behind them."""
        # Lines end in LF, CR or CR LF. In a value, a CR is written as \r.
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
    """Return the text of a hexadecimal value."""
    try:
        return bytes.fromhex(digits).decode()
    except ValueError:
        raise SqlFault(at, "in this row is a hexadecimal value that is no UTF-8 text") from None


def rows(text: str, wanted: t.Container[str]) -> Dump:
    """Return the rows of the wanted tables, and every fault of the dump.

    The names of the wanted tables are in lower case.
    """
    return _Reader(text, wanted).read()
