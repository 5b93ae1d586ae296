# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of a tenant's file as it may be printed, and the mark below a place in it.

PRIVATE to the collection. Pure. What is printed is kept in the log of a pipeline. So the line shows
only values that are known to be harmless: those of keys that the schema has and that are not
secret.
"""

from __future__ import annotations

import functools
import re
import typing as t
import unicodedata

from . import schema

CUT = "…"
_TAB = 4
_LONGEST = 2**16
"""The longest line that is shown, in characters: a hostile file must not take minutes."""

# A key as in YAML: plain with white space after the colon, or quoted, as in JSON.
_KEY = re.compile(
    r"""(?:^|(?<=[\s{,\[]))(?:(["'])(?P<quoted>(?:(?!\1).){0,80})\1\s{0,9}:"""
    r"""|(?P<plain>[^\s#:,{}\[\]"'-][^#:,{}\[\]]{0,80}+|-[^\s:,{}\[\]]{1,80}+):(?=\s|$))"""
)
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*(?:"|$)|'(?:[^']|'')*(?:'|$)""")
_COMMENT = re.compile(rf"(?P<quoted>{_QUOTED.pattern})|(?:^|(?<=\s))#")
_FLOW_END = re.compile(r"[,}\]]")
_SPACE = re.compile(r"\s*")
_TOKEN = re.compile(
    r""""(?:[^"\\]|\\.){0,200}"?|'(?:[^']|''){0,200}'?|[^\s,{}\[\]"'](?:[^\s,{}\[\]:]|:(?=\S)|\s(?=[^\s#,{}\[\]:])){0,200}"""
)
_SECRET_WORD = re.compile(
    r"pass|pwd|\bpw\b|secret|token|credential|vault|private|kennwort|geheim", re.IGNORECASE
)
_SECRET_VALUE = re.compile(
    r"""\{[A-Z][A-Z0-9.-]+\}[^\s'"]+|\$ANSIBLE_VAULT[^\s'"]*|\$[a-z0-9-]+\$[^\s'"]+|\b[0-9a-fA-F]{40,}\b|[A-Za-z0-9+/]{60,}=*"""
)

Span = tuple[int, int]
"""The first position of a part of a line, and the first position behind it."""
Cell = tuple[int, str]
"""A position of a line, and what is printed for the character there."""


def _schema_keys() -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys whose values may be shown, and those whose tables take any keys."""
    fit: set[str] = set()
    free: set[str] = set()
    secret: set[str] = set()
    waiting: list[schema.Table] = list(schema.FILES.values())
    while waiting:
        for name, key in waiting.pop().keys.items():
            kind = schema.item_type(key.type)
            if isinstance(kind, schema.Table):
                waiting.append(kind)
                (free if kind.free is not None else fit).add(name)
            else:
                (secret if kind.secret else fit).add(name)
    return frozenset(fit | free) - secret, frozenset(free)


_FIT, _FREE = _schema_keys()


def redacted(message: str) -> str:
    """Return a fault's message without secrets.

    Left out are hashes, vaulted values, and in a quoted value the text after a word such as
    password.
    """

    def quoted(match: re.Match[str]) -> str:
        word = re.search(
            rf"(?:{_SECRET_WORD.pattern})\w*[\s:=]+(?=\S)", match[0][1:-1], re.IGNORECASE
        )
        return match[0] if word is None else match[0][: word.end() + 1] + CUT + match[0][-1]

    return _SECRET_VALUE.sub(CUT, _QUOTED.sub(quoted, message))


def excerpt(lines: t.Sequence[str], number: int, column: int, width: int) -> tuple[str, str]:
    """Return the line with that number, and the mark to print below it for that column.

    Number and column count from 1. The line is at most ``width`` cells wide and contains the
    column. Both texts are empty if there is no line to show.
    """
    if not _can_show(lines, number):
        return "", ""
    line = lines[number - 1].rstrip()
    at = min(column - 1, len(line))
    token = _TOKEN.match(line, at)
    end = token.end() if token else at + 1
    hidden = _hidden(line, _parent(lines, number - 1))
    low, high = max(at - 2 * width, 0), min(at + 2 * width, len(line))
    cells = _cells(line, hidden, low, high)
    while cells and cells[-1][1].isspace():  # before a comment that is hidden
        cells.pop()
    place = _cell_at(cells, at, hidden)
    stop = _first_cell_from(cells, end)
    first, last = _window(cells, place, width, whole=low == 0 and high == len(line))
    left, right = CUT if first or low else "", CUT if last < len(cells) or high < len(line) else ""
    shown = left + _joined(cells[first:last]) + right
    before = _width(left + _joined(cells[first:place]))
    under = _width(_joined(cells[place : min(stop, last)]))
    return shown, " " * before + "^" + "~" * (under - 1)


def _can_show(lines: t.Sequence[str], number: int) -> bool:
    """Return whether there is a line with that number that is neither too long nor empty."""
    if not 1 <= number <= len(lines):
        return False
    line = lines[number - 1]
    return len(line) <= _LONGEST and bool(line.strip())


def _first_cell_from(cells: t.Sequence[Cell], position: int) -> int:
    """Return the index of the first cell that is not before a position of the line."""
    return next((index for index, cell in enumerate(cells) if cell[0] >= position), len(cells))


def _cell_at(cells: t.Sequence[Cell], at: int, hidden: t.Sequence[Span]) -> int:
    """Return the index of the cell with a position of the line, which can be in a hidden part."""
    place = _first_cell_from(cells, at)
    is_hidden = any(start <= at < stop for start, stop in hidden)
    is_behind_mark = place > 0 and cells[place - 1][1] == CUT
    if is_hidden and is_behind_mark and (place == len(cells) or cells[place][0] > at):
        return place - 1
    return place


def _joined(cells: t.Iterable[Cell]) -> str:
    """Return the text of cells."""
    return "".join(text for _position, text in cells)


@functools.lru_cache(maxsize=8)  # a line can be the whole file, and have a thousand faults
def _hidden(line: str, parent: t.Optional[str]) -> tuple[Span, ...]:
    """Return the parts of a line that must not be shown, in order.

    ``parent`` is the key above the line. A value before the line's first key belongs to it.
    """
    spans = [*_hidden_before_first_key(line, parent), *_hidden_values(line, parent)]
    comment = next((found for found in _COMMENT.finditer(line) if found["quoted"] is None), None)
    if comment is not None and line[comment.end() :].strip():
        spans.append((comment.end(), len(line)))
    spans += [found.span() for found in _SECRET_VALUE.finditer(line)]
    return tuple(_merged([(start, end) for start, end in spans if start < end]))


def _hidden_before_first_key(line: str, parent: t.Optional[str]) -> t.Iterator[Span]:
    """Yield the part before the line's first key, unless it is a harmless value of ``parent``."""
    first = _KEY.search(line) if ":" in line else None
    beginning = line[: first.start() if first else len(line)]
    body = beginning.strip(" \t-?[]{},")
    if not body or body.startswith("#"):
        return
    is_foreign = parent is not None and parent not in _FIT
    if is_foreign or _SECRET_WORD.search(body) or body.startswith(":"):
        start = beginning.index(body)
        yield start, start + len(body)


def _hidden_values(line: str, parent: t.Optional[str]) -> t.Iterator[Span]:
    """Yield the values of the line's keys that are secret or unknown."""
    outer = parent if line[:1] in (" ", "\t") else None
    place = counted = depth = 0
    while (found := _KEY.search(line, place)) is not None:
        key = _name(found)
        start = _end_of(_SPACE, line, found.end())
        depth += _opened_brackets(line[counted:start])
        counted = start
        value = line[start : start + 1]
        if value == "#":
            return
        if key not in _FIT and outer not in _FREE:
            place = _value_end(line, start, flow=depth > 0)
            yield start, place
        elif value in ("{", "["):
            outer, place = key, start + 1
        else:
            place = _end_of(_QUOTED, line, start)


def _opened_brackets(text: str) -> int:
    """Return how many more brackets a text opens than it closes."""
    opened = sum(text.count(char) for char in "{[")
    return opened - sum(text.count(char) for char in "}]")


def _name(found: re.Match[str]) -> str:
    """Return the key that _KEY found."""
    return (found["plain"] or found["quoted"] or "").strip()


def _parent(lines: t.Sequence[str], index: int) -> t.Optional[str]:
    """Return the last key above a line, among 200 lines: a line without a key belongs to it."""
    above = (_last_key(lines[before]) for before in range(index - 1, max(index - 200, -1), -1))
    return next((key for key in above if key), None)


@functools.lru_cache(maxsize=512)
def _last_key(line: str) -> str:
    """Return the last key of a line; empty if it has none."""
    keys = [_name(found) for found in _KEY.finditer(line)] if ":" in line[:_LONGEST] else []
    return keys[-1] if keys else ""


def _end_of(pattern: re.Pattern[str], line: str, start: int) -> int:
    """Return the end of the match of a pattern at ``start``; ``start`` if there is no match."""
    found = pattern.match(line, start)
    return found.end() if found else start


def _value_end(line: str, start: int, flow: bool) -> int:
    """Return the end of the value at ``start``; the line's end if that is not certain."""
    quoted = _QUOTED.match(line, start)
    if quoted:
        return quoted.end()
    if not flow or line[start : start + 1] in ("{", "["):
        return len(line)
    found = _FLOW_END.search(line, start)
    return found.start() if found else len(line)


def _merged(spans: list[Span]) -> list[Span]:
    """Return the parts in order, with those that overlap or touch made one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _cells(line: str, hidden: t.Sequence[Span], low: int, high: int) -> list[Cell]:
    """Return the cells from ``low`` to ``high``. A hidden part is one cell."""
    cells = []
    place = low
    for start, end in [*hidden, (high, high)]:
        if end < low or start > high:
            continue
        cells += [(index, _printable(line[index])) for index in range(place, min(start, high))]
        if start < high:
            cells.append((max(start, low), CUT))
        place = max(place, end)
    return cells


def _printable(char: str) -> str:
    """Return what is printed for a character."""
    if " " <= char <= "~":
        return char
    if char == "\t":
        return " " * _TAB
    if char < " ":
        return chr(0x2400 + ord(char))  # a picture of the control character
    return char if char.isprintable() or unicodedata.category(char) == "Mn" else "\ufffd"


def _width(text: str) -> int:
    """Return how many cells of a terminal a text needs."""
    if text.isascii():
        return len(text)
    return sum(
        (
            0
            if unicodedata.category(char) in ("Mn", "Me")
            else 2
            if unicodedata.east_asian_width(char) in "WF"
            else 1
        )
        for char in text
    )


def _window(cells: t.Sequence[Cell], place: int, width: int, whole: bool) -> Span:
    """Return which cells are shown: all if they fit into ``width``, else those around ``place``."""
    widths = [_width(text) for _position, text in cells]
    if whole and sum(widths) <= width:
        return 0, len(cells)
    first = last = min(place, max(len(cells) - 1, 0))
    used = 0
    room = width - 2  # without the two marks for what is left out
    while first > 0 and used + widths[first - 1] <= room // 2:
        first -= 1
        used += widths[first]
    while last < len(cells) and used + widths[last] <= room:
        used += widths[last]
        last += 1
    while first > 0 and used + widths[first - 1] <= room:
        first -= 1
        used += widths[first]
    return first, last
