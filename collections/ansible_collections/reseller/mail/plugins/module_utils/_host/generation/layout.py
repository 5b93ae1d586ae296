# SPDX-License-Identifier: GPL-3.0-or-later
"""The files in a generation's folder: owners, modes, and how two versions of a file differ.

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

from . import sieve
from .lines import LOOKUPS
from .store import GenerationError

__all__ = [
    "FILE_MODE",
    "FOLDERS",
    "FOLDER_MODE",
    "GROUPS",
    "LOOKUPS",
    "OWN",
    "UNITS",
    "built_from",
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
    # The filter reads Postfix's aliases, too, so its user is in this group.
    **dict.fromkeys(("postfix", "sending", "filter"), "postfix"),
    "dovecot": "dovecot",
    **dict.fromkeys(("opendkim", "opendkim_ed25519", "opendkim_node"), "opendkim"),
    **dict.fromkeys(("mta_sts", "autoconfig", "autodiscover", "address_book"), "www-data"),
    # Deliveries run as the user who owns the mail.
    sieve.FOLDER: "vmail",
    "tls": "root",
    "quota_warnings": "vmail",
}
"""By service, the group that may read its files. Only root may write them."""

FOLDERS = (*GROUPS, "dovecot/users", "dovecot/logins", *sieve.FOLDERS)
"""The folders of a generation, outer ones first."""

OWN = ("artefact", "manifest.json")
"""The files of a generation that are no lookups."""

_OPENDKIM = {
    "opendkim": "opendkim@rsa.service",
    "opendkim_ed25519": "opendkim@ed25519.service",
    "opendkim_node": "opendkim@node.service",
}
UNITS = {
    12: {"postfix": "postfix@-.service", **_OPENDKIM},
    13: {"postfix": "postfix.service", **_OPENDKIM},
}
"""By Debian release, the units of the services that are reloaded after a switch."""

StrPath = t.Union[str, "os.PathLike[str]"]
"""A path. Text is used for many files: making a ``Path`` of each takes longer than reading it."""

FILE_MODE = 0o640
FOLDER_MODE = 0o750


@functools.cache
def group_id(group: str) -> int:
    """Return the number of a group; raise GenerationError if it does not exist."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise GenerationError(
            f"there is no group {group}: its service must be installed before a generation"
        ) from None


def give(target: Path, path: str) -> None:
    """Give a file or folder its owner and mode. ``path`` is its path in the generation."""
    os.chown(target, 0, _group_of(path))
    target.chmod(FOLDER_MODE if target.is_dir() else FILE_MODE)


def is_ours(target: StrPath, path: str) -> bool:
    """Return whether a file is a regular one with the owner and mode that ``give`` sets."""
    return stat.S_ISREG(os.lstat(target).st_mode) and has_mode(target, path, FILE_MODE)


def has_mode(target: StrPath, path: str, mode: int) -> bool:
    """Return whether a file or folder exists with this mode, its owner and its group."""
    try:
        state = os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return (state.st_uid, state.st_gid, stat.S_IMODE(state.st_mode)) == (0, _group_of(path), mode)


def _group_of(path: str) -> int:
    """Return the number of the group that may read a file."""
    return group_id(GROUPS.get(path.partition("/")[0], "root"))


def files(folder: StrPath, within: str = "") -> t.Iterator[str]:
    """Yield the paths of all files and links in a generation's folder."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from files(entry.path, f"{within}{entry.name}/")
        else:
            yield f"{within}{entry.name}"


def built_from(texts: t.Collection[str]) -> dict[str, str]:
    """Return the files that are built from texts of a generation, each with its text's path.

    A generation that an earlier version of the collection made has fewer tables.
    """
    built = {f"{path}.lmdb": path for path in LOOKUPS if path in texts}
    built.update((sieve.binary(path), path) for path in texts if sieve.is_script(path))
    return built


def changed_keys(before: str | None, after: str | None) -> list[str]:
    """Return the first words of the lines in which two texts differ, sorted."""
    old, new = set((before or "").split("\n")), set((after or "").split("\n"))
    return sorted({re.split(r"[\t:\s]", line, maxsplit=1)[0] for line in old ^ new} - {""})


def read(path: StrPath) -> str | None:
    """Return a file's text, or None when there is no such file."""
    data = read_bytes(path)
    # Bytes that are not UTF-8 are replaced: they must not stop the run that repairs the file.
    return None if data is None else data.decode("utf-8", "replace")


def read_bytes(path: StrPath) -> bytes | None:
    """Return a file's bytes, or None when there is no such file."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
