# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a staged generation before anything serves from it: every line read, every key looked at, real daemons asked.

PRIVATE to the collection. Runs on the host; standard library only.

``postfix check``, ``doveconf -n`` and ``opendkim -n`` judge settings and accept corrupt maps, garbage lines and missing
keys, so none of them is used here.
"""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import stat
import typing as t
from pathlib import Path

from .. import _rsa_key
from .._dkim import public_half
from . import lines
from .daemons import Room
from .store import Content, GenerationError, Run, Store, write

MOST_FAULTS = 20
"""As many are reported at once; the rest are counted."""


def judge(store: Store, staging: Path, content: Content, run: Run, room: Room) -> None:
    """Raises GenerationError with all that is wrong."""
    _refuse(list(_text_faults(staging, content)))
    _refuse(list(_table_faults(store, staging, run, room.postfix)))
    _refuse(list(key_faults(store, staging, run)))
    room.start(staging, content.debian)
    _refuse(list(room.faults(content.files)))


def _refuse(faults: list[str]) -> None:
    if faults:
        more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise GenerationError("\n".join(faults[:MOST_FAULTS] + more))


def _text_faults(staging: Path, content: Content) -> t.Iterator[str]:
    """Reads what lies on the disk, not what was meant to be written."""
    for path in sorted(content.files):
        try:
            data = (staging / path).read_bytes()
        except OSError as error:
            yield f"{path}: {error.strerror}"
            continue
        found = list(lines.faults(path, data, content.debian))
        yield from found
        if not found and data != content.files[path].encode():
            yield f"{path}: is not what was shipped"


def _table_faults(store: Store, staging: Path, run: Run, postfix_config: Path) -> t.Iterator[str]:
    """Reads every built table back and compares it with its text."""
    built = store.manifest(staging.name)["built"]
    for path in lines.LOOKUPS:
        code, output, errors = run(["postmap", "-c", str(postfix_config), "-s", f"lmdb:{staging / path}"])
        if code:
            yield f"{path}.lmdb: {errors.strip() or f'postmap exit status {code}'}"
        elif sorted(output.splitlines()) != sorted((staging / path).read_text("utf-8").splitlines()):
            yield f"{path}.lmdb: does not hold what {path} says"
        elif hashlib.sha256((staging / f"{path}.lmdb").read_bytes()).hexdigest() != built[path]:
            yield f"{path}.lmdb: is not what postmap built"


def key_faults(store: Store, staging: Path, run: Run) -> t.Iterator[str]:
    """Every private key that the key tables name, its owner and mode, and that its public half is the reported one."""
    seen = _seen_keys(store)
    kept: dict[str, list[int]] = {}
    owner = pwd.getpwnam("opendkim").pw_uid
    for where, file in _key_files(staging):
        try:
            state = file.stat()
            stamp = [*_stamp(state), *_stamp(file.with_suffix(".json").stat())]
        except OSError as error:
            yield f"{where}: {error.filename}: {error.strerror}"
            continue
        if (state.st_uid, stat.S_IMODE(state.st_mode)) != (owner, 0o600):
            yield f"{where}: {file}: must belong to opendkim with mode 0600, or OpenDKIM refuses it"
            continue
        # One that was found right and did not change since is not read again.
        fault = None if seen.get(str(file)) == stamp else _mismatch(file, run)
        if fault:
            yield f"{where}: {fault}"
        else:
            kept[str(file)] = stamp
    if kept != seen:
        write(store.root / ".keys.new", json.dumps(kept, sort_keys=True).encode())
        (store.root / ".keys.new").replace(store.root / ".keys.json")


def _key_files(staging: Path) -> t.Iterator[tuple[str, Path]]:
    for table in sorted(staging.glob("opendkim*/key_table")):
        for number, line in enumerate(table.read_text("utf-8").splitlines(), 1):
            yield f"{table.relative_to(staging)}:{number}", Path(line.rpartition(":")[2])


def _stamp(state: os.stat_result) -> tuple[int, int, int]:
    return state.st_mtime_ns, state.st_size, state.st_ino


def _seen_keys(store: Store) -> dict[str, list[int]]:
    try:
        return t.cast("dict[str, list[int]]", json.loads((store.root / ".keys.json").read_bytes()))
    except (FileNotFoundError, ValueError):
        return {}


def _mismatch(file: Path, run: Run) -> str | None:
    note = file.with_suffix(".json")
    try:
        public = _public(file, run)
    except (OSError, ValueError) as error:
        return f"{file}: {error}"
    try:
        noted = json.loads(note.read_bytes())["public"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{note}: {error!r}"
    return None if noted == public else f"{note}: the public key noted there is not that of {file}"


def _public(file: Path, run: Run) -> str:
    """The public half of a private key. What is no RSA key as we make them costs a process."""
    public = _rsa_key.public_half(file.read_text("ascii", "replace"))
    if public is None:
        code, output, errors = run(["openssl", "pkey", "-in", str(file), "-pubout"])
        if code:
            raise ValueError(f"not a private key: {errors.strip().splitlines()[0] if errors.strip() else 'openssl refuses it'}")
        public = public_half(output)
    return public
