# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller sees of a node's ports and names."""

from __future__ import annotations

import socket
import threading
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.action import preflight
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Node
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import (
    Connector,
    ProbeBlocked,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.preflight import PROGRAMS

NODE = Node("mx1", "mx1.hosting.example", 12, ("127.0.0.1",))


class Answers(Connector):
    """A connector with given records; its connections are real."""

    def __init__(self, **records: list[t.Any]) -> None:
        self._records = records
        self.timeout = 2.0

    def records(self, name: str, rdtype: str, *, secure: bool = False) -> list[t.Any]:
        if rdtype not in self._records:
            raise ProbeBlocked(f"{name} cannot be resolved")
        return self._records[rdtype]


@pytest.fixture
def port() -> t.Iterator[int]:
    """The port of a server that answers each connection with a token."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _peer = server.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"token\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_a_probe_must_answer_with_its_token(port: int) -> None:
    assert preflight.port_answer(Answers(), "127.0.0.1", port, "token") == ""
    assert preflight.port_answer(Answers(), "127.0.0.1", port, "other") == "another host answers"


def test_a_port_that_a_program_has_only_takes_the_connection(port: int) -> None:
    assert preflight.port_answer(Answers(), "127.0.0.1", port, "") == ""


def test_a_closed_port_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    assert preflight.port_answer(Answers(), "127.0.0.1", closed, "token") == "connection refused"


def test_a_port_without_a_route_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "has_route", lambda _address: False)
    assert preflight.port_answer(Answers(), "2001:db8::1", 25, "token") is None


def test_only_probes_and_our_programs_are_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def port_answer(_connector: Connector, address: str, port: int, token: str) -> str:
        asked.append((address, port, token))
        return ""

    monkeypatch.setattr(preflight, "port_answer", port_answer)
    facts = {
        "listeners": [
            {"address": "0.0.0.0", "port": 25, "program": "master"},
            {"address": "0.0.0.0", "port": 443, "program": "apache2"},
        ],
        "probed": [80],
    }
    outside = preflight.seen(Answers(A=[], AAAA=[], PTR=[]), NODE, facts, "token")
    assert sorted(asked) == [("127.0.0.1", 25, ""), ("127.0.0.1", 80, "token")]
    assert outside.ports == {("127.0.0.1", 25): "", ("127.0.0.1", 80): ""}
    assert (outside.addresses, outside.reverse) == ([], {"127.0.0.1": []})


def test_dns_without_an_answer_is_a_text() -> None:
    assert preflight.addresses_of(Answers(), "mx1.example") == "mx1.example cannot be resolved"
    assert preflight.names_of(Answers(), "192.0.2.1") == (
        "1.2.0.192.in-addr.arpa cannot be resolved"
    )


def test_the_host_ends_its_listeners_after_the_connections_that_come() -> None:
    args = {name: option.get("default") for name, option in preflight.ARGUMENTS.items()}
    asked = preflight.asked_of_host(args, NODE, "token")
    assert asked["probe"] == list(PROGRAMS)
    assert asked["probe_addresses"] == 1
    assert asked["probe_token"] == "token"
