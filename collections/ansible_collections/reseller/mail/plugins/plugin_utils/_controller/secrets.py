# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in action plugins: written into a file, and kept out of what Ansible prints.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tempfile
import time
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._host.lock import locked

from .packages import how_to_install

try:
    import pyrage
except ImportError as exc:
    PYRAGE_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    PYRAGE_IMPORT_ERROR = None

ALLOWED = (
    "age1... of an X25519 key (age-keygen), or an ssh-ed25519 or ssh-rsa line of a file id_*.pub"
)
"""What a recipient may be."""
PATIENCE = 60
"""Seconds. Another run that writes into the same folder needs less than one."""


@contextlib.contextmanager
def unlogged(action: ActionBase) -> t.Iterator[None]:
    """Set no_log while a module runs.

    From -vvv on, a connection prints the arguments and the result of a module, unless no_log is set
    in its play context.
    """
    contexts = (action._play_context, action._connection._play_context)
    before = [context.no_log for context in contexts]
    for context in contexts:
        context.no_log = True
    try:
        yield
    finally:
        for context, no_log in zip(contexts, before, strict=True):
            context.no_log = no_log


def age_recipients(texts: t.Sequence[str]) -> list[t.Any]:
    """Return the age recipients, or raise AnsibleActionFail with all that cannot be used.

    The message shows no text of a recipient, because a secret key may have been given instead.
    """
    if texts and PYRAGE_IMPORT_ERROR is not None:
        raise AnsibleActionFail(
            "recipients of initial passwords need the Python package pyrage on the controller;"
            f" {how_to_install()}"
        ) from None
    found, faults = [], []
    for number, text in enumerate(texts, 1):
        try:
            kind = pyrage.ssh if text.strip().startswith("ssh-") else pyrage.x25519
            found.append(kind.Recipient.from_str(text.strip()))
        except pyrage.RecipientError:
            is_secret = "SECRET" in text.upper() or "PRIVATE" in text.upper()
            what = (
                "a secret key: change it, and give its public key" if is_secret else "no such key"
            )
            faults.append(f"recipient {number} of the initial passwords is {what}")
    if faults:
        raise AnsibleActionFail(f"{'; '.join(faults)}; allowed: {ALLOWED}")
    return found


class PasswordFile:
    """The CSV file on the controller with the initial passwords.

    Rows are added, and none is changed or removed. With recipients, each delivery is a new
    encrypted file, and the passwords are never in a file unencrypted.

    Attributes:
        path: where it is. With recipients, ``mx1.csv`` becomes ``mx1-<time>.csv.age``.
    """

    def __init__(
        self,
        path: str,
        header: tuple[str, str] = ("address", "password"),
        recipients: t.Sequence[str] = (),
    ) -> None:
        self.path = path
        self._header = list(header)
        self._recipients = age_recipients(recipients)

    def refuse_unwritable(self) -> None:
        """Raise OSError if the file cannot be written or is not a list of initial passwords.

        Nothing is changed.
        """
        place = os.path.dirname(os.path.abspath(self.path))
        while not os.path.exists(place):
            place = os.path.dirname(place)
        if (
            not os.path.isdir(place)
            or not os.access(place, os.W_OK | os.X_OK)
            or os.path.isdir(self.path)
        ):
            raise PermissionError(
                f"the file of initial passwords {self.path} cannot be written below {place}"
            )
        if not self._recipients:
            self._rows(self._content())

    def write(self, passwords: t.Mapping[str, str]) -> str:
        """Add the passwords that the file does not have, in one step.

        Return the path of the file that has them.
        """
        folder = os.path.dirname(os.path.abspath(self.path))
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with locked(Path(folder, ".lock"), PATIENCE):
            if self._recipients:
                return self._write_encrypted(folder, passwords)
            before = self._content()
            latest = dict(self._rows(before))
            rows = [row for row in sorted(passwords.items()) if latest.get(row[0]) != row[1]]
            if rows:
                _replace(folder, self.path, (before or self._text([])) + self._text(rows, False))
            return self.path

    def _write_encrypted(self, folder: str, passwords: t.Mapping[str, str]) -> str:
        """Write a new file that only the recipients can read; return its path."""
        text = self._text(sorted(passwords.items())).encode()
        encrypted = pyrage.encrypt(text, self._recipients, armored=True)
        base, ending = os.path.splitext(self.path)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        number, path = 1, f"{base}-{stamp}{ending}.age"
        while os.path.exists(path):
            number, path = number + 1, f"{base}-{stamp}-{number + 1}{ending}.age"
        _replace(folder, path, encrypted.decode())
        return path

    def _content(self) -> str:
        """Return the text of the file, with the end of its last line; empty if there is no file."""
        if not os.path.exists(self.path):
            return ""
        try:
            with open(self.path, encoding="utf-8", newline="") as file:
                text = file.read()
        except UnicodeDecodeError:
            raise self._is_another_kind() from None
        return text if text.endswith("\n") else f"{text}\n"

    def _rows(self, text: str) -> list[tuple[str, str]]:
        """Return the rows of the file; raise OSError if it is another kind of file."""
        if not text:
            return []
        try:
            header, *rows = csv.reader(io.StringIO(text), strict=True)
            if header != self._header or any(len(row) != 2 for row in rows):
                raise ValueError
            return [(row[0], row[1]) for row in rows]
        except (ValueError, csv.Error):
            raise self._is_another_kind() from None

    def _is_another_kind(self) -> OSError:
        return OSError(
            f"the file of initial passwords {self.path} exists and is no list of initial"
            " passwords; move it away"
        )

    def _text(self, rows: t.Iterable[t.Iterable[str]], with_header: bool = True) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([self._header, *rows] if with_header else rows)
        return text.getvalue()


def _replace(folder: str, path: str, text: str) -> None:
    """Write a file that only its owner can read, in one step, and keep it through a power cut."""
    descriptor, new = tempfile.mkstemp(dir=folder, prefix=".initial-passwords-")  # mode 0600
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
