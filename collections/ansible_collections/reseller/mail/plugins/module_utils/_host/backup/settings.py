# SPDX-License-Identifier: GPL-3.0-or-later
"""What role ``backup`` writes about backups: where to, with which key, and how long they are kept.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

FOLDER = Path("/etc/reseller-mail/backup")
"""The folder of the settings. Only root can read what is secret in it."""
CACHE = "/var/cache/reseller-mail-backup"


class BackupError(Exception):
    """A backup or a restore that cannot be made. The message has no secret."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a host's backups.

    Attributes:
        node: the name of the node. Snapshots have it as their host.
        root: the folder of the mail platform.
        mail_home: the folder of all mail.
        keep: how many daily, weekly and monthly snapshots stay.
        check_days: days after which the repository is checked again.
        check_data: the share of the data that a check reads, such as 1%.
        environment: variables for restic, such as the keys of an object store.
    """

    node: str
    root: Path
    mail_home: Path
    keep: t.Mapping[str, int]
    check_days: int
    check_data: str
    repository: str = field(repr=False)
    password: str = field(repr=False)
    environment: t.Mapping[str, str] = field(repr=False)
    folder: Path = FOLDER

    @property
    def state(self) -> Path:
        """Return the folder with the record, and with copies while a backup runs."""
        return self.root / "backup"

    @property
    def copies(self) -> Path:
        """Return the folder of files that are copied before they are saved."""
        return self.state / "copies"

    @property
    def repository_mark(self) -> str:
        """Return a short digest of the repository's address, which may have a password in it."""
        return hashlib.sha256(self.repository.encode()).hexdigest()[:16]

    def secrets(self) -> list[str]:
        """Return every text that no message may have."""
        return [text for text in (self.password, *self.environment.values()) if len(text) > 5]


def is_configured(folder: Path = FOLDER) -> bool:
    """Return whether the host makes backups."""
    return (folder / "secrets.json").exists()


def read(folder: Path = FOLDER) -> Settings:
    """Return the settings; raise BackupError if there are none."""
    try:
        plain = json.loads((folder / "settings.json").read_bytes())
        secret = json.loads((folder / "secrets.json").read_bytes())
    except FileNotFoundError:
        raise BackupError(
            "this host makes no backups: set backup_repository and run ansible-playbook"
            " reseller.mail.site"
        ) from None
    except (OSError, ValueError) as error:
        raise BackupError(f"the settings in {folder} cannot be read: {error}") from None
    return Settings(
        node=plain["node"],
        root=Path(plain["root"]),
        mail_home=Path(plain["mail_home"]),
        keep=plain["keep"],
        check_days=plain["check_days"],
        check_data=plain["check_data"],
        repository=secret["repository"],
        password=secret["password"],
        environment={name: str(value) for name, value in secret["environment"].items()},
        folder=folder,
    )


def ssh_options(repository: str, folder: Path) -> list[str]:
    """Return restic's options for a repository that is reached by SFTP; none for another one.

    The two forms are ``sftp:user@host:path`` and ``sftp://user@host:port/path``.
    """
    if not repository.startswith("sftp:"):
        return []
    words = ["ssh", "-F", str(folder / "ssh.conf")]
    if repository.startswith("sftp://"):
        parts = urlsplit(repository)
        user, host = parts.username or "", parts.hostname or ""
        words += ["-p", str(parts.port)] if parts.port else []
    else:
        user, _at, host = repository.removeprefix("sftp:").partition(":")[0].rpartition("@")
    words += ["-l", user] if user else []
    return ["-o", f"sftp.command={shlex.join([*words, host, '-s', 'sftp'])}"]
