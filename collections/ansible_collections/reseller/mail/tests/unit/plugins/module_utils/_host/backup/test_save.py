# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup is a success only if all that matters is in it, and the record shows what failed."""

from __future__ import annotations

import json
import sqlite3
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.backup import record, save
from ansible_collections.reseller.mail.plugins.module_utils._host.backup.restic import Done, Restic
from ansible_collections.reseller.mail.plugins.module_utils._host.backup.settings import Settings
from ansible_collections.reseller.mail.plugins.module_utils._host.timestamps import seconds

NOW = "2026-11-30T02:30:00Z"
SUMMARY = json.dumps({"message_type": "summary", "snapshot_id": "1a2b3c4d5e6f"})
ABSENT = "Fatal: unable to open config file: does not exist\nIs there a repository at the following location?"
ANSWERS = {
    "cat": Done(0, '{"id": "r1"}', ""),
    "snapshots": Done(0, "[]", ""),
    "backup": Done(0, SUMMARY, ""),
}


class Fake:
    """A restic that answers by its command: the same each time, or one after the other."""

    def __init__(self, **answers: t.Union[Done, list[Done]]) -> None:
        self.answers = {**ANSWERS, **answers}
        self.calls: list[list[str]] = []

    def __call__(self, command: t.Sequence[str], _environment: t.Mapping[str, str]) -> Done:
        words = [word for word in command[1:] if word != "--no-lock"]
        self.calls.append(words)
        answer = self.answers.get(words[0], Done(0, "", ""))
        return answer.pop(0) if isinstance(answer, list) else answer

    def done(self) -> list[str]:
        return [words[0] for words in self.calls]


@pytest.fixture(name="settings")
def _settings(tmp_path: Path) -> Settings:
    root, mail = tmp_path / "root", tmp_path / "mail"
    for folder in (
        root / "generations/1",
        root / "credentials",
        root / "backup",
        root / "dkim",
        mail,
    ):
        folder.mkdir(parents=True)
    (root / "current").symlink_to("generations/1")
    (mail / ".reseller-mail").touch()
    store = sqlite3.connect(root / "credentials/credentials.db")
    store.execute("CREATE TABLE credentials (address TEXT, hash TEXT)")
    store.execute("INSERT INTO credentials VALUES ('jo@acme.example', 'x')")
    store.commit()
    store.close()
    return Settings(
        node="mx1", root=root, mail_home=mail, keep={"daily": 7, "weekly": 0, "monthly": 6},
        check_days=7, check_data="1%", repository="/mnt/backup", password="key", environment={},
    )  # fmt: skip


def run(settings: Settings, fake: Fake, now: str = NOW) -> record.Record:
    found = save.run(settings, Restic(settings, fake), lambda: float(seconds(now)))
    assert record.read(settings.state) == found
    return found


def test_a_backup_is_recorded_and_the_repository_is_checked_the_first_time(
    settings: Settings,
) -> None:
    fake = Fake()
    found = run(settings, fake)
    assert (found.succeeded, found.snapshot, found.failure) == (NOW, "1a2b3c4d", "")
    assert (found.checked, found.check_failure) == (NOW, "")
    assert fake.done() == ["cat", "unlock", "snapshots", "backup", "forget", "check", "prune"]
    forget = " ".join(fake.calls[4])
    assert "--host mx1 --tag reseller-mail" in forget
    assert "--keep-last 1 --keep-daily 7 --keep-monthly 6" in forget


def test_what_is_saved(settings: Settings) -> None:
    fake = Fake(snapshots=Done(0, '[{"short_id": "00000001", "time": "2026-11-29T02:30:00Z"}]', ""))
    run(settings, fake)
    (backup,) = (words for words in fake.calls if words[0] == "backup")
    saved = backup[backup.index("--") + 1 :]
    assert str(settings.mail_home) in saved
    assert str(settings.copies) in saved
    assert str(settings.root / "dkim") in saved
    assert str(settings.root / "credentials") not in saved
    assert str(settings.root / "generations") not in saved
    assert backup[backup.index("--parent") + 1] == "00000001"
    assert "dovecot.index*" in backup


def test_the_copies_are_there_while_restic_reads_and_gone_afterwards(settings: Settings) -> None:
    seen: list[t.Any] = []

    class Reading(Fake):
        def __call__(self, command: t.Sequence[str], environment: t.Mapping[str, str]) -> Done:
            if "backup" in command:
                store = sqlite3.connect(settings.copies / "credentials.db")
                seen.extend(store.execute("SELECT * FROM credentials").fetchall())
                store.close()
            return super().__call__(command, environment)

    run(settings, Reading())
    assert seen == [("jo@acme.example", "x")]
    assert not settings.copies.exists()


