# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run changes, in the words of the tenants' files.

It is decided here alone, for check mode and for a real run.

PRIVATE to the collection. Runs on the host, reads only; standard library only.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass, replace

from .layout import OWN, built_from, changed_keys, files, is_ours, read, read_bytes
from .store import Content, GenerationError, Store

RELOADED = ("opendkim", "opendkim_ed25519", "opendkim_node", "postfix")
"""Services that are reloaded after a switch, in this order: mail from a new domain must not be
accepted before it can be signed. Dovecot notices new files itself. nginx opens its files for every
request."""

_SUBJECT = re.compile(r".*?\S[@.]\S+|\S+ \S+")


@dataclass(frozen=True, slots=True)
class Transition:
    """What a run has to do.

    Attributes:
        stage: whether a new generation is needed.
        activate: whether daemons have to be reloaded for the generation that is or becomes current.
        lines: the diff.
        services: the services to reload.
        altered: the files of the current generation that are not as wanted.
    """

    stage: bool
    activate: bool
    lines: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    altered: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.stage or self.activate

    def with_mail(self, lines: t.Sequence[str]) -> Transition:
        """Return the same with what happens to the mail of mailboxes. It needs an activation, also
        if the lookups stay the same."""
        if not lines:
            return self
        return replace(self, activate=True, lines=(*self.lines, *lines))

    def diff(self, check_mode: bool) -> str:
        """Return the diff. In check mode no daemon checks the generation, and the diff has a note
        of that."""
        notes = ("? not judged: check mode asks no daemon",) if check_mode and self.stage else ()
        return "".join(f"{line}\n" for line in (*self.lines, *notes))


def plan(store: Store, content: Content) -> Transition:
    """Compare the files on the host with the wanted ones; return what has to change."""
    current = store.current()
    if current is None:
        return Transition(True, True, tuple(f"+ {line}" for line in content.model), RELOADED)
    found = altered(store, content)
    # A run that ended after its switch reloaded no service, or not all. Which ones is not known.
    activated = store.activated() == current
    services = tuple(
        service
        for service in RELOADED
        if not activated or any(path.startswith(f"{service}/") for path in found)
    )
    if found:
        lines = model_changes(store.model(current), content.model) or [
            f"~ {path} ({what or _changed_lines(store, content, path)})"
            for path, what in found.items()
        ]
        return Transition(True, True, tuple(lines), services, frozenset(found))
    lines = [] if activated else [f"~ activate generation {current}"]
    return Transition(False, not activated, tuple(lines), services)


def altered(store: Store, content: Content) -> dict[str, str]:
    """Return every file of the current generation that is not as wanted, and what has to be done
    or differs. This is empty for a file with other lines: to count them takes long."""
    current = store.current() or ""
    folder, built = str(store.folder(current)), _built(store, current, content)
    found = {}
    tables = built_from(content.files)
    present = set(files(folder))
    for path in sorted(present | content.files.keys() | tables.keys()):
        if path in OWN:
            continue
        target = f"{folder}/{path}"
        data = read_bytes(target)
        if path in tables:
            if data is None or hashlib.sha256(data).hexdigest() != built.get(tables[path]):
                found[path] = "build anew"
        elif path not in present or not _is_wanted(content, path, data):
            found[path] = ""
        if path not in found and not is_ours(target, path):
            found[path] = "owner or mode"
    return found


def _changed_lines(store: Store, content: Content, path: str) -> str:
    """Return how many lines of a file differ from the wanted ones."""
    text = read(f"{store.folder(store.current() or '')}/{path}")
    count = len(changed_keys(text, content.files.get(path)))
    return f"{count} line{'' if count == 1 else 's'}"


def _built(store: Store, generation: str, content: Content) -> dict[str, str]:
    """Return the checksums of what was built from the wanted texts: tables and scripts.

    None are known if the manifest is gone.
    """
    try:
        manifest = store.manifest(generation)
    except GenerationError:
        return {}
    built = t.cast("dict[str, str]", manifest.get("built", {}))
    if manifest.get("digest") == content.digest:
        return built
    texts = manifest.get("files", {})
    return {
        path: checksum
        for path, checksum in built.items()
        if texts.get(path) == content.checksums.get(path)
    }


def _is_wanted(content: Content, path: str, data: bytes | None) -> bool:
    """Return whether a text of the generation has the wanted bytes."""
    return path in content.files and data == content.files[path].encode()


def model_changes(before: t.Iterable[str], after: t.Iterable[str]) -> list[str]:
    """Return ``- `` and ``+ `` lines, sorted by their subject, the old line before the new one."""
    old, new = set(before), set(after)
    changes = [("-", line) for line in old - new] + [("+", line) for line in new - old]
    changes.sort(key=lambda change: (subject(change[1]), change[0] == "+", change[1]))
    return [f"{sign} {line}" for sign, line in changes]


def subject(line: str) -> str:
    """Return the subject of a line of the model.

    It is ``mailbox jo@acme.example`` for ``mailbox jo@acme.example quota 5G``.
    """
    match = _SUBJECT.match(line)
    return match[0] if match else line


def changed_services(before: t.Mapping[str, str], after: t.Mapping[str, str]) -> tuple[str, ...]:
    """Return the services whose files have different checksums in two manifests."""
    changed = {
        path.partition("/")[0]
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }
    return tuple(service for service in RELOADED if service in changed)
