# SPDX-License-Identifier: GPL-3.0-or-later
"""Many questions to one name server over few sockets: a socket a question costs more than the question. Does input and output; runs
on the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import random
import typing as t

try:
    import dns.exception
    import dns.message
except ImportError:
    pass    # whoever asks has looked: `_dns_query.DNSPYTHON_IMPORT_ERROR`

USES = 256
"""Questions from one port; then another one is taken, so that a port is worth little to whoever guesses it."""
_RANDOM = random.SystemRandom()


class _Channel(asyncio.DatagramProtocol):
    """A connected socket: the kernel drops what comes from elsewhere. Of the rest an answer must have the number and the question
    of one that waits."""

    def __init__(self) -> None:
        self.left = USES
        self.waiting: dict[int, tuple[t.Any, asyncio.Future[t.Any]]] = {}
        self.transport: t.Any = None

    def connection_made(self, transport: t.Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, _addr: t.Any) -> None:
        query, future = self.waiting.get(int.from_bytes(data[:2], "big"), (None, None))
        if query is None or future is None or future.done():
            return
        try:
            response = dns.message.from_wire(data, ignore_trailing=True)
        except dns.exception.DNSException as exc:
            future.set_exception(exc)
            return
        if query.is_response(response):
            future.set_result(response)

    def error_received(self, exc: Exception) -> None:
        """An ICMP error tells that nobody listens; it does not tell to which question."""
        for _query, future in self.waiting.values():
            if not future.done():
                future.set_exception(exc)


class Channels:
    """The sockets of one asker, by server. One that nothing waits for is closed at once."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Task[_Channel]] = {}

    async def _channel(self, place: tuple[str, int]) -> _Channel:
        async def make() -> _Channel:
            _transport, channel = await asyncio.get_running_loop().create_datagram_endpoint(_Channel, remote_addr=place)
            return channel

        task = self._open.get(place)
        if task is None or (task.done() and (task.cancelled() or task.exception() or task.result().left <= 0 or task.result().transport.is_closing())):
            task = self._open[place] = asyncio.ensure_future(make())
        return await task

    async def udp(self, query: t.Any, address: str, timeout: float, port: int) -> t.Any:
        """The response, which may be truncated; TimeoutError when there is none in time. Sets the query's number."""
        channel = await self._channel((address, port))
        channel.left -= 1
        number = next(number for number in iter(lambda: _RANDOM.randrange(65536), -1) if number not in channel.waiting)
        query.id = number
        future = asyncio.get_running_loop().create_future()
        channel.waiting[number] = (query, future)
        try:
            channel.transport.sendto(query.to_wire())
            return await asyncio.wait_for(future, timeout)
        finally:
            del channel.waiting[number]
            if not channel.waiting:
                channel.transport.close()
