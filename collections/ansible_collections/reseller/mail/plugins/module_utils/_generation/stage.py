# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the next generation beside the ones that serve.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import typing as t
from pathlib import Path

from .layout import GROUPS, LOOKUPS, give, read_bytes
from .store import Content, GenerationError, Run, Store, sequence


def stage(store: Store, content: Content, run: Run, postfix_config: Path) -> Path:
    """Writes all of the generation into the staging folder and answers it; what an earlier run left there is removed."""
    staging = store.staging
    discard(store)
    staging.mkdir(mode=0o755, parents=True)
    # The umask has its say in mkdir; daemons' own users must be able to pass.
    for folder in (store.generations, staging):
        folder.chmod(0o755)
    for name in (*GROUPS, "dovecot/users"):
        (staging / name).mkdir()
        give(staging / name, name)
    current = store.current()
    for path, text in content.files.items():
        _text(store, staging, current, path, text.encode())
    manifest = {
        "digest": content.digest,
        "node": content.node,
        "sequence": next_sequence(store),
        "previous": _previous(store, content, current),
        "files": {
            path: hashlib.sha256(text.encode()).hexdigest() for path, text in content.files.items()
        },
        "built": {path: _build(staging / path, run, postfix_config) for path in LOOKUPS},
    }
    for name, data in (
        ("artefact", content.packed),
        ("manifest.json", json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"),
    ):
        (staging / name).write_bytes(data)
        give(staging / name, name)
    # Once for all: an fsync a file costs seconds where there are thousands of domains.
    code, _output, errors = run(["sync", "--file-system", str(staging)])
    if code:
        raise GenerationError(f"{staging}: {errors.strip()}")
    return staging


def discard(store: Store) -> None:
    """Removes what is staged."""
    if store.staging.exists():
        shutil.rmtree(store.staging)


def _previous(store: Store, content: Content, current: str | None) -> str | None:
    """What a rollback will switch to. One made only to repair the current generation takes that one's place."""
    try:
        if current and store.manifest(current)["digest"] == content.digest:
            return t.cast("str | None", store.manifest(current)["previous"])
    except (GenerationError, KeyError):
        return None
    return current


def next_sequence(store: Store) -> int:
    """One more than any generation on the host."""
    ids = store.ids()
    return sequence(ids[-1]) + 1 if ids else 1


def _text(store: Store, staging: Path, current: str | None, path: str, data: bytes) -> None:
    """Writes one text. Also an unchanged one: as a link, an edit by hand would spoil the generation to roll back to."""
    target = staging / path
    if ".." in Path(path).parts or Path(path).is_absolute():
        raise GenerationError(f"the artefact has a file outside of a generation: {path}")
    target.write_bytes(data)
    give(target, path)
    if path.startswith("dovecot/"):
        predecessor = store.folder(current) / path if current else None
        if predecessor and read_bytes(predecessor) == data:
            stamp = int(predecessor.stat().st_mtime)  # nothing for Dovecot to read again
        else:
            stamp = _later(store, path)
        os.utime(target, (stamp, stamp))


def _later(store: Store, path: str) -> int:
    """A whole second later than any generation's version of the file. Dovecot compares mtime (in seconds) and size
    only, so any two versions that it may meet one after the other, also by rollback, must differ."""
    stamp = int(time.time())
    for generation in store.ids():
        try:
            stamp = max(stamp, int((store.folder(generation) / path).stat().st_mtime) + 1)
        except FileNotFoundError:
            continue
    return stamp


def _build(source: Path, run: Run, postfix_config: Path) -> str:
    """Builds ``<table>.lmdb`` as a new inode in the new folder (postmap rewrites an existing file in place, which with
    a link would be the live one) and answers its checksum."""
    code, _output, errors = run(["postmap", "-c", str(postfix_config), f"lmdb:{source}"])
    if code or errors.strip():
        raise GenerationError(
            f"postmap lmdb:postfix/{source.name}: {errors.strip() or f'exit status {code}'}"
        )
    target = source.with_name(f"{source.name}.lmdb")
    give(target, f"postfix/{target.name}")
    return hashlib.sha256(target.read_bytes()).hexdigest()
