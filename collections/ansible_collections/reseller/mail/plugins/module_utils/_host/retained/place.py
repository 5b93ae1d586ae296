# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder with the mail and logins of mailboxes that left the files.

PRIVATE to the collection. Runs on the host; standard library only.

It is ``.retained`` in the folder of all mail, so that mail gets there by a rename. Only root can
enter it. Each mailbox has an entry, ``<tenant>/<domain>/<when>-<name>``:

* ``manifest.json``: whose it is, when it left, until when it is kept, and its size;
* ``login.json``: the row of the credential store, with the password's hash;
* ``home``: the home of the mailbox, with its mail and its scripts;
* ``late``: what was delivered while the home was moved, until it is merged into ``home``.

Every step is a rename, or can be repeated. An entry is complete before the home moves. So after a
kill each entry says what has to be done: see ``Place.put_away`` and ``Place.bring_back``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import timestamps
from ..credentials import Row, Store
from . import maildir
from .rules import Leaving, domain_of

FOLDER = ".retained"
"""The name of the folder. No domain has such a name."""

DAY = 86400

ARRIVING = ".moving"
"""The folder for mail that is being copied from another node. No tenant has such a name."""

_HOME, _LATE, _MANIFEST, _LOGIN = "home", "late", "manifest.json", "login.json"
_NEW, _GONE = ".new-", ".gone-"
"""Begin the names of entries that are being made or deleted."""
_NAME = re.compile(r"(?P<when>[0-9]{8}T[0-9]{6}Z)-(?P<local>.+)\Z")
_LOCAL = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


class RetainedError(Exception):
    """Mail that cannot be kept or brought back. The message says where, and what to do."""


@dataclass(frozen=True, order=True)
class Entry:
    """One retained mailbox, as its path names it."""

    tenant: str
    address: str
    name: str

    @property
    def path(self) -> str:
        """Return the path of the entry in the folder."""
        return f"{self.tenant}/{domain_of(self.address)}/{self.name}"


