# SPDX-License-Identifier: GPL-3.0-or-later
"""One backup of a mail host: what is saved, in which order, and what must be true before.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from ..timestamps import seconds, timestamp
from . import record
from .restic import DAMAGE, INCOMPLETE, TAG, MissingRepository, Restic
from .settings import BackupError, Settings

MARK = ".reseller-mail"
"""The file in the folder of the mail that shows that its disk is mounted."""
CREDENTIALS = "credentials.db"
OTHERS = (
    "/etc/letsencrypt",
    "/etc/postsrsd.secret",
    "/var/lib/redis/reseller-mail.rdb",
)
"""What a node needs that is not in its own folders: certificates with their account, the key of
forwarded senders, and what the filter has learned. Redis replaces its file in one step."""
OF_ROOT = ("dkim", "tls", "credentials/initial_passwords.json")
"""What is saved below the folder of the platform. Everything else there comes from the files."""
LEFT_OUT = (
    "Maildir/tmp/*",
    "Maildir/.*/tmp/*",
    "dovecot.index*",
    "dovecot.list.index*",
    "dovecot.mailbox.log*",
)
"""Deliveries that have not ended, and what Dovecot makes again from the messages."""
ATTEMPTS = 3
"""A message that was renamed while it was read is found by the next attempt."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot, and how many files vanished while they were read."""

    snapshot: str
    vanished: int


def run(
    settings: Settings, restic: Restic, now: t.Callable[[], float] = time.time
) -> record.Record:
    """Make a backup and check the repository if it is time; return the record, also of a failure.

    Raise BackupError if another run has not ended.
    """
    before = record.read(settings.state)
    tried = replace(before, tried=timestamp(int(now())))
    try:
        saved, repository_id = _save(settings, restic, before)
    except (BackupError, OSError, sqlite3.Error) as error:
        after = replace(tried, failure=str(error))
        record.write(settings.state, after)
        return after
    after = replace(
        tried,
        repository=settings.repository_mark,
        repository_id=repository_id,
        succeeded=tried.tried,
        snapshot=saved.snapshot,
        vanished=saved.vanished,
        failure="",
    )
    record.write(settings.state, after)
    if is_check_due(after, settings, now()):
        after = checked(settings, restic, after, now)
    return after


def is_check_due(found: record.Record, settings: Settings, now: float) -> bool:
    """Return whether the repository must be checked: after some days, and after a failure."""
    if found.check_failure or not found.checked:
        return True
    return now - seconds(found.checked) >= settings.check_days * 86400 - 3600


def checked(
    settings: Settings, restic: Restic, found: record.Record, now: t.Callable[[], float]
) -> record.Record:
    """Check the repository and remove what no snapshot needs; return and write the record."""
    try:
        done = restic.ask("check", f"--read-data-subset={settings.check_data}")
        if done.status:
            raise _damage(restic, done.errors) or restic.error(done)
        restic.do("prune")
        after = replace(found, checked=timestamp(int(now())), check_failure="")
    except BackupError as error:
        after = replace(found, check_failure=str(error))
    record.write(settings.state, after)
    return after


def _damage(restic: Restic, errors: str) -> t.Optional[BackupError]:
    """Return what a check found to be damaged; None if it could not check."""
    if "contains errors" not in errors:
        return None
    signs = ("error for ", "does not exist", *DAMAGE)
    found = [line.strip() for line in errors.splitlines() if any(sign in line for sign in signs)]
    shown = restic.without_secrets(" ".join(found[:2]) or "mail-backup check shows where")
    return BackupError(f"the repository is damaged: {shown}")


def _save(settings: Settings, restic: Restic, before: record.Record) -> tuple[Saved, str]:
    """Save the host; return the snapshot and the id of the repository."""
    refuse_unready(settings)
    repository_id = opened(settings, restic, before)
    restic.do("unlock")
    with copies(settings):
        saved = snapshot(settings, restic)
    keep = [word for name in sorted(settings.keep) for word in _keep(name, settings.keep[name])]
    restic.do(
        "forget",
        "--host",
        settings.node,
        "--tag",
        TAG,
        "--group-by",
        "host,tags",
        "--keep-last",
        "1",
        *keep,
    )
    return saved, repository_id


