# SPDX-License-Identifier: GPL-3.0-or-later
"""The reports of nodes that are kept for one run of Ansible, instead of in the estate.

PRIVATE to the collection. Runs on the controller. Check mode may not change the estate, but later
tasks of the run need what the nodes reported. All tasks of a run share Ansible's temporary folder,
which Ansible removes at its end.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from ansible import constants

from . import files


def is_kept(path: Path) -> bool:
    """Return whether this run keeps another text of a report than the file in the estate."""
    return _place(path).is_file()


def text(path: Path) -> str:
    """Return the text of a report that counts in this run; empty if there is none."""
    return files.text(_place(path) if is_kept(path) else path)


def keep(path: Path, content: str) -> None:
    """Keep another text of a report for this run."""
    files.write({_place(path): content.encode()}, mode=0o600)


def forget(path: Path) -> None:
    """Let the file of the estate count again."""
    with contextlib.suppress(FileNotFoundError):
        _place(path).unlink()


def kept(directory: str) -> dict[str, bytes]:
    """Return all reports of an estate that are kept for this run, by their paths in it."""
    place = _folder(Path(directory) / "state")
    if not place.is_dir():
        return {}
    return {f"state/{one.name}": one.read_bytes() for one in sorted(place.glob("[!.]*.json"))}


def _place(path: Path) -> Path:
    return _folder(path.parent) / path.name


def _folder(state: Path) -> Path:
    """Return the folder of this run for one estate."""
    name = hashlib.sha256(str(state.absolute()).encode()).hexdigest()[:16]
    return Path(constants.DEFAULT_LOCAL_TMP) / f"reseller-mail-reports-{name}"
