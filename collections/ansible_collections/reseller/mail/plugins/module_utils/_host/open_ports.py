# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP ports of a host: which program listens, and short listeners on free ports for a probe.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import selectors
import socket
import struct
import time
import typing as t
from pathlib import Path

_LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp."""


def listeners(proc: Path = Path("/proc")) -> list[dict[str, t.Any]]:
    """Return every listening TCP socket: ``address``, ``port`` and ``program``, sorted.

    Only root can read which program has a socket. It is empty if that is not known.
    """
    rows = [*_sockets(proc / "net" / "tcp"), *_sockets(proc / "net" / "tcp6")]
    programs = _programs(proc, {inode for _address, _port, inode in rows})
    found = {(address, port, programs.get(inode, "")) for address, port, inode in rows}
    return [
        {"address": address, "port": port, "program": program}
        for address, port, program in sorted(found)
    ]


def _sockets(table: Path) -> t.Iterator[tuple[str, int, str]]:
    """Yield address, port and inode of each listening socket of a table of the kernel."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except FileNotFoundError:  # a kernel without IPv6
        return
    for line in lines:
        fields = line.split()
        if fields[3] == _LISTEN:
            address, _colon, port = fields[1].partition(":")
            yield _address(address), int(port, 16), fields[9]


def _address(text: str) -> str:
    """Return an address of a table of the kernel, whose words have the byte order of the host."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _programs(proc: Path, inodes: t.Container[str]) -> dict[str, str]:
    """Return the name of the oldest process that has each socket: children share it with the
    process that opened it."""
    found: dict[str, str] = {}
    numbers = sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdigit())
    for number in numbers:
        with contextlib.suppress(OSError):  # the process has ended, or we are not root
            name = (proc / str(number) / "comm").read_text(errors="replace").strip()
            for link in (proc / str(number) / "fd").iterdir():
                inode = _inode(link)
                if inode in inodes:
                    found.setdefault(inode, name)
    return found


def _inode(link: Path) -> str:
    """Return the inode of the socket that an open file is; empty if it is closed meanwhile."""
    try:
        return os.readlink(link).removeprefix("socket:[").removesuffix("]")
    except FileNotFoundError:
        return ""


def listen(ports: t.Iterable[int], token: str, times: int, seconds: float) -> list[int]:
    """Listen on free ports and answer each connection with a line; return the ports.

    A child process does this. It ends after so many connections to each port, or seconds. This
    process goes on at once. A port that another program has meanwhile taken is left out.
    """
    sockets = [one for port in ports for one in _bound(port)]
    found = sorted({one.getsockname()[1] for one in sockets})
    if sockets and os.fork() == 0:
        try:
            _detach({one.fileno() for one in sockets})
            _answer(
                sockets, token.encode() + b"\r\n", times * len(found), time.monotonic() + seconds
            )
        finally:
            os._exit(0)
    for one in sockets:
        one.close()
    return found


def _bound(port: int) -> list[socket.socket]:
    """Return listening sockets of a port for IPv4 and IPv6, as far as they can be had."""
    found = []
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            one = socket.socket(family, socket.SOCK_STREAM)
        except OSError:  # a kernel without IPv6
            continue
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address, port))
            one.listen()
            found.append(one)
        except OSError:
            one.close()
    return found


def _detach(keep: t.Container[int]) -> None:
    """Leave the session, and give back everything that the connection to the controller waits
    for."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    for entry in os.listdir("/proc/self/fd"):
        number = int(entry)
        if number > 2 and number not in keep:
            with contextlib.suppress(OSError):
                os.close(number)


def _answer(
    sockets: t.Iterable[socket.socket], line: bytes, connections: int, deadline: float
) -> None:
    """Answer connections with a line until so many have come, or until the deadline."""
    with selectors.SelectSelector() as selector:
        for one in sockets:
            one.setblocking(False)
            selector.register(one, selectors.EVENT_READ)
        while connections > 0 and (left := deadline - time.monotonic()) > 0:
            for key, _events in selector.select(left):
                with contextlib.suppress(OSError):
                    connection, _peer = t.cast(socket.socket, key.fileobj).accept()
                    with connection:
                        connection.sendall(line)
                connections -= 1
