# SPDX-License-Identifier: GPL-3.0-or-later
"""What every part of the model is made of: places in the files, faults, secrets.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Limit = t.Optional[int]
"""A non-negative number, or None for unlimited."""

Said = t.Mapping[str, t.Any]
"""Keys that may stand at several levels, as one of the levels says them."""

PROTOCOLS = ("imap", "pop3", "submission", "sieve")
"""What a mailbox may be used with."""


class Marked(t.Protocol):
    """What the loader leaves in a position, so that a judge can point at one key or item of an object."""

    def mark(self, *path: t.Union[str, int]) -> tuple[int, int]:
        """Line and column of what stands at that path."""

    def has(self, name: str) -> bool:
        """Whether that key is written there."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the estate's files: path relative to the estate, line and column counted from 1."""

    file: str
    line: int
    column: int
    node: t.Optional[Marked] = field(default=None, compare=False, repr=False)

    def of(self, *path: t.Union[str, int]) -> Position:
        """The place of a key or item below this one: ``alias.at.of("to", 0)``. This place where there is no such thing."""
        return self if self.node is None else Position(self.file, *self.node.mark(*path))

    def says(self, name: str) -> bool:
        """Whether that key is written here, or has its default."""
        return self.node is not None and self.node.has(name)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Position("", 0, 0)
"""For values that stand in no file, such as defaults."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong in the files. Sorts by place."""

    position: Position
    id: str
    what: str
    allowed: str

    def order(self) -> tuple[str, int, int, str, str, str]:
        """What faults are sorted by, as one tuple: ten times as fast as comparing them field by field."""
        at = self.position
        return at.file, at.line, at.column, self.id, self.what, self.allowed

    def __str__(self) -> str:
        return f"{self.position}: {self.id}: {self.what}; allowed: {self.allowed}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that only its destination may read: a vaulted or plain password, or a supplied hash.

    ``text`` is what the file says (for a vaulted value the ciphertext envelope). It never shows in ``repr`` or diffs.
    """

    text: str = field(repr=False)
    vaulted: bool
