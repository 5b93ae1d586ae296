# SPDX-License-Identifier: GPL-3.0-or-later
"""A full mailbox says so to the sender, in SMTP, and never by a bounce."""

from __future__ import annotations

from client import Message, World
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
