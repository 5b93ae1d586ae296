# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge the home of a mailbox into another one, and measure it.

PRIVATE to the collection. Runs on the host; standard library only.

The user that owns all mail can write into these folders at any time, and root reads them. So a
folder is opened once, never through a link, and its files are named relative to it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import typing as t
from dataclasses import dataclass

MAIL = "Maildir"
"""The folder of a home that has the mail."""

OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""How folders are opened."""

_SCRIPTS = ("sieve", ".dovecot.sieve")
"""The user's own scripts, and the link to the active one."""

_FLAGS = re.compile(r"(:2,[A-Za-z]*)\Z")


@dataclass(frozen=True)
class Size:
    """How much a home has. ``checksum`` is that of the names and sizes of all files."""

    files: int = 0
    messages: int = 0
    bytes: int = 0
    checksum: str = hashlib.sha256().hexdigest()


def measure(path: str) -> Size:
    """Return the size of a home."""
    files = messages = total = 0
    checksum = hashlib.sha256()
    for folder, folders, names, descriptor in os.fwalk(path, follow_symlinks=False):
        folders.sort()
        place = os.path.relpath(folder, path)
        of_messages = os.path.basename(place) in ("cur", "new")
        for name in sorted(names):
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            files += 1
            messages += of_messages
            total += found.st_size
            line = f"{place}/{name}\0{found.st_size}\n"
            checksum.update(line.encode("utf-8", "surrogateescape"))
    return Size(files, messages, total, checksum.hexdigest())


@contextlib.contextmanager
def opened(name: str, within: int) -> t.Iterator[int]:
    """Open a folder within another one; raise OSError if it is a link or no folder."""
    descriptor = os.open(name, OPEN, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_folder(name: str, within: int) -> bool:
    """Return whether there is a folder of this name; a link is none."""
    try:
        found = os.stat(name, dir_fd=within, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode)


def merge(source: int, target: int) -> None:
    """Move what the home ``source`` has into the home ``target``, which may be in use.

    Messages keep their flags. They get new UIDs, and lose keywords, whose letters mean something
    else in every folder. Scripts of the target stay. What is left in the source is not needed.
    """
    present = set(os.listdir(target))
    for name in sorted(os.listdir(source)):
        if name == MAIL and name in present:
            with opened(name, source) as mail, opened(name, target) as place:
                _merge_folders(mail, place)
        elif name not in _SCRIPTS or present.isdisjoint(_SCRIPTS):
            _move(name, source, target)


def _merge_folders(source: int, target: int) -> None:
    """Move the folders of a Maildir into another one, and its subscriptions."""
    _merge_messages(source, target)
    for name in sorted(os.listdir(source)):
        if name.startswith(".") and is_folder(name, source):
            if is_folder(name, target):
                with opened(name, source) as folder, opened(name, target) as place:
                    _merge_messages(folder, place)
            else:
                _move(name, source, target)
    _move("subscriptions", source, target)


def _merge_messages(source: int, target: int) -> None:
    """Move the messages of one folder into another one."""
    for part in ("cur", "new"):
        if not is_folder(part, source):
            continue
        with opened(part, source) as old:
            if not is_folder(part, target):
                _move(part, source, target)
                continue
            with opened(part, target) as new:
                for name in sorted(os.listdir(old)):
                    _move_message(name, old, new)


def _move_message(name: str, source: int, target: int) -> None:
    """Move one message; give it another name if the target has a message of this name."""
    found = os.stat(name, dir_fd=source, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        return
    wanted = _FLAGS.sub(lambda flags: re.sub("[a-z]", "", flags[1]), name)
    number = 0
    while True:
        free = wanted if not number else f"{number}-{wanted}"
        try:
            # Unlike a rename, a link replaces nothing.
            os.link(name, free, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        except FileExistsError:
            other = os.stat(free, dir_fd=target, follow_symlinks=False)
            if not os.path.samestat(found, other):
                number += 1
                continue
            # The run that made this link was killed before the next line.
        os.unlink(name, dir_fd=source)
        return


def _move(name: str, source: int, target: int) -> None:
    """Move a file or folder, unless the source has none of this name or the target has one."""
    try:
        found = os.stat(name, dir_fd=source, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
        else:
            os.link(name, name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
            os.unlink(name, dir_fd=source)
    except (FileNotFoundError, FileExistsError, NotADirectoryError):
        return
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
