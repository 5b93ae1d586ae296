# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would change, in the users' words. The only place that decides it, for check mode and the real run alike.

PRIVATE to the collection. Runs on the host, reads only; standard library only.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .layout import LOOKUPS, OWN, changed_keys, files, is_ours, read, read_bytes
from .store import Content, GenerationError, Store

RELOADED = ("opendkim", "opendkim_ed25519", "opendkim_node", "postfix")
"""Services that must be told of a switch, in this order: mail from a new domain must not be accepted before it can be
signed. Dovecot looks for itself; nginx opens its files for every request."""

_SUBJECT = re.compile(r".*?\S[@.]\S+|\S+ \S+")


@dataclass(frozen=True, slots=True)
class Plan:
    """``stage``: a new generation is needed. ``activate``: the daemons of ``services`` have to be told of the one that
    is, or becomes, current."""

    stage: bool
    activate: bool
    lines: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.stage or self.activate

    def diff(self, check_mode: bool) -> str:
        """The lines of a diff. A check promises less than a run: what daemons would say of it is not known."""
        notes = ("? not judged: check mode asks no daemon",) if check_mode and self.stage else ()
        return "".join(f"{line}\n" for line in (*self.lines, *notes))


def plan(store: Store, content: Content) -> Plan:
    """Compares the host's files, not what is noted about them, with the wanted ones."""
    current = store.current()
    if current is None:
        return Plan(True, True, tuple(f"+ {line}" for line in content.model), RELOADED)
    folder = store.folder(current)
    altered = _altered(folder, content, _built(store, current))
    # A run that died after its switch told nobody, or not everybody; whom it told is not known.
    told = store.activated() == current
    services = tuple(
        service
        for service in RELOADED
        if not told or any(path.startswith(f"{service}/") for path in altered)
    )
    if altered:
        before = (read(folder / "model.txt") or "").splitlines()
        lines = model_changes(before, content.model) or [
            f"~ {path} ({what})" for path, what in altered.items()
        ]
        return Plan(True, True, tuple(lines), services)
    return Plan(False, not told, () if told else (f"~ activate generation {current}",), services)


def _built(store: Store, generation: str) -> dict[str, str]:
    """The checksums of what postmap built, as noted then; none when the note itself is gone."""
    try:
        return t.cast("dict[str, str]", store.manifest(generation).get("built", {}))
    except GenerationError:
        return {}


def _altered(folder: Path, content: Content, built: dict[str, str]) -> dict[str, str]:
    """Every file of the generation in ``folder`` that is not as wanted, and what is the matter."""
    found = {}
    tables = {f"{path}.lmdb": path for path in LOOKUPS}
    present = set(files(folder))
    for path in sorted(present | content.files.keys() | tables.keys()):
        if path in OWN:
            continue
        data = read_bytes(folder / path)
        if path in tables:
            if data is None or hashlib.sha256(data).hexdigest() != built.get(tables[path]):
                found[path] = "build anew"
        elif (
            path not in present or path not in content.files or data != content.files[path].encode()
        ):
            count = len(changed_keys(read(folder / path), content.files.get(path)))
            found[path] = f"{count} line{'' if count == 1 else 's'}"
        if path not in found and not is_ours(folder / path, path):
            found[path] = "owner or mode"
    return found


def model_changes(before: t.Iterable[str], after: t.Iterable[str]) -> list[str]:
    """``- `` and ``+ `` lines, sorted by what they are about, the old one first."""
    old, new = set(before), set(after)
    changes = [("-", line) for line in old - new] + [("+", line) for line in new - old]
    changes.sort(key=lambda change: (subject(change[1]), change[0] == "+", change[1]))
    return [f"{sign} {line}" for sign, line in changes]


def subject(line: str) -> str:
    """What a line of the model is about: ``mailbox jo@acme.example`` of ``mailbox jo@acme.example quota 5G``."""
    match = _SUBJECT.match(line)
    return match[0] if match else line


def changed_services(before: t.Mapping[str, str], after: t.Mapping[str, str]) -> tuple[str, ...]:
    """Services whose files have other checksums in two manifests."""
    changed = {
        path.partition("/")[0]
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }
    return tuple(service for service in RELOADED if service in changed)
