# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host retains, and which mail and passwords on it no file and no manifest knows.

PRIVATE to the collection. Runs on the host, reads only; standard library only.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import timestamps
from ..credentials import Store
from .place import FOLDER, Entry, Place
from .rules import Known

MOST_FILES = 100_000
"""How many files of orphans are measured. A finding must not take minutes."""
SHOWN = 20
"""How many orphans the report names."""


def of_subject(entries: t.Iterable[Entry], subject: str) -> list[Entry]:
    """Return the entries of a tenant, a domain or an address; all if the subject is empty."""
    return [
        entry
        for entry in entries
        if subject in ("", entry.tenant, entry.address, entry.address.rpartition("@")[2])
    ]


def row(place: Place, entry: Entry) -> dict[str, t.Any]:
    """Return what a host keeps of one mailbox, as data."""
    manifest = place.manifest(entry)
    until = place.until(entry)
    measured = {key: manifest.get(key) for key in ("files", "messages", "bytes", "checksum")}
    return {
        "address": entry.address,
        "tenant": entry.tenant,
        "left": str(manifest.get("left", "")),
        "until": "" if until is None else timestamps.timestamp(until),
        "moved_to": place.moved_to(entry),
        "messages": _number(measured["messages"]),
        "bytes": _number(measured["bytes"]),
        "intact": measured["checksum"] is None or measured == asdict(place.measure(entry)),
        "password": place.has_login(entry),
    }


def _number(value: t.Any) -> int:
    """Return a number of a manifest; -1 for one that is not there."""
    return value if isinstance(value, int) else -1


def kept(place: Place, now: float) -> list[dict[str, t.Any]]:
    """Return for each tenant how much the host retains, and until when, without reading mail."""
    found: dict[str, dict[str, t.Any]] = {}
    for entry in place.entries():
        one = found.setdefault(
            entry.tenant,
            {"tenant": entry.tenant, "mailboxes": 0, "bytes": 0, "ends": [], "wrong": []},
        )
        size, until = place.manifest(entry).get("bytes"), place.until(entry)
        one["mailboxes"] += 1
        one["bytes"] += size if isinstance(size, int) else 0
        if place.moved_to(entry):
            one["moved"] = one.get("moved", 0) + 1
        elif until is None:
            one["wrong"].append(f"the manifest of {entry.address} is damaged")
        else:
            one["ends"].append(until)
            if until + 2 * 3600 < now:  # the timer starts once an hour
                one["wrong"].append(f"{entry.address} is over and not deleted")
    return [
        {
            "tenant": one["tenant"],
            "mailboxes": one["mailboxes"],
            "bytes": one["bytes"],
            "first": timestamps.timestamp(min(one["ends"])) if one["ends"] else "",
            "last": timestamps.timestamp(max(one["ends"])) if one["ends"] else "",
            "wrong": one["wrong"][:SHOWN],
            "moved": one.get("moved", 0),
        }
        for _tenant, one in sorted(found.items())
    ]


@dataclass
class _Measured:
    """How much orphans have. ``whole`` is whether all files were counted."""

    files: int = 0
    bytes: int = 0
    whole: bool = True


def orphans(mail: Path, logins: t.Optional[Store], known: Known, now: float) -> dict[str, t.Any]:
    """Return the homes and passwords that no file and no manifest knows, with size and age.

    Mail of a mailbox that another node serves now is none: it has to be moved.
    """
    paths = sorted(path for path in _homes(mail) if not _is_known(path, known))
    addresses = logins.addresses() if logins else set()
    passwords = sorted(address for address in addresses if not _is_known(_path_of(address), known))
    total = _Measured()
    rows = [_orphan(mail, path, now, total) for path in paths]
    return {
        "mail": len(rows),
        "bytes": total.bytes,
        "whole": total.whole,
        "passwords": len(passwords),
        "shown": rows[:SHOWN],
        "shown_passwords": passwords[:SHOWN],
    }


def _homes(mail: Path) -> t.Iterator[str]:
    """Yield ``<domain>/<name>`` of each home, and each other folder of the folder of all mail."""
    try:
        found = sorted(os.scandir(mail), key=lambda one: one.name)
    except FileNotFoundError:
        return
    for domain in found:
        # A restore from a backup works in a folder of its own.
        ours = domain.name == FOLDER or domain.name.startswith(".restore-")
        if ours or not domain.is_dir(follow_symlinks=False):
            continue
        with os.scandir(domain.path) as homes:
            names = [one.name for one in homes]
        if domain.name.startswith(".") and not names:
            yield domain.name
        yield from (f"{domain.name}/{name}" for name in names)


def _path_of(address: str) -> str:
    """Return the path of a home in the folder of all mail."""
    local, _at, domain = address.rpartition("@")
    return f"{domain}/{local}"


def _is_known(path: str, known: Known) -> bool:
    """Return whether the files of the estate have a mailbox with this home."""
    domain, _slash, local = path.partition("/")
    address = f"{local}@{domain}"
    return address in known.mailboxes or address in known.relayed or known.state(domain) == "waits"


def _orphan(mail: Path, path: str, now: float, total: _Measured) -> dict[str, t.Any]:
    """Return the size of one home, and its age: the days since mail came or went."""
    size, newest, whole = 0, 0.0, True
    try:
        newest = os.lstat(mail / path).st_mtime
        for folder, _folders, names, descriptor in os.fwalk(mail / path, follow_symlinks=False):
            if total.files > MOST_FILES:
                whole = total.whole = False
                break
            if os.path.basename(folder) in ("cur", "new"):
                newest = max(newest, os.fstat(descriptor).st_mtime)
            for name in names:
                total.files += 1
                size += os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_size
    except OSError:  # a file, or something that moves just now
        whole = False
    total.bytes += size
    return {
        "path": path,
        "bytes": size,
        "whole": whole,
        "days": max(0, int((now - newest) // 86400)) if newest else 0,
    }


def facts(root: Path, mail: Path, known: Known, now: float) -> dict[str, t.Any]:
    """Return what is retained and what is an orphan; raise OSError or RetainedError if that cannot
    be read."""
    database = root / "credentials" / "credentials.db"
    with Place(mail) as place:
        found = {"kept": kept(place, now)}
    if database.exists():
        with Store(str(database), read_only=True) as logins:
            return {**found, "orphans": orphans(mail, logins, known, now)}
    return {**found, "orphans": orphans(mail, None, known, now)}
