# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins for promotion share: the log of evidence, and the decisions from it.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import datetime
import os
import stat
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from .._language.ladders import by_domain
from .._promotion import decide, evidence
from .._promotion.unpack import MAX_PACKED
from . import files

if t.TYPE_CHECKING:
    from .._model.estate import Estate

MAX_FILES = 20_000


def today() -> datetime.date:
    """Return the current day in UTC, which is the day of reports."""
    return datetime.datetime.now(datetime.UTC).date()


def log_of(directory: str, text: t.Optional[str] = None) -> evidence.Log:
    """Return the log of evidence of the estate, empty if there is none yet.

    ``text`` replaces the content of the file: in check mode the file is not written. Raise
    AnsibleActionFail if the file is damaged.
    """
    text = files.text(Path(directory) / evidence.FILE) if text is None else text
    try:
        return evidence.read(text) if text else {}
    except ValueError as error:
        raise AnsibleActionFail(
            f"{error}; restore it from version control, or remove it: then evidence is counted anew"
        ) from error


def decisions(
    estate: Estate, directory: str, day: datetime.date, text: t.Optional[str] = None
) -> list[decide.Decision]:
    """Return the decision about every policy, from the evidence in the log."""
    log, steps = log_of(directory, text), by_domain(estate.steps)
    return [
        decide.decide(
            track,
            steps.get((track.tenant, track.domain, track.policy)),
            log.get(track.domain, {}).values(),
            estate.promotion,
            day,
        )
        for track in decide.tracks(estate)
    ]


def files_below(folder: str, since: float) -> t.Iterator[tuple[str, t.Optional[bytes]]]:
    """Yield path and content of every file below a folder that changed since a time, sorted.

    The content is None if the file is too large or is no regular file. Links are not followed,
    because external senders fill the folder. Raise AnsibleActionFail for too many files.
    """
    number = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "tmp")
        for name in sorted(names):
            if name.startswith("."):
                continue
            number += 1
            if number > MAX_FILES:
                raise AnsibleActionFail(
                    f"{folder} holds more than {MAX_FILES:,} files; remove those that are older"
                    f" than {evidence.KEPT} days"
                )
            path = os.path.join(place, name)
            content, changed = _content(path)
            if changed >= since:
                yield os.path.relpath(path, folder), content


def _content(path: str) -> tuple[t.Optional[bytes], float]:
    try:
        # NONBLOCK: opening a FIFO would otherwise wait for its writer
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None, float("inf")
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_PACKED:
            return None, status.st_mtime
        with os.fdopen(os.dup(handle), "rb") as file:
            return file.read(MAX_PACKED + 1), status.st_mtime
    finally:
        os.close(handle)
