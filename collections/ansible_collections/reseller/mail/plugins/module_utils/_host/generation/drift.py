# SPDX-License-Identifier: GPL-3.0-or-later
"""How the files of a generation differ from the artefact that they were made from.

PRIVATE to the collection. Runs on the host, reads only; standard library only.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .layout import OWN, built_from, changed_keys, files, is_ours, read, read_bytes
from .store import Content, Run, Store


@dataclass(frozen=True, slots=True)
class Drift:
    """One file that is not as it was made.

    Attributes:
        path: the file's path in the generation.
        state: ``changed``, ``missing``, ``foreign`` or ``exposed`` (wrong owner, group or mode).
        entries: the keys of the lines that differ.
        objects: the lines of the model that name one of these keys.
    """

    path: str
    state: str
    entries: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    def __str__(self) -> str:
        entries = f" ({', '.join(self.entries[:5])})" if self.entries else ""
        return f"{self.path} {self.state}{entries}"


def drift(store: Store, generation: str, run: Run) -> list[Drift]:
    """Return every difference, sorted by path."""
    folder = store.folder(generation)
    content = store.content(generation)
    built = store.manifest(generation).get("built", {})
    tables = built_from(content.files)
    known = {*content.files, *OWN, *tables}
    present = set(files(folder))
    found = [Drift(path, "missing") for path in known - present]
    found += [Drift(path, "foreign") for path in present - known]
    for path in known & present:
        if not is_ours(folder / path, path):
            found.append(Drift(path, "exposed"))
        data = read_bytes(folder / path)
        if path in content.files:
            if data != content.files[path].encode():
                found.append(_changed(content, path, read(folder / path)))
        elif path in tables and _sum(data) != built.get(tables[path]):
            found.append(_changed(content, path, _listed(folder / path, run)))
    return sorted(found, key=lambda item: (item.path, item.state))


def _listed(path: Path, run: Run) -> str | None:
    """Return the entries of a table of postmap; None for what cannot be read and for binaries."""
    if path.suffix != ".lmdb":
        return None
    code, output, _errors = run(["postmap", "-s", f"lmdb:{path.with_suffix('')}"])
    return None if code else output


def _changed(content: Content, path: str, text: str | None) -> Drift:
    """Return the difference of a file, with its keys unless ``text`` is None (unreadable)."""
    if text is None:
        return Drift(path, "changed")
    keys = changed_keys(text, content.files[path.removesuffix(".lmdb")])
    return Drift(path, "changed", tuple(keys), tuple(_objects(content.model, keys)))


def _objects(model: list[str], keys: t.Iterable[str]) -> t.Iterator[str]:
    """Yield the lines of the model that name one of the keys."""
    wanted = set(keys)
    for line in model:
        if wanted & set(re.split(r"[\s,]+", line)):
            yield line


def _sum(data: bytes | None) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(data or b"").hexdigest()
