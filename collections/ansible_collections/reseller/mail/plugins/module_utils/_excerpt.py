# SPDX-License-Identifier: GPL-3.0-or-later
"""One line of a tenant's file as it may be printed, and the mark below the place that is meant.

PRIVATE to the collection. Pure. What is printed ends up in a pipeline's log, so the line shows what is known to be
harmless and nothing else: the values of keys that the schema knows and does not call secret.
"""

from __future__ import annotations

import functools
import re
import typing as t
import unicodedata

from ansible_collections.reseller.mail.plugins.module_utils import _schema

CUT = "…"
_TAB = 4
_LONGEST = 2**16
"""Of a line that is looked at; nobody reads more, and a hostile file shall not take minutes."""

# A key as YAML finds one: plain with white space after the colon, or quoted, as in JSON.
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


def _schema_keys() -> tuple[frozenset[str], frozenset[str]]:
    """The keys whose values may be shown, and those below which any key may stand."""
    fit: set[str] = set()
    free: set[str] = set()
    secret: set[str] = set()
    waiting: list[_schema.Table] = list(_schema.FILES.values())
    while waiting:
        for name, key in waiting.pop().keys.items():
            kind = key.type.of if isinstance(key.type, _schema.Many) else key.type
            if isinstance(kind, _schema.Table):
                waiting.append(kind)
                (free if kind.free is not None else fit).add(name)
            else:
                (secret if kind.secret else fit).add(name)
    return frozenset(fit | free) - secret, frozenset(free)


_FIT, _FREE = _schema_keys()


def redacted(message: str) -> str:
    """A fault's message without hashes, vaulted values, and what stands behind the word password in a quoted value."""

    def quoted(match: re.Match[str]) -> str:
        word = re.search(
            rf"(?:{_SECRET_WORD.pattern})\w*[\s:=]+(?=\S)", match[0][1:-1], re.IGNORECASE
        )
        return match[0] if word is None else match[0][: word.end() + 1] + CUT + match[0][-1]

    return _SECRET_VALUE.sub(CUT, _QUOTED.sub(quoted, message))


def excerpt(lines: t.Sequence[str], number: int, column: int, width: int) -> tuple[str, str]:
    """The line of that number and, to be printed below it, the mark for that column (both count from 1).

    The line is at most ``width`` cells wide; the part that is shown holds the column. Both are empty when there is no line to show.
    """
    if (
        not 1 <= number <= len(lines)
        or len(lines[number - 1]) > _LONGEST
        or not lines[number - 1].strip()
    ):
        return "", ""
    line = lines[number - 1].rstrip()
    at = min(column - 1, len(line))
    token = _TOKEN.match(line, at)
    end = token.end() if token else at + 1
    hidden = _hidden(line, _parent(lines, number - 1))
    low, high = max(at - 2 * width, 0), min(at + 2 * width, len(line))
    cells = _cells(line, hidden, low, high)
    while cells and cells[-1][1].isspace():  # what an elided comment leaves
        cells.pop()
    place = next(
        (index for index, (position, _text) in enumerate(cells) if position >= at), len(cells)
    )
    if place and cells[place - 1][1] == CUT and any(start <= at < stop for start, stop in hidden):
        place -= place == len(cells) or cells[place][0] > at  # the column lies in what is left out
    stop = next(
        (index for index, (position, _text) in enumerate(cells) if position >= end), len(cells)
    )
    first, last = _window(cells, place, width, whole=low == 0 and high == len(line))
    left, right = CUT if first or low else "", CUT if last < len(cells) or high < len(line) else ""
    shown = left + "".join(text for _position, text in cells[first:last]) + right
    before = _width(left + "".join(text for _position, text in cells[first:place]))
    under = _width("".join(text for _position, text in cells[place : min(stop, last)]))
    return shown, " " * before + "^" + "~" * (under - 1)


