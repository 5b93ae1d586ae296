# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports for servers in tests: the system gives them, and what it gives is held until it is used."""

from __future__ import annotations

import contextlib
import socket
import typing as t

Pair = t.Tuple[socket.socket, socket.socket]


def one_port(*addresses: str, tries: int = 100) -> list[Pair]:
    """Return for each address a UDP and a TCP socket that are bound to the same port, the same for
    all of them.

    The system gives a port that is free in one of the protocols at one of the addresses. In the
    others somebody else may have it, an outgoing connection for example: then the next one is asked
    for.
    """
    for _attempt in range(tries):
        with contextlib.ExitStack() as bound:
            port, pairs = 0, []
            try:
                for address in addresses:
                    udp, tcp = pair = _sockets()
                    bound.callback(udp.close)
                    bound.callback(tcp.close)
                    udp.bind((address, port))
                    port = udp.getsockname()[1]
                    tcp.bind((address, port))
                    pairs.append(pair)
            except OSError:
                continue
            bound.pop_all()
            return pairs
    raise OSError(f"no port is free in UDP and TCP on {', '.join(addresses)}")


def _sockets() -> Pair:
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    tcp.setsockopt(
        socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
    )  # connections of an earlier test that are not quite gone
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM), tcp
