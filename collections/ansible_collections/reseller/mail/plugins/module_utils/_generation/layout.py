# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a generation's folder, whose it is, and how two versions of a file differ.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import functools
import grp
import os
import re
import stat
import typing as t
from pathlib import Path

from .lines import LOOKUPS
from .store import GenerationError

__all__ = [
    "FILE_MODE",
    "FOLDER_MODE",
    "GROUPS",
    "LOOKUPS",
    "OWN",
    "UNITS",
    "changed_keys",
    "files",
    "give",
    "group_id",
    "has_mode",
    "is_ours",
    "read",
    "read_bytes",
]

GROUPS = {
    "postfix": "postfix",
    "dovecot": "dovecot",
    **dict.fromkeys(("opendkim", "opendkim_ed25519", "opendkim_node"), "opendkim"),
    **dict.fromkeys(("mta_sts", "autoconfig", "autodiscover"), "www-data"),
    "tls": "root",
}
"""Who may read a service's files besides root; nobody but root writes."""

OWN = ("artefact", "manifest.json")
"""What a generation holds beside lookups."""

_OPENDKIM = {
    "opendkim": "opendkim@rsa.service",
    "opendkim_ed25519": "opendkim@ed25519.service",
    "opendkim_node": "opendkim@node.service",
}
UNITS = {
    12: {"postfix": "postfix@-.service", **_OPENDKIM},
    13: {"postfix": "postfix.service", **_OPENDKIM},
}
"""By Debian release: the units of the services that must be told of a switch."""

FILE_MODE = 0o640
FOLDER_MODE = 0o750


@functools.cache
def group_id(group: str) -> int:
    """The group's number."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise GenerationError(
            f"there is no group {group}: its service must be installed before a generation"
        ) from None


def give(target: Path, path: str) -> None:
    """Gives a file or folder its owner and mode."""
    os.chown(target, 0, _group_of(path))
    target.chmod(FOLDER_MODE if target.is_dir() else FILE_MODE)


def is_ours(target: Path, path: str) -> bool:
    """Whether the file is a plain one with the owner and mode it was given."""
    return stat.S_ISREG(target.lstat().st_mode) and has_mode(target, path, FILE_MODE)


def has_mode(target: Path, path: str, mode: int) -> bool:
    """Whether the file or folder is there, with the mode, its owner and its group."""
    try:
        state = target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return (state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)) == (0, _group_of(path), mode)


def _group_of(path: str) -> int:
    return group_id(GROUPS.get(path.partition("/")[0], "root"))


def files(folder: Path) -> t.Iterator[str]:
    """Paths of all files in a generation's folder."""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield str(path.relative_to(folder))


def changed_keys(before: str | None, after: str | None) -> list[str]:
    """The first words of the lines in which two texts differ, sorted."""
    old, new = set((before or "").split("\n")), set((after or "").split("\n"))
    return sorted({re.split(r"[\t:\s]", line, maxsplit=1)[0] for line in old ^ new} - {""})


def read(path: Path) -> str | None:
    """The file's text, None when there is no such file."""
    data = read_bytes(path)
    # Whatever somebody did to the file must not stop the run that repairs it.
    return None if data is None else data.decode("utf-8", "replace")


def read_bytes(path: Path) -> bytes | None:
    """The file's bytes, None when there is no such file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
