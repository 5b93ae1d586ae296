# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as a person reads them in a terminal: each with its line and a mark below the place, then how many of each id.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import collections
import posixpath
import textwrap
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._excerpt import excerpt, redacted
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Position
from ansible_collections.reseller.mail.plugins.module_utils._schema import FILES

_STYLES = {"path": "1", "id": "1;31", "mark": "1;31", "rule": "34", "note": "2"}


class Sources:
    """The lines of the estate's files, and where the estate lies below the folder that paths are relative to."""

    def __init__(self, files: t.Mapping[str, bytes], prefix: str = "") -> None:
        self._files = files
        self._lines: dict[str, list[str]] = {}
        self.prefix = prefix

    def path(self, position: Position) -> str:
        return posixpath.normpath(posixpath.join(self.prefix, position.file))

    def lines(self, file: str) -> list[str]:
        """A file's lines, split where positions are counted: at line feeds only."""
        if file not in self._lines:
            text = self._files.get(file, b"").decode("utf-8-sig", "replace")
            self._lines[file] = [line.removesuffix("\r") for line in text.split("\n")]
        return self._lines[file]


def number(count: int, noun: str) -> str:
    """1 fault, 1,200 faults."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def counted(faults: t.Sequence[Fault]) -> str:
    """29 faults in 8 files."""
    return f"{number(len(faults), 'fault')} in {number(len({fault.position.file for fault in faults}), 'file')}"


def by_id(faults: t.Iterable[Fault]) -> dict[str, int]:
    """How many there are of each id, the most first."""
    counts = collections.Counter(fault.id for fault in faults)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def text(faults: t.Sequence[Fault], sources: Sources, width: int = 100, color: bool = False) -> str:
    """All faults, by file and line as they are sorted, and a summary by id."""

    def style(name: str, words: str) -> str:
        return f"\x1b[{_STYLES[name]}m{words}\x1b[0m" if color and words else words

    out: list[str] = []
    for fault in faults:
        at = fault.position
        gutter = max(len(str(at.line)) + 2, 6)
        out.append(
            f"{style('path', f'{sources.path(at)}:{at.line}:{at.column}')}: {style('id', fault.id)}: {redacted(fault.what)}"
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
    out.append(f"{counted(faults)}; docs/faults.md of the collection explains each id:")
    out += [f"  {count:>{widest},} {style('id', fault_id)}" for fault_id, count in counts.items()]
    return "\n".join(out)


def idle(keys: t.Iterable[tuple[str, int]], width: int = 100) -> str:
    """The keys in use that nothing acts on yet, by kind of file, with how often where that is more than once. Nothing without any."""
    by_file: dict[str, list[str]] = {file: [] for file in FILES}
    for key, times in keys:
        file, _colon, path = key.partition(": ")
        by_file[file].append(f"{path}\xa0({times:,})" if times > 1 else path)
    said = (
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
    lines = "\n".join(said).replace("\xa0", " ")
    return f"Judged, but nothing acts on them yet:\n{lines}" if lines else ""
