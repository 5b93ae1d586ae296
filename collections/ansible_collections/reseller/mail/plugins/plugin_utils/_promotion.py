# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins for promotion share: the log of evidence, and the decisions that follow from it.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import datetime
import os
import stat
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils import _evidence, _promotion
from ansible_collections.reseller.mail.plugins.module_utils._reports_unpack import MAX_PACKED
from ansible_collections.reseller.mail.plugins.plugin_utils import _files

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate

MAX_FILES = 20_000


def today() -> datetime.date:
    """The day in UTC, as reports count days."""
    return datetime.datetime.now(datetime.UTC).date()


def log_of(directory: str, text: t.Optional[str] = None) -> _evidence.Log:
    """The estate's log of evidence; empty when there is none yet. ``text`` is what would be written in check mode."""
    text = _files.text(Path(directory) / _evidence.FILE) if text is None else text
    try:
        return _evidence.read(text) if text else {}
    except ValueError as error:
        raise AnsibleActionFail(
            f"{error}; restore it from version control, or remove it: then evidence is counted anew"
        ) from error


def decisions(
    estate: Estate, directory: str, day: datetime.date, text: t.Optional[str] = None
) -> list[_promotion.Decision]:
    """What the evidence of the log says about every policy."""
    log, steps = log_of(directory, text), _promotion.by_domain(estate.steps)
    return [
        _promotion.decide(
            track,
            steps.get((track.tenant, track.domain, track.policy)),
            log.get(track.domain, {}).values(),
            estate.promotion,
            day,
        )
        for track in _promotion.tracks(estate)
    ]


def files_below(folder: str, since: float) -> t.Iterator[tuple[str, t.Optional[bytes]]]:
    """Every file below a folder that changed lately, by its path, sorted, with its content; None: it is too large, or no file of its own.
    Links are not followed: the folder is filled by strangers."""
    number = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "tmp")
        for name in sorted(names):
            if name.startswith("."):
                continue
            number += 1
            if number > MAX_FILES:
                raise AnsibleActionFail(
                    f"{folder} holds more than {MAX_FILES:,} files; remove those that are older than {_evidence.KEPT} days"
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
