# SPDX-License-Identifier: GPL-3.0-or-later
"""Send many queries to one name server over few UDP sockets.

PRIVATE to the collection. Does input and output. Runs on the controller only (needs dnspython).

A new socket for each query would cost more time than the query itself.
"""

from __future__ import annotations

import asyncio
import random
import typing as t

try:
    import dns.exception
    import dns.message
except ImportError:
    pass  # Callers report `query.DNSPYTHON_IMPORT_ERROR` before they ask anything.

USES = 256
"""Queries from one port. Then another port is used, so that a guessed port is of little use."""
KEPT = 2048
"""Parsed answers that are kept.

The second server of a zone often sends the same bytes as the first one.
"""
_RANDOM = random.SystemRandom()


class _Channel(asyncio.DatagramProtocol):
    """One connected socket, for queries to one server.

    The kernel drops packets from other addresses. An answer must also have the number and the
    question of a query that waits.

    Attributes:
        left: Queries that may still be sent from this port.
        read: The parser of answers.
        waiting: The queries without an answer, by number.
        transport: The socket, once it is open.
    """

    def __init__(self, read: t.Callable[[bytes], t.Any]) -> None:
        self.left = USES
        self.read = read
        self.waiting: dict[int, tuple[t.Any, asyncio.Future[t.Any]]] = {}
        self.transport: t.Any = None

    def connection_made(self, transport: t.Any) -> None:
        """Keep the socket that was opened."""
        self.transport = transport

    def datagram_received(self, data: bytes, _addr: t.Any) -> None:
        """Give an answer to the query that waits for it. Ignore all other packets."""
        query, future = self.waiting.get(int.from_bytes(data[:2], "big"), (None, None))
        if query is None or future is None or future.done():
            return
        try:
            response = self.read(data)
        except dns.exception.DNSException as exc:
            future.set_exception(exc)
            return
        # The number was compared above. The library compares the rest.
        response.id = query.id
        if query.is_response(response):
            future.set_result(response)

    def error_received(self, exc: Exception) -> None:
        """End all waiting queries: an ICMP error does not show which query it is about."""
        for _query, future in self.waiting.values():
            if not future.done():
                future.set_exception(exc)


class Channels:
    """The open sockets, by server. A socket for which no query waits is closed at once."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Task[_Channel]] = {}
        self._kept: dict[bytes, t.Any] = {}

    def _read(self, data: bytes) -> t.Any:
        """Return the parsed message. If only its number is new, return the one parsed before."""
        body = data[2:]
        if body not in self._kept:
            message = dns.message.from_wire(data, ignore_trailing=True)
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[body] = message
        return self._kept[body]

    async def _channel(self, place: tuple[str, int]) -> _Channel:
        """Return the socket for an address and port; open one if there is none to use."""

        async def make() -> _Channel:
            _transport, channel = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Channel(self._read), remote_addr=place
            )
            return channel

        task = self._open.get(place)
        if task is None or _is_used_up(task):
            task = self._open[place] = asyncio.ensure_future(make())
        return await task

    async def udp(
        self, query: t.Any, wire: bytes, address: str, timeout: float, port: int
    ) -> t.Any:
        """Return the response, which may be truncated.

        ``query`` is the message and ``wire`` its bytes, which are sent with a new random number.
        ``timeout`` is in seconds. Raise TimeoutError if no answer came in time, OSError or
        DNSException for other failures.
        """
        channel = await self._channel((address, port))
        channel.left -= 1
        number = next(
            number
            for number in iter(lambda: _RANDOM.randrange(65536), -1)
            if number not in channel.waiting
        )
        future = asyncio.get_running_loop().create_future()
        channel.waiting[number] = (query, future)
        try:
            channel.transport.sendto(number.to_bytes(2, "big") + wire[2:])
            return await asyncio.wait_for(future, timeout)
        finally:
            del channel.waiting[number]
            if not channel.waiting:
                channel.transport.close()


def _is_used_up(task: asyncio.Task[_Channel]) -> bool:
    """Return whether a socket cannot be used for another query, or could not be opened."""
    if not task.done():
        return False
    if task.cancelled() or task.exception():
        return True
    channel = task.result()
    return channel.left <= 0 or bool(channel.transport.is_closing())
