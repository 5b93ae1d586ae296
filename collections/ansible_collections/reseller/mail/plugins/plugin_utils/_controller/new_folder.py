# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a set of new files: all of them or none, and never over an existing one.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail


def existing(folder: Path, wanted: t.Iterable[str], own: t.Iterable[str]) -> list[str]:
    """Return what is in the way of new files, as sorted paths below the folder.

    These are files that exist, parents that are no folders, and everything in the folders ``own``.
    """
    found = set()
    for path in wanted:
        parts = Path(path).parts
        parents = [Path(*parts[:number]) for number in range(len(parts))]
        found |= {
            str(parent)
            for parent in parents
            if os.path.lexists(folder / parent) and not (folder / parent).is_dir()
        }
        if os.path.lexists(folder / path):
            found.add(path)
    for name in own:
        inside = (folder / name).rglob("*")
        found |= {str(path.relative_to(folder)) for path in inside if not path.is_dir()}
    return sorted(found)


def write(folder: Path, wanted: t.Mapping[str, bytes]) -> None:
    """Write the files.

    If one cannot be written, remove what was written and raise AnsibleActionFail.
    """
    with contextlib.ExitStack() as undo:
        path = folder
        try:
            for name, content in wanted.items():
                path = folder / name
                _make_folder(path.parent, undo)
                with open(path, "xb") as file:  # x: a file that was made meanwhile stays
                    undo.callback(_remove, path)
                    file.write(content)
        except OSError as error:
            raise AnsibleActionFail(
                f"nothing was written: {path} cannot be written: {error.strerror}"
            ) from None
        undo.pop_all()


def _make_folder(folder: Path, undo: contextlib.ExitStack) -> None:
    """Make a folder and those above it."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir()
        undo.callback(_remove_folder, one)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _remove_folder(path: Path) -> None:
    with contextlib.suppress(OSError):  # others may have written into it
        path.rmdir()
