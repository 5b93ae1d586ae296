# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore refuses before it changes anything, and what it moves into place."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.backup.restic import (
    Done,
    Restic,
    Snapshot,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.backup.settings import (
    BackupError,
    Settings,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import (
    Credential,
    Store,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.restore import restore
from ansible_collections.reseller.mail.plugins.module_utils._host.restore.owner import as_user
from ansible_collections.reseller.mail.plugins.module_utils._host.restore.restore import (
    Request,
    chosen,
)

SNAPSHOTS = [
    Snapshot("aaaa1111", "2026-11-28T02:30:00Z"),
    Snapshot("aaaa2222", "2026-11-29T02:30:00Z"),
]
root_only = pytest.mark.skipif(os.getuid() != 0, reason="files get an owner")


def test_a_snapshot_is_the_newest_or_one_that_its_id_names() -> None:
    assert chosen(SNAPSHOTS, "latest", "mx1").id == "aaaa2222"
    assert chosen(SNAPSHOTS, "aaaa1", "mx1").id == "aaaa1111"
    assert chosen(SNAPSHOTS, "aaaa1111deadbeef", "mx1").id == "aaaa1111"


@pytest.mark.parametrize("wanted", ["bbbb", "aaaa", "a", ""])
def test_an_unknown_or_ambiguous_snapshot_is_refused_with_those_that_there_are(wanted: str) -> None:
    with pytest.raises(BackupError, match=r"is no snapshot of the node mx1; .*aaaa2222 of 2026-11"):
        chosen(SNAPSHOTS, wanted, "mx1")
    with pytest.raises(BackupError, match=r"no snapshot of the node mx1"):
        chosen([], "latest", "mx1")


class Fake:
    """A repository with one snapshot, which is a folder of this machine."""

    def __init__(self, saved: Path) -> None:
        self.saved = saved
        self.failure = ""

    def __call__(self, command: t.Sequence[str], _environment: t.Mapping[str, str]) -> Done:
        words = [word for word in command[1:] if word != "--no-lock"]
        return t.cast("Done", getattr(self, words[0])(words[1:]))

    def snapshots(self, _words: t.Sequence[str]) -> Done:
        row = {"short_id": "aaaa1111", "time": "2026-11-28T02:30:00Z"}
        return Done(0, json.dumps([row]), "")

    def ls(self, words: t.Sequence[str]) -> Done:
        folders = [self.saved / one.lstrip("/") for one in words[2:]]
        paths = [one for folder in folders if folder.is_dir() for one in folder.iterdir()]
        rows = [
            json.dumps({"struct_type": "node", "path": f"/{one.relative_to(self.saved)}"})
            for one in paths
        ]
        return Done(0, "\n".join(rows), "")

    def restore(self, words: t.Sequence[str]) -> Done:
        if self.failure:
            return Done(1, "", self.failure)
        target = Path(words[words.index("--target") + 1])
        for number, word in enumerate(words):
            path = self.saved / words[number + 1].lstrip("/") if word == "--include" else None
            if path and path.exists():
                copy = target / path.relative_to(self.saved)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copied = shutil.copytree if path.is_dir() else shutil.copy2
                copied(path, copy)
        return Done(0, "", "")


@pytest.fixture(name="host")
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Fake]:
    """A host without mail and a snapshot with two mailboxes; root owns the mail."""
    monkeypatch.setattr(restore, "USER", getpass.getuser())
    monkeypatch.setattr(restore, "OTHERS", (str(tmp_path / "etc/secret"),))
    settings = Settings(
        node="mx1", root=tmp_path / "root", mail_home=tmp_path / "vmail", keep={}, check_days=7,
        check_data="1%", repository="/mnt/backup", password="key", environment={},
    )  # fmt: skip
    saved = tmp_path / "snapshot"

    def at(path: Path) -> Path:
        return saved / str(path).lstrip("/")

    for name in ("jo", "ann"):
        folder = at(settings.mail_home / "acme.example" / name / "Maildir")
        for part in ("cur", "new", "tmp", ".Projects/cur"):
            (folder / part).mkdir(parents=True)
        (folder / "cur" / f"1.{name}:2,S").write_text("mail")
        (folder / ".Projects/cur" / f"2.{name}:2,S").write_text("mail")
    at(settings.copies).mkdir(parents=True)
    with Store(str(at(settings.copies) / "credentials.db")) as store:
        rows = [Credential(f"{one}@acme.example", "{A}old", "user") for one in ("jo", "ann", "new")]
        store.put(rows, "2026-11-27T00:00:00Z")
    at(settings.mail_home / ".retained/acme").mkdir(parents=True)
    (at(settings.mail_home / ".retained/acme") / "manifest.json").write_text("{}")
    at(settings.root / "dkim/acme.example").mkdir(parents=True)
    (at(settings.root / "dkim/acme.example") / "mx1.private").write_text("key")
    at(tmp_path / "etc").mkdir(parents=True)
    (at(tmp_path / "etc") / "secret").write_text("srs")
    return settings, Fake(saved)


def run(host: tuple[Settings, Fake], dry_run: bool = False, **request: t.Any) -> restore.Outcome:
    settings, fake = host
    return restore.restore(settings, Restic(settings, fake), Request(**request), dry_run)


def listing(folder: Path) -> list[str]:
    return sorted(
        str(one.relative_to(folder))
        for one in folder.rglob("*")
        if one.is_file() and one.name not in (".lock", ".restore.lock")
    )


JO = "acme.example/jo/Maildir"


@root_only
def test_one_mailbox_comes_back_with_its_password(host: tuple[Settings, Fake]) -> None:
    outcome = run(host, mailboxes=["jo@acme.example"])
    assert outcome.passwords == ["jo@acme.example"]
    assert (outcome.messages, list(outcome.mailboxes)) == (2, ["jo@acme.example"])
    assert listing(host[0].mail_home) == [f"{JO}/.Projects/cur/2.jo:2,S", f"{JO}/cur/1.jo:2,S"]
    assert not (host[0].root / "dkim").exists()


@root_only
def test_one_folder_comes_back_without_the_password(host: tuple[Settings, Fake]) -> None:
    outcome = run(host, mailboxes=["jo@acme.example"], folder="Projects")
    assert (outcome.messages, outcome.passwords) == (1, [])
    assert listing(host[0].mail_home) == [f"{JO}/.Projects/cur/2.jo:2,S"]


@root_only
def test_a_node_comes_back_with_everything_and_twice_is_as_once(
    host: tuple[Settings, Fake], tmp_path: Path
) -> None:
    outcome = run(host, whole_node=True)
    assert outcome.messages == 4
    assert outcome.passwords == ["ann@acme.example", "jo@acme.example", "new@acme.example"]
    assert (host[0].root / "dkim/acme.example/mx1.private").read_text() == "key"
    assert (tmp_path / "etc/secret").read_text() == "srs"
    assert (tmp_path / "vmail/.retained/acme/manifest.json").exists()
    (host[0].root / "dkim/acme.example/mx1.private").write_text("newer")
    before = listing(tmp_path / "vmail")
    with pytest.raises(BackupError, match=r"ann@acme.example, jo@acme.example has mail"):
        run(host, whole_node=True)
    assert not run(host, whole_node=True, over_existing=True).changed
    assert listing(tmp_path / "vmail") == before
    assert (host[0].root / "dkim/acme.example/mx1.private").read_text() == "newer"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"mailboxes": ["no@acme.example"]}, "has no mail of no@acme.example"),
        ({"mailboxes": ["jo@other.example"]}, "has no mail of jo@other.example"),
        (
            {"mailboxes": ["jo@acme.example"], "folder": "Old"},
            "has no folder Old in the snapshot aaaa1111 of .* it has INBOX, Projects",
        ),
        ({"mailboxes": ["jo@acme.example"], "snapshot": "ffff"}, "ffff is no snapshot"),
    ],
)
def test_what_the_snapshot_does_not_have_is_refused(
    host: tuple[Settings, Fake], request_: dict[str, t.Any], message: str
) -> None:
    with pytest.raises(BackupError, match=message):
        run(host, **request_)
    assert not host[0].root.exists()


