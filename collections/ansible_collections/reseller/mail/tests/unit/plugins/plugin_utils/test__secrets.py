# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import stat
import types
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._secrets import Handover, unlogged


def test_a_handover_is_private_sorted_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "new" / "mx1.csv"
    Handover(str(path)).write({"jo@acme.example": "first", "it@acme.example": "second"})
    Handover(str(path)).write({"jo@acme.example": 'th"ird', "ann@acme.example": "a,b"})
    assert (
        path.read_text()
        == 'address,password\nann@acme.example,"a,b"\nit@acme.example,second\njo@acme.example,"th""ird"\n'
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["mx1.csv"]


def test_an_unwritable_handover_is_refused_before_anything_happens(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file/mx1\.csv cannot be written"):
        Handover(str(tmp_path / "file" / "mx1.csv")).refuse_unwritable()
    with pytest.raises(OSError, match="cannot be written"):
        Handover(str(tmp_path)).refuse_unwritable()
    Handover(str(tmp_path / "new" / "mx1.csv")).refuse_unwritable()
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user,secret\njo,x\n",
        "address,password\njo@acme.example\n",
        'address,password\n"',
        "\xff",
    ],
)
def test_a_file_that_is_no_handover_is_refused_in_one_sentence_and_stays(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "mx1.csv"
    path.write_text(text, encoding="latin-1")
    for act in (
        Handover(str(path)).refuse_unwritable,
        lambda: Handover(str(path)).write({"jo@acme.example": "x"}),
    ):
        with pytest.raises(
            OSError,
            match=r"^the handover file .*/mx1\.csv exists and is no list of initial passwords; move it away$",
        ):
            act()
    assert path.read_text(encoding="latin-1") == text


def test_nothing_is_logged_within_and_all_is_as_before_behind() -> None:
    play, connection = types.SimpleNamespace(no_log=False), types.SimpleNamespace(no_log=None)
    action = types.SimpleNamespace(
        _play_context=play, _connection=types.SimpleNamespace(_play_context=connection)
    )

    def broken() -> None:
        with unlogged(action):
            assert (play.no_log, connection.no_log) == (True, True)
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert (play.no_log, connection.no_log) == (False, None)
