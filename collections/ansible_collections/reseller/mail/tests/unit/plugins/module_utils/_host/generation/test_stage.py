# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of a generation's files are later than those of all older generations, whatever files these
have."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils._host.generation import stage
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.store import Store

FUTURE = 4_000_000_000


def _older(root: Path, path: str, sequence: int) -> Store:
    """Return the store of a host with one more generation, which has one file."""
    found = Store(root)
    file = found.folder(f"{sequence:06d}-{'a' * 12}") / path
    file.parent.mkdir(parents=True)
    file.write_text("")
    os.utime(file, (FUTURE, FUTURE))
    return found


def test_a_file_is_later_than_that_of_an_older_generation(tmp_path: Path) -> None:
    _older(tmp_path, "dovecot/logins/imap", 1)
    assert stage.time_for(Store(tmp_path), "dovecot/logins/imap") == FUTURE + 1


def test_a_generation_in_which_the_folder_was_a_file_is_passed_over(tmp_path: Path) -> None:
    """As on a host whose generations were made by an older version."""
    _older(tmp_path, "dovecot/logins", 1)
    store = _older(tmp_path, "dovecot/all_users", 2)
    assert 0 < stage.time_for(store, "dovecot/logins/imap") < FUTURE
