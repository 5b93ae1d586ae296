# SPDX-License-Identifier: GPL-3.0-or-later
"""Handshake messages: what is asked for, what is understood, and servers that do not play by the
rules. Real ones: see test__verify_tls."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import tls_hello
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.tls_hello import (
    Answer,
    Hello,
    KeyExchange,
    Link,
    Malformed,
    ServerHello,
    answer,
    client_hello,
)

RANDOM = bytes(32)


def test_a_hello_asks_for_exactly_what_it_is_told() -> None:
    sent = client_hello(Hello((0xC02B,), (29,), (0x0203,)), "post.example", RANDOM)
    assert sent[:1] == b"\1"
    assert int.from_bytes(sent[1:4], "big") == len(sent) - 4
    assert b"\x00\x02\xc0\x2b" in sent
    assert b"\x00\x0a\x00\x04\x00\x02\x00\x1d" in sent
    assert b"\x00\x0d\x00\x04\x00\x02\x02\x03" in sent
    assert b"post.example" in sent
    assert b"\x00\x0d" not in client_hello(Hello((0xC02B,), (29,), ()), "post.example", RANDOM)


def test_an_answer_without_a_server_hello_is_a_refusal() -> None:
    assert answer([]) == Answer()


@pytest.mark.parametrize(
    "body",
    [b"", b"\3\3" + RANDOM, b"\3\3" + RANDOM + b"\xff", b"\3\3" + RANDOM + b"\0\xc0\x2b\0\0\4\0\1"],
)
def test_a_message_that_is_cut_off_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        ServerHello.read(body)


def test_an_unnamed_curve_is_malformed() -> None:
    with pytest.raises(Malformed):
        KeyExchange.read(b"\1")


def test_a_point_that_is_not_on_its_curve_is_malformed() -> None:
    for group, point in ((29, b""), (29, bytes(32)), (23, b"\4" + bytes(64))):
        with pytest.raises(Malformed):
            tls_hello._shared(KeyExchange(group, point, 0x0403))


def read_from(data: bytes, read: t.Callable[[Link], t.Any], close: bool = True) -> t.Any:
    """What a link makes of so many bytes from a server."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)

        def say() -> None:
            with contextlib.suppress(OSError):
                theirs.sendall(data)
                if close:
                    theirs.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=say)
        thread.start()
        try:
            return read(Link(ours, 10))
        finally:
            ours.close()
            thread.join(10)


def test_an_alert_is_a_refusal_and_silence_is_none() -> None:
    assert read_from(b"\x15\3\3\0\2\2\x28", Link.first_flight) == []
    for silence in (b"", b"\x16\3"):
        with pytest.raises(ConnectionError):
            read_from(silence, Link.first_flight)


def test_what_is_no_tls_is_said_to_be_none() -> None:
    with pytest.raises(Malformed, match="no TLS record"):
        read_from(b"500 no such command\r\n", Link.first_flight)


def test_a_server_that_never_ends_is_left() -> None:
    """Warnings, then a message that is always longer than what has come of it."""
    for record in (
        b"\x15\3\3\0\2\1\0",
        b"\x16\3\3\x40\0" + b"\x02\xff\xff\xff" + bytes(0x4000 - 4),
    ):
        with pytest.raises(Malformed, match="sends too much or too slowly"):
            read_from(record * (Link.MOST // len(record) * 3), Link.first_flight)


def test_a_server_that_waits_for_ever_is_left() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"\x15")
        with pytest.raises(Malformed, match="sends too much or too slowly"):
            Link(ours, -1).first_flight()


def test_whatever_a_server_says_is_understood_or_malformed() -> None:
    """Each message that OpenSSL would send, with each byte of it changed or cut off."""
    hello = b"\3\3" + RANDOM + b"\0\xc0\x2b\0\0\x09\0\x17\0\0\xff\1\0\1\0"
    exchange = b"\3\0\x1d\x20" + bytes(32) + b"\4\3\0\2ab"
    ticket = b"\4\0\0\x20" + bytes(8) + b"\1a\0\1b\0\x08\0\x2a\0\4\0\0\0\1"
    readers: list[tuple[bytes, t.Callable[[bytes], t.Any]]] = [
        (hello, lambda body: answer([(2, body), (12, exchange)])), (exchange,
                                                                    lambda body: answer([(2, hello), (12, body)])),
        (ticket, tls_hello.allows_early_data),
    ]  # fmt: skip
    for body, read in readers:
        changed = [
            body[:at] + bytes([value]) + body[at + 1 :]
            for at in range(len(body))
            for value in (0, 1, 0x7F, 0xFF)
        ]
        for one in [*changed, *(body[:end] for end in range(len(body)))]:
            with contextlib.suppress(Malformed):
                read(one)
    assert answer([(2, hello), (12, exchange)]) == Answer(
        0x0303, 0xC02B, 29, 0x0403, False, True, True
    )
    assert tls_hello.allows_early_data(ticket)
