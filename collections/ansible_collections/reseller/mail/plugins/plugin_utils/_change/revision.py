# SPDX-License-Identifier: GPL-3.0-or-later
"""One revision of an estate: the files of its folder, now or in a commit.

PRIVATE to the collection. Pure: ``_controller/revision.py`` reads folders and Git and makes it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._model.values import Fault

FILE, EXECUTABLE, LINK, PIN = "file", "executable file", "symbolic link", "pinned repository"
"""The kinds of an entry. A pinned repository is a Git submodule."""


class Entry(t.NamedTuple):
    """One path of a revision: its kind, and a digest of its content.

    Entries are equal if their contents are equal.
    """

    kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of an estate.

    Attributes:
        name: What people call it, such as ``origin/main (3f1c9a7)``.
        files: The content of the files that the loader reads, by their path in the estate.
        faults: What was wrong while they were read.
        entries: All paths, also those that no playbook reads, from the top of the repository.
        prefix: The folder of the estate in the repository, with a slash at its end. It is empty
            for a folder that is compared without its repository.
    """

    name: str
    files: dict[str, bytes]
    faults: list[Fault]
    entries: dict[str, Entry] = field(repr=False)
    prefix: str = ""
