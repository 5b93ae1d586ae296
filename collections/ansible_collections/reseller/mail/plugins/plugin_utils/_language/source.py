# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of one file, in which the places of keys and items are found when they are needed.

PRIVATE to the collection. Pure. Only faults and explanations need these places. The nodes of a
large estate take three times the memory of its model, so they are made again for the few files
that are asked about.
"""

from __future__ import annotations

import typing as t

from .yaml_nodes import LIST, MAPPING, YamlNode, parse


class Source:
    """The text of a file, and the places of its tables once one of them was needed."""

    __slots__ = ("_content", "_file", "_tables")

    def __init__(self, file: str, content: bytes) -> None:
        self._file = file
        self._content = content
        self._tables: t.Optional[dict[tuple[int, int], YamlNode]] = None

    def mark(self, line: int, column: int, *path: t.Union[str, int]) -> tuple[int, int]:
        """Return line and column of what is at the path below the table at a place.

        If there is no such key or item, they are those of the last one of the path that exists.
        """
        table = self._table(line, column)
        return (line, column) if table is None else table.mark(*path)

    def has(self, line: int, column: int, name: str) -> bool:
        """Return whether the table at a place has that key."""
        table = self._table(line, column)
        return table is not None and table.has(name)

    def line(self, line: int, column: int, name: str, nth: int) -> tuple[int, int]:
        """Return line and column of a line of that key's text, if the text is a block (``|``).

        Else return those of the text.
        """
        start, indent = self.mark(line, column, name)
        lines = self._content.decode("utf-8").splitlines()
        if not lines[start - 1][indent - 1 :].startswith("|") or start + nth > len(lines):
            return start, indent
        text = lines[start + nth - 1]
        return start + nth, len(text) - len(text.lstrip()) + 1

    def _table(self, line: int, column: int) -> t.Optional[YamlNode]:
        """Return the table at a place; None for an empty file, which has no table."""
        if self._tables is None:
            self._tables = _tables(parse(self._file, self._content)[0])
        return self._tables.get((line, column))


def _tables(root: t.Optional[YamlNode]) -> dict[tuple[int, int], YamlNode]:
    """Return all mappings of a file by their places. No two mappings begin at one place."""
    found: dict[tuple[int, int], YamlNode] = {}
    waiting = [] if root is None else [root]
    while waiting:
        node = waiting.pop()
        if node.kind == LIST:
            waiting.extend(node.value)
        elif node.kind == MAPPING and (node.line, node.column) not in found:
            found[node.line, node.column] = node
            waiting.extend(entry[2] for entry in node.value.values())
    return found
