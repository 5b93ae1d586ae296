# SPDX-License-Identifier: GPL-3.0-or-later
"""The record on a host of its last backup and of the last check of the repository.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ..timestamps import seconds
from .settings import FOLDER, is_configured

FILE = "record.json"


@dataclass(frozen=True, slots=True)
class Record:
    """What happened. Times are such as 2026-11-29T02:31:07Z; empty if it never happened.

    Attributes:
        repository: a digest of the address of the repository to which the host saved last.
        repository_id: the id of that repository.
        succeeded: when a backup was complete.
        snapshot: the snapshot of that backup.
        vanished: how many files were renamed or deleted while it read them.
        tried: when the last backup began.
        failure: why it failed; empty if it did not.
        checked: when the repository was found to be without damage.
        check_failure: why the last check failed; empty if it did not.
    """

    repository: str = ""
    repository_id: str = ""
    succeeded: str = ""
    snapshot: str = ""
    vanished: int = 0
    tried: str = ""
    failure: str = ""
    checked: str = ""
    check_failure: str = ""


def read(state: Path) -> Record:
    """Return the record of a host; an empty one if there is none that can be read."""
    try:
        found = json.loads((state / FILE).read_bytes())
        return Record(**{one.name: found[one.name] for one in fields(Record)})
    except (OSError, ValueError, KeyError, TypeError):
        return Record()


def write(state: Path, record: Record) -> None:
    """Write the record in one step, and keep it through a power cut."""
    new = state / f".{FILE}.new"
    with open(new, "w", encoding="utf-8") as file:
        json.dump(asdict(record), file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    new.chmod(0o600)
    new.replace(state / FILE)


def report(root: str, now: float, folder: Path = FOLDER) -> dict[str, t.Any]:
    """Return what a finding about backups needs: whether the host makes them, and the record.

    ``age`` is that of the last complete backup, in seconds.
    """
    found = read(Path(root) / "backup")
    age = now - seconds(found.succeeded) if found.succeeded else 0.0
    return {"wanted": is_configured(folder), "age": age, **asdict(found)}
