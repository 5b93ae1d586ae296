# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of restic, and its errors in words that say what to do.

PRIVATE to the collection. Runs on the host; standard library only. It works with restic 0.14
(Debian 12) and newer.
"""

# A program of the host runs it, too, without a module whose run_command it could call.
# pylint: disable=ansible-bad-function

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime

from .settings import CACHE, BackupError, Settings, ssh_options

TAG = "reseller-mail"
"""The tag of the snapshots that the collection makes. Others in the repository are not touched."""
INCOMPLETE = 3
"""restic's exit status if it made a snapshot and could not read some files (restic-backup(1))."""

REASONS = (
    (
        "wrong password or no key found",
        "backup_password does not open the repository: it is not the one it was made with",
    ),
    (
        "no space left on device",
        "no space is left, in the repository or on this host",
    ),
    (
        "disk quota exceeded",
        "no space is left: the disk quota of the repository is used up",
    ),
    (
        "SSH_FX_FAILURE",
        "the server of the repository cannot write: no space may be left there",
    ),
    (
        "already locked",
        "another restic works on the repository: wait until it ends. If it was killed: mail-backup"
        " restic unlock",
    ),
    (
        "Host key verification failed",
        "the SSH server of the repository has another key than backup_ssh_known_hosts says",
    ),
    ("Permission denied (", "the SSH server of the repository refuses backup_ssh_key"),
)
"""What restic or ssh print, and what it means."""
DAMAGE = (
    "not found in repository",
    "not found in index",
    "file does not exist",
    "failed to download",
    "ciphertext verification failed",
    "hash mismatch",
    "data mismatch",
    "does not match",
    "invalid data returned",
)
"""What restic prints if it does not find data or finds other data than it wrote."""
_HINT = "Is there a repository at the following location"
_ABSENT = re.compile(r"not exist|no such file or directory|NoSuchKey|NoSuchBucket|\b404\b")


class MissingRepository(BackupError):
    """There is no repository at this address."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a call of restic returned."""

    status: int
    output: str
    errors: str

    def objects(self) -> t.Iterator[dict[str, t.Any]]:
        """Yield what restic printed as JSON, a line each."""
        for line in (*self.output.splitlines(), *self.errors.splitlines()):
            if line.startswith("{"):
                try:
                    yield json.loads(line)
                except ValueError:
                    continue


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot: its short id, and when it was taken, such as 2026-11-29T02:31:07Z."""

    id: str
    taken: str

    def __str__(self) -> str:
        return f"{self.id} of {self.taken}"


Call = t.Callable[[t.Sequence[str], t.Mapping[str, str]], Done]
"""Run a command with an environment."""


def call(command: t.Sequence[str], environment: t.Mapping[str, str]) -> Done:
    """Run a command; a missing program is exit status 127, as in a shell."""
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        return Done(127, "", f"{command[0]} is not installed")
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Restic:
    """restic with the settings of a host."""

    settings: Settings
    run: Call = call

    def environment(self) -> dict[str, str]:
        """Return the variables with which restic runs. The key is never an argument."""
        return {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "LC_ALL": "C.UTF-8",
            "HOME": "/root",
            "RESTIC_CACHE_DIR": CACHE,
            "RESTIC_PROGRESS_FPS": "0.01",  # with --json, each report of progress is a line
            **self.settings.environment,
            "RESTIC_REPOSITORY": self.settings.repository,
            "RESTIC_PASSWORD": self.settings.password,
        }

    def command(self, *words: str) -> list[str]:
        """Return restic's command line for these words."""
        return ["restic", *ssh_options(self.settings.repository, self.settings.folder), *words]

    def ask(self, *words: str) -> Done:
        """Run restic and return what it answered, whatever its exit status."""
        return self.run(self.command(*words), self.environment())

    def do(self, *words: str) -> Done:
        """Run restic; raise BackupError if it fails."""
        done = self.ask(*words)
        if done.status:
            raise self.error(done)
        return done

    def error(self, done: Done) -> BackupError:
        """Return restic's failure in words that say what to do."""
        text = f"{done.errors}\n{done.output}"
        for sign, meaning in REASONS:
            if sign in text:
                return BackupError(meaning)
        if _HINT in text and _ABSENT.search(text):
            return MissingRepository("there is no repository at backup_repository")
        lines = [line.strip() for line in done.errors.splitlines() if line.strip()]
        damage = [line for line in lines if any(sign in line for sign in DAMAGE)]
        if damage:
            return BackupError(f"the repository is damaged: {self.without_secrets(damage[0])}")
        fatal = [line.removeprefix("Fatal: ") for line in lines if line.startswith("Fatal: ")]
        first = [line for line in lines if not line.startswith(("Fatal: ", "{"))][:1]
        shown = ": ".join([*first, *fatal[:1]]) or f"exit status {done.status}"
        return BackupError(f"restic failed: {self.without_secrets(shown)}")

    def without_secrets(self, text: str) -> str:
        """Return a text without the passwords that it may have."""
        for secret in self.settings.secrets():
            text = text.replace(secret, "***")
        return re.sub(r"//[^/@\s]+@", "//***@", text)

    def repository_id(self) -> str:
        """Return the id of the repository; raise MissingRepository if there is none."""
        return str(json.loads(self.do("--no-lock", "cat", "config").output)["id"])

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots of this node, oldest first."""
        done = self.do(
            "--no-lock", "snapshots", "--json", "--host", self.settings.node, "--tag", TAG
        )
        rows = json.loads(done.output) or []
        found = [Snapshot(row["short_id"], _utc(row["time"])) for row in rows]
        return sorted(found, key=lambda one: one.taken)

    def children(self, snapshot: str, folders: t.Sequence[str]) -> set[str]:
        """Return the paths that a snapshot has directly in some folders."""
        done = self.do("--no-lock", "ls", "--json", snapshot, *folders)
        wanted = set(folders)
        return {
            row["path"]
            for row in done.objects()
            if row.get("struct_type") == "node" and os.path.dirname(row["path"]) in wanted
        }

    def restore(self, snapshot: str, paths: t.Iterable[str], target: str) -> None:
        """Restore paths of a snapshot below a folder; raise BackupError if a file is missing."""
        includes = [word for path in paths for word in ("--include", escaped(path))]
        self.do("--no-lock", "restore", snapshot, "--target", target, *includes)


def escaped(path: str) -> str:
    """Return a path as restic's patterns have it."""
    return re.sub(r"([\\*?\[])", r"\\\1", path)


def _utc(time: str) -> str:
    """Return a time of restic, such as 2026-11-29T03:31:07.5+01:00, in UTC and whole seconds."""
    whole = re.sub(r"\.\d+", "", time)
    return datetime.fromisoformat(whole).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
