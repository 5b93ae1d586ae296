# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody edited in a generation, as generation_info and verify_host report it."""

from __future__ import annotations

import grp
import hashlib
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import (
    drift as compare,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import layout
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.store import Store
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="files get an owner")

NAME = "000001-0123456789ab"
USERS = "dovecot/users/acme.example"
JO = "mailbox jo@acme.example"
TABLE = layout.LOOKUPS[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A generation as it was made; groups are this machine's root."""
    monkeypatch.setattr(layout, "GROUPS", dict.fromkeys(layout.GROUPS, grp.getgrgid(0).gr_name))
    files = {
        USERS: "jo@acme.example:5G\n",
        "model.txt": f"{JO}\n",
        **dict.fromkeys(layout.LOOKUPS, ""),
    }
    texts = {path: text.encode() for path, text in files.items()}
    texts |= {f"{path}.lmdb": b"built" for path in layout.LOOKUPS}
    built = dict.fromkeys(layout.LOOKUPS, hashlib.sha256(b"built").hexdigest())
    texts["manifest.json"] = json.dumps({"built": built}).encode()
    texts["artefact"] = _compile.Artefact("mx1", 13, files).pack()
    made = Store(tmp_path).folder(NAME)
    for path, text in texts.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_bytes(text)
        layout.give(made / path, path)
    return made


def found(folder: Path, dumped: str = "") -> list[tuple[t.Any, ...]]:
    """What differs. ``dumped`` is what postmap reads in a table that somebody made anew."""
    rows = compare(Store(folder.parents[1]), NAME, lambda _command: (0, dumped, ""))
    return [(row.path, row.state, row.entries, row.objects) for row in rows]


def test_a_generation_as_it_was_made_has_none(folder: Path) -> None:
    assert found(folder) == []


def test_a_changed_file_is_named_with_its_entries_and_the_lines_of_the_model(folder: Path) -> None:
    (folder / USERS).write_text("jo@acme.example:9G\n")
    assert found(folder) == [(USERS, "changed", ("jo@acme.example",), (JO,))]


def test_a_table_that_was_made_anew_is_read_with_postmap(folder: Path) -> None:
    (folder / f"{TABLE}.lmdb").write_bytes(b"made anew")
    path = f"{TABLE}.lmdb"
    assert found(folder, "jo@acme.example\tby hand\n") == [
        (path, "changed", ("jo@acme.example",), (JO,))
    ]


def test_a_file_that_is_gone_one_too_many_and_one_that_others_may_read(folder: Path) -> None:
    (folder / USERS).unlink()
    (folder / "dovecot/by-hand").write_text("")
    (folder / "model.txt").chmod(0o644)
    assert found(folder) == [
        ("dovecot/by-hand", "foreign", (), ()),
        (USERS, "missing", (), ()),
        ("model.txt", "exposed", (), ()),
    ]
