# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are replaced together or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _files
from ansible_collections.reseller.mail.plugins.plugin_utils._files import Changed, replace_all

BEFORE = {"a.yml": b"one\n", "sub/b.yml": b"two\n"}
AFTER = {"a.yml": b"three\n", "sub/b.yml": b"four\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name, content in BEFORE.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_content_changes_modes_stay_and_nothing_else_is_left(folder: Path) -> None:
    (folder / "a.yml").chmod(0o604)
    replace_all(str(folder), BEFORE, AFTER)
    assert read(folder) == AFTER
    assert (folder / "a.yml").stat().st_mode & 0o777 == 0o604


def test_a_file_that_somebody_else_changed_stops_all(folder: Path) -> None:
    (folder / "sub/b.yml").write_bytes(b"somebody's\n")
    with pytest.raises(Changed, match=r"sub/b\.yml"):
        replace_all(str(folder), BEFORE, AFTER)
    assert read(folder) == {"a.yml": b"one\n", "sub/b.yml": b"somebody's\n"}


def test_a_full_disk_stops_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []

    def fsync(handle: int) -> None:
        synced.append(handle)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "fsync", fsync)
    with pytest.raises(OSError, match="No space"):
        replace_all(str(folder), BEFORE, AFTER)
    assert read(folder) == BEFORE


def test_a_second_file_that_cannot_be_put_in_place_takes_the_first_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = os.replace
    calls = []

    def replace(source: str, target: str) -> None:
        calls.append(target)
        if target.endswith("b.yml"):
            raise PermissionError(1, "Operation not permitted", target)
        put(source, target)

    monkeypatch.setattr(_files.os, "replace", replace)
    with pytest.raises(PermissionError):
        replace_all(str(folder), BEFORE, AFTER)
    assert read(folder) == BEFORE
    assert len(calls) == 3
