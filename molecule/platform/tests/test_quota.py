# SPDX-License-Identifier: GPL-3.0-or-later
"""A full mailbox says so to the sender, in SMTP, and never by a bounce."""

from __future__ import annotations

from client import Host, Message, World, wait_until
from conftest import STRANGER, Side

TOO_BIG = 2 * 1024 * 1024
"""Bytes; the small mailboxes hold 1M."""


def offer(world: World, side: Side, **more: object) -> dict:
    recipient = side.small.name
    return world.send(side.host, 25, STRANGER, [recipient], Message.new(STRANGER, recipient, size=TOO_BIG), **more)


def test_a_message_that_does_not_fit_is_refused_at_rcpt(world: World, side: Side) -> None:
    code, text = offer(world, side)["rcpt"][side.small.name]
    assert (code, text[:5]) == (552, "5.2.2"), text


def test_a_message_of_undeclared_size_is_refused_at_end_of_data(world: World, side: Side) -> None:
    answers = offer(world, side, declare_size=False)
    assert answers["rcpt"][side.small.name][0] == 250, answers
    assert answers["data"][0] == 552, answers


def test_a_message_that_fits_is_taken(world: World, side: Side) -> None:
    message = Message.new(STRANGER, side.small.name)
    assert world.send(side.host, 25, STRANGER, [side.small.name], message)["data"][0] == 250
    assert world.fetch(side.host, side.small.name, side.small.password, message.token)


def test_a_mailbox_that_fills_up_is_warned(world: World, side: Side, node: Host) -> None:
    box = side.small
    node.run(f"doveadm expunge -u {box} mailbox INBOX all")
    try:
        message = Message.new(STRANGER, box.name, size=870_000)
        assert world.send(side.host, 25, STRANGER, [box.name], message)["data"][0] == 250
        warned = wait_until(lambda: node.output(f"doveadm search -u {box} mailbox INBOX subject '80% full'"))
        assert len(warned.splitlines()) == 1, warned
    finally:
        node.run(f"doveadm expunge -u {box} mailbox INBOX all")
