# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins for DNS share: the published records, and the module that octoDNS loads.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from .._publish import published_records
from . import files, terminal


@contextlib.contextmanager
def one_at_a_time(estate: str) -> t.Iterator[None]:
    """Hold the lock of the estate's folder while its records are published; wait for another run.

    Two runs would read the list of published records, and the later one would lose what the other
    one wrote. The kernel frees the lock when its holder ends.
    """
    descriptor = os.open(estate, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            terminal.say(f"waiting until another run has published the records of {estate}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_published(estate: str) -> published_records.Published:
    """Return the records that the estate published, empty if it published nothing yet.

    Raise AnsibleActionFail if the file is damaged.
    """
    text = files.text(Path(estate) / published_records.FILE)
    try:
        return published_records.read(text) if text else {}
    except ValueError as error:
        raise AnsibleActionFail(
            f"{error}; restore it from version control, or remove it: then former records are known"
            " by the estate's marks only"
        ) from error


def write_published(estate: str, published: published_records.Published, check_mode: bool) -> bool:
    """Write the published records if they differ; return whether they do.

    Nothing is written in check mode, or if nothing was ever published.
    """
    path, text = Path(estate) / published_records.FILE, published_records.text(published)
    before = files.text(path)
    if before == text or (not before and not published):
        return False
    if not check_mode:
        files.write({path: text.encode()})
    return True


def processor() -> str:
    """Return the text of the module that octoDNS loads from the folder of its configuration."""
    return files.text(Path(__file__).parents[1] / "_publish" / "reseller_mail_octodns.py")
