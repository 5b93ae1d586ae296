# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as text for a terminal: each with its line and a mark, then the number of each id.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import collections
import posixpath
import textwrap
import typing as t

from .._language.schema import FILES
from .._language.source_line import excerpt, redacted
from .._model.values import Fault, Position

EXPLAINED = "docs/faults.md of the collection explains each id"
_STYLES = {"path": "1", "id": "1;31", "mark": "1;31", "rule": "34", "note": "2"}


class Sources:
    """The lines of the estate's files.

    ``prefix`` is the path from the folder to which printed paths are relative, to the estate.
    """

    def __init__(self, files: t.Mapping[str, bytes], prefix: str = "") -> None:
        self._files = files
        self._lines: dict[str, list[str]] = {}
        self.prefix = prefix

    def path(self, position: Position) -> str:
        """Return the path of a position's file with the prefix."""
        return posixpath.normpath(posixpath.join(self.prefix, position.file))

    def lines(self, file: str) -> list[str]:
        """Return the lines of a file, split at line feeds only, as positions are counted."""
        if file not in self._lines:
            text = self._files.get(file, b"").decode("utf-8-sig", "replace")
            self._lines[file] = [line.removesuffix("\r") for line in text.split("\n")]
        return self._lines[file]


def number(count: int, noun: str) -> str:
    """Return a number with its noun: 1 fault, 1,200 faults."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def counted(faults: t.Sequence[Fault]) -> str:
    """Return the sum of faults: 29 faults in 8 files."""
    return (
        f"{number(len(faults), 'fault')} in"
        f" {number(len({fault.position.file for fault in faults}), 'file')}"
    )


def by_id(faults: t.Iterable[Fault]) -> dict[str, int]:
    """Return the number of faults of each id, the largest number first."""
    counts = collections.Counter(fault.id for fault in faults)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def text(faults: t.Sequence[Fault], sources: Sources, width: int = 100, color: bool = False) -> str:
    """Return all faults in their order, and a summary by id; empty without faults."""

    def style(name: str, words: str) -> str:
        return f"\x1b[{_STYLES[name]}m{words}\x1b[0m" if color and words else words

    out: list[str] = []
    for fault in faults:
        at = fault.position
        gutter = max(len(str(at.line)) + 2, 6)
        out.append(
            f"{style('path', f'{sources.path(at)}:{at.line}:{at.column}')}:"
            f" {style('id', fault.id)}: {redacted(fault.what)}"
        )
        line, mark = excerpt(
            sources.lines(at.file), at.line, at.column, max(width - gutter - 3, 20)
        )
        if line:
            out.append(style("rule", f"{at.line:>{gutter}} │ ") + line)
            out.append(style("rule", f"{'':>{gutter}} │ ") + style("mark", mark))
        out.append(f"{'':>{gutter}} {style('note', 'allowed:')} {fault.allowed}")
        out.append("")
    if not faults:
        return ""
    counts = by_id(faults)
    widest = len(f"{max(counts.values()):,}")
    out.append(f"{counted(faults)}; {EXPLAINED}:")
    out += [f"  {count:>{widest},} {style('id', fault_id)}" for fault_id, count in counts.items()]
    return "\n".join(out)


def brief(faults: t.Sequence[Fault], sources: Sources, color: bool = False) -> str:
    """Return all faults with one line each, those of the same kind together."""

    def style(name: str, words: str) -> str:
        return f"\x1b[{_STYLES[name]}m{words}\x1b[0m" if color else words

    alike: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        alike.setdefault((fault.id, fault.allowed), []).append(fault)
    out: list[str] = []
    for (fault_id, allowed), group in alike.items():
        out.append(f"{style('id', fault_id)}; {style('note', 'allowed:')} {allowed}")
        for fault in group:
            at = fault.position
            place = style("path", f"{sources.path(at)}:{at.line}:{at.column}")
            out.append(f"  {place}: {redacted(fault.what)}")
    return "\n".join([*out, f"{counted(faults)}; {EXPLAINED}"])


def idle(keys: t.Iterable[tuple[str, int]], width: int = 100) -> str:
    """Return the keys in use that hosts do not act on yet, by kind of file; empty if none.

    A key that is used several times is followed by the number.
    """
    by_file: dict[str, list[str]] = {file: [] for file in FILES}
    for key, times in keys:
        file, _colon, path = key.partition(": ")
        by_file[file].append(f"{path}\xa0({times:,})" if times > 1 else path)
    paragraphs = (
        textwrap.fill(
            f"{file}: {', '.join(paths)}",
            width,
            initial_indent="  ",
            subsequent_indent="    ",
            break_on_hyphens=False,
        )
        for file, paths in by_file.items()
        if paths
    )
    lines = "\n".join(paragraphs).replace("\xa0", " ")
    return f"Validated, but hosts do not act on it yet:\n{lines}" if lines else ""
