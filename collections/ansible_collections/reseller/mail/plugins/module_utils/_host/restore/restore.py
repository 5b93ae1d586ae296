# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore a folder, mailboxes or a whole node from a snapshot.

Everything comes into a folder beside its place first. If that fails, nothing has changed. Then what
is missing is moved into its place. Nothing that is there is replaced, so a second run adds nothing.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import tempfile
import typing as t
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..backup.restic import Restic, Snapshot
from ..backup.save import CREDENTIALS, OF_ROOT, OTHERS
from ..backup.settings import BackupError, Settings
from ..lock import locked
from . import maildir, passwords
from .owner import as_user

USER = "vmail"
LATEST = "latest"
RETAINED = ".retained"
"""The folder of the mail of mailboxes that left the files. Only root can enter it."""
SHOWN = 5
OWNERS = {"dkim": "opendkim", "/var/lib/redis/reseller-mail.rdb": "redis"}
"""Users whose numbers differ from host to host, by what they own."""
PATIENCE = 900
"""Seconds. A run that hashes passwords has the lock of the store."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to come back.

    Attributes:
        mailboxes: addresses; with ``whole_node`` none.
        folder: one folder of the only mailbox; None for all.
        over_existing: whether mail may be added to mailboxes that have some.
    """

    mailboxes: t.Sequence[str] = ()
    folder: t.Optional[str] = None
    whole_node: bool = False
    snapshot: str = LATEST
    over_existing: bool = False


