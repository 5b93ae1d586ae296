# SPDX-License-Identifier: GPL-3.0-or-later
"""The one fake name server of the tests: real sockets, UDP and TCP, and answers that a test makes.

Where no sockets are needed, ``AnsweringFromTable`` stands in for the asker itself.
"""

from __future__ import annotations

import socket
import threading
import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import Reply, Server

from .ports import Pair

UDP_SIZE = 1232
"""What fits a datagram with EDNS on every path (DNS Flag Day 2020)."""


class NameServer:
    """A server on one port of one address, in UDP and TCP; a subclass makes the answers."""

    def __init__(self, sockets: Pair) -> None:
        self._udp, self._tcp = sockets
        self.address, self.port = self._udp.getsockname()
        self._tcp.listen()
        for work in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=work, daemon=True).start()

    def answers(self, wire: bytes, most: int) -> t.Sequence[bytes]:
        """Return the messages that go back for one query, each of at most so many bytes."""
        raise NotImplementedError

    def close_tcp(self) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)
        self._tcp.close()

    def close(self) -> None:
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            try:
                wire, peer = self._udp.recvfrom(65535)
            except OSError:
                return
            for answer in self.answers(wire, UDP_SIZE):
                self._udp.sendto(answer, peer)

    def _serve_tcp(self) -> None:
        while True:
            try:
                peer, _address = self._tcp.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as stream:
                wire = stream.read(int.from_bytes(stream.read(2), "big"))
                for answer in self.answers(wire, 65535):
                    peer.sendall(len(answer).to_bytes(2, "big") + answer)


class AnsweringFromTable:
    """An asker that knows the replies: (server, name) → reply.

    ``named`` are the servers that the zone names, ``above`` those that the zone above it names.
    """

    def __init__(
        self,
        zone: str,
        replies: t.Mapping[tuple[str, str], Reply],
        named: t.Sequence[str] = ("ns1", "ns2"),
        above: t.Sequence[str] = ("ns1", "ns2"),
        resolved: t.Sequence[str] = (),
    ) -> None:
        self._zone, self._replies = zone, replies
        self._named, self._above, self._resolved = named, above, resolved or named

    async def ask(self, server: Server, name: str, rdtype: str) -> Reply:
        return self._replies[server.name, name]

    async def zone_of(self, name: str) -> t.Optional[str]:
        return self._zone

    async def servers_of(self, zone: str) -> list[Server]:
        return [Server(name, name) for name in self._named]

    async def delegation(self, zone: str) -> list[Server]:
        return [Server(name, name) for name in self._above]

    async def look_up(self, name: str, rdtype: str) -> Reply:
        return Reply("resolver", "answer", frozenset(f"{name}." for name in self._resolved))
