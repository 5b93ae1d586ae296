# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail has the form that others expect: signatures, fields that it must have, size and envelope."""

from __future__ import annotations

import collections
import email.utils
import re
import time
import typing as t
import uuid

import pytest
from client import Host, Message, Outside
from conftest import STRANGER, Address, Side
from test_delivery import received
from test_dkim_rotation import as_the_tenant_publishes, keys, rotate
from test_identity import ELSEWHERE, parsed, rules

__all__ = ["rules"]

FIELDS = {
    "Reply-To": "replies@stranger.example",
    "Cc": "copy@stranger.example",
    "In-Reply-To": "<question@stranger.example>",
    "References": "<question@stranger.example>",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "7bit",
    "List-Id": "<news.acme.example>",
    "List-Unsubscribe": "<https://acme.example/leave>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}
ONE_ONLY = [
    "From",
    "Reply-To",
    "Subject",
    "Date",
    "To",
    "Cc",
    "Message-ID",
    "Content-Type",
    "Content-Transfer-Encoding",
]


def submit(outside: Outside, sender: Address, port: int, text: str, token: str) -> bytes:
    """Return what an external host got of a message that was submitted."""
    login = {"login": sender.name, "password": sender.password}
    message = Message(token, text)
    answers = outside.send(sender.host, port, sender.name, [STRANGER], message, **login)
    assert answers["data"][0] == 250, answers
    (raw,) = outside.stored(token)
    return raw


def signed_fields(raw: bytes) -> list[collections.Counter[str]]:
    """Return how often each signature names each field (h=, RFC 6376 section 3.5)."""
    found = []
    for field in parsed(raw).get_all("DKIM-Signature") or []:
        tags = dict(tag.strip().split("=", 1) for tag in str(field).split(";") if "=" in tag)
        names = re.sub(r"\s", "", tags["h"]).lower().split(":")
        found.append(collections.Counter(names))
    return found


@pytest.fixture(scope="module")
def mailings(outside: Outside, sides: dict[str, Side]) -> dict[str, bytes]:
    """What the external host got of a mailing from a domain that signs with RSA and Ed25519."""
    own_dns = sides["mx2"].catch_all_to.domain
    if "active" not in keys("mx2", own_dns, "ed25519").values():
        as_the_tenant_publishes(Host("dns1"), own_dns)
        rotate()
    raws = {}
    for name, side in sides.items():
        sender = side.catch_all_to
        message = Message.new(sender.name, STRANGER)
        head = "".join(f"{name}: {value}\r\n" for name, value in FIELDS.items())
        raws[name] = submit(outside, sender, 587, head + message.text, message.token)
    return raws


def test_both_signatures_cover_what_a_message_says_and_how_it_is_read(
    outside: Outside, side: Side, mailings: dict[str, bytes]
) -> None:
    raw = mailings[side.node]
    signatures = outside.call("signatures", raw=raw)
    assert {signature[2] for signature in signatures} == {"rsa-sha256", "ed25519-sha256"}
    assert all(good for *_whose, good in signatures), signatures
    for names in signed_fields(raw):
        for name in [*FIELDS, *ONE_ONLY]:
            assert names[name.lower()] == (2 if name in ONE_ONLY else 1), (name, names)


def test_a_changed_or_second_field_breaks_the_signature(
    outside: Outside, side: Side, mailings: dict[str, bytes]
) -> None:
    raw = mailings[side.node]
    changes = {f"second {name}": f"{name}: other\r\n".encode() + raw for name in ONE_ONLY}
    for name, value in FIELDS.items():
        line = f"\n{name}: {value}".encode()
        assert raw.count(line) == 1, name
        changes[f"changed {name}"] = raw.replace(line, line + b"x")
        changes[f"renamed {name}"] = raw.replace(line, b"\nX-" + line[1:])
    verdicts = outside.call("verdicts", raws=list(changes.values()))
    good = [name for name, each in zip(changes, verdicts, strict=True) if each != [False, False]]
    assert good == []


def test_a_field_that_was_absent_breaks_the_signature_when_it_is_added_but_a_list_adds_its_own(
    outside: Outside, side: Side
) -> None:
    token = uuid.uuid4().hex
    text = f"From: {side.user}\r\nX-Token: {token}\r\n\r\nHello.\r\n"
    raw = submit(outside, side.user, 587, text, token)
    absent = ["Subject", "To", "Cc", "Reply-To", "Content-Type", "Content-Transfer-Encoding"]
    lists = ["Sender", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Received"]
    raws = [raw, *(f"{name}: other\r\n".encode() + raw for name in [*lists, *absent])]
    verdicts = [all(each) for each in outside.call("verdicts", raws=raws)]
    assert verdicts == [True] * (1 + len(lists)) + [False] * len(absent)


@pytest.mark.parametrize("port", [465, 587])
@pytest.mark.parametrize("head", ["From: {user}\r\nX-Token: {token}\r\n", ""], ids=["From", "none"])
def test_submitted_mail_gets_the_fields_that_it_must_have_and_they_are_signed(
    outside: Outside, side: Side, port: int, head: str
) -> None:
    """RFC 6409 section 8. The new Message-ID names the node, not the user's device."""
    token = uuid.uuid4().hex
    head = head.format(user=side.user, token=token)
    raw = submit(outside, side.user, port, f"{head}\r\nX-Token: {token}\r\n", token)
    message = parsed(raw)
    for name in ("From", "Date", "Message-ID"):
        assert len(message.get_all(name) or []) == 1, raw.decode()
        assert all(names[name.lower()] == 2 for names in signed_fields(raw)), raw.decode()
    assert message["From"].addresses[0].addr_spec == side.user.name
    assert abs(email.utils.parsedate_to_datetime(message["Date"]).timestamp() - time.time()) < 300
    assert re.fullmatch(rf"<\w+@{re.escape(side.host)}>", message["Message-ID"])
    assert all(outside.call("verdicts", raws=[raw])[0])


def test_a_submission_keeps_the_date_and_message_id_that_it_has(
    outside: Outside, side: Side
) -> None:
    message = Message.new(side.user.name, STRANGER)
    text = re.sub(r"Date: .*\r\n", "Date: Sat, 01 Feb 2020 03:04:05 +0600\r\n", message.text)
    found = parsed(submit(outside, side.user, 587, text, message.token))
    assert found.get_all("Date") == ["Sat, 01 Feb 2020 03:04:05 +0600"]
    assert found.get_all("Message-ID") == [f"<{message.token}@test.invalid>"]


def on_host(node: Host, side: Side, message: Message) -> None:
    """Hand a message in on port 25 of the host itself, where it is not filtered."""
    envelope = f"{STRANGER!r}, [{side.user.name!r}], {message.text!r}"
    program = f"import smtplib\nsmtplib.SMTP('127.0.0.1', 25).sendmail({envelope})\n"
    node.run("python3 -", stdin=program)


@pytest.mark.parametrize("client", ["an external host", "the node itself"])
def test_mail_on_port_25_gets_no_field_and_no_address_is_completed(
    outside: Outside, side: Side, node: Host, client: str
) -> None:
    token = uuid.uuid4().hex
    message = Message(token, f"From: someone\r\nTo: friends\r\nX-Token: {token}\r\n\r\nHello.\r\n")
    if client == "an external host":
        answers = outside.send(side.host, 25, STRANGER, [side.user.name], message)
        assert answers["data"][0] == 250, answers
    else:
        on_host(node, side, message)
    folder = "Junk" if client == "an external host" else "INBOX"  # it looks like spam
    user = side.user
    (raw,) = outside.fetch(user.host, user.name, user.password, token, folder=folder)
    untouched(raw, "someone", "friends")
    assert "Message-ID" not in parsed(raw)


def untouched(raw: bytes, header_from: str, to: str) -> None:
    """Assert that Postfix neither added a field nor completed an address."""
    message = parsed(raw)
    assert "Date" not in message
    assert f"\nFrom: {header_from}\nTo: {to}\n".encode() in raw.replace(b"\r", b"")


def test_a_redirected_message_keeps_the_header_that_its_author_signed(
    outside: Outside,
    side: Side,
    node: Host,
    rules: t.Callable[[str], None],
) -> None:
    """A message without a date and a subject, which would be spam from outside."""
    rules(f'redirect "{ELSEWHERE}";')
    token = uuid.uuid4().hex
    text = f"From: {STRANGER}\r\nTo: friends\r\nMessage-ID: <{token}@stranger.example>\r\n"
    message = Message(token, f"{text}X-Token: {token}\r\n\r\nHello.\r\n")
    on_host(node, side, message)
    (raw,) = outside.stored(token)
    untouched(raw, STRANGER, "friends")


def sized(sender: str, side: Side, field: int, total: int) -> Message:
    """Return a message with one field of a size, and others up to the total size of the header."""
    message = Message.new(sender, side.user.name)
    long = "X-Long: start" + ("\r\n " + "z" * 70) * (field // 73) + "\r\n" if field else ""
    rest = (total - len(message.text) - len(long)) // 71
    many = "".join(f"X-Field-{number:05}: {'y' * 53}\r\n" for number in range(rest))
    return Message(message.token, f"{long}{many}{message.text}")


SIZES = [(57000, 60000, 250), (0, 500000, 250), (61000, 65000, 552), (0, 530000, 552)]


@pytest.mark.parametrize("port", [25, 465])
@pytest.mark.parametrize(("field", "total", "code"), [*SIZES, (1000000, 1010000, 552)])
def test_a_header_is_taken_whole_or_refused_for_good(
    outside: Outside, side: Side, port: int, field: int, total: int, code: int
) -> None:
    user = side.user
    login = {"login": user.name, "password": user.password} if port == 465 else {}
    sender = user.name if login else STRANGER
    message = sized(sender, side, field, total)
    answers = outside.send(side.host, port, sender, [user.name], message, **login)
    assert answers["data"][0] == code, answers
    if code == 250:
        kept = received(outside, user, message).replace(b"\r", b"").partition(b"\n\n")[0]
        for letter in ("\n " + "z" * 70, "y" * 53 + "\n"):
            assert kept.count(letter.encode()) == message.text.replace("\r", "").count(letter)
    else:
        assert answers["data"][1].startswith("5.3.4 "), answers


SENDERS = {
    "jö@{domain}": "553 5.6.7",
    "jo@dömäin.example": "5",
    "jo\x07@{domain}": "553 5.1.7",
    '"jo\t"@{domain}': "553 5.1.7",
    "jo\x7f@{domain}": "553 5.1.7",
    "jo\x00@{domain}": "5",
    "jo\r@{domain}": "5",
}
RECIPIENTS = {
    "{local}+ö@{domain}": "553 5.6.7",
    "ö{catch_all}": "553 5.6.7",
    "nobody-ö@{domain}": "5",
    "{local}+\x07@{domain}": "553 5.1.3",
    '"{local}+\t"@{domain}': "553 5.1.3",
    "{local}+\x00@{domain}": "5",
    "{local}@{domain}": "250",
    "@way.example:{local}@{domain}": "250",
}


@pytest.mark.parametrize("port", [25, 465, 587])
def test_an_envelope_address_has_printable_ascii_only(
    outside: Outside, side: Side, port: int
) -> None:
    """SMTPUTF8 is not offered (RFC 6531 section 3.1). The session goes on after a refusal."""
    user = side.user
    login = {"login": user.name, "password": user.password} if port != 25 else {}
    local = user.name.partition("@")[0]
    words = {"local": local, "domain": user.domain, "catch_all": side.catch_all}
    good = user.name if login else STRANGER
    senders = [(f"MAIL FROM:<{text.format(**words)}>", code) for text, code in SENDERS.items()]
    recipients = [(f"RCPT TO:<{text.format(**words)}>", code) for text, code in RECIPIENTS.items()]
    wrong = []
    for asked in (senders, [*recipients, ("RSET", "250"), (f"MAIL FROM:<{good}>", "250")]):
        expected = [("EHLO outside.stranger.example", "250"), (f"MAIL FROM:<{good}>", "250")]
        expected += [("RSET", "250"), *asked] if asked is senders else asked
        lines = [line + "\r\n" for line, _code in expected]
        _greeting, *replies = outside.call(
            "converse", host=side.host, port=port, lines=lines, **login
        )
        told = zip(expected, replies, strict=True)
        wrong += [(line, reply) for (line, code), reply in told if not reply.startswith(code)]
    assert wrong == []
