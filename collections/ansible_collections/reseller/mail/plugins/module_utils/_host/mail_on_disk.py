# SPDX-License-Identifier: GPL-3.0-or-later
"""Count the mail of a mailbox on the disk, as Dovecot counts it for the quota.

PRIVATE to the collection. Runs on the host; standard library only.

The user that owns all mail can write into these folders, and root reads them. So no link is
followed, and nothing but a file is opened.
"""

from __future__ import annotations

import os
import re
import stat
import typing as t

MAIL = "Maildir"
"""The folder of a home that has the mail."""

_SIZE = re.compile(r",W=([0-9]+)(?=[,:]|\Z)")
"""The size of a message with CRLF line ends, which Dovecot writes into the name of its file."""
_READ = 1 << 16


class Mail(t.NamedTuple):
    """What is on the disk: bytes, each line counted with CRLF at its end, and messages."""

    size: int
    messages: int


def count(home: str) -> Mail:
    """Return what all folders of a mailbox have; a mailbox without any mail has nothing."""
    root = os.path.join(home, MAIL)
    size = messages = 0
    for folder in _folders(root):
        for part in ("cur", "new"):
            for entry in _entries(os.path.join(folder, part)):
                if entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
                    continue
                size += _size(entry)
                messages += 1
    return Mail(size, messages)


def _folders(root: str) -> t.Iterator[str]:
    """Yield the paths of a Maildir's folders. Names with two dots are Dovecot's own."""
    yield root
    for entry in _entries(root):
        is_mail = entry.name.startswith(".") and not entry.name.startswith("..")
        if is_mail and entry.is_dir(follow_symlinks=False):
            yield entry.path


def _entries(path: str) -> list[os.DirEntry[str]]:
    """Return what a folder has; nothing if there is no such folder, or if it is a link."""
    try:
        if not stat.S_ISDIR(os.stat(path, follow_symlinks=False).st_mode):
            return []
        with os.scandir(path) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _size(entry: os.DirEntry[str]) -> int:
    """Return the size of a message with CRLF line ends; 0 if it was moved or deleted meanwhile."""
    named = _SIZE.search(entry.name)
    if named:
        return int(named[1])
    try:
        descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return 0
    size, before = 0, b""
    with open(descriptor, "rb") as file:
        while block := file.read(_READ):
            text = before + block
            size += len(block) + text.count(b"\n") - text.count(b"\r\n")
            before = block[-1:] if block.endswith(b"\r") else b""
    return size
