# SPDX-License-Identifier: GPL-3.0-or-later
"""A document as plain text, as the body of a mail has it.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import textwrap
import typing as t

from .._guide.markup import clean
from .document import Exact, Facts, Grid, Heading, Items, Lines, Link, Words, words_of

if t.TYPE_CHECKING:
    from .._guide.frame import Say
    from .document import Block, Document

WIDTH = 72
_UNDER = {1: "=", 2: "-"}


def text(made: Document) -> bytes:
    """Return the text in UTF-8. Its lines have at most 72 characters, but for values to copy."""
    look, say = made.look, words_of(made.language)
    foot = ["--", _plain(look.foot), *(_block(link, say) for link in look.links)]
    parts = [
        _heading(made.title, 1),
        *(_block(block, say) for block in made.blocks),
        "\n".join(foot),
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode()


def _plain(value: str) -> str:
    """Return a value as one line without control characters."""
    return re.sub(r"[\t\n]+", " ", clean(value))


def _wrapped(value: str, first: str = "", rest: str = "") -> str:
    """Return a value in lines; ``first`` and ``rest`` begin the first line and the others."""
    if isinstance(value, Exact):
        return f"{first}{_plain(value)}"
    return textwrap.fill(
        _plain(value),
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _heading(words: str, level: int) -> str:
    """Return a heading with a line below it, or with a colon."""
    shown = _wrapped(words)
    if level not in _UNDER:
        return shown
    return f"{shown}\n{_UNDER[level] * max(map(len, shown.splitlines()), default=0)}"


def _block(block: Block, say: Say) -> str:
    """Return one block."""
    if isinstance(block, Words):
        return _wrapped(block.text)
    if isinstance(block, Heading):
        return _heading(block.text, block.level)
    if isinstance(block, Items):
        return "\n".join(_wrapped(item, "- ", "  ") for item in block.items)
    if isinstance(block, Link):
        return f"{say('label', name=_plain(block.words))} {block.url}"
    if isinstance(block, Lines):
        return "\n".join(map(_plain, block.lines))
    if isinstance(block, Facts):
        return _facts(block.rows, say)
    return _table(block, say)


def _facts(rows: t.Iterable[tuple[str, str]], say: Say) -> str:
    """Return rows of label and value, the values below each other."""
    labelled = [(say("label", name=_plain(label)), value) for label, value in rows]
    width = max((len(label) for label, _value in labelled), default=0) + 1
    return "\n".join(_wrapped(value, label.ljust(width), " " * width) for label, value in labelled)


def _table(grid: Grid, say: Say) -> str:
    """Return a table in columns if they fit, else each row as label and value.

    The last column is wrapped.
    """
    rows = [tuple(map(_plain, row)) for row in (grid.head, *grid.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = min(widths.pop(), WIDTH // 3)
    indent = sum(widths) + 2 * len(widths)
    if indent + last > WIDTH:
        return "\n\n".join(_facts(zip(grid.head, row, strict=True), say) for row in grid.rows)
    line = tuple("-" * width for width in (*widths, last))
    return "\n".join(
        _wrapped(
            row[-1],
            "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False)),
            " " * indent,
        ).rstrip()
        for row in (rows[0], line, *rows[1:])
    )
