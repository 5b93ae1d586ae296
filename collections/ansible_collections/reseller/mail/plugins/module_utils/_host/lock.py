# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock for one run at a time on a host, which local users cannot hold.

Its message names the holder. The certificate hook is installed without this file and has a copy of
these functions; a unit test compares both.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
import typing as t
from pathlib import Path


@contextlib.contextmanager
def locked(path: Path, patience: float) -> t.Iterator[None]:
    """Hold the lock of a file; raise TimeoutError when it is not free after ``patience`` seconds.

    The message names the holder. Every user who may read a file may lock it. So only root may read
    this one, also if an earlier release let all users read it. The kernel frees the lock when its
    holder ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = (
                        f"{path} has been locked for {patience:g} s by {holder(path)}: wait until"
                        " it ends, or end it, and try again"
                    )
                    raise TimeoutError(message) from None
                time.sleep(0.2)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str:
    """Return which other process holds the lock of a file."""
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):  # processes end meanwhile
            process = link.parents[1]
            if (
                os.path.samefile(link, path)
                and "FLOCK" in (process / "fdinfo" / link.name).read_text()
                and process.name != str(os.getpid())
            ):
                command = re.sub(r"[^\w.:/-]", "?", (process / "comm").read_text().strip())
                return f"process {process.name} ({command}, user {process.stat().st_uid})"
    return "another process"