@functools.lru_cache(maxsize=8)  # a line may be the whole file, and have a thousand faults
def _hidden(line: str, parent: t.Optional[str]) -> tuple[Span, ...]:
    """Which parts of a line must not be shown, in order. ``parent`` is the key that what stands before the line's first key belongs to."""
    spans = []
    first = _KEY.search(line) if ":" in line else None
    head = line[: first.start() if first else len(line)]
    body = head.strip(" \t-?[]{},")
    if (
        body
        and not body.startswith("#")
        and (
            (parent is not None and parent not in _FIT)
            or _SECRET_WORD.search(body)
            or body.startswith(":")
        )
    ):
        start = head.index(body)
        spans.append((start, start + len(body)))
    outer = parent if line[:1] in (" ", "\t") else None
    place = counted = depth = 0
    while (found := _KEY.search(line, place)) is not None:
        key = _name(found)
        start = _past(_SPACE, line, found.end())
        depth += sum(line.count(char, counted, start) for char in "{[") - sum(
            line.count(char, counted, start) for char in "}]"
        )
        counted = start
        value = line[start : start + 1]
        fit = key in _FIT or outer in _FREE
        if value == "#":
            break
        if fit and value in ("{", "["):
            outer, place = key, start + 1
        elif fit:
            place = _past(_QUOTED, line, start)
        else:
            place = _value_end(line, start, flow=depth > 0)
            spans.append((start, place))
    comment = next((found for found in _COMMENT.finditer(line) if found["quoted"] is None), None)
    if comment is not None and line[comment.end() :].strip():
        spans.append((comment.end(), len(line)))
    spans += [found.span() for found in _SECRET_VALUE.finditer(line)]
    return tuple(_merged([(start, end) for start, end in spans if start < end]))


def _name(found: re.Match[str]) -> str:
    return (found["plain"] or found["quoted"] or "").strip()


def _parent(lines: t.Sequence[str], index: int) -> t.Optional[str]:
    """The key that a line without one belongs to: the last one above it."""
    above = (_last_key(lines[before]) for before in range(index - 1, max(index - 200, -1), -1))
    return next((key for key in above if key), None)


@functools.lru_cache(maxsize=512)
def _last_key(line: str) -> str:
    keys = [_name(found) for found in _KEY.finditer(line)] if ":" in line[:_LONGEST] else []
    return keys[-1] if keys else ""


def _past(pattern: re.Pattern[str], line: str, start: int) -> int:
    """Where what fits the pattern ends; where it begins when nothing does."""
    found = pattern.match(line, start)
    return found.end() if found else start


def _value_end(line: str, start: int, flow: bool) -> int:
    """Where a value ends that begins there; the line's end where that is not certain."""
    quoted = _QUOTED.match(line, start)
    if quoted:
        return quoted.end()
    if not flow or line[start : start + 1] in ("{", "["):
        return len(line)
    found = _FLOW_END.search(line, start)
    return found.start() if found else len(line)


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _cells(line: str, hidden: t.Sequence[Span], low: int, high: int) -> list[tuple[int, str]]:
    """What is printed for each character from ``low`` to ``high``, with its index; a hidden part is one cell."""
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
    if " " <= char <= "~":
        return char
    if char == "\t":
        return " " * _TAB
    if char < " ":
        return chr(0x2400 + ord(char))  # a picture of the control character
    return char if char.isprintable() or unicodedata.category(char) == "Mn" else "\ufffd"


def _width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(char) in ("Mn", "Me")
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )


def _window(cells: t.Sequence[tuple[int, str]], place: int, width: int, whole: bool) -> Span:
    """The part of a line that is shown: all of it if it fits, else what is around the place."""
    widths = [_width(text) for _position, text in cells]
    if whole and sum(widths) <= width:
        return 0, len(cells)
    first = last = min(place, max(len(cells) - 1, 0))
    used = 0
    room = width - 2  # the marks that something is left out
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
