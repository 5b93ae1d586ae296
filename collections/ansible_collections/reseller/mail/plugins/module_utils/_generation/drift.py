# SPDX-License-Identifier: GPL-3.0-or-later
"""How a generation on the disk differs from what it was made from.

PRIVATE to the collection. Runs on the host, reads only; standard library only.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

from .layout import LOOKUPS, OWN, changed_keys, files, is_ours, read, read_bytes
from .store import Content, Run, Store


@dataclass(frozen=True, slots=True)
class Drift:
    """One file that is ``changed``, ``missing``, ``foreign`` or ``exposed`` (wrong owner, group or mode). ``entries``
    are those that differ, ``objects`` what the model says of them."""

    path: str
    state: str
    entries: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    def __str__(self) -> str:
        entries = f" ({', '.join(self.entries[:5])})" if self.entries else ""
        return f"{self.path} {self.state}{entries}"


def drift(store: Store, generation: str, run: Run) -> list[Drift]:
    """Every difference, sorted by path."""
    folder = store.folder(generation)
    content = store.content(generation)
    built = store.manifest(generation).get("built", {})
    known = {*content.files, *OWN, *(f"{path}.lmdb" for path in LOOKUPS)}
    present = set(files(folder))
    found = [Drift(path, "missing") for path in known - present]
    found += [Drift(path, "foreign") for path in present - known]
    for path in known & present:
        if not is_ours(folder / path, path):
            found.append(Drift(path, "exposed"))
        if path in content.files and read_bytes(folder / path) != content.files[path].encode():
            found.append(_changed(content, path, read(folder / path)))
        elif path in {f"{lookup}.lmdb" for lookup in LOOKUPS} and _sum(
            read_bytes(folder / path)
        ) != built.get(path.removesuffix(".lmdb")):
            code, output, _errors = run(
                ["postmap", "-s", f"lmdb:{folder / path.removesuffix('.lmdb')}"]
            )
            found.append(_changed(content, path, None if code else output))
    return sorted(found, key=lambda item: (item.path, item.state))


def _changed(content: Content, path: str, text: str | None) -> Drift:
    """``text`` is None where nothing can be read any more, and then no key can be named."""
    if text is None:
        return Drift(path, "changed")
    keys = changed_keys(text, content.files[path.removesuffix(".lmdb")])
    return Drift(path, "changed", tuple(keys), tuple(_objects(content.model, keys)))


def _objects(model: list[str], keys: t.Iterable[str]) -> t.Iterator[str]:
    """The model's lines that speak of one of the keys."""
    wanted = set(keys)
    for line in model:
        if wanted & set(re.split(r"[\s,]+", line)):
            yield line


def _sum(data: bytes | None) -> str:
    return hashlib.sha256(data or b"").hexdigest()
