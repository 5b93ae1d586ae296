# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore adds what a mailbox lacks, and nothing twice."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.restore.maildir import (
    SPARE_UIDS,
    Added,
    directory,
    folder_name,
    has_messages,
    keep_uids,
    merge,
)


def mailbox(home: Path, folders: t.Mapping[str, t.Sequence[str]], **files: str) -> Path:
    for folder, messages in folders.items():
        for part in ("cur", "new", "tmp"):
            (home / "Maildir" / folder / part).mkdir(parents=True)
        for message in messages:
            (home / "Maildir" / folder / message).write_text(message)
    for name, text in files.items():
        path = home / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return home


def messages(home: Path, folder: str = "") -> list[str]:
    root = home / "Maildir" / folder
    return sorted(
        f"{part}/{one.name}" for part in ("cur", "new") for one in (root / part).iterdir()
    )


@pytest.fixture(name="saved")
def _saved(tmp_path: Path) -> Path:
    home = mailbox(
        tmp_path / "saved",
        {"": ["new/1.a,S=5", "cur/2.a,S=5:2,S"], ".Projects": ["cur/3.a:2,RS"]},
    )
    (home / "Maildir/dovecot-uidlist").write_text("3 V1700000000 N8 Gabc\n7 :2.a,S=5\n8 :1")
    (home / "Maildir/.Projects/dovecot-uidlist").write_text("3 V1 N2\n1 :3.a\n")
    (home / "Maildir/subscriptions").write_text("V\t2\n\nProjects\nOther\nProjects\tOld\n")
    (home / "sieve").mkdir()
    (home / "sieve/mine.sieve").write_text("keep;")
    (home / ".dovecot.sieve").symlink_to("sieve/mine.sieve")
    return home


def test_a_mailbox_that_is_gone_comes_back_whole(saved: Path, tmp_path: Path) -> None:
    home = tmp_path / "vmail/acme.example/jo"
    assert merge(saved, home) == Added(messages=3, folders=1, scripts=1)
    assert messages(home) == ["cur/2.a,S=5:2,S", "new/1.a,S=5"]
    assert messages(home, ".Projects") == ["cur/3.a:2,RS"]
    assert (home / ".dovecot.sieve").is_symlink()


def test_uids_stay_and_those_of_later_messages_are_not_used_again(tmp_path: Path) -> None:
    path = tmp_path / "dovecot-uidlist"
    path.write_bytes(b"3 V1700000000 N8 Gabc\n7 :2.a\n8 W12 :1.\xff")
    keep_uids(path)
    assert path.read_bytes() == b"3 V1700000000 N%d Gabc\n7 :2.a\n" % (8 + SPARE_UIDS)
    keep_uids(tmp_path / "none")
    path.write_bytes(b"")
    keep_uids(path)
    assert path.read_bytes() == b""


def test_a_second_run_adds_nothing(tmp_path: Path) -> None:
    folders = {"": ["cur/1.a,S=5:2,S", "new/2.a"], ".Projects": ["cur/3.a:2,"]}
    home = mailbox(tmp_path / "home", {"": ["cur/2.a:2,FS"]})
    assert merge(mailbox(tmp_path / "first", folders), home) == Added(messages=2, folders=1)
    after = [messages(home), messages(home, ".Projects")]
    assert after == [["cur/1.a,S=5:2,S", "cur/2.a:2,FS"], ["cur/3.a:2,"]]
    assert not merge(mailbox(tmp_path / "second", folders), home)
    assert [messages(home), messages(home, ".Projects")] == after


def test_one_folder_comes_back_and_nothing_else(saved: Path, tmp_path: Path) -> None:
    home = mailbox(tmp_path / "home", {"": []}, Maildir__subscriptions="V\t2\n\nOld\n")
    assert merge(saved, home, ".Projects") == Added(messages=1, folders=1)
    assert messages(home) == []
    assert not (home / "sieve").exists()
    assert (home / "Maildir/subscriptions").read_text() == "V\t2\n\nOld\nProjects\n"
    again = mailbox(
        tmp_path / "again", {".Projects": []}, Maildir__subscriptions="V\t2\n\nProjects\n"
    )
    merge(again, home, ".Projects")
    assert (home / "Maildir/subscriptions").read_text() == "V\t2\n\nOld\nProjects\n"
    assert "N100002" in (home / "Maildir/.Projects/dovecot-uidlist").read_text()


def test_one_folder_comes_back_to_a_mailbox_that_is_gone(saved: Path, tmp_path: Path) -> None:
    home = tmp_path / "vmail/acme.example/jo"
    assert merge(saved, home, "") == Added(messages=2)
    assert messages(home) == ["cur/2.a,S=5:2,S", "new/1.a,S=5"]
    assert not (home / "Maildir/.Projects").exists()


def test_labels_keep_their_meaning_where_the_folder_numbers_them_differently(
    tmp_path: Path,
) -> None:
    saved = mailbox(
        tmp_path / "saved",
        {"": ["cur/1.a:2,Sabc"]},
        **{"Maildir__dovecot-keywords": "0 Red\n1 Blue\n2 Gone\n"},
    )
    home = mailbox(
        tmp_path / "home", {"": []}, **{"Maildir__dovecot-keywords": "0 Blue\n1 Red\nx y\n"}
    )
    assert merge(saved, home) == Added(messages=1)
    assert messages(home) == ["cur/1.a:2,Sab"]
    assert (home / "Maildir/dovecot-keywords").read_text() == "0 Blue\n1 Red\nx y\n"


def test_a_folder_without_labels_gets_those_of_the_snapshot(tmp_path: Path) -> None:
    saved = mailbox(
        tmp_path / "saved",
        {"": ["cur/1.a:2,Sb"]},
        **{"Maildir__dovecot-keywords": "0 Red\n1 Blue\n"},
    )
    home = mailbox(tmp_path / "home", {"": []})
    merge(saved, home)
    assert messages(home) == ["cur/1.a:2,Sb"]
    assert (home / "Maildir/dovecot-keywords").read_text() == "0 Red\n1 Blue\n"


def test_scripts_that_are_there_stay(saved: Path, tmp_path: Path) -> None:
    home = mailbox(tmp_path / "home", {"": []}, sieve__mine="x", **{"sieve__mine.sieve": "stop;"})
    (home / ".dovecot.sieve").symlink_to("sieve/other.sieve")
    assert merge(saved, home).scripts == 0
    assert (home / "sieve/mine.sieve").read_text() == "stop;"
    assert (home / ".dovecot.sieve").readlink() == Path("sieve/other.sieve")


def test_what_counts_as_mail(tmp_path: Path) -> None:
    home = mailbox(tmp_path / "home", {"": [], ".Sent": ["cur/1.a:2,S"]})
    assert has_messages(home)
    assert has_messages(home, ".Sent")
    assert not has_messages(home, "")
    assert not has_messages(tmp_path / "none")


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("INBOX", ""),
        ("Projects.2026", ".Projects.2026"),
        ("Entwürfe & mehr", ".Entw&APw-rfe &- mehr"),
        ("台北", ".&U,BTFw-"),
    ],
)
def test_folders_have_the_names_of_dovecot(folder: str, name: str) -> None:
    assert directory(folder) == name
    assert folder_name(name) == folder


def test_a_name_that_is_no_utf7_is_shown_as_it_is() -> None:
    assert folder_name(".&A-") == "&A-"
