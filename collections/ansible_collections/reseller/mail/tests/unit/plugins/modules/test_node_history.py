# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's folders tell."""

from __future__ import annotations

import json
import shutil
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import (
    Credential,
    Store,
)
from ansible_collections.reseller.mail.plugins.modules.node_history import parts_present

if t.TYPE_CHECKING:
    from pathlib import Path

NOTHING = {
    "credentials": False,
    "dkim": False,
    "mail": False,
    "mailboxes": False,
    "mail_home": "",
    "platform": None,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    return tmp_path / "mail"


def serve(root: Path) -> None:
    (root / "generations/000001-0123456789ab/dovecot").mkdir(parents=True)
    (root / "generations/000001-0123456789ab/dovecot/all_users").write_text("jo@acme.example\n")
    (root / "current").symlink_to("generations/000001-0123456789ab")


def test_a_virgin_host_has_nothing(root: Path, mail: Path) -> None:
    assert parts_present(root / "absent", mail) == parts_present(root, mail) == NOTHING


def test_a_store_without_a_password_is_as_good_as_none(root: Path, mail: Path) -> None:
    (root / "credentials").mkdir()
    database = str(root / "credentials" / "credentials.db")
    with Store(database) as store:
        assert not parts_present(root, mail)["credentials"]
        store.put(
            [Credential("jo@acme.example", "{BLF-CRYPT}$2y$05$x", "initial")],
            "2026-11-28T00:00:00Z",
        )
    assert parts_present(root, mail)["credentials"]


def test_a_note_without_its_key_is_a_lost_key_not_a_lost_folder(root: Path, mail: Path) -> None:
    (root / "dkim" / ".new").mkdir(parents=True)
    assert not parts_present(root, mail)["dkim"]
    (root / "dkim" / "acme.example").mkdir()
    (root / "dkim" / "acme.example" / "mx1.json").write_text("{}")
    assert parts_present(root, mail)["dkim"]


def test_mail_is_there_with_its_mark_or_with_a_mailbox(root: Path, mail: Path) -> None:
    (root / "mail-home").write_text(f"{mail}\n")
    serve(root)
    mail.mkdir()
    (mail / "lost+found").mkdir()
    assert parts_present(root, mail) == {**NOTHING, "mailboxes": True, "mail_home": str(mail)}
    (mail / ".reseller-mail").write_text("")
    assert parts_present(root, mail)["mail"]
    (mail / ".reseller-mail").unlink()
    (mail / "acme.example").mkdir()
    assert parts_present(root, mail)["mail"]


def test_a_host_from_before_there_were_marks_is_taken_as_it_is(root: Path, mail: Path) -> None:
    serve(root)
    assert not parts_present(root, mail)["mail"]
    mail.mkdir()
    assert parts_present(root, mail)["mail"]


def test_a_generation_without_a_mailbox_has_none(root: Path, mail: Path) -> None:
    serve(root)
    assert parts_present(root, mail)["mailboxes"]
    (root / "current/dovecot/all_users").write_text("")
    assert not parts_present(root, mail)["mailboxes"]


def test_a_store_is_empty_after_all_mailboxes_left(root: Path, mail: Path) -> None:
    serve(root)
    (root / "credentials").mkdir()
    Store(str(root / "credentials" / "credentials.db")).__exit__()
    assert not parts_present(root, mail)["credentials"], "a mailbox is served without a password"
    entry = mail / ".retained/acme/acme.example/20261130T160000Z-it"
    entry.mkdir(parents=True)
    (mail / ".retained").chmod(0o700)
    login = {"hash": "x", "origin": "user", "created_at": "", "changed_at": ""}
    (entry / "login.json").write_text(json.dumps(login))
    assert parts_present(root, mail)["credentials"], "its password is retained"
    shutil.rmtree(mail)
    (root / "current/dovecot/all_users").write_text("")
    assert parts_present(root, mail)["credentials"], "no mailbox is served"
    (root / "credentials/credentials.db").unlink()
    assert not parts_present(root, mail)["credentials"]
