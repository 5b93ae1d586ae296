# SPDX-License-Identifier: GPL-3.0-or-later
"""Which password comes back: the saved one, unless a person has set another."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import (
    Credential,
    Store,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.restore.passwords import put_back

JO = "jo@acme.example"
BEFORE, TAKEN, AFTER = "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z"


def store(path: Path, origin: str = "", at: str = BEFORE, hashed: str = "{A}saved") -> str:
    with Store(str(path)) as opened:
        if origin:
            opened.put([Credential(JO, hashed, origin)], at)
    return str(path)


def row(path: str) -> tuple[str, str, str]:
    found = sqlite3.connect(path).execute("SELECT hash, origin, changed_at FROM credentials")
    return tuple(found.fetchone())


@pytest.mark.parametrize(
    ("origin", "at", "comes_back"),
    [
        ("", AFTER, True),
        ("initial", AFTER, True),
        ("supplied", AFTER, True),
        ("initial", BEFORE, False),
        ("user", AFTER, False),
        ("operator", AFTER, False),
    ],
)
def test_the_old_password_replaces_only_what_a_run_made_since(
    tmp_path: Path, origin: str, at: str, comes_back: bool
) -> None:
    saved = store(tmp_path / "saved.db", "user")
    now = store(tmp_path / "now.db", origin, at, "{A}new")
    assert put_back(now, saved, [JO, "other@acme.example"], TAKEN) == ([JO] if comes_back else [])
    wanted = ("{A}saved", "user", BEFORE) if comes_back else ("{A}new", origin, at)
    assert row(now) == wanted


def test_a_second_run_brings_nothing_back(tmp_path: Path) -> None:
    saved, now = store(tmp_path / "saved.db", "initial"), str(tmp_path / "now.db")
    assert put_back(now, saved, None, TAKEN) == [JO]
    assert put_back(now, saved, None, TAKEN) == []


def test_other_tables_with_rows_for_the_address_come_back_as_well(tmp_path: Path) -> None:
    saved, now = store(tmp_path / "saved.db", "user"), store(tmp_path / "now.db")
    for path in (saved, now):
        with sqlite3.connect(path) as opened:
            opened.execute("CREATE TABLE more (address TEXT, word TEXT)")
    with sqlite3.connect(saved) as opened:
        opened.executemany("INSERT INTO more VALUES (?, ?)", [(JO, "a"), (JO, "b"), ("x@y", "c")])
        opened.execute("CREATE TABLE unknown (address TEXT)")
    put_back(now, saved, [JO], TAKEN)
    found = sqlite3.connect(now).execute("SELECT address, word FROM more ORDER BY word").fetchall()
    assert found == [(JO, "a"), (JO, "b")]
