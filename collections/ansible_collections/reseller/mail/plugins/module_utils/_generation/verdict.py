# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a staged generation before anything serves from it: every line read, every key looked at, real daemons asked.

PRIVATE to the collection. Runs on the host; standard library only.

``postfix check``, ``doveconf -n`` and ``opendkim -n`` judge settings and accept corrupt maps, garbage lines and missing
keys, so none of them is used here.
"""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

from .._dkim_check import Checker
from . import lines
from .daemons import Room
from .store import Content, GenerationError, Run, Store

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
        code, output, errors = run(
            ["postmap", "-c", str(postfix_config), "-s", f"lmdb:{staging / path}"]
        )
        if code:
            yield f"{path}.lmdb: {errors.strip() or f'postmap exit status {code}'}"
        elif sorted(output.splitlines()) != sorted(
            (staging / path).read_text("utf-8").splitlines()
        ):
            yield f"{path}.lmdb: does not hold what {path} says"
        elif hashlib.sha256((staging / f"{path}.lmdb").read_bytes()).hexdigest() != built[path]:
            yield f"{path}.lmdb: is not what postmap built"


def key_faults(store: Store, staging: Path, run: Run) -> t.Iterator[str]:
    """Every private key that the key tables name, its owner and mode, and that its public half is the reported one."""
    checker = Checker(store.root, run)
    for where, file in _key_files(staging):
        fault = checker.fault(file)
        if fault:
            yield f"{where}: {fault}"
    checker.remember()


def _key_files(staging: Path) -> t.Iterator[tuple[str, Path]]:
    for table in sorted(staging.glob("opendkim*/key_table")):
        for number, line in enumerate(table.read_text("utf-8").splitlines(), 1):
            yield f"{table.relative_to(staging)}:{number}", Path(line.rpartition(":")[2])
