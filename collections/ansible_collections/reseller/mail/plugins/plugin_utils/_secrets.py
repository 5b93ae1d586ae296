# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets on their way through action plugins: handed over in a file, kept out of what Ansible prints.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import contextlib
import csv
import os
import tempfile
import typing as t

from ansible.plugins.action import ActionBase


@contextlib.contextmanager
def unlogged(action: ActionBase) -> t.Iterator[None]:
    """From -vvv on a connection prints what a module is given and what it returns, unless its play context says no_log."""
    contexts = (action._play_context, action._connection._play_context)
    before = [context.no_log for context in contexts]
    for context in contexts:
        context.no_log = True
    try:
        yield
    finally:
        for context, no_log in zip(contexts, before, strict=True):
            context.no_log = no_log


class Handover:
    """The file on the controller that initial passwords are written to, of mailboxes or of what ``header`` says."""

    def __init__(self, path: str, header: tuple[str, str] = ("address", "password")) -> None:
        self._path = path
        self._header = list(header)

    def refuse_unwritable(self) -> None:
        """Raises OSError when the file could not be written or is somebody else's. Changes nothing."""
        place = os.path.dirname(os.path.abspath(self._path))
        while not os.path.exists(place):
            place = os.path.dirname(place)
        if (
            not os.path.isdir(place)
            or not os.access(place, os.W_OK | os.X_OK)
            or os.path.isdir(self._path)
        ):
            raise PermissionError(f"the handover file {self._path} cannot be written below {place}")
        self._read()

    def _read(self) -> dict[str, str]:
        """What the file holds so far. Raises OSError when it is not ours: it would be overwritten."""
        if not os.path.exists(self._path):
            return {}
        try:
            with open(self._path, encoding="utf-8", newline="") as file:
                header, *rows = csv.reader(file, strict=True)
            if header != self._header:
                raise ValueError
            return dict(rows)  # a row of another length is a ValueError
        except (ValueError, csv.Error):
            raise OSError(
                f"the handover file {self._path} exists and is no list of initial passwords; move it away"
            ) from None

    def write(self, passwords: dict[str, str]) -> None:
        """Adds the passwords, or replaces those of the same address, in one step."""
        folder = os.path.dirname(os.path.abspath(self._path))
        os.makedirs(folder, mode=0o700, exist_ok=True)
        rows = self._read()
        descriptor, new = tempfile.mkstemp(
            dir=folder, prefix=".initial-passwords-"
        )  # mkstemp makes it 0600
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self._header)
            writer.writerows(sorted((rows | passwords).items()))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self._path)
