# SPDX-License-Identifier: GPL-3.0-or-later
"""What is retained is listed, restored and deleted, and not without the name of its tenant."""

from __future__ import annotations

import contextlib
import io
import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.reseller.mail.plugins.module_utils._host import credentials
from ansible_collections.reseller.mail.plugins.modules import retained_mail

JO = "jo@acme.example"
HASH = "{BLF-CRYPT}$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
DATE = "2026-11-30T16:00:00Z"
NAME = "000001-aaaaaaaaaaaa"


class Host:
    """A host that retains two mailboxes of acme, and serves what it is told."""

    def __init__(self, folder: Path) -> None:
        self.root, self.mail = folder / "root", folder / "vmail"
        (self.root / "credentials").mkdir(parents=True)
        for local in ("it", "jo"):
            entry = self.mail / f".retained/acme/acme.example/20261130T160000Z-{local}"
            (entry / "home/Maildir/cur").mkdir(parents=True)
            (entry / "home/Maildir/cur/1.a:2,S").write_text("1", encoding="utf-8")
            manifest = {"left": DATE, "until": "2026-12-30T16:00:00Z"}
            (entry / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
            login = {"hash": HASH, "origin": "user", "created_at": DATE, "changed_at": DATE}
            (entry / "login.json").write_text(json.dumps(login), encoding="utf-8")
        (self.mail / ".retained").chmod(0o700)
        self.database = self.root / "credentials/credentials.db"
        with credentials.Store(str(self.database)) as logins:
            logins.put([credentials.Credential(JO, HASH, "initial")], DATE)

    def serve(self, *mailboxes: str) -> None:
        folder = self.root / "generations" / NAME / "dovecot"
        folder.mkdir(parents=True)
        boxes = "".join(f"{one}:::::::\n" for one in ("@", *mailboxes))
        (folder / "mailboxes").write_text(boxes, encoding="utf-8")
        note = json.dumps({"generation": NAME})
        (self.root / "activated.json").write_text(note, encoding="utf-8")

    def __call__(self, check: bool = False, **arguments: str) -> dict[str, t.Any]:
        given = {"root": str(self.root), "mail": str(self.mail), "_ansible_check_mode": check}
        out = io.StringIO()
        with (
            patch_module_args({**given, **arguments}),
            contextlib.redirect_stdout(out),
            pytest.raises(SystemExit),
        ):
            retained_mail.main()
        return t.cast("dict[str, t.Any]", json.loads(out.getvalue()))

    def left(self) -> list[str]:
        """Return the mailboxes that are still retained."""
        return sorted(path.name[17:] for path in self.mail.glob(".retained/acme/*/*"))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.mark.parametrize("subject", ["", "acme", "acme.example", " JO@acme.example "])
def test_what_is_retained_is_listed(subject: str, host: Host) -> None:
    result = host(subject=subject)
    assert not result["changed"]
    row = result["mailboxes"][-1]
    assert (row["address"], row["tenant"], row["until"]) == (JO, "acme", "2026-12-30T16:00:00Z")
    assert (row["messages"], row["password"], row["intact"]) == (-1, True, True)
    assert len(result["mailboxes"]) == (1 if "@" in subject else 2)
    assert HASH not in json.dumps(result)


@pytest.mark.parametrize("state", ["restored", "deleted"])
@pytest.mark.parametrize("confirmed", ["", "globex"])
def test_nothing_changes_without_the_name_of_the_tenant(
    state: str, confirmed: str, host: Host
) -> None:
    host.serve(JO)
    result = host(subject=JO, state=state, confirmed=confirmed)
    assert "-e retained_mail_confirmed=acme" in result["msg"]
    assert host.left() == ["it", "jo"]


def test_a_subject_is_needed_to_change_something(host: Host) -> None:
    assert "needs a subject" in host(state="deleted", confirmed="acme")["msg"]
    assert host.left() == ["it", "jo"]


def test_what_is_deleted_is_gone_and_check_mode_deletes_nothing(host: Host) -> None:
    assert host(check=True, subject=JO, state="deleted", confirmed="acme")["changed"]
    assert host.left() == ["it", "jo"]
    assert host(subject=JO, state="deleted", confirmed="acme")["changed"]
    assert host.left() == ["it"]
    assert not host(subject=JO, state="deleted", confirmed="acme")["changed"]


def test_an_address_that_is_not_in_the_files_is_not_restored(host: Host) -> None:
    host.serve(JO)
    result = host(subject="acme", state="restored", confirmed="acme")
    assert "it@acme.example is not in the files" in result["msg"]
    assert host.left() == ["it", "jo"]


def test_a_mailbox_gets_mail_and_password(host: Host) -> None:
    host.serve(JO)
    assert host(check=True, subject=JO, state="restored", confirmed="acme")["changed"]
    assert host.left() == ["it", "jo"]
    assert host(subject=JO, state="restored", confirmed="acme")["changed"]
    assert host.left() == ["it"]
    assert (host.mail / "acme.example/jo/Maildir/cur/1.a:2,S").exists()
    with credentials.Store(str(host.database)) as logins:
        assert logins.origin(JO) == "user"
