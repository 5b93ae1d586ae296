# SPDX-License-Identifier: GPL-3.0-or-later
"""A full mailbox says so to the sender, in SMTP, and never by a bounce."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest
from client import BUILD, ESTATE, Host, Message, Outside, ansible, wait_until
from conftest import STRANGER, Side

TOO_BIG = 2 * 1024 * 1024
"""Bytes; the small mailboxes hold 1M."""


def offer(outside: Outside, side: Side, **more: object) -> dict:
    recipient = side.small.name
    return outside.send(
        side.host, 25, STRANGER, [recipient], Message.new(STRANGER, recipient, size=TOO_BIG), **more
    )


def test_a_message_that_does_not_fit_is_refused_at_rcpt(outside: Outside, side: Side) -> None:
    code, text = offer(outside, side)["rcpt"][side.small.name]
    assert (code, text[:5]) == (552, "5.2.2"), text


def test_a_message_of_undeclared_size_is_refused_at_end_of_data(
    outside: Outside, side: Side
) -> None:
    answers = offer(outside, side, declare_size=False)
    assert answers["rcpt"][side.small.name][0] == 250, answers
    assert answers["data"][0] == 552, answers


def test_a_message_that_fits_is_taken(outside: Outside, side: Side) -> None:
    message = Message.new(STRANGER, side.small.name)
    assert outside.send(side.host, 25, STRANGER, [side.small.name], message)["data"][0] == 250
    assert outside.fetch(side.host, side.small.name, side.small.password, message.token)


def test_a_mailbox_that_fills_up_is_warned(outside: Outside, side: Side, node: Host) -> None:
    box = side.small
    node.run(f"doveadm expunge -u {box} mailbox INBOX all")
    try:
        message = Message.new(STRANGER, box.name, size=870_000)
        assert outside.send(side.host, 25, STRANGER, [box.name], message)["data"][0] == 250
        warned = wait_until(
            lambda: node.output(f"doveadm search -u {box} mailbox INBOX subject '80% full'")
        )
        assert len(warned.splitlines()) == 1, warned
        shown = node.output(f"doveadm fetch -u {box} hdr.from mailbox INBOX subject '80% full'")
        assert {"mx1": "From: Acme Mail <", "mx2": "From: Example Hosting <"}[side.node] in (
            shown.replace("hdr.from: ", "From: ")
        ), shown
    finally:
        node.run(f"doveadm expunge -u {box} mailbox INBOX all")


MESSAGES = 10
FEW = f"mailbox_limits: {{messages: {MESSAGES}, folders: 4}}"


HANDED_OVER = """
import smtplib
with smtplib.LMTP("/var/spool/postfix/private/dovecot-lmtp") as lmtp:
    try:
        print(lmtp.sendmail("", ["{box}"], "Subject: late"))
    except (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused) as error:
        print(error)
"""
"""What Postfix does with a message that it took."""


@pytest.fixture(scope="module")
def few() -> t.Iterator[None]:
    """The small mailboxes hold few messages and folders, for as long as the tests that ask for it
    run."""
    generation = str(Path(__file__).parent / "generation.yml")
    folder = BUILD / "few"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ESTATE, folder)
    for path in folder.glob("tenants/*/*.yml"):
        path.write_text(
            path.read_text(encoding="utf-8").replace(
                "    quota: 1M\n", f"    quota: 1M\n    {FEW}\n"
            ),
            encoding="utf-8",
        )
    done = ansible("ansible-playbook", generation, estate=folder)
    assert done.rc == 0, done.output
    yield
    done = ansible("ansible-playbook", generation)
    assert done.rc == 0, done.output


def test_a_mailbox_with_as_many_messages_as_it_may_have_takes_no_more(
    few: None, outside: Outside, side: Side, node: Host
) -> None:
    box = side.small
    node.run(f"doveadm expunge -u {box} mailbox '*' all")
    try:
        kept = outside.call(
            "imap_append", host=side.host, user=box.name, password=box.password, times=MESSAGES + 1
        )
        taken = sum(state == "OK" for state, _text in kept)
        assert MESSAGES - 4 < taken <= MESSAGES, (
            "warnings at 80, 95 and 100 % are messages as well, and come when they come"
        )
        assert kept[-1][0] == "NO", kept
        assert kept[-1][1].startswith("[OVERQUOTA]"), kept
        message = Message.new(STRANGER, box.name)
        code, text = outside.send(side.host, 25, STRANGER, [box.name], message)["rcpt"][box.name]
        assert (code, text[:5]) == (552, "5.2.2"), text
        assert "452, b'4.2.2" in node.output(f"python3 -c '{HANDED_OVER.format(box=box)}'"), (
            "Postfix would keep what it took before, and try again"
        )
    finally:
        node.run(f"doveadm expunge -u {box} mailbox '*' all")
    assert outside.send(side.host, 25, STRANGER, [box.name], message)["data"][0] == 250


def test_a_mailbox_has_no_more_folders_than_it_may_have(
    few: None, outside: Outside, side: Side, node: Host
) -> None:
    """INBOX counts, folders that nobody has put anything into do not. Dovecot 2.3 (Debian 12) has
    no such limit."""
    box = side.small
    names = [f"f{number}" for number in range(5)]
    try:
        made = [
            outside.call(
                "imap_create", host=side.host, user=box.name, password=box.password, folder=name
            )
            for name in names
        ]
    finally:
        node.run(
            f"for folder in {' '.join(names)}; do doveadm mailbox delete -u {box} $folder"
            " 2>/dev/null || true; done"
        )
    if side.node == "mx1":
        assert [state for state, _text in made] == ["OK"] * 5, (
            "then docs/language.md has to say so no more"
        )
    else:
        assert made[0][0] == "OK", made
        assert made[-1][0] == "NO", made
        assert made[-1][1].startswith("[LIMIT]"), made
