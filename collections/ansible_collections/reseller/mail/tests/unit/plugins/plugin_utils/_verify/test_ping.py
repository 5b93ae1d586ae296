# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection test, with servers that answer in the words of real ones."""

from __future__ import annotations

import socket
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Node
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import (
    Connector,
    ProbeFailure,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.ping import (
    CATALOGUE,
    as_markdown,
    findings,
    sockets,
    unreached,
)

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding

NODE = Node("mx1", "mx1.hosting.example", 12, ("192.0.2.10", "192.0.2.11"))
SMTP = b"220 mx1.hosting.example ESMTP\r\n"
EHLO = b"250-mx1.hosting.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n"
AUTH = b"250-mx1.hosting.example\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n"
SIEVE = b'"IMPLEMENTATION" "Dovecot Pigeonhole"\r\n"SASL" ""\r\n"STARTTLS"\r\nOK "ready."\r\n'
WELL: dict[int, tuple[bytes, bytes]] = {
    25: (SMTP, EHLO),
    587: (SMTP, EHLO),
    465: (SMTP, AUTH),
    993: (b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", b""),
    995: (b"+OK Dovecot ready.\r\n", b""),
    4190: (SIEVE, b""),
}
QUEUE = "/var/spool/postfix"
PING = {
    "queue_folder": QUEUE,
    "doveadm": "",
    "sockets": [
        {"path": f"{QUEUE}/guard/guard.sock", "error": ""},
        {"path": f"{QUEUE}/opendkim/rsa.sock", "error": ""},
        {"path": f"{QUEUE}/private/auth", "error": ""},
        {"path": f"{QUEUE}/private/dovecot-lmtp", "error": ""},
    ],
}


class Servers(Connector):
    """A connector to servers in this process, without TLS: what a port answers is given."""

    def __init__(self, answers: dict[int, tuple[bytes, bytes]], dead: str = "") -> None:
        self._answers, self._dead = answers, dead

    def dial(self, address: str, port: int) -> socket.socket:
        if address == self._dead or port not in self._answers:
            raise ConnectionRefusedError(111, "Connection refused")
        server, client = socket.socketpair()
        greeting, reply = self._answers[port]

        def serve() -> None:
            with server:
                server.sendall(greeting)
                if reply and server.recv(512).startswith(b"EHLO"):
                    server.sendall(reply)

        threading.Thread(target=serve, daemon=True).start()
        return client

    def secure(self, plain: socket.socket, host: str) -> t.Any:
        if host != NODE.hostname:
            raise ProbeFailure("certificate")
        return plain


def found(
    answers: t.Optional[dict[int, tuple[bytes, bytes]]] = None, dead: str = "", **ping: t.Any
) -> dict[str, Finding]:
    facts = {"ours": True, "ping": {**PING, **ping}}
    return {one.id: one for one in findings(Servers(answers or WELL, dead), NODE, facts)}


@pytest.fixture(autouse=True)
def address_of_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Socket pairs have no address, which EHLO needs."""
    monkeypatch.setattr(
        "ansible_collections.reseller.mail.plugins.plugin_utils._verify.ping.literal",
        lambda _sock: "[192.0.2.1]",
    )


def test_a_running_node_has_every_finding_ok_in_the_order_of_the_catalogue() -> None:
    one = found()
    assert list(one) == list(CATALOGUE)
    assert {each.state for each in one.values()} == {"ok"}, one


def test_a_node_with_a_dead_first_address_is_asked_at_the_next() -> None:
    assert {each.state for each in found(dead="192.0.2.10").values()} == {"ok"}


TROUBLE = {
    "ping.smtp": (25, (b"554 no\r\n", b""), "'554 no'"),
    "ping.submission": (587, (SMTP, AUTH), "without STARTTLS"),
    "ping.submissions": (465, (SMTP, EHLO), "without AUTH"),
    "ping.imap": (993, (b"* BYE down\r\n", b""), "'* BYE down'"),
    "ping.pop3": (995, (b"-ERR down\r\n", b""), "'-ERR down'"),
    "ping.sieve": (4190, (b'"SASL" ""\r\nOK "ready."\r\n', b""), "STARTTLS is not offered"),
}


@pytest.mark.parametrize("id_", TROUBLE)
def test_a_port_that_answers_something_else_is_one_finding(id_: str) -> None:
    port, answer, text = TROUBLE[id_]
    one = found({**WELL, port: answer})
    assert {each for each, finding in one.items() if finding.state == "fail"} == {id_}
    assert text in one[id_].found


def test_a_dead_service_is_a_failure_of_a_running_node() -> None:
    one = found({port: answer for port, answer in WELL.items() if port not in (993, 995)})
    assert {id_ for id_, each in one.items() if each.state == "fail"} == {"ping.imap", "ping.pop3"}
    assert one["ping.imap"].found == "Connection refused"


@pytest.mark.parametrize(
    ("path", "id_"),
    [(f"{QUEUE}/guard/guard.sock", "ping.milters"), (f"{QUEUE}/private/auth", "ping.sockets")],
)
def test_a_silent_socket_is_named(path: str, id_: str) -> None:
    rows = [row for row in PING["sockets"] if t.cast("dict[str, str]", row)["path"] != path]
    silent = {"path": path, "error": "connection refused"}
    one = sockets(NODE.hostname, {**PING, "sockets": [*rows, silent]})
    assert {each for each, finding in one.items() if finding.state == "fail"} == {id_}
    assert one[id_].found == f"{path} connection refused"


def test_a_postfix_without_milters_is_not_well() -> None:
    assert sockets(NODE.hostname, {**PING, "sockets": []})["ping.milters"].state == "fail"


def test_doveadm_without_an_answer_is_a_failure() -> None:
    one = found(doveadm="doveadm: not found")
    assert {id_ for id_, each in one.items() if each.state == "fail"} == {"ping.doveadm"}


def test_a_host_that_is_not_configured_is_not_asked() -> None:
    one = findings(Servers({}), NODE, {"ours": False, "ping": {}})
    assert [(each.id, each.state) for each in one] == [(id_, "na") for id_ in CATALOGUE]


def test_a_host_that_cannot_be_reached_blocks_the_test() -> None:
    assert [(one.id, one.state) for one in unreached("h")] == [
        (id_, "blocked") for id_ in CATALOGUE
    ]


def test_the_page_has_the_catalogue() -> None:
    page = Path(__file__).parents[5] / "docs" / "findings.md"
    assert as_markdown() in page.read_text(encoding="utf-8")
