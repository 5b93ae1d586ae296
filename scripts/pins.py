# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact versions of requirements/pinned/: what differs between two files, and whether an
environment keeps to one.

pins.py difference OLD NEW     prints one line for each distribution whose version differs
pins.py check FILE             fails when this Python's environment holds anything that FILE does
not name so
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
import typing as t
from pathlib import Path

Pins = dict[tuple[str, str], str]
"""Name and marker (empty for every Python and platform) → version."""

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?:\s*;\s*(.+))?$")


def parse(text: str) -> Pins:
    """Return what a file pins; a line that is neither a pin nor a comment is an error."""
    pins: Pins = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        found = _PIN.match(line.strip())
        if found is None:
            raise ValueError(f"{line!r} is no pin; allowed: name==version ; marker")
        pins[plain(found.group(1)), found.group(3) or ""] = found.group(2)
    return pins


def plain(name: str) -> str:
    """Return a distribution's name as all of its spellings are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def difference(old: Pins, new: Pins) -> list[str]:
    """Return one line for each pin that changes, comes or goes."""
    lines = []
    for name, marker in sorted({*old, *new}):
        before, after = old.get((name, marker)), new.get((name, marker))
        if before != after:
            where = f" (where {marker})" if marker else ""
            lines.append(f"{name} {before or 'none'} -> {after or 'none'}{where}")
    return lines


def wanted_here(pins: Pins) -> dict[str, str]:
    """Return the versions that this Python and platform get."""
    from packaging.markers import Marker  # ansible-core needs it, so every environment has it

    return {
        name: version
        for (name, marker), version in pins.items()
        if not marker or Marker(marker).evaluate()
    }


def strays(wanted: t.Mapping[str, str], installed: t.Mapping[str, str]) -> list[str]:
    """Return one sentence for each installed distribution that is not what is wanted."""
    return [
        f"{name} {version} is installed, and {wanted.get(name, 'no version')} is pinned"
        for name, version in sorted(installed.items())
        if wanted.get(name) != version
    ]


def main(words: t.Sequence[str]) -> t.Union[str, int]:
    """Carry out one of the two commands; return what sys.exit takes."""
    if words[:1] == ["difference"]:
        old, new = (parse(Path(name).read_text(encoding="utf-8")) for name in words[1:])
        print("\n".join(difference(old, new)))
        return 0
    wanted = wanted_here(parse(Path(words[1]).read_text(encoding="utf-8")))
    installed = {
        plain(found.metadata["Name"]): found.version for found in importlib.metadata.distributions()
    }
    return "\n".join(strays(wanted, installed)) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
