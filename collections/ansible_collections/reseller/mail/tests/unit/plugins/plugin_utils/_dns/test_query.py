# SPDX-License-Identifier: GPL-3.0-or-later
"""Which name servers this machine can ask at all."""

from __future__ import annotations

import socket
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query


class Probe:
    """A socket on a machine whose own address is ``source``; without one it has no route."""

    source: t.ClassVar[str] = ""

    def __init__(self, *family: int) -> None:
        pass

    def __enter__(self) -> Probe:
        return self

    def __exit__(self, *said: object) -> None:
        pass

    def connect(self, peer: tuple[str, int]) -> None:
        if not self.source:
            raise OSError(101, "Network is unreachable")

    def getsockname(self) -> tuple[str, int]:
        return self.source, 4711


@pytest.mark.parametrize(
    ("source", "server", "reachable"),
    [
        ("2a01:4f8::5", "2001:500:2::c", True),
        ("fd00::5", "2001:500:2::c", False),
        ("fe80::5%eth0", "2001:500:2::c", False),
        ("fd97::1", "fd97::6", True),
        ("", "2001:500:2::c", False),
        ("10.0.0.5", "192.33.4.12", True),
        ("", "192.33.4.12", False),
    ],
)
def test_a_server_is_not_dead_where_this_machine_has_no_way_to_it(
    monkeypatch: pytest.MonkeyPatch, source: str, server: str, reachable: bool
) -> None:
    monkeypatch.setattr(socket, "socket", Probe)
    monkeypatch.setattr(Probe, "source", source)
    assert query._is_reachable(server) is reachable
