# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches how changed records spread: to every authoritative server, and out of resolvers' memories. Does input and output; runs on
the controller only (needs dnspython).

PRIVATE to the collection.
"""

from __future__ import annotations

import asyncio
import time
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._dns_plan import Change
    from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Asker, Server

SAMPLE = 20
"""Changes of a zone that are looked at: a server has a version of a zone whole or not at all."""


async def _serial(asker: Asker, server: Server, zone: str) -> int:
    reply = await asker.ask(server, zone, "SOA")
    return int(next(iter(reply.values)).split()[2]) if reply.state == "answer" else -1


def reached(serial: int, goal: int) -> bool:
    """Serial number arithmetic (RFC 1982): the number wraps around."""
    return serial >= 0 and (serial - goal) % 2**32 < 2**31


async def _lag(
    asker: Asker, server: Server, zone: str, goal: int, changes: t.Sequence[Change]
) -> str:
    """What is not there yet; empty when everything is. The serial alone is not enough: servers that the delegation names may
    serve another zone of that name, with a serial of its own."""
    serial = await _serial(asker, server, zone)
    if serial < 0:
        return f"{zone}: {server} does not answer for the zone"
    if not reached(serial, goal):
        return f"{zone}: {server} has serial {serial}, the primary {goal}"
    replies = await asyncio.gather(
        *(asker.ask(server, change.name, change.type) for change in changes)
    )
    for change, reply in zip(changes, replies, strict=True):
        if reply.values != frozenset(change.new):
            return f"{zone}: {server} says something else about {change.name} {change.type} (TTL {reply.ttl} s)"
    return ""


async def authoritative(
    asker: Asker, primary: Server, zone: str, changes: t.Sequence[Change], seconds: float
) -> list[str]:
    """Waits until every authoritative server that the world knows of the zone has what the primary has; says who had not in time."""
    goal = await _serial(asker, primary, zone)
    waiting = await asker.servers_of(zone)
    if not waiting:
        return [
            f"{zone}: the world finds no name server for it; nobody but {primary} has the records"
        ]
    deadline = time.monotonic() + seconds
    while True:
        lags = await asyncio.gather(
            *(_lag(asker, server, zone, goal, changes[:SAMPLE]) for server in waiting)
        )
        waiting = [server for server, lag in zip(waiting, lags, strict=True) if lag]
        if not waiting or time.monotonic() > deadline:
            return [lag for lag in lags if lag]
        await asyncio.sleep(0.5)


async def remembered(asker: Asker, zone: str, changes: t.Sequence[Change]) -> str:
    """For how long our resolver, and so others like it, may still tell the old records; empty when it has the new ones."""
    some = [change for change in changes if change.old and change.old != change.new][:SAMPLE]
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
    return f"{zone}: resolvers may remember old records for another {seconds} s ({what})"
