# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a staged generation before any daemon serves from it.

Every line is read, every key is checked, and a Postfix and a Dovecot are asked.

PRIVATE to the collection. Runs on the host; standard library only.

``postfix check``, ``doveconf -n`` and ``opendkim -n`` check settings only. They accept corrupt
tables, lines that no daemon can read, and missing keys. So none of them is used here.
"""

from __future__ import annotations

import hashlib
import os
import typing as t
from pathlib import Path

from ..keys.dkim_check import Checker
from . import lines, sieve
from .daemons import Room
from .store import Content, GenerationError, Run, Store

VERSION = 1
"""Version of the checks here and in ``lines``. Raise it when one of them accepts less: what older
checks accepted is then checked again."""

MOST_FAULTS = 20
"""How many faults a message lists. It only counts the others."""


def judge(
    store: Store,
    staging: Path,
    content: Content,
    carried: frozenset[str],
    run: Run,
    room: Room,
) -> None:
    """Check the staged generation; raise GenerationError with what is wrong.

    The bytes of files that are carried over were checked before, so these are not read again.
    """
    _refuse(list(_carried_faults(store, staging, carried)))
    _refuse(list(_text_faults(staging, content, carried)))
    _refuse(list(_table_faults(store, staging, carried, run, room.postfix)))
    _refuse(list(_script_faults(store, staging, content)))
    _refuse(list(key_faults(store, staging, run)))
    room.start(staging, content.debian)
    _refuse(list(room.faults(content.files)))


def _refuse(faults: list[str]) -> None:
    """Raise GenerationError if there are faults."""
    if faults:
        more = [f"and {len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else []
        raise GenerationError("\n".join(faults[:MOST_FAULTS] + more))


def _carried_faults(store: Store, staging: Path, carried: frozenset[str]) -> t.Iterator[str]:
    """Yield each file that is no longer the one of the current generation."""
    current = store.folder(store.current() or "")
    for path in sorted(carried):
        if not os.path.samefile(f"{current}/{path}", f"{staging}/{path}"):
            yield f"{path}: is not the file of the current generation"


def _text_faults(staging: Path, content: Content, carried: frozenset[str]) -> t.Iterator[str]:
    """Yield what is wrong in the texts as they are on the disk."""
    for path in sorted(content.files.keys() - carried):
        try:
            data = (staging / path).read_bytes()
        except OSError as error:
            yield f"{path}: {error.strerror}"
            continue
        found = list(lines.faults(path, data, content.debian))
        yield from found
        if not found and data != content.files[path].encode():
            yield f"{path}: is not what was shipped"


def _table_faults(
    store: Store, staging: Path, carried: frozenset[str], run: Run, postfix_config: Path
) -> t.Iterator[str]:
    """Yield each built table that does not hold what its text has, or was changed since."""
    built = store.manifest(staging.name)["built"]
    for path in lines.LOOKUPS:
        if f"{path}.lmdb" in carried:
            continue
        code, output, errors = run(
            ["postmap", "-c", str(postfix_config), "-s", f"lmdb:{staging / path}"]
        )
        text = (staging / path).read_text("utf-8")
        if code:
            yield f"{path}.lmdb: {errors.strip() or f'postmap exit status {code}'}"
        # lmdb has the order of the text, so lines are sorted only where something differs.
        elif output != text and sorted(output.splitlines()) != sorted(text.splitlines()):
            yield f"{path}.lmdb: does not hold what {path} has"
        elif hashlib.sha256((staging / f"{path}.lmdb").read_bytes()).hexdigest() != built[path]:
            yield f"{path}.lmdb: is not what postmap built"


def _script_faults(store: Store, staging: Path, content: Content) -> t.Iterator[str]:
    """Yield each binary of a Sieve script that is not what sievec wrote, or not newer than its
    script: Dovecot would compile the script at each delivery."""
    built = store.manifest(staging.name)["built"]
    for path in sorted(content.files):
        if not sieve.is_script(path):
            continue
        target = staging / sieve.binary(path)
        if hashlib.sha256(target.read_bytes()).hexdigest() != built[path]:
            yield f"{sieve.binary(path)}: is not what sievec wrote"
        elif target.stat().st_mtime <= (staging / path).stat().st_mtime:
            yield f"{sieve.binary(path)}: is not newer than its script"


def key_faults(store: Store, staging: Path, run: Run) -> t.Iterator[str]:
    """Yield what is wrong with the private keys that the key tables name.

    A key file needs its owner and mode, and must be the half of the public key that was reported.
    """
    checker = Checker(store.root, run)
    for where, file in _key_files(staging):
        fault = checker.fault(file)
        if fault:
            yield f"{where}: {fault}"
    checker.remember()


def _key_files(staging: Path) -> t.Iterator[tuple[str, Path]]:
    """Yield each key file of the key tables, with the place of its line."""
    for table in sorted(staging.glob("opendkim*/key_table")):
        for number, line in enumerate(table.read_text("utf-8").splitlines(), 1):
            yield f"{table.relative_to(staging)}:{number}", Path(line.rpartition(":")[2])
