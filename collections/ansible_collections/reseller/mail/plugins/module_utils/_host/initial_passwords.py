# SPDX-License-Identifier: GPL-3.0-or-later
"""Initial passwords that wait on the host until a controller has them.

PRIVATE to the collection. Runs on the host; standard library only. Module ``credentials`` uses this
file, and so does ``mail-passwd``, which is installed on the host.
"""

from __future__ import annotations

import json
import os

SPOOL = "initial_passwords.json"
"""The file beside the database in which initial passwords wait until the controller has them."""
FORMER_SPOOL = "handover.json"
"""The name of that file in an older version."""
LOCK = ".lock"
"""The file beside the database that a run locks, so that runs of two controllers change nothing at
the same time."""


def waiting(spool: str) -> dict[str, str]:
    """Return the initial passwords that the controller does not have yet; the newer file wins."""
    passwords: dict[str, str] = {}
    files = filter(os.path.exists, (former(spool), spool))
    for path in sorted(files, key=os.path.getmtime):
        with open(path, encoding="utf-8") as file:
            passwords.update(json.load(file))
    return passwords


def former(spool: str) -> str:
    """Return the path of the file that an older version would have written."""
    return os.path.join(os.path.dirname(spool), FORMER_SPOOL)


def adopt(spool: str) -> None:
    """Move the passwords that an older version left behind, so that none is lost."""
    if os.path.exists(former(spool)):
        save(spool, waiting(spool))
        os.unlink(former(spool))


def save(spool: str, passwords: dict[str, str]) -> None:
    """Write the initial passwords in one step.

    This comes before the store is written: a password is nowhere else until the controller has it.
    """
    with open(
        os.open(f"{spool}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(passwords, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{spool}.new", spool)


def keep(spool: str, passwords: dict[str, str]) -> None:
    """Write the initial passwords that wait, or remove the file if none does."""
    if passwords:
        save(spool, passwords)
    elif os.path.exists(spool):
        os.unlink(spool)
