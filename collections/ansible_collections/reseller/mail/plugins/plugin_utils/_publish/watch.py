# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until all authoritative servers have changed records, and see how long old ones are cached.

PRIVATE to the collection. Does input and output. Runs on the controller only (needs dnspython).
"""

from __future__ import annotations

import asyncio
import time
import typing as t

if t.TYPE_CHECKING:
    from .._dns.query import Asker, Server
    from .plan import Change

SAMPLE = 3
"""Changes of a zone that each server is asked about. It has all changes of a version, or none."""
CACHED = 20
"""Changes of a zone that our resolver is asked about. It may have cached each for another time."""


async def serial(asker: Asker, server: Server, zone: str) -> int:
    """Return the serial number of the server's zone, or -1 if it does not answer."""
    reply = await asker.ask(server, zone, "SOA")
    return int(next(iter(reply.values)).split()[2]) if reply.state == "answer" else -1


def reached(serial: int, goal: int) -> bool:
    """Return whether a serial number is the goal or newer.

    Serial numbers wrap around (RFC 1982).
    """
    return serial >= 0 and (serial - goal) % 2**32 < 2**31


async def _lag(
    asker: Asker, server: Server, zone: str, goal: int, changes: t.Sequence[Change]
) -> str:
    """Return which change the server does not have yet; an empty text if it has all of them.

    To compare the serial is not enough: a server in the delegation may serve another zone of that
    name, which has its own serial.
    """
    current = await serial(asker, server, zone)
    if current < 0:
        return f"{zone}: {server} does not answer for the zone"
    if not reached(current, goal):
        return f"{zone}: {server} has serial {current}, the primary {goal}"
    replies = await asyncio.gather(
        *(asker.ask(server, change.name, change.type) for change in changes)
    )
    for change, reply in zip(changes, replies, strict=True):
        if reply.state == "silent":
            return (
                f"{zone}: {server} gave no usable answer for {change.name} {change.type}:"
                f" {reply.why}"
            )
        if reply.values != frozenset(change.new):
            return (
                f"{zone}: {server} has other data for {change.name} {change.type} (TTL"
                f" {reply.ttl} s)"
            )
    return ""


def _sample(changes: t.Sequence[Change]) -> list[Change]:
    """Return at most ``SAMPLE`` changes, from the first to the last."""
    step = max(1, (len(changes) - 1) // max(1, SAMPLE - 1))
    return list(changes[::step][:SAMPLE])


async def lagging_servers(
    asker: Asker,
    primary: Server,
    zone: str,
    goal: int,
    changes: t.Sequence[Change],
    seconds: float,
) -> list[str]:
    """Wait until every authoritative server that can be found from outside has the primary's data.

    ``goal`` is the serial number of the primary's zone. Wait at most ``seconds``. Return a line for
    each server that does not have the data by then.
    """
    waiting = await asker.servers_of(zone)
    if not waiting:
        return [
            f"{zone}: no name server of this zone can be found from outside; only {primary} has the"
            " records"
        ]
    deadline = time.monotonic() + seconds
    while True:
        lags = await asyncio.gather(
            *(_lag(asker, server, zone, goal, _sample(changes)) for server in waiting)
        )
        waiting = [server for server, lag in zip(waiting, lags, strict=True) if lag]
        if not waiting or time.monotonic() > deadline:
            return [lag for lag in lags if lag]
        await asyncio.sleep(0.5)


async def cached_records(asker: Asker, zone: str, changes: t.Sequence[Change]) -> str:
    """Return for how long resolvers may have old records; an empty text if ours has the new ones.

    Other resolvers may have them as long as the resolver of this machine.
    """
    some = [change for change in changes if change.old and change.old != change.new][:CACHED]
    replies = await asyncio.gather(
        *(asker.ask(asker.resolver, change.name, change.type, recursive=True) for change in some)
    )
    left = [
        (reply.ttl, f"{change.name} {change.type}")
        for change, reply in zip(some, replies, strict=True)
        if reply.state == "answer" and reply.values != frozenset(change.new)
    ]
    if not left:
        return ""
    seconds, what = max(left)
    return f"{zone}: resolvers may have old records for another {seconds} s ({what})"
