# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of modules and that of the certificate hook, which stands alone: the same questions to
both, with other processes that hold it."""

from __future__ import annotations

import contextlib
import inspect
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import lock as host_lock
from ansible_collections.reseller.mail.tests.unit.support.programs import program

COLLECTION = Path(__file__).parents[3]
HOOK = "tls/files/reseller-mail-certificates"
HOLD = (
    "import fcntl, sys; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX);"
    " print(flush=True); sys.stdin.read()"
)


@pytest.fixture(params=["modules", "hook"], name="lock")
def _lock_of(request: pytest.FixtureRequest) -> t.Any:
    return host_lock if request.param == "modules" else program(HOOK)


@contextlib.contextmanager
def held(path: Path) -> t.Iterator[int]:
    """Another process holds the lock; its number."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


def test_nobody_else_may_open_the_file_not_even_one_of_an_earlier_release(
    lock: t.Any, tmp_path: Path
) -> None:
    for before in (None, 0o644):
        path = tmp_path / f"lock{before}"
        if before:
            path.touch(before)
        with lock.locked(path, 0):
            assert path.stat().st_mode & 0o777 == 0o600


def test_one_that_is_held_is_waited_for_a_bounded_time_and_its_holder_is_named(
    lock: t.Any, tmp_path: Path
) -> None:
    path = tmp_path / "lock"
    path.touch(0o600)
    with held(path) as number:
        wanted = (
            rf"{path} has been locked for 0 s by process {number} \(python[\w.]*, user"
            rf" {os.getuid()}\): wait until it ends, or end it, and try again"
        )
        with pytest.raises(TimeoutError, match=wanted), lock.locked(path, 0):
            pass
    with lock.locked(path, 0):
        pass


def test_it_is_free_again_after_a_failure(lock: t.Any, tmp_path: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), lock.locked(tmp_path / "lock", 0):
        raise ZeroDivisionError
    with lock.locked(tmp_path / "lock", 0):
        pass


def test_the_hook_s_copy_is_the_same() -> None:
    other = program(HOOK)
    for name in ("locked", "holder"):
        assert inspect.getsource(getattr(host_lock, name)) == inspect.getsource(
            getattr(other, name)
        )


def test_hosts_have_no_other_way_to_lock() -> None:
    """On the controller the estate's folder itself is locked: a file would get into its repository."""
    files = [
        *(COLLECTION / "plugins").rglob("*.py"),
        *(path for path in (COLLECTION / "roles").glob("*/files/*") if path.is_file()),
    ]
    users = {
        path.name
        for path in files
        if re.search(r"\b(?:flock|lockf)\(", path.read_text(encoding="utf-8"))
    }
    assert users == {"lock.py", Path(HOOK).name, "published.py"}
