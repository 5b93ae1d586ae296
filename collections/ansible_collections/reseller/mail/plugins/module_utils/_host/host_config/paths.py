# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and changes paths of the host. A file or link gets its name when it is complete.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .wanted import Folder, Rights

Ids = tuple[int, int]
"""A user id and a group id."""


@dataclass(frozen=True)
class Found:
    """What is at a path.

    ``kind`` is absent, file, folder, link or other. ``content`` is that of a file, ``target`` is
    where a link leads.
    """

    kind: str
    ids: Ids = (0, 0)
    mode: int = 0
    content: bytes = b""
    target: str = ""


ABSENT = Found("absent")


def look(path: str) -> Found:
    """Return what is at the path itself."""
    try:
        status = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    ids, mode = (status.st_uid, status.st_gid), stat.S_IMODE(status.st_mode)
    if stat.S_ISREG(status.st_mode):
        return Found("file", ids, mode, content=Path(path).read_bytes())
    if stat.S_ISLNK(status.st_mode):
        return Found("link", ids, mode, target=os.readlink(path))
    return Found("folder" if stat.S_ISDIR(status.st_mode) else "other", ids, mode)


def look_through(path: str) -> Found:
    """Return what is at the path, or where it leads if it is a link.

    So a folder may be a link to another disk.
    """
    found = look(path)
    return look(os.path.realpath(path)) if found.kind == "link" else found


def ids_of(rights: Rights) -> t.Optional[Ids]:
    """Return the ids of owner and group, None if the host does not have one of them."""
    try:
        return pwd.getpwnam(rights.owner).pw_uid, grp.getgrnam(rights.group).gr_gid
    except KeyError:
        return None


def names_of(ids: Ids) -> tuple[str, str]:
    """Return the names of owner and group, or the ids where there is no name."""
    try:
        owner = pwd.getpwuid(ids[0]).pw_name
    except KeyError:
        owner = str(ids[0])
    try:
        return owner, grp.getgrgid(ids[1]).gr_name
    except KeyError:
        return owner, str(ids[1])


def make_folder(folder: Folder, ids: Ids) -> None:
    """Make a folder or give it its owner and mode. Missing folders above it become the same."""
    path = Path(folder.path)
    for missing in [each for each in (*reversed(path.parents), path) if not each.exists()]:
        missing.mkdir(0o700)
        give(str(missing), folder.rights.mode, ids)
    give(str(path), folder.rights.mode, ids)


def stage(path: str, content: bytes, mode: int, ids: Ids) -> str:
    """Write a file beside its place, with its owner and mode; return the path of the draft.

    A draft that an interrupted run left is replaced.
    """
    draft = _draft(path)
    remove(draft)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
        os.fchown(stream.fileno(), *ids)
        os.fchmod(stream.fileno(), mode)
        stream.flush()
        os.fsync(stream.fileno())
    return draft


def put(draft: str, path: str) -> None:
    """Give a staged file its name, and write the name to the disk."""
    os.replace(draft, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def give(path: str, mode: int, ids: Ids) -> None:
    """Give a path its owner and mode."""
    os.chown(path, *ids)  # first, because it can clear bits of the mode
    os.chmod(path, mode)


def link(path: str, target: str) -> None:
    """Make a link, in the place of a file or of another link."""
    draft = _draft(path)
    remove(draft)
    os.symlink(target, draft)
    put(draft, path)


def remove(path: str) -> None:
    """Remove a file or a link, if it is there."""
    Path(path).unlink(missing_ok=True)


def _draft(path: str) -> str:
    """Return a name that no daemon reads: it is hidden, and no ending means anything."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.reseller-mail-new")
