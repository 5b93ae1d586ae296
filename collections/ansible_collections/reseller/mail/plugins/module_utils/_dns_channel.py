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
    pass  # whoever asks has looked: `_dns_query.DNSPYTHON_IMPORT_ERROR`

USES = 256
"""Questions from one port; then another one is taken, so that a port is worth little to whoever guesses it."""
KEPT = 2048
"""Answers that are kept as read: a zone's second server says most often, byte by byte, what the first one said a while ago."""
_RANDOM = random.SystemRandom()


class _Channel(asyncio.DatagramProtocol):
    """A connected socket: the kernel drops what comes from elsewhere. Of the rest an answer must have the number and the question
    of one that waits."""

    def __init__(self, read: t.Callable[[bytes], t.Any]) -> None:
        self.left = USES
        self.read = read
        self.waiting: dict[int, tuple[t.Any, asyncio.Future[t.Any]]] = {}
        self.transport: t.Any = None

    def connection_made(self, transport: t.Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, _addr: t.Any) -> None:
        query, future = self.waiting.get(int.from_bytes(data[:2], "big"), (None, None))
        if query is None or future is None or future.done():
            return
        try:
            response = self.read(data)
        except dns.exception.DNSException as exc:
            future.set_exception(exc)
            return
        response.id = (
            query.id
        )  # the number was looked at above; what else makes an answer is the library's to say
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
        self._kept: dict[bytes, t.Any] = {}

    def _read(self, data: bytes) -> t.Any:
        """The message; one that differs from a former one in its number only is that one."""
        body = data[2:]
        if body not in self._kept:
            message = dns.message.from_wire(data, ignore_trailing=True)
            if len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[body] = message
        return self._kept[body]

    async def _channel(self, place: tuple[str, int]) -> _Channel:
        async def make() -> _Channel:
            _transport, channel = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Channel(self._read), remote_addr=place
            )
            return channel

        task = self._open.get(place)
        if task is None or (
            task.done()
            and (
                task.cancelled()
                or task.exception()
                or task.result().left <= 0
                or task.result().transport.is_closing()
            )
        ):
            task = self._open[place] = asyncio.ensure_future(make())
        return await task

    async def udp(
        self, query: t.Any, wire: bytes, address: str, timeout: float, port: int
    ) -> t.Any:
        """The response, which may be truncated; TimeoutError when there is none in time. ``wire`` is the query, to be sent under a number of
        its own."""
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