class Place:
    """The retained mailboxes of a host. The caller holds the lock of the generations.

    A folder of mail that does not exist has none.
    """

    def __init__(self, mail: Path) -> None:
        self._stack = contextlib.ExitStack()
        self._mail = self._own = -1
        with contextlib.suppress(FileNotFoundError):
            self._mail = os.open(mail, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._stack.callback(os.close, self._mail)
            self._enter()
        self._index: dict[tuple[str, str], list[Entry]] = {}
        for entry in self._found():
            self._index.setdefault((entry.tenant, entry.address), []).append(entry)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    def _enter(self) -> None:
        """Open the folder of retained mail, if it exists. It must be ours alone.

        The user that owns all mail could have made another one.
        """
        try:
            self._own = os.open(FOLDER, maildir.OPEN, dir_fd=self._mail)
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                return
            raise RetainedError(f"{FOLDER} in the folder of all mail is no folder") from error
        self._stack.callback(os.close, self._own)
        found = os.fstat(self._own)
        if (found.st_uid, stat.S_IMODE(found.st_mode)) != (os.geteuid(), 0o700):
            raise RetainedError(
                f"{FOLDER} in the folder of all mail can be read by others than root. Find out who"
                " changed it before you correct owner and mode"
            )

    def _at(self, *parts: str) -> str:
        """Return a path in the folder, which stays the same folder when somebody renames it."""
        return "/".join((f"/proc/self/fd/{self._own}", *parts))

    def _found(self) -> t.Iterator[Entry]:
        """Yield all entries of the folder."""
        for folder in self._domains():
            tenant, domain = folder.split("/")[-2:]
            for name in _folders(folder):
                match = _NAME.match(name)
                if match:
                    yield Entry(tenant, f"{match['local']}@{domain}", name)

    def entries(self) -> list[Entry]:
        """Return all entries, sorted."""
        return sorted(entry for found in self._index.values() for entry in found)

    def of(self, tenant: str, address: str) -> list[Entry]:
        """Return the entries of a tenant's mailbox, the newest first."""
        return sorted(self._index.get((tenant, address), ()), reverse=True)

    # --- what is kept

    def manifest(self, entry: Entry) -> dict[str, t.Any]:
        """Return the manifest of an entry; empty if it cannot be read."""
        try:
            with open(self._at(entry.path, _MANIFEST), "rb") as file:
                found = json.load(file)
            return found if isinstance(found, dict) else {}
        except (OSError, ValueError):
            return {}

    def until(self, entry: Entry) -> t.Optional[int]:
        """Return until when an entry is kept, in seconds since 1970; None if that is unknown.

        Then it is kept until an operator decides.
        """
        try:
            return timestamps.seconds(str(self.manifest(entry)["until"]))
        except (KeyError, ValueError):
            return None

    def moved_to(self, entry: Entry) -> str:
        """Return the host name of the node that has the mailbox now; empty if it did not move."""
        return str(self.manifest(entry).get("moved_to", ""))

    def has_mail(self, entry: Entry) -> bool:
        """Return whether an entry has a home."""
        return any(os.path.exists(self._at(entry.path, name)) for name in (_HOME, _LATE))

    def has_login(self, entry: Entry) -> bool:
        """Return whether an entry has a password."""
        return self._row(entry) is not None

    def _row(self, entry: Entry) -> t.Optional[Row]:
        """Return the row of the credential store that an entry keeps."""
        try:
            with open(self._at(entry.path, _LOGIN), "rb") as file:
                return Row(entry.address, **json.load(file))
        except (OSError, ValueError, TypeError):
            return None

    def measure(self, entry: Entry) -> maildir.Size:
        """Return the size of an entry as it is now. One that has only a password has no home."""
        home = self._at(entry.path, _HOME)
        return maildir.measure(home) if os.path.exists(home) else maildir.Size()

    def note_size(self, entry: Entry) -> None:
        """Write the size of an entry into its manifest."""
        found = {**self.manifest(entry), **asdict(self.measure(entry))}
        path = self._at(entry.path, _MANIFEST)
        _write(f"{path}.new", found)
        os.replace(f"{path}.new", path)

    # --- mailboxes that are served, or were

    def has_home(self, address: str) -> bool:
        """Return whether a mailbox has a home among the mailboxes that are served."""
        with self._domain(domain_of(address)) as domain:
            return domain is not None and self._is_home(address, domain)

    def homes(self, domain: str) -> list[str]:
        """Return the addresses of a domain that have homes among those that are served.

        Names that no mailbox can have are left out.
        """
        with self._domain(domain) as folder:
            names = [] if folder is None else os.listdir(folder)
            return [
                f"{name}@{domain}"
                for name in sorted(names)
                if _LOCAL.match(name) and maildir.is_folder(name, t.cast(int, folder))
            ]

    @contextlib.contextmanager
    def _domain(self, domain: str) -> t.Iterator[t.Optional[int]]:
        """Open the folder of a domain with its served mailboxes; None if there is none."""
        if self._mail < 0:
            yield None
            return
        try:
            descriptor = os.open(domain, maildir.OPEN, dir_fd=self._mail)
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            raise RetainedError(
                f"{domain} in the folder of all mail is no folder of its own; nothing of it was"
                " moved"
            ) from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @staticmethod
    def _is_home(address: str, domain: int) -> bool:
        """Return whether a name in a domain's folder is a home; raise if it is something else."""
        local = address.rpartition("@")[0]
        try:
            found = os.stat(local, dir_fd=domain, follow_symlinks=False)
        except FileNotFoundError:
            return False
        if not stat.S_ISDIR(found.st_mode):
            raise RetainedError(
                f"the home of {address} is no folder; find out who changed it, and remove it"
            )
        return True

    # --- steps

    def put_away(
        self, leaving: t.Sequence[Leaving], logins: t.Optional[Store], now: int, generation: str
    ) -> list[Entry]:
        """Keep what mailboxes have; return the entries of those that had something.

        After a kill the same call does the rest: a home or a password that is still there belongs
        to the entry that waits for it.
        """
        rows = {one.address: logins.row(one.address) if logins else None for one in leaving}
        todo = [one for one in leaving if rows[one.address] or self.has_home(one.address)]
        if not todo:
            return []
        self._make()
        entries = [
            next(iter(self.of(one.tenant, one.address)), None) or self._new(one, now, generation)
            for one in todo
        ]
        for entry in entries:
            row = rows[entry.address]
            if row:
                login = {key: value for key, value in asdict(row).items() if key != "address"}
                path = self._at(entry.path, _LOGIN)
                _write(f"{path}.new", login)
                os.replace(f"{path}.new", path)
        os.sync()  # once for all: the next steps take away what the entries keep
        for entry in entries:
            self.absorb(entry)
        if logins:
            logins.remove(row for row in rows.values() if row)
        for domain in {domain_of(entry.address) for entry in entries}:
            with contextlib.suppress(OSError):  # others are in it
                os.rmdir(domain, dir_fd=self._mail)
        return entries

    def _make(self) -> None:
        """Make the folder of retained mail, if there is none."""
        if self._mail < 0:
            raise RetainedError("the folder of all mail does not exist, so nothing can be kept")
        if self._own < 0:
            os.mkdir(FOLDER, 0o700, dir_fd=self._mail)
            self._enter()

    def _new(self, leaving: Leaving, now: int, generation: str) -> Entry:
        """Make an entry, which appears by a rename when its manifest is complete."""
        local, _at, domain = leaving.address.rpartition("@")
        at = now
        while True:
            when = timestamps.timestamp(at).replace("-", "").replace(":", "")
            entry = Entry(leaving.tenant, leaving.address, f"{when}-{local}")
            if not os.path.exists(self._at(entry.path)):
                break
            at += 1
        folder = self._at(leaving.tenant, domain)
        self._make_folders(leaving.tenant, domain)
        new = f"{folder}/{_NEW}{entry.name}"
        shutil.rmtree(new, ignore_errors=True)
        os.mkdir(new, 0o700)
        days = 0 if leaving.purge else leaving.days
        manifest = {
            "address": leaving.address,
            "tenant": leaving.tenant,
            "left": timestamps.timestamp(now),
            "generation": generation,
        }
        if leaving.moved_to:  # kept until an operator deletes it
            manifest["moved_to"] = leaving.moved_to
        else:
            manifest["until"] = timestamps.timestamp(now + days * DAY)
        _write(f"{new}/{_MANIFEST}", manifest)
        os.rename(new, self._at(entry.path))
        self._index.setdefault((entry.tenant, entry.address), []).append(entry)
        return entry

    def absorb(self, entry: Entry) -> bool:
        """Move the home of a mailbox into its entry; return whether there was one.

        A delivery that was running may have made a new home meanwhile. It is merged.
        """
        local = entry.address.rpartition("@")[0]
        moved = False
        with self._domain(domain_of(entry.address)) as domain:
            if domain is not None and self._is_home(entry.address, domain):
                self._merge_late(entry)
                there = os.path.exists(self._at(entry.path, _HOME))
                os.rename(local, self._at(entry.path, _LATE if there else _HOME), src_dir_fd=domain)
                moved = True
        self._merge_late(entry)
        return moved

    def _merge_late(self, entry: Entry) -> None:
        """Merge what came late into the home of an entry."""
        late, home = self._at(entry.path, _LATE), self._at(entry.path, _HOME)
        if not os.path.exists(late):
            return
        if os.path.exists(home):
            with opened_home(late) as source, opened_home(home) as target:
                maildir.merge(source, target)
            shutil.rmtree(late)
        else:
            os.rename(late, home)

    def bring_back(
        self, entries: t.Sequence[Entry], logins: t.Optional[Store], replace: bool = False
    ) -> None:
        """Give mailboxes their mail and passwords back.

        After a kill the same call does the rest. A mailbox that has mail keeps it, and one that has
        a password keeps that, unless ``replace``. The entries stay, without mail, until the caller
        discards them: if the mailboxes are not served after all, they still say what to do.
        """
        if not entries:
            return
        for entry in entries:
            self._merge_late(entry)
            self._restore_home(entry)
        rows = [row for row in map(self._row, entries) if row]
        if rows:
            if logins is None:
                raise RetainedError("there is no credential store to put passwords back into")
            logins.put_back(rows, replace)
        os.sync()  # once for all: what comes next removes what the entries keep

    def _restore_home(self, entry: Entry) -> None:
        """Move the home of an entry to its place, or merge it into the home that is there."""
        home = self._at(entry.path, _HOME)
        if not os.path.exists(home):
            return
        local, _at, name = entry.address.rpartition("@")
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=self._mail)
            owner = os.fstat(self._mail)
            os.chown(name, owner.st_uid, owner.st_gid, dir_fd=self._mail, follow_symlinks=False)
        with self._domain(name) as domain:
            if not self._is_home(entry.address, t.cast(int, domain)):
                os.rename(home, local, dst_dir_fd=domain)
                return
            with opened_home(home) as source, maildir.opened(local, t.cast(int, domain)) as target:
                maildir.merge(source, target)
        shutil.rmtree(home)

    def discard(self, entry: Entry) -> None:
        """Delete an entry with all that it has."""
        self.hide(entry)
        self.sweep(entry)

    def hide(self, entry: Entry) -> None:
        """Give an entry a name that only ``sweep`` knows, which then deletes it.

        That takes long for much mail, and needs no lock.
        """
        domain = domain_of(entry.address)
        os.rename(self._at(entry.path), self._at(entry.tenant, domain, f"{_GONE}{entry.name}"))
        self._index[entry.tenant, entry.address].remove(entry)

    def sweep(self, entry: t.Optional[Entry] = None) -> None:
        """Delete what is hidden: one entry, or all."""
        if entry:
            shutil.rmtree(self._at(entry.tenant, domain_of(entry.address), f"{_GONE}{entry.name}"))
            return
        for folder in self._domains():
            for name in _folders(folder):
                if name.startswith(_GONE):
                    shutil.rmtree(f"{folder}/{name}")

    def tidy(self) -> None:
        """Remove entries that a run began and did not finish, and empty folders."""
        for folder in self._domains():
            for name in _folders(folder):
                if name.startswith(_NEW):
                    shutil.rmtree(f"{folder}/{name}")
            for empty in (folder, os.path.dirname(folder)):
                with contextlib.suppress(OSError):
                    os.rmdir(empty)

    # --- mail that comes from another node

    def arriving(self, tenant: str) -> str:
        """Return the path of the folder into which a tenant's mail is copied, and make it."""
        self._make()
        self._make_folders(ARRIVING, tenant)
        return self._at(ARRIVING, tenant)

    def _make_folders(self, *parts: str) -> None:
        """Make folders in each other, for root alone."""
        for number in range(len(parts)):
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._at(*parts[: number + 1]), 0o700)

    def arrived_bytes(self, tenant: str) -> int:
        """Return the size of what was copied of a tenant's mail until now."""
        return disk_use(self._at(ARRIVING, tenant)) if self._own >= 0 else 0

    def expect(self, entries: t.Iterable[Entry]) -> None:
        """Give homes that were copied while they were served the place that they have as entries.

        So the last copy needs only what has changed since.
        """
        for entry in entries:
            place = self._at(ARRIVING, entry.path)
            local, _at, domain = entry.address.rpartition("@")
            home = self._at(ARRIVING, entry.tenant, domain, local)
            if os.path.exists(home) and not os.path.exists(f"{place}/{_HOME}"):
                self._make_folders(ARRIVING, entry.tenant, domain, entry.name)
                os.rename(home, f"{place}/{_HOME}")

    def take_in(self, entries: t.Iterable[Entry], source: str) -> None:
        """Make entries of this host of those that were copied whole from another node, ``source``.

        After a kill the same call does the rest.
        """
        tenants = set()
        for entry in entries:
            tenants.add(entry.tenant)
            new = self._at(ARRIVING, entry.path)
            if not os.path.exists(new):
                continue  # it is an entry already
            with open(f"{new}/{_MANIFEST}", "rb") as file:
                manifest = {**json.load(file), "moved_from": source}
            manifest.pop("moved_to", None)
            _write(f"{new}/{_MANIFEST}.new", manifest)
            os.replace(f"{new}/{_MANIFEST}.new", f"{new}/{_MANIFEST}")
            self._make_folders(entry.tenant, domain_of(entry.address))
            os.rename(new, self._at(entry.path))
            self._index.setdefault((entry.tenant, entry.address), []).append(entry)
        os.sync()
        for tenant in tenants:
            shutil.rmtree(self._at(ARRIVING, tenant), ignore_errors=True)
        with contextlib.suppress(OSError):  # another tenant is in it
            os.rmdir(self._at(ARRIVING))

    def forget_arriving(self, tenant: str) -> None:
        """Delete what was copied of a tenant's mail."""
        if self._own >= 0:
            shutil.rmtree(self._at(ARRIVING, tenant), ignore_errors=True)
            with contextlib.suppress(OSError):
                os.rmdir(self._at(ARRIVING))

    def use(self, entry: Entry) -> int:
        """Return how much of the disk an entry has."""
        return disk_use(self._at(entry.path))

    def _domains(self) -> list[str]:
        """Return the folders of all domains that have entries."""
        if self._own < 0:
            return []
        return [
            self._at(tenant, domain)
            for tenant in _folders(self._at())
            if tenant != ARRIVING
            for domain in _folders(self._at(tenant))
        ]


def disk_use(path: str) -> int:
    """Return how much of the disk a folder has; nothing if it does not exist.

    A message with several names counts once.
    """
    total = 0
    seen: set[tuple[int, int]] = set()
    if not os.path.exists(path):
        return total
    for _folder, folders, names, descriptor in os.fwalk(path, follow_symlinks=False):
        for name in (*names, *folders):
            with contextlib.suppress(FileNotFoundError):  # it was moved meanwhile
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                key = (found.st_dev, found.st_ino)
                if key not in seen:
                    total += found.st_blocks * 512
                    if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
                        seen.add(key)
    return total


@contextlib.contextmanager
def opened_home(path: str) -> t.Iterator[int]:
    """Open a home in the folder of retained mail."""
    descriptor = os.open(path, maildir.OPEN)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _folders(path: str) -> list[str]:
    """Return the names of the folders in a folder, sorted; none if it is not there any more."""
    try:
        with os.scandir(path) as found:
            return sorted(entry.name for entry in found if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []


def _write(path: str, data: t.Mapping[str, t.Any]) -> None:
    """Write a file that only root can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1, sort_keys=True)
        file.write("\n")
