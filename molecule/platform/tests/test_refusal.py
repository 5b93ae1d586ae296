# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node refuses, and at which step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from client import Message, Outside
from conftest import STRANGER, Side


def refused_as(outside: Outside, side: Side, envelope: str, header: str) -> dict:
    """The answers to a logged-in user who claims these addresses."""
    user = side.user
    message = Message.new(envelope, STRANGER, header_from=header)
    answers = outside.send(
        user.host, 587, envelope, [STRANGER], message, login=user.name, password=user.password
    )
    assert answers["auth"][0] == 235, answers
    assert not outside.stored(message.token, seconds=1)
    return answers


@pytest.mark.parametrize("whom", ["other_user", "colleague"])
def test_nobody_sends_as_another(outside: Outside, side: Side, whom: str) -> None:
    claimed = getattr(side, whom).name
    answers = refused_as(outside, side, envelope=claimed, header=claimed)
    assert answers["rcpt"][STRANGER][0] == 553, answers


@pytest.mark.parametrize("whom", ["other_user", "colleague"])
def test_nobody_puts_another_into_from(outside: Outside, side: Side, whom: str) -> None:
    answers = refused_as(outside, side, envelope=side.user.name, header=getattr(side, whom).name)
    assert 500 <= answers["data"][0] < 600, answers


def test_nobody_hides_a_second_from(outside: Outside, side: Side) -> None:
    both = f"{side.user.name}\r\nFrom: {side.other_user.name}"
    assert 500 <= refused_as(outside, side, envelope=side.user.name, header=both)["data"][0] < 600


def test_a_wrong_password_is_refused(outside: Outside, side: Side) -> None:
    for protocol in ("imap", "pop3", "submission"):
        assert outside.may_login(side.host, protocol, side.user.name, side.user.password), protocol
        assert not outside.may_login(side.host, protocol, side.user.name, "not the password"), (
            protocol
        )


def test_no_password_is_taken_in_the_clear(outside: Outside, side: Side) -> None:
    for port in (25, 587):
        greeting, ehlo, answer = outside.call(
            "converse",
            host=side.host,
            port=port,
            lines=["EHLO outside.stranger.example\r\n", "AUTH PLAIN AGEAYg==\r\n"],
        )
        assert greeting.startswith("220"), greeting
        assert "AUTH" not in ehlo
        assert answer.startswith("5"), answer


@pytest.mark.parametrize(
    "recipient",
    ["nobody@{mail}", "nobody@{alias}", "nobody@{relay}", "postmaster@not-here.example"],
    ids=["mail", "alias", "relay", "foreign"],
)
def test_an_unknown_recipient_is_refused_at_rcpt(
    outside: Outside, side: Side, recipient: str
) -> None:
    address = recipient.format(
        mail=side.user.domain, alias=side.domain_alias.partition("@")[2], relay=side.relay_domain
    )
    answers = outside.send(side.host, 25, STRANGER, [address], Message.new(STRANGER, address))
    code, text = answers["rcpt"][address]
    assert code in (550, 554), (code, text)
    if not address.endswith("not-here.example"):
        assert (code, text[:5]) == (550, "5.1.1"), text


@pytest.mark.parametrize(
    "sender", [STRANGER, "{user}", ""], ids=["stranger", "forged tenant", "null sender"]
)
def test_relaying_is_refused(outside: Outside, side: Side, sender: str) -> None:
    sender = sender.format(user=side.user.name)
    target = "victim@elsewhere.example"
    answers = outside.send(side.host, 25, sender, [target], Message.new(sender, target))
    refusal = answers["rcpt"].get(target) or answers["mail"]
    assert 500 <= refusal[0] < 600, answers


@pytest.mark.parametrize(
    "end", ["\n.\n", "\n.\r\n", "\r\n.\n"], ids=["LF.LF", "LF.CRLF", "CRLF.LF"]
)
def test_a_smuggled_message_is_refused(outside: Outside, side: Side, end: str) -> None:
    """A first message whose false end hides a second one (SMTP smuggling)."""
    outer, inner = (
        Message.new(STRANGER, side.user.name),
        Message.new("boss@bank.example", side.user.name),
    )
    envelope = f"MAIL FROM:<boss@bank.example>\r\nRCPT TO:<{side.user.name}>\r\nDATA\r\n"
    replies = outside.call(
        "converse",
        host=side.host,
        port=25,
        lines=[
            "EHLO outside.stranger.example\r\n",
            f"MAIL FROM:<{STRANGER}>\r\n",
            f"RCPT TO:<{side.user.name}>\r\n",
            "DATA\r\n",
            f"{outer.text.rstrip()}{end}{envelope}{inner.text}\r\n.\r\n",
        ],
    )
    assert replies[4].startswith("354"), replies
    assert replies[5].startswith("5"), replies
    fetch = {
        "host": side.host,
        "user": side.user.name,
        "password": side.user.password,
        "seconds": 2,
    }
    assert outside.fetch(token=inner.token, **fetch) == []


def test_talking_ahead_of_the_server_is_refused(outside: Outside, side: Side) -> None:
    """Commands sent before their turn (RFC 2920): the mark of a smuggler or a spam bot."""
    replies = outside.call(
        "converse",
        host=side.host,
        port=25,
        lines=["HELO outside.stranger.example\r\nMAIL FROM:<a@stranger.example>\r\n", "NOOP\r\n"],
    )
    assert any(reply.startswith("5") for reply in replies[1:]), replies


PROBES = [
    "manners",
    "relaying",
    "pipelining",
    "chunking",
    "bare_newlines",
    "smuggling",
    "submission",
    "tls",
]


@pytest.mark.parametrize("probe", PROBES)
def test_a_hostile_client_is_withstood(outside: Outside, side: Side, probe: str) -> None:
    program = (Path(__file__).parent / "smtp_probe.py").read_text(encoding="utf-8")
    done = outside.run(
        f"python3 - {side.host} {side.user.name} {probe}", check=False, stdin=program
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers, done.stderr
    assert [answer for answer in answers if not answer["ok"]] == []
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("hops", "code"), [(20, 250), (30, 554)], ids=["20 hops are taken", "30 are a circle"]
)
def test_a_message_that_went_round_too_often_ends(
    outside: Outside, side: Side, hops: int, code: int
) -> None:
    """Hops as RFC 5321 section 6.3 counts them."""
    message = Message.new(STRANGER, side.user.name)
    trace = "".join(
        f"Received: from h{nth}.stranger.example by h{nth + 1}.stranger.example; Sat, 28 Nov 2026"
        " 12:00:00 +0000\r\n"
        for nth in range(hops)
    )
    answers = outside.send(
        side.host, 25, STRANGER, [side.user.name], Message(message.token, trace + message.text)
    )
    assert answers["data"][0] == code, answers
    assert bool(
        outside.fetch(
            side.host,
            side.user.name,
            side.user.password,
            message.token,
            seconds=30 if code == 250 else 0,
        )
    ) == (code == 250)
