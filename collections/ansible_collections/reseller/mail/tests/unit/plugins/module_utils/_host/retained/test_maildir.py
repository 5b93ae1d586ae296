# SPDX-License-Identifier: GPL-3.0-or-later
"""Two homes become one: no message is lost, replaced or doubled, and no link is followed."""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.retained import maildir
from hypothesis import given, settings
from hypothesis import strategies as st


def message(home: Path, folder: str, part: str, name: str, text: str = "") -> None:
    """Write a message into a folder of a home; the empty name is the inbox."""
    place = home / "Maildir" / folder / part
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_text(text or name, encoding="utf-8")


def merged(source: Path, target: Path) -> None:
    """Merge one home into another."""
    descriptors = [os.open(path, maildir.OPEN) for path in (source, target)]
    try:
        maildir.merge(*descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def texts(home: Path) -> list[tuple[str, str]]:
    """Return the folder and the text of each message."""
    found = [
        (str(path.parent.parent.relative_to(home / "Maildir")), path.read_text(encoding="utf-8"))
        for part in ("cur", "new")
        for path in home.glob(f"Maildir/**/{part}/*")
    ]
    return sorted(found)


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Path, Path]:
    source, target = tmp_path / "source", tmp_path / "target"
    for home in (source, target):
        for part in ("cur", "new", "tmp"):
            (home / "Maildir" / part).mkdir(parents=True)
    return source, target


def test_messages_and_folders_of_both_are_there(homes: tuple[Path, Path]) -> None:
    source, target = homes
    message(source, "", "cur", "1.a:2,RSb")
    message(source, ".Sent", "cur", "2.a:2,S")
    message(source, ".Old", "new", "3.a")
    message(target, "", "new", "4.a")
    message(target, ".Sent", "cur", "5.a:2,")
    (source / "Maildir/subscriptions").write_text("V\t2\n", encoding="utf-8")
    merged(source, target)
    assert texts(target) == [
        (".", "1.a:2,RSb"),
        (".", "4.a"),
        (".Old", "3.a"),
        (".Sent", "2.a:2,S"),
        (".Sent", "5.a:2,"),
    ]
    assert (target / "Maildir/cur/1.a:2,RS").exists(), "a keyword means another one there"
    assert (target / "Maildir/subscriptions").exists()
    assert texts(source) == []


def test_two_messages_of_one_name_are_two_messages(homes: tuple[Path, Path]) -> None:
    source, target = homes
    message(source, "", "cur", "1.a:2,S", "first")
    message(target, "", "cur", "1.a:2,S", "second")
    merged(source, target)
    assert texts(target) == [(".", "first"), (".", "second")]


def test_a_message_that_a_killed_run_linked_is_one_message(homes: tuple[Path, Path]) -> None:
    source, target = homes
    message(source, "", "cur", "1.a:2,S", "first")
    os.link(source / "Maildir/cur/1.a:2,S", target / "Maildir/cur/1.a:2,S")
    merged(source, target)
    assert texts(target) == [(".", "first")]


def test_scripts_go_where_there_are_none(homes: tuple[Path, Path]) -> None:
    source, target = homes
    (source / "sieve").mkdir()
    (source / "sieve/mine.sieve").write_text("keep;", encoding="utf-8")
    (source / ".dovecot.sieve").symlink_to("sieve/mine.sieve")
    merged(source, target)
    assert (target / ".dovecot.sieve").read_text(encoding="utf-8") == "keep;"


def test_scripts_of_the_target_stay(homes: tuple[Path, Path]) -> None:
    source, target = homes
    for home, text in ((source, "discard;"), (target, "keep;")):
        (home / "sieve").mkdir()
        (home / "sieve/mine.sieve").write_text(text, encoding="utf-8")
        (home / ".dovecot.sieve").symlink_to("sieve/mine.sieve")
    merged(source, target)
    assert (target / ".dovecot.sieve").read_text(encoding="utf-8") == "keep;"


@pytest.mark.parametrize("place", ["Maildir/cur", "Maildir/.Sent"])
def test_no_file_leaves_the_home_through_a_link(
    place: str, homes: tuple[Path, Path], tmp_path: Path
) -> None:
    """The user that owns all mail could put one there."""
    source, target = homes
    outside = tmp_path / "outside"
    (outside / "cur").mkdir(parents=True)
    message(source, "", "cur", "1.a:2,S")
    message(source, ".Sent", "cur", "2.a:2,S")
    if (target / place).exists():
        (target / place).rmdir()
    (target / place).symlink_to(outside)
    with contextlib.suppress(OSError):
        merged(source, target)
    assert [path for path in outside.rglob("*") if path.is_file()] == []


def test_what_is_no_file_is_left(homes: tuple[Path, Path], tmp_path: Path) -> None:
    source, target = homes
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    (source / "Maildir/cur/1.a:2,S").symlink_to(secret)
    merged(source, target)
    assert list((target / "Maildir/cur").iterdir()) == []


def test_the_size_is_that_of_all_files(homes: tuple[Path, Path]) -> None:
    home = homes[0]
    message(home, "", "cur", "1.a:2,S", "12345")
    message(home, ".Sent", "new", "2.a", "123")
    (home / "Maildir/dovecot-uidlist").write_text("12", encoding="utf-8")
    before = maildir.measure(str(home))
    assert (before.files, before.messages, before.bytes) == (3, 2, 10)
    assert maildir.measure(str(home)) == before
    os.rename(home / "Maildir/cur/1.a:2,S", home / "Maildir/cur/1.a:2,")
    assert maildir.measure(str(home)).checksum != before.checksum


NAMES = st.from_regex(r"[0-9]{1,2}\.a(:2,[FRSab]{0,2})?", fullmatch=True)
BOXES: t.Any = st.dictionaries(
    st.tuples(st.sampled_from(["", ".Sent", ".Old.Mail"]), st.sampled_from(["cur", "new"]), NAMES),
    st.integers(0, 10**9).map(str),
    max_size=8,
)


@settings(max_examples=50, deadline=None)
@given(one=BOXES, other=BOXES)
def test_no_message_is_lost_or_doubled(
    one: dict[tuple[str, str, str], str],
    other: dict[tuple[str, str, str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("homes")
    expected = []
    for home, boxes in ((folder / "source", one), (folder / "target", other)):
        (home / "Maildir").mkdir(parents=True)
        for (box, part, name), text in boxes.items():
            message(home, box, part, name, text)
            expected.append((box or ".", text))
    merged(folder / "source", folder / "target")
    assert texts(folder / "target") == sorted(expected)
