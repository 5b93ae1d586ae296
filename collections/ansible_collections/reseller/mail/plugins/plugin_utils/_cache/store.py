# SPDX-License-Identifier: GPL-3.0-or-later
"""One file with what is known of the files of an estate, by their contents.

PRIVATE to the collection. The file has a mark, the stamp of the code, a checksum, and data of
``marshal``: bytes by digests. ``marshal`` cannot run code, but broken data can crash Python. So the
data is read only if the checksum fits, and if only this user can have written it. A new file
replaces the old one in one step. If two runs write at once, one of them is lost: no harm.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import stat
import tempfile
import typing as t

_MARK: t.Final = b"reseller.mail cache 1\n"
_SIZE: t.Final = 16
_SOUND: t.Final = b"sound"
_FOLDER: t.Final = "reseller-mail"


def digest(kind: str, content: bytes) -> bytes:
    """Return the digest of a file's kind and content."""
    found = hashlib.blake2b(content, digest_size=_SIZE, person=b"reseller.mail")
    found.update(f"\0{kind}".encode())
    return found.digest()


def kept_in(root: str) -> t.Optional[str]:
    """Return the folder of all caches below ``root``, and make it; None if it cannot be trusted.

    ``root`` must be absolute, as the XDG Base Directory Specification says; else it is ~/.cache.
    """
    if not os.path.isabs(root):
        root = os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(root, _FOLDER)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.lstat(folder)
    except OSError:
        return None
    fit = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    return folder if fit and not status.st_mode & 0o077 else None


class Store:
    """The cache of one estate. Call ``save`` when all files were read."""

    def __init__(self, path: str, stamp: bytes) -> None:
        self._path = path
        self._head = _MARK + stamp
        self._before = self._load()
        # Only what this run asks for is kept, so that the cache does not grow.
        self._now: dict[bytes, bytes] = {}

    def get(self, kind: str, content: bytes) -> t.Any:
        """Return what is known of a file, or None."""
        key = digest(kind, content)
        data = self._before.get(key)
        if data is None:
            return None
        self._now[key] = data
        return marshal.loads(data)

    def put(self, kind: str, content: bytes, known: t.Any) -> None:
        """Note what is known of a file, if it is plain data. Secrets and others are not."""
        with contextlib.suppress(ValueError):
            self._now[digest(kind, content)] = marshal.dumps(known)

    def is_sound(self, files: t.Mapping[str, bytes]) -> bool:
        """Return whether these files, all together, had no fault before."""
        whole = _whole(files)
        if self._before.get(_SOUND) != whole:
            return False
        self._now[_SOUND] = whole
        return True

    def note_sound(self, files: t.Mapping[str, bytes]) -> None:
        """Note that these files, all together, have no fault."""
        self._now[_SOUND] = _whole(files)

    def save(self) -> None:
        """Write the cache if anything changed. An error has no consequence."""
        if self._now.items() == self._before.items():
            return
        data = marshal.dumps(self._now)
        with contextlib.suppress(OSError):
            handle, draft = tempfile.mkstemp(dir=os.path.dirname(self._path))  # mode 0600
            try:
                with os.fdopen(handle, "wb") as file:
                    file.writelines((self._head, _checksum(data), data))
                os.replace(draft, self._path)
            except BaseException:
                os.unlink(draft)
                raise

    def _load(self) -> dict[bytes, bytes]:
        """Return the content of the file; nothing if it cannot be trusted."""
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return {}
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            fit = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
            if not fit or status.st_mode & 0o077 or file.read(len(self._head)) != self._head:
                return {}
            checksum, data = file.read(_SIZE), file.read()
        return marshal.loads(data) if checksum == _checksum(data) else {}


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_SIZE).digest()


def _whole(files: t.Mapping[str, bytes]) -> bytes:
    """Return the digest of all files with their paths."""
    found = hashlib.blake2b(digest_size=_SIZE)
    for path in sorted(files):
        found.update(digest(path, files[path]))
    return found.digest()
