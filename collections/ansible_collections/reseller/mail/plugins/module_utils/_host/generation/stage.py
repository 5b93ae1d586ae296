# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the next generation beside the one that serves.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import sieve
from .layout import FOLDERS, LOOKUPS, built_from, give, read_bytes
from .store import Content, GenerationError, Run, Store, sequence


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the files of a generation come from.

    Attributes:
        carried: the files that are hard links to those of the current generation.
        checked_by: what checks all others and builds their tables.
    """

    carried: frozenset[str]
    checked_by: str


def stage(store: Store, content: Content, origin: Origin, run: Run, postfix_config: Path) -> Path:
    """Write a generation into the staging folder and return the folder.

    Remove first what an earlier run left there. Raise GenerationError when a table cannot be built.
    """
    staging = store.staging
    discard(store)
    staging.mkdir(mode=0o755, parents=True)
    # mkdir obeys the umask, but the users of the daemons must be able to enter.
    for folder in (store.generations, staging):
        folder.chmod(0o755)
    for name in FOLDERS:
        (staging / name).mkdir()
        give(staging / name, name)
    current = store.current()
    for path in origin.carried:
        os.link(store.folder(str(current)) / path, staging / path)
    for path in content.files.keys() - origin.carried:
        _text(store, staging, path, content.files[path].encode())
    old = store.manifest(str(current))["built"] if origin.carried else {}
    # What is carried over was built before. The others are made by the two functions below.
    built = {
        path: old[path]
        for product, path in built_from(content.files).items()
        if product in origin.carried
    }
    built |= _tables(staging, set(LOOKUPS) - set(built), run, postfix_config)
    folder = store.folder(f"{next_sequence(store):06d}-{content.digest[:12]}")
    binaries = _moved(store, folder, origin.carried, old)
    scripts = {
        path: text
        for path, text in content.files.items()
        if sieve.is_script(path) and path not in binaries
    }
    room = postfix_config.parent / sieve.FOLDER
    binaries.update(sieve.compiled(scripts, folder, room, content.debian, run))
    built |= _written(staging, binaries)
    manifest = {
        "digest": content.digest,
        "node": content.node,
        "sequence": next_sequence(store),
        "previous": _previous(store, content, current),
        "checked_by": origin.checked_by,
        "files": content.checksums,
        "built": built,
    }
    for name, data in (
        ("artefact", content.packed),
        ("manifest.json", json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"),
    ):
        (staging / name).write_bytes(data)
        give(staging / name, name)
    # One sync for all files: an fsync for each takes seconds with thousands of domains.
    code, _output, errors = run(["sync", "--file-system", str(staging)])
    if code:
        raise GenerationError(f"{staging}: {errors.strip()}")
    return staging


def discard(store: Store) -> None:
    """Remove what is staged."""
    if store.staging.exists():
        shutil.rmtree(store.staging)


def _previous(store: Store, content: Content, current: str | None) -> str | None:
    """Return the generation that a rollback will switch to.

    A generation that only repairs the current one has the same predecessor.
    """
    try:
        if current and store.manifest(current)["digest"] == content.digest:
            return t.cast("str | None", store.manifest(current)["previous"])
    except (GenerationError, KeyError):
        return None
    return current


def next_sequence(store: Store) -> int:
    """Return the number of the next generation: one more than the highest on the host."""
    ids = store.ids()
    return sequence(ids[-1]) + 1 if ids else 1


def _text(store: Store, staging: Path, path: str, data: bytes) -> None:
    """Write one text as a new file: the current generation's file is in service."""
    target = staging / path
    if ".." in Path(path).parts or Path(path).is_absolute():
        raise GenerationError(f"the artefact has a file outside of a generation: {path}")
    target.write_bytes(data)
    give(target, path)
    if sieve.is_script(path):
        os.utime(target, (sieve.WRITTEN, sieve.WRITTEN))
    elif path.startswith("dovecot/"):
        stamp = time_for(store, path)
        os.utime(target, (stamp, stamp))


def time_for(store: Store, path: str) -> int:
    """Return a time in seconds that is later than that of the file in any generation.

    Dovecot compares only mtime (in whole seconds) and size. So two versions that it may read one
    after the other, also by a rollback, need different times.
    """
    stamp = int(time.time())
    for generation in store.ids():
        try:
            stamp = max(stamp, int((store.folder(generation) / path).stat().st_mtime) + 1)
        except (FileNotFoundError, NotADirectoryError):  # an older layout
            continue
    return stamp


def _tables(
    staging: Path, paths: t.Iterable[str], run: Run, postfix_config: Path
) -> dict[str, str]:
    """Build the tables of Postfix; return the SHA-256 of each, by the path of its text."""
    return {path: _build(staging / path, run, postfix_config) for path in sorted(paths)}


def _moved(
    store: Store, folder: Path, carried: t.Iterable[str], built: t.Mapping[str, str]
) -> dict[str, bytes]:
    """Return the binaries of unchanged scripts, made from those of the current generation."""
    before = store.folder(str(store.current()))
    found = {}
    for path in filter(sieve.is_script, carried):
        data = read_bytes(before / sieve.binary(path)) or b""
        if hashlib.sha256(data).hexdigest() == built.get(path):
            moved = sieve.moved(data, path, before, folder)
            if moved:
                found[path] = moved
    return found


def _written(staging: Path, binaries: t.Mapping[str, bytes]) -> dict[str, str]:
    """Write the binary of each script beside it; return the SHA-256 of each, by script."""
    for path, data in binaries.items():
        target = staging / sieve.binary(path)
        target.write_bytes(data)
        give(target, path)
    return {path: hashlib.sha256(data).hexdigest() for path, data in binaries.items()}


def _build(source: Path, run: Run, postfix_config: Path) -> str:
    """Build ``<table>.lmdb`` and return its SHA-256; raise GenerationError if postmap fails.

    It is a new file: postmap rewrites an existing one in place, and with a hard link that would be
    the file that serves.
    """
    code, _output, errors = run(["postmap", "-c", str(postfix_config), f"lmdb:{source}"])
    if code or errors.strip():
        raise GenerationError(
            f"postmap lmdb:postfix/{source.name}: {errors.strip() or f'exit status {code}'}"
        )
    target = source.with_name(f"{source.name}.lmdb")
    give(target, f"postfix/{target.name}")
    return hashlib.sha256(target.read_bytes()).hexdigest()