@pytest.mark.parametrize(
    ("lacks", "message"),
    [
        ("root/current", "reseller.mail.site has not set up this host"),
        ("mail/.reseller-mail", "the disk of the mail may not be mounted"),
        ("root/credentials/credentials.db", "credentials.db is missing"),
    ],
)
def test_a_host_that_lacks_what_matters_is_not_saved(
    settings: Settings, lacks: str, message: str
) -> None:
    (settings.root.parent / lacks).unlink()
    fake = Fake()
    found = run(settings, fake)
    assert message in found.failure
    assert found.succeeded == ""
    assert fake.calls == []


def test_a_failure_keeps_what_succeeded_before(settings: Settings) -> None:
    before = run(settings, Fake())
    later = "2026-12-01T02:30:00Z"
    wrong = Fake(cat=Done(1, "", "Fatal: wrong password or no key found"))
    found = run(settings, wrong, later)
    assert found == replace(before, tried=later, failure=found.failure)
    assert "backup_password" in found.failure
    assert run(settings, Fake(), later).failure == ""


def test_a_repository_is_made_once_and_never_in_place_of_one_that_has_gone(
    settings: Settings,
) -> None:
    fake = Fake(cat=[Done(1, "", ABSENT), ANSWERS["cat"]])
    assert run(settings, fake).repository_id == "r1"
    assert "init" in fake.done()
    gone = Fake(cat=Done(1, "", ABSENT))
    found = run(settings, gone)
    assert "there is no repository at backup_repository, but there was one" in found.failure
    assert "init" not in gone.done()
    elsewhere = replace(settings, repository="/mnt/other")
    fake = Fake(cat=[Done(1, "", ABSENT), ANSWERS["cat"]])
    assert run(elsewhere, fake).failure == ""


def error(path: Path) -> str:
    return json.dumps({"message_type": "error", "item": str(path), "during": "archival"})


def test_a_message_that_is_renamed_meanwhile_is_looked_for_again(settings: Settings) -> None:
    vanished = Done(3, SUMMARY, error(settings.mail_home / "gone"))
    fake = Fake(backup=[vanished, ANSWERS["backup"]])
    assert run(settings, fake).vanished == 0
    assert fake.done().count("backup") == 2
    fake = Fake(backup=[vanished, vanished, vanished])
    found = run(settings, fake)
    assert (found.failure, found.vanished) == ("", 1)


def test_a_file_that_is_there_and_cannot_be_read_is_a_failure(settings: Settings) -> None:
    unread = settings.mail_home / ".reseller-mail"
    found = run(settings, Fake(backup=Done(3, SUMMARY, error(unread))))
    assert "the snapshot is not complete: 1 files cannot be read, such as" in found.failure
    assert str(unread) in found.failure
    assert run(settings, Fake(backup=Done(3, SUMMARY, ""))).failure.startswith("the snapshot is")


def test_a_full_disk_is_a_failure(settings: Settings) -> None:
    full = Done(1, "", "Fatal: unable to save snapshot: write x: no space left on device")
    assert "no space is left" in run(settings, Fake(backup=full)).failure


def test_damage_is_recorded_and_nothing_is_removed_from_the_repository(settings: Settings) -> None:
    errors = "pack 0a1b: does not exist\nFatal: repository contains errors"
    fake = Fake(check=Done(1, "", errors))
    found = run(settings, fake)
    assert found.check_failure == "the repository is damaged: pack 0a1b: does not exist"
    assert (found.failure, found.checked) == ("", "")
    assert "prune" not in fake.done()
    tree = Done(
        1, "", "error for tree 16:\n  id 16 not found in repository\nrepository contains errors"
    )
    message = "the repository is damaged: error for tree 16: id 16 not found in repository"
    assert run(settings, Fake(check=tree)).check_failure == message
    other = Done(1, "", "Fatal: repository contains errors")
    assert run(settings, Fake(check=other)).check_failure.endswith("mail-backup check shows where")
    unreached = Fake(check=Done(1, "", "Fatal: repository is already locked by PID 7"))
    assert "another restic" in run(settings, unreached).check_failure


def test_a_check_is_due_after_days_and_after_each_failure(settings: Settings) -> None:
    found = record.Record(checked=NOW)
    for later, due in (("2026-12-01T02:30:00Z", False), ("2026-12-07T02:30:00Z", True)):
        assert save.is_check_due(found, settings, seconds(later)) is due
    assert save.is_check_due(replace(found, check_failure="x"), settings, seconds(NOW))


def test_a_record_that_cannot_be_read_is_empty(settings: Settings) -> None:
    for text in ("{", "[]", "{}"):
        (settings.state / record.FILE).write_text(text)
        assert record.read(settings.state) == record.Record()


def test_the_report_has_the_age_of_the_last_backup(settings: Settings, tmp_path: Path) -> None:
    run(settings, Fake())
    found = record.report(str(settings.root), seconds(NOW) + 60.0, tmp_path)
    assert (found["age"], found["wanted"], found["snapshot"]) == (60.0, False, "1a2b3c4d")
    assert record.report(str(tmp_path), 60.0, tmp_path)["age"] == 0.0
