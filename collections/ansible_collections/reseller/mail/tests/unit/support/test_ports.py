# SPDX-License-Identifier: GPL-3.0-or-later
"""A test's server gets its port, whatever else runs on the machine."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support import ports

TESTS = Path(__file__).parents[2]


def test_a_port_that_is_taken_in_one_protocol_or_at_one_address_is_not_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first UDP port that the system would give is taken in TCP at the second address."""
    given: list[int] = []
    taken = socket.create_server(("127.0.0.2", 0))
    make = ports._sockets

    class Unlucky(socket.socket):
        def bind(self, address: tuple[str, int]) -> None:
            super().bind(address if given else (address[0], taken.getsockname()[1]))
            given.append(self.getsockname()[1])

    monkeypatch.setattr(
        ports, "_sockets", lambda: (Unlucky(socket.AF_INET, socket.SOCK_DGRAM), make()[1])
    )
    with taken:
        pairs = ports.one_port("127.0.0.1", "127.0.0.2")
        assert given[0] == taken.getsockname()[1]
        assert len({one.getsockname()[1] for pair in pairs for one in pair} - {given[0]}) == 1
        assert [one.getsockname()[0] for pair in pairs for one in pair] == ["127.0.0.1"] * 2 + [
            "127.0.0.2"
        ] * 2
    for pair in pairs:
        for one in pair:
            one.close()


def test_no_test_asks_for_a_port_of_its_own_choice() -> None:
    """Servers bind port 0 and tell which one they got, or take what ports.one_port holds."""
    opens = re.compile(
        r"(?:create_server|start_server|HTTPServer|TCPServer|UDPServer|local_addr=|\.bind)\W+\(?[^()]*?[\"\w.\])],"
        r" *([\w.]+)"
    )
    chosen = [
        f"{path.relative_to(TESTS)}: {found.group()}"
        for folder in ("unit", "browser")
        for path in sorted((TESTS / folder).rglob("*.py"))
        if path.name not in ("ports.py", Path(__file__).name)
        for found in opens.finditer(path.read_text(encoding="utf-8"))
        if re.fullmatch(r"[1-9]\d*|(?:\w+\.)?_?port\w*", found.group(1))
    ]
    assert chosen == []
