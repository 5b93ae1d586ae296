# SPDX-License-Identifier: GPL-3.0-or-later
"""One revision of an estate: what lies in its folder, or lay there in a commit.

PRIVATE to the collection. Pure: whoever reads files or Git makes it (``plugin_utils/_revision.py``).
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault

FILE, EXECUTABLE, LINK, PIN = "file", "executable file", "symbolic link", "pinned repository"
"""What can lie at a path."""


class Entry(t.NamedTuple):
    """What lies at a path, and a name for its content: two entries are equal when nothing changed."""

    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class Revision:
    """What lies in an estate. ``entries`` are all paths, also those that nobody reads, from the repository's top;
    ``prefix`` is the estate's folder there, with a slash at its end. A bare folder has no prefix."""

    name: str
    files: dict[str, bytes]
    faults: list[Fault]
    entries: dict[str, Entry] = field(repr=False)
    prefix: str = ""