def _keep(name: str, count: int) -> list[str]:
    return [f"--keep-{name}", str(count)] if count else []


def refuse_unready(settings: Settings) -> None:
    """Raise BackupError for a host of which a backup would lack what matters.

    Such a snapshot would be the newest one, and good ones would be removed with time.
    """
    if not (settings.root / "current").exists():
        raise BackupError("nothing was saved: reseller.mail.site has not set up this host yet")
    if not (settings.mail_home / MARK).exists():
        raise BackupError(
            f"nothing was saved: {settings.mail_home} has no file {MARK}, so the disk of the mail"
            " may not be mounted"
        )
    if not _store(settings).exists():
        raise BackupError(f"nothing was saved: {_store(settings)} is missing")


def _store(settings: Settings) -> Path:
    return settings.root / "credentials" / CREDENTIALS


def opened(settings: Settings, restic: Restic, before: record.Record) -> str:
    """Return the id of the repository. Make it if this host has not saved to it before.

    A repository that has gone is not made again: the new one would be empty, and look well.
    """
    was_there = before.repository_id and before.repository == settings.repository_mark
    try:
        found = restic.repository_id()
    except MissingRepository as error:
        if was_there:
            raise BackupError(
                f"{error}, but there was one at {before.succeeded}: mount its disk or bring it"
                " back. If it is lost for good: mail-backup restic init"
            ) from None
        restic.do("init")
        return restic.repository_id()
    return found


@contextlib.contextmanager
def copies(settings: Settings) -> t.Iterator[None]:
    """Copy what changes in place while it is read; remove the copies afterwards."""
    shutil.rmtree(settings.copies, ignore_errors=True)
    settings.copies.mkdir(mode=0o700, parents=True)
    try:
        copy_database(_store(settings), settings.copies / CREDENTIALS)
        yield
    finally:
        shutil.rmtree(settings.copies, ignore_errors=True)


def copy_database(source: Path, target: Path) -> None:
    """Copy an SQLite file with SQLite's own backup, so that no change is half in the copy."""
    with contextlib.ExitStack() as stack:
        old = stack.enter_context(
            contextlib.closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True))
        )
        new = stack.enter_context(contextlib.closing(sqlite3.connect(target)))
        old.backup(new)


def saved_paths(settings: Settings) -> list[str]:
    """Return what a backup saves, as far as it exists."""
    wanted = [
        str(settings.mail_home),
        str(settings.copies),
        *(str(settings.root / name) for name in OF_ROOT),
        *OTHERS,
    ]
    return [path for path in wanted if os.path.exists(path)]


def snapshot(settings: Settings, restic: Restic) -> Saved:
    """Make a snapshot; raise BackupError if it lacks a file that is still there.

    Mail is saved while the node works. A message that is renamed meanwhile, for example because
    its flags change, vanishes under its old name: another attempt saves it under the new one.
    """
    excludes = [word for one in LEFT_OUT for word in ("--exclude", one)]
    excludes += ["--exclude", f"{settings.mail_home}/.restore-*"]
    for attempt in range(1, ATTEMPTS + 1):
        parents = restic.snapshots()[-1:]
        done = restic.ask(
            "backup",
            "--json",
            "--host",
            settings.node,
            "--tag",
            TAG,
            *(word for one in parents for word in ("--parent", one.id)),
            *excludes,
            "--",
            *saved_paths(settings),
        )
        if done.status not in (0, INCOMPLETE):
            raise restic.error(done)
        unread = [
            str(one.get("item", "")) for one in done.objects() if one.get("message_type") == "error"
        ]
        lost = [path for path in unread if os.path.lexists(path)]
        if lost or (done.status and not unread):
            raise BackupError(
                f"the snapshot is not complete: {len(lost) or 'some'} files cannot be read,"
                f" such as {(lost or ['those in the log of restic'])[0]}"
            )
        made = [one for one in done.objects() if one.get("message_type") == "summary"]
        if not unread or attempt == ATTEMPTS:
            break
    return Saved(str(made[-1]["snapshot_id"])[:8], len(unread))
