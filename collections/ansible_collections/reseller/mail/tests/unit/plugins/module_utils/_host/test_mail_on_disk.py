# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import mail_on_disk
from ansible_collections.reseller.mail.plugins.module_utils._host.mail_on_disk import Mail, count


def put(home: Path, name: str, content: bytes = b"x") -> None:
    path = home / "Maildir" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_home_without_mail_has_none(tmp_path: Path) -> None:
    assert count(str(tmp_path / "nobody")) == Mail(0, 0)


def test_all_folders_count_with_the_sizes_in_their_names(tmp_path: Path) -> None:
    put(tmp_path, "cur/1796071260.M194246P39.vm,S=20298,W=20586:2,S")
    put(tmp_path, "new/1796071261.M194246P39.vm,S=90,W=100")
    put(tmp_path, ".Archive.2025/cur/1796071262.M1P1.vm,W=7,S=6:2,")
    assert count(str(tmp_path)) == Mail(20586 + 100 + 7, 3)


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (b"Subject: x\n\nhello\n", 21),
        (b"Subject: x\r\n\r\nhello\r\n", 21),
        (b"a\r\nb\nc\r", 8),
        (b"", 0),
    ],
)
def test_a_message_without_a_size_in_its_name_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, size: int
) -> None:
    """It is read in blocks, and a line may end on the border of two of them."""
    put(tmp_path, "new/1700000000.M1P1.other", content)
    for block in (1, 2, 3, 1 << 16):
        monkeypatch.setattr(mail_on_disk, "_READ", block)
        assert count(str(tmp_path)) == Mail(size, 1), block


def test_what_is_no_message_does_not_count(tmp_path: Path) -> None:
    put(tmp_path, "dovecot.index.log")
    put(tmp_path, "tmp/1796071260.M1P1.vm,S=1,W=1")
    put(tmp_path, "cur/.nfs0001")
    put(tmp_path, "..DOVECOT-TRASHED/cur/1796071260.M1P1.vm,S=1,W=1")
    put(tmp_path, "other/cur/1796071260.M1P1.vm,S=1,W=1")
    (tmp_path / "Maildir" / "cur" / "folder").mkdir()
    assert count(str(tmp_path)) == Mail(0, 0)


def test_links_are_not_followed_and_pipes_not_opened(tmp_path: Path) -> None:
    put(tmp_path / "other", "cur/1796071260.M1P1.vm,S=1,W=1")
    put(tmp_path, "new/1796071260.M1P1.vm,S=5,W=5")
    mail = tmp_path / "Maildir"
    (mail / "cur").symlink_to(tmp_path / "other" / "Maildir" / "cur")
    (mail / ".Linked").symlink_to(tmp_path / "other" / "Maildir")
    (mail / "new" / "linked").symlink_to("/etc/passwd")
    os.mkfifo(mail / "new" / "pipe")
    assert count(str(tmp_path)) == Mail(5, 1)


def test_a_message_that_moves_while_it_is_counted_is_no_error(tmp_path: Path) -> None:
    put(tmp_path, "new/1700000000.M1P1.other")
    with os.scandir(tmp_path / "Maildir" / "new") as entries:
        entry = next(entries)
    os.unlink(entry.path)
    assert mail_on_disk._size(entry) == 0
