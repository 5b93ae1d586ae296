# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are replaced together or not at all."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import files
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.files import (
    Changed,
    replace_all,
)

BEFORE = {"a.yml": b"one\n", "sub/b.yml": b"two\n"}
AFTER = {"a.yml": b"three\n", "sub/b.yml": b"four\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name, content in BEFORE.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def read(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


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

    monkeypatch.setattr(files.os, "fsync", fsync)
    with pytest.raises(OSError, match="No space"):
        replace_all(str(folder), BEFORE, AFTER)
    assert read(folder) == BEFORE


def test_a_second_file_that_cannot_be_put_in_place_takes_the_first_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = os.replace
    calls = []

    def replace(source: str, target: str) -> None:
        calls.append(target)
        if target.endswith("b.yml"):
            raise PermissionError(1, "Operation not permitted", target)
        put(source, target)

    monkeypatch.setattr(files.os, "replace", replace)
    with pytest.raises(PermissionError):
        replace_all(str(folder), BEFORE, AFTER)
    assert read(folder) == BEFORE
    assert len(calls) == 3


def test_a_report_is_written_when_it_is_not_there_yet_and_not_in_check_mode(tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.json"
    assert files.update(file, b"one", check_mode=True)
    assert not file.parent.exists()
    assert files.update(file, b"one", check_mode=False)
    assert file.read_bytes() == b"one"
    assert not files.update(file, b"one", check_mode=False)


@pytest.mark.parametrize(
    "write", [lambda path: files.update(path, b"x", False), lambda path: files.write({path: b"x"})]
)
@pytest.mark.parametrize(
    ("place", "why"), [("folder", "Is a directory"), ("file/below", "Not a directory")]
)
def test_what_cannot_be_written_is_said_once_and_in_one_sentence(
    tmp_path: Path, write: t.Callable[[Path], None], place: str, why: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(
        AnsibleActionFail, match=f"{place} cannot be written: ({why}|File exists)$"
    ) as failure:
        write(tmp_path / place)
    assert failure.value.__cause__ is None
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_files_keep_their_mode_unless_another_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "account.yml"
    for mode, expected in ((None, 0o644), (0o600, 0o600), (None, 0o600)):
        files.write({file: b"x"}, mode)
        assert file.stat().st_mode & 0o777 == expected


@pytest.mark.parametrize(
    "secret",
    [
        "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub",
        "$6$rounds=5000$salt$abcdefghijklmnop",
        "$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6",
        "$ANSIBLE_VAULT;1.1;AES256\n          6230613962306139",
        "$ANSIBLE_VAULT;1.1;AES256\n          " + "62306139" * 10,
    ],
)
def test_no_secret_in_a_diff(secret: str) -> None:
    shown = files.diff("a.yml", f"password: {secret}\n".encode(), b"quota: 5G\n")
    first, _newline, _more = secret.partition("\n")
    assert first[:10] not in shown["before"]
    assert "62306139" * 4 not in shown["before"]
    assert shown["after"] == "quota: 5G\n"


def test_only_what_differs_is_written_and_shown(folder: Path) -> None:
    wanted = {"sub/b.yml": b"two\n", "new/c.yml": b"", "a.yml": b"\xff one\n"}
    for check_mode in (True, False):
        diffs = files.put_all(folder, wanted, check_mode, lambda text: text.replace(b"one", b"1"))
        assert [(one["after_header"], one["before"], one["after"]) for one in diffs] == [
            (str(folder / "a.yml"), "1\n", "\ufffd 1\n"),
            (str(folder / "new/c.yml"), "", ""),
        ]
        assert read(folder) == (BEFORE if check_mode else wanted)
    assert files.put_all(folder, wanted, False) == []


def test_a_text_that_is_not_there_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("é".encode())
    assert [files.text(tmp_path / name) for name in "ab"] == ["é", ""]
