# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has of a tenant that moves, and the steps with its mail.

PRIVATE to the collection. Runs on the hosts; standard library only. The former node keeps the homes
and passwords as retained mail, with the host name of the new node. The new node gets them as
retained mail as well. So they return when it begins to serve the tenant (``generation.retention``).
"""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ..generation.retention import known
from ..generation.store import Store
from ..retained.place import FOLDER, Entry, Place, disk_use
from . import channel


def facts(store: Store, mail: Path, tenant: str, domains: t.Sequence[str]) -> dict[str, t.Any]:
    """Return what the host has and does for a tenant. Nothing is changed."""
    current = store.current()
    now = known(store, current)
    with Place(mail) as place:
        entries = [entry for entry in place.entries() if entry.tenant == tenant]
        copies = [entry for entry in entries if place.moved_to(entry)]
        homes = [address for domain in domains for address in place.homes(domain)]
        size = sum(disk_use(str(mail / _path(address))) for address in homes)
        size += sum(map(place.use, copies))
        arrived = place.arrived_bytes(tenant)
        hosts = sorted({place.moved_to(entry) for entry in copies})
    room = os.statvfs(mail if mail.is_dir() else "/")
    return {
        "generation": current or "",
        "key": (channel.folder(store.root, tenant) / "key").exists(),
        "serves": tenant in now.served_here,
        "passes_to": now.served_elsewhere.get(tenant, ""),
        "homes": len(homes),
        "copies": len(copies),
        "copies_of": hosts,
        "retained": len(entries) - len(copies),
        "bytes": size,
        "arrived": arrived,
        "free": room.f_bavail * room.f_frsize,
    }


def _path(address: str) -> str:
    """Return the path of a home in the folder of all mail."""
    local, _at, domain = address.rpartition("@")
    return f"{domain}/{local}"


def served_paths(mail: Path, domains: t.Sequence[str]) -> list[str]:
    """Return the paths of the homes of a tenant, while the host serves it."""
    with Place(mail) as place:
        return [_path(address) for domain in domains for address in place.homes(domain)]


def settle(mail: Path, tenant: str) -> list[str]:
    """Add to the copies what was delivered while they were put away; return their names.

    No delivery to the tenant runs any more.
    """
    with Place(mail) as place:
        copies = _copies(place, tenant)
        for entry in copies:
            place.absorb(entry)
        return [entry.path for entry in copies]


def _copies(place: Place, tenant: str) -> list[Entry]:
    """Return the entries of a tenant that are a copy of what another node has."""
    return [one for one in place.entries() if one.tenant == tenant and place.moved_to(one)]


def fetch_served(
    root: Path,
    mail: Path,
    tenant: str,
    source: channel.Source,
    paths: t.Sequence[str],
    run: channel.Run,
) -> None:
    """Copy homes that the former node still serves."""
    with Place(mail) as place:
        into = place.arriving(tenant)
        channel.fetch(root, tenant, source, paths, into, run, is_served=True)


def fetch_all(
    root: Path,
    mail: Path,
    tenant: str,
    source: channel.Source,
    paths: t.Sequence[str],
    run: channel.Run,
) -> int:
    """Copy what the former node has put away, and make retained mail of it; return how much."""
    entries = [entry_of(path) for path in paths]
    with Place(mail) as place:
        missing = [entry for entry in entries if entry not in place.of(tenant, entry.address)]
        into = place.arriving(tenant)
        place.expect(missing)
        names = [entry.path.partition("/")[2] for entry in missing]
        channel.fetch(root, tenant, source, names, into, run, is_served=False)
        place.take_in(missing, source.address)
        place.forget_arriving(tenant)
    return len(missing)


def entry_of(path: str) -> Entry:
    """Return the entry of a path ``<tenant>/<domain>/<when>-<name>``."""
    tenant, domain, name = path.split("/")
    return Entry(tenant, f"{name.partition('-')[2]}@{domain}", name)


def retained_folder(mail: Path, tenant: str) -> str:
    """Return the folder with what a host keeps of a tenant."""
    return str(mail / FOLDER / tenant)
