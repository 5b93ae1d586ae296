# SPDX-License-Identifier: GPL-3.0-or-later
"""Read docs/getting-started.md: its sections, with the files and the commands of each.

The tests write these files and run these commands. So the page cannot promise what does not work.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

COLLECTION = Path(__file__).parents[2]
PAGE = (COLLECTION / "docs" / "getting-started.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Command:
    """A command, and the lines that it prints according to the page."""

    text: str
    shown: tuple[str, ...] = ()

    def missing(self, output: str) -> list[str]:
        """Return the lines of the page that the output does not have, in their order."""
        lines = iter([line.strip() for line in output.splitlines()])
        return [
            line for line in self.shown if not any(pattern(line).fullmatch(one) for one in lines)
        ]


@dataclass(frozen=True)
class File:
    """A file that the reader writes."""

    path: str
    text: str


Step = t.Union[Command, File]


def pattern(line: str) -> re.Pattern[str]:
    """Return the pattern for a line of the page. ``…`` stands for any text."""
    return re.compile(".*".join(map(re.escape, line.strip().split("…"))))


def _commands(block: str) -> t.Iterator[Command]:
    """Yield the commands of a console block. A command begins with ``$``."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        first, *shown = part.rstrip("\n").split("\n")
        while first.endswith("\\"):
            first = f"{first[:-1]}{shown.pop(0).strip()}"
        yield Command(first, tuple(line for line in shown if line.strip() not in ("", "…")))


def _steps(section: str) -> t.Iterator[Step]:
    """Yield the files and the commands of a section, in their order."""
    for language, block in _BLOCK.findall(section):
        if language == "console":
            yield from _commands(block)
        elif language == "yaml":
            head, _newline, text = block.partition("\n")
            yield File(head.removeprefix("# "), text)


SECTIONS: dict[str, tuple[Step, ...]] = {
    title: tuple(_steps(text))
    for title, text in re.findall(r"^## \d+\. (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
}
"""The files and commands of each numbered section, by its title."""
