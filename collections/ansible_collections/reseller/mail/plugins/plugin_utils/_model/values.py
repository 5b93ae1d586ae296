# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that all parts of the model use: places in the files, faults, secrets.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Limit = t.Optional[int]
"""A non-negative number, or None for unlimited."""

OwnSettings = t.Mapping[str, t.Any]
"""The keys that one level sets, of those that several levels can set."""

PROTOCOLS = ("imap", "pop3", "submission", "sieve")
"""The protocols of a mailbox."""


class Source(t.Protocol):
    """The text of a file, in which the places of keys and items can be found."""

    def mark(self, line: int, column: int, *path: t.Union[str, int]) -> tuple[int, int]:
        """Return line and column of the key or item at that path below a place."""

    def has(self, line: int, column: int, name: str) -> bool:
        """Return whether that key is written in the table at a place."""

    def line(self, line: int, column: int, name: str, nth: int) -> tuple[int, int]:
        """Return line and column of a line of that key's text, below the table at a place."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the estate's files.

    ``file`` is the path relative to the estate. ``line`` and ``column`` count from 1. The place of
    a table has the ``source``, from which the places of its keys are read when they are needed.
    """

    file: str
    line: int
    column: int
    source: t.Optional[Source] = field(default=None, compare=False, repr=False)

    def of(self, *path: t.Union[str, int]) -> Position:
        """Return the place of a key or item below this one: ``alias.at.of("to", 0)``.

        Return this place if there is no such key or item.
        """
        if self.source is None:
            return self
        return Position(self.file, *self.source.mark(self.line, self.column, *path))

    def line_of(self, name: str, nth: int) -> Position:
        """Return the place of a line of a key's text, which counts from 1.

        If the text is not a block (``|``), return its beginning: lines may be folded or quoted.
        """
        if self.source is None:
            return self
        return Position(self.file, *self.source.line(self.line, self.column, name, nth))

    def has_key(self, name: str) -> bool:
        """Return whether that key is written here; if not, it has its default."""
        return self.source is not None and self.source.has(self.line, self.column, name)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Position("", 0, 0)
"""The place of values that are in no file, such as defaults."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong in the files: place, id, what is wrong, and what is allowed.

    Faults sort by place.
    """

    position: Position
    id: str
    what: str
    allowed: str

    def order(self) -> tuple[str, int, int, str, str, str]:
        """Return the sort key. Sorting by one tuple is ten times as fast as field by field."""
        at = self.position
        return at.file, at.line, at.column, self.id, self.what, self.allowed

    def __str__(self) -> str:
        return f"{self.position}: {self.id}: {self.what}; allowed: {self.allowed}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that only its destination may read: a vaulted or plain password, or a supplied hash.

    ``text`` is the text in the file. For a vaulted value this is the encrypted text. It is never
    shown in ``repr`` or diffs.
    """

    text: str = field(repr=False)
    vaulted: bool