@dataclass
class Outcome:
    """What came back: by address what was added, whose passwords, and which other files."""

    snapshot: str
    mailboxes: dict[str, dict[str, int]] = field(default_factory=dict)
    passwords: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Return whether anything came back."""
        return bool(self.mailboxes or self.passwords or self.files)

    @property
    def messages(self) -> int:
        """Return how many messages came back."""
        return sum(one["messages"] for one in self.mailboxes.values())


def chosen(snapshots: t.Sequence[Snapshot], wanted: str, node: str) -> Snapshot:
    """Return a snapshot by the beginning of its id, or the newest; raise BackupError if unknown."""
    if not snapshots:
        raise BackupError(f"the repository has no snapshot of the node {node}")
    if wanted == LATEST:
        return snapshots[-1]
    found = [one for one in snapshots if len(wanted) >= 4 and wanted.startswith(one.id)]
    found = found or [one for one in snapshots if len(wanted) >= 4 and one.id.startswith(wanted)]
    if len(found) != 1:
        shown = ", ".join(str(one) for one in reversed(snapshots[-SHOWN:]))
        raise BackupError(
            f"{wanted} is no snapshot of the node {node}; allowed: latest, or an id; the newest"
            f" are {shown}"
        )
    return found[0]


def restore(settings: Settings, restic: Restic, request: Request, dry_run: bool) -> Outcome:
    """Bring back what is requested; return what came back, or in a dry run what the request means.

    Raise BackupError, before anything changes, for an unknown snapshot or subject, and where mail
    is that the request does not allow to add to.
    """
    snapshot = chosen(restic.snapshots(), request.snapshot, settings.node)
    homes = _homes(settings, restic, snapshot, request)
    _refuse_existing(settings, homes, request)
    if dry_run:
        nothing = asdict(maildir.Added())
        return Outcome(str(snapshot), {_address(home): nothing for home in homes})
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(settings.state / ".restore.lock", 0):
        return _restore(settings, restic, request, snapshot, homes)


def _restore(
    settings: Settings, restic: Restic, request: Request, snapshot: Snapshot, homes: t.Sequence[str]
) -> Outcome:
    """Restore into folders beside the places first, then move what is missing."""
    outcome = Outcome(str(snapshot))
    with _beside(settings.mail_home) as mail, _beside(settings.root) as others:
        paths = [f"{home}/{_part(request)}".rstrip("/") for home in homes]
        if request.whole_node:
            paths = [str(settings.mail_home)]
        restic.restore(snapshot.id, paths, str(mail))
        restic.restore(snapshot.id, _other_paths(settings, request), str(others))
        saved = _below(others, settings.copies / CREDENTIALS)
        if not saved.exists():
            raise BackupError(f"the snapshot {snapshot} has no passwords; nothing was restored")
        os.chown(mail, *_ids(USER))
        outcome.mailboxes = _merge_mail(settings, mail, homes, request)
        if request.folder is None:
            outcome.passwords = _passwords(settings, saved, request, snapshot)
        if request.whole_node:
            retained = settings.mail_home / RETAINED
            outcome.files = _add_missing(_below(mail, retained), retained)
            outcome.files += _merge_files(settings, others)
    return outcome


def _part(request: Request) -> str:
    """Return the path in a home that a request needs."""
    if request.folder is None:
        return ""
    return f"{maildir.MAIL}/{maildir.directory(request.folder)}"


def _other_paths(settings: Settings, request: Request) -> list[str]:
    """Return what a request needs beside mail."""
    store = str(settings.copies / CREDENTIALS)
    if not request.whole_node:
        return [store]
    return [store, *(str(settings.root / name) for name in OF_ROOT), *OTHERS]


def _address(home: str) -> str:
    """Return the address of a home, such as jo@acme.example for /srv/vmail/acme.example/jo."""
    path, name = os.path.split(home)
    return f"{name}@{os.path.basename(path)}"


def _homes(settings: Settings, restic: Restic, snapshot: Snapshot, request: Request) -> list[str]:
    """Return the homes that come back; raise BackupError if the snapshot has none of them."""
    if request.whole_node:
        domains = sorted(restic.children(snapshot.id, [str(settings.mail_home)]))
        domains = [one for one in domains if not os.path.basename(one).startswith(".")]
        found = restic.children(snapshot.id, domains) if domains else set()
        return sorted(one for one in found if not os.path.basename(one).startswith("."))
    wanted = {
        f"{settings.mail_home}/{domain}/{name}"
        for name, _at, domain in (one.rpartition("@") for one in request.mailboxes)
    }
    domains = sorted({os.path.dirname(home) for home in wanted})
    found = wanted & restic.children(snapshot.id, domains)
    if not found:
        shown = ", ".join(sorted(request.mailboxes)[:SHOWN])
        raise BackupError(f"the snapshot {snapshot} has no mail of {shown}")
    if request.folder is not None:
        (home,) = found
        _refuse_unknown_folder(restic, snapshot, f"{home}/{maildir.MAIL}", request.folder)
    return sorted(found)


def _refuse_unknown_folder(restic: Restic, snapshot: Snapshot, root: str, folder: str) -> None:
    """Raise BackupError if a mailbox has no such folder in a snapshot; name those that it has."""
    name = maildir.directory(folder)
    names = {os.path.basename(one) for one in restic.children(snapshot.id, [root])}
    if name and name not in names:
        known = sorted(maildir.folder_name(one) for one in names if maildir.is_folder(one))
        raise BackupError(
            f"{_address(os.path.dirname(root))} has no folder {folder} in the snapshot {snapshot};"
            f" it has {', '.join(['INBOX', *known])}"
        )


def _refuse_existing(settings: Settings, homes: t.Sequence[str], request: Request) -> None:
    """Raise BackupError where mail is, unless the request allows to add to it."""
    if request.over_existing:
        return
    only = None if request.folder is None else maildir.directory(request.folder)
    present = [_address(home) for home in homes if maildir.has_messages(Path(home), only)]
    if not present:
        return
    what = f"the folder {request.folder} of " if request.folder is not None else ""
    more = f" and {len(present) - SHOWN} more" if len(present) > SHOWN else ""
    raise BackupError(
        f"nothing was restored: {what}{', '.join(present[:SHOWN])}{more} has mail. With -e"
        " restore_over_existing=true the messages that are missing are added, and nothing that is"
        " there changes"
    )


@contextlib.contextmanager
def _beside(folder: Path) -> t.Iterator[Path]:
    """Make a folder on the same file system, and remove it with what is left in it.

    One that a run left behind that was killed goes as well.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for left in folder.glob(".restore-*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=folder) as path:
        yield Path(path)


def _below(stage: Path, path: t.Union[str, Path]) -> Path:
    """Return where a restored path is below the folder that it was restored to."""
    return stage / str(path).lstrip("/")


def _ids(user: str) -> tuple[int, int]:
    """Return the numbers of a user and its group."""
    found = pwd.getpwnam(user)
    return found.pw_uid, found.pw_gid


def _merge_mail(
    settings: Settings, stage: Path, homes: t.Sequence[str], request: Request
) -> dict[str, dict[str, int]]:
    """Add what mailboxes lack, as the user who owns them; return what was added to each."""
    for path in (_below(stage, settings.mail_home), *_below(stage, settings.mail_home).parents):
        if stage in (path, *path.parents) and path.exists():
            os.chown(path, *_ids(USER))
    for home in homes:
        domain = _below(stage, home).parent
        if domain.exists():
            os.chown(domain, *_ids(USER))
    only = None if request.folder is None else maildir.directory(request.folder)

    def work() -> dict[str, dict[str, int]]:
        merged = {
            _address(home): maildir.merge(_below(stage, home), Path(home), only)
            for home in homes
            if _below(stage, home).exists()
        }
        return {address: asdict(added) for address, added in merged.items() if added}

    found: dict[str, dict[str, int]] = as_user(USER, work)
    return found


def _passwords(settings: Settings, saved: Path, request: Request, snapshot: Snapshot) -> list[str]:
    """Bring back the passwords of mailboxes; return whose came back."""
    folder = settings.root / "credentials"
    folder.mkdir(mode=0o750, exist_ok=True)
    addresses = None if request.whole_node else request.mailboxes
    with locked(folder / ".lock", PATIENCE):
        before = os.umask(0o027)
        try:
            return passwords.put_back(
                str(folder / CREDENTIALS), str(saved), addresses, snapshot.taken
            )
        finally:
            os.umask(before)


def _merge_files(settings: Settings, stage: Path) -> list[str]:
    """Add the files of a node that the host lacks, with their owners; return their paths."""
    added: list[str] = []
    for path in (*(str(settings.root / name) for name in OF_ROOT), *OTHERS):
        new = _add_missing(_below(stage, path), Path(path))
        owner = OWNERS.get(path.removeprefix(f"{settings.root}/"))
        if owner and new and _exists(owner):
            for one in (*new, path):
                os.chown(one, *_ids(owner), follow_symlinks=False)
        added += new
    return added


def _exists(user: str) -> bool:
    """Return whether the host has this user."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _add_missing(saved: Path, place: Path) -> list[str]:
    """Move what is missing at a place to it, folder by folder; return the paths that are new."""
    if not os.path.lexists(saved):
        return []
    if not os.path.lexists(place):
        place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        inside = [str(place / one.relative_to(saved)) for one in sorted(saved.rglob("*"))]
        _move(saved, place)
        return [str(place), *inside]
    if saved.is_symlink() or not saved.is_dir() or not place.is_dir():
        return []
    return [path for one in sorted(saved.iterdir()) for path in _add_missing(one, place / one.name)]


def _move(saved: Path, place: Path) -> None:
    """Move a file, a link or a folder, also to another file system, with owners and modes."""
    try:
        saved.rename(place)
    except OSError:
        if saved.is_dir() and not saved.is_symlink():
            place.mkdir()
            for one in saved.iterdir():
                _move(one, place / one.name)
            shutil.copystat(saved, place)
        else:
            shutil.copy2(saved, place, follow_symlinks=False)
        found = os.lstat(saved)
        os.chown(place, found.st_uid, found.st_gid, follow_symlinks=False)