def test_mail_that_is_there_is_not_added_to_without_the_word(host: tuple[Settings, Fake]) -> None:
    folder = host[0].mail_home / JO / ".Projects/cur"
    folder.mkdir(parents=True)
    (folder / "9.x:2,").touch()
    for request in ({}, {"folder": "Projects"}):
        with pytest.raises(BackupError, match=r"restore_over_existing=true"):
            run(host, mailboxes=["jo@acme.example"], **request)
    assert listing(host[0].mail_home) == [f"{JO}/.Projects/cur/9.x:2,"]
    assert run(host, dry_run=True, mailboxes=["ann@acme.example"]).mailboxes


def test_a_dry_run_names_the_mailboxes_and_changes_nothing(host: tuple[Settings, Fake]) -> None:
    outcome = run(host, dry_run=True, whole_node=True)
    assert list(outcome.mailboxes) == ["ann@acme.example", "jo@acme.example"]
    assert not host[0].mail_home.exists()


def test_a_damaged_repository_changes_nothing(host: tuple[Settings, Fake]) -> None:
    host[1].failure = "ignoring error for /: id 16 not found in index\nFatal: There were 1 errors"
    with pytest.raises(
        BackupError, match=r"the repository is damaged: ignoring error for /: id 16"
    ):
        run(host, mailboxes=["jo@acme.example"])
    assert listing(host[0].mail_home) == []
    assert list(host[0].mail_home.iterdir()) == []


@root_only
def test_work_as_another_user_returns_its_result_or_its_fault(tmp_path: Path) -> None:
    assert as_user("nobody", os.getuid) == 65534

    def work() -> None:
        (tmp_path / "root-only").write_text("x")

    tmp_path.chmod(0o700)
    with pytest.raises(OSError, match=r"Permission denied"):
        as_user("nobody", work)


def test_a_snapshot_without_passwords_changes_nothing(host: tuple[Settings, Fake]) -> None:
    shutil.rmtree(host[1].saved / str(host[0].copies).lstrip("/"))
    with pytest.raises(BackupError, match=r"has no passwords"):
        run(host, mailboxes=["jo@acme.example"])
    assert list(host[0].mail_home.iterdir()) == []
