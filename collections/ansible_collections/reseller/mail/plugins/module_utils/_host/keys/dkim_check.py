# SPDX-License-Identifier: GPL-3.0-or-later
"""Check whether OpenDKIM can sign with a key file, and whether it belongs to the noted public key.

PRIVATE to the collection. Runs on the host; standard library only. A key that was right and did not
change since is not read again: a host with ten thousand domains has ten thousand keys.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import stat
import typing as t
from pathlib import Path

from . import rsa
from .dkim import public_half

Run = t.Callable[[list[str]], tuple[int, str, str]]
"""Run a command; return exit status, output and errors."""

OWNER, MODE = "opendkim", 0o600


class Checker:
    """Checks key files of one host. ``root`` is the platform's folder."""

    def __init__(self, root: Path, run: Run) -> None:
        self._memory = root / ".keys.json"
        self._run = run
        self._seen = _read(self._memory)
        self._kept: dict[str, list[int]] = {}

    def fault(self, file: Path) -> str:
        """Return why OpenDKIM must not sign with the key; empty when it may."""
        try:
            state = os.lstat(file)
            stamp = [*_stamp(state), *_stamp(os.lstat(file.with_suffix(".json")))]
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        if not stat.S_ISREG(state.st_mode):
            return f"{file}: is no regular file"
        if (_name(state.st_uid), stat.S_IMODE(state.st_mode)) != (OWNER, MODE):
            return f"{file}: must belong to {OWNER} with mode {MODE:04o}, or OpenDKIM refuses it"
        fault = "" if self._seen.get(str(file)) == stamp else self._mismatch(file)
        if not fault:
            self._kept[str(file)] = stamp
        return fault

    def is_half_of(self, file: Path, public: str) -> bool:
        """Return whether the file holds the private half of a public key, with any owner."""
        with contextlib.suppress(OSError):
            state = os.lstat(file)
            if not stat.S_ISREG(state.st_mode):
                return False
            if self._seen.get(str(file)) == [
                *_stamp(state),
                *_stamp(os.lstat(file.with_suffix(".json"))),
            ]:
                return True
        with contextlib.suppress(OSError, ValueError):
            return self._public(file) == public
        return False

    def remember(self) -> None:
        """Note which of the checked files are right."""
        if self._kept != self._seen:
            draft = self._memory.with_name(".keys.new")
            with open(draft, "wb") as stream:
                stream.write(json.dumps(self._kept, sort_keys=True).encode())
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self._memory)

    def _mismatch(self, file: Path) -> str:
        """Return why a key file is not the half of the noted public key; empty when it is."""
        note = file.with_suffix(".json")
        try:
            public = self._public(file)
        except (OSError, ValueError) as error:
            return f"{file}: {error}"
        try:
            noted = json.loads(note.read_bytes())["public"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            return f"{note}: {error!r}"
        return (
            "" if noted == public else f"{note}: the public key noted there is not that of {file}"
        )

    def _public(self, file: Path) -> str:
        """Return the public half of a private key, or raise ValueError.

        openssl reads a key that is no RSA key in the form that this project makes.
        """
        public = rsa.public_half(file.read_text("ascii", "replace"))
        if public is None:
            code, output, errors = self._run(["openssl", "pkey", "-in", str(file), "-pubout"])
            if code:
                raise ValueError(
                    "not a private key:"
                    f" {errors.strip().splitlines()[0] if errors.strip() else 'openssl refuses it'}"
                )
            public = public_half(output)
        return public


def _stamp(state: os.stat_result) -> tuple[int, int, int]:
    """Return what changes when a file is written: time in nanoseconds, size and inode."""
    return state.st_mtime_ns, state.st_size, state.st_ino


def _name(uid: int) -> str:
    """Return the name of a user; empty when there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _read(path: Path) -> dict[str, list[int]]:
    """Return the stamps of the files that were right; none from a damaged or missing file."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
