# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._dns_query import Reply, Server
from ansible_collections.reseller.mail.plugins.module_utils._tls_evidence import look
from ansible_collections.reseller.mail.plugins.module_utils._tls_keys import Evidence

MX1 = "mx1.hosting.example"
KEY = 32 * "ab"
GOOD = f"3 1 1 {KEY[:56]} {KEY[56:]}"
"""As dnspython prints it."""


class World:
    """Name servers that are asked about one name. The zone names ``named``, the one above it all that answer."""

    def __init__(self, *replies: Reply, named: tuple[str, ...] = ("ns1", "ns2")) -> None:
        self.replies, self.named = {reply.server: reply for reply in replies}, named

    async def ask(self, server: Server, name: str, rdtype: str) -> Reply:
        assert (name, rdtype) == (f"_25._tcp.{MX1}", "TLSA")
        return self.replies[server.name]

    async def delegation(self, zone: str) -> list[Server]:
        return [Server(name, name) for name in self.replies]

    async def zone_of(self, name: str) -> t.Optional[str]:
        return "hosting.example"

    async def servers_of(self, zone: str) -> list[Server]:
        return [Server(name, name) for name in self.replies if name in self.named]

    async def look_up(self, name: str, rdtype: str) -> Reply:
        return Reply("resolver", "answer", frozenset(f"{name}." for name in self.named))


def said(server: str, *values: str, ttl: int = 3600, state: str = "answer", why: str = "") -> Reply:
    return Reply(server, state, frozenset(values), ttl, why)


def asked(*replies: Reply, named: tuple[str, ...] = ("ns1", "ns2")) -> Evidence:
    return asyncio.run(look(t.cast("t.Any", World(*replies, named=named)), {MX1: KEY}))[MX1]


def test_a_key_that_every_server_shows() -> None:
    assert asked(
        said("ns1", GOOD, f"3 1 1 {32 * 'cd'}"), said("ns2", GOOD.upper(), ttl=86400)
    ) == Evidence(KEY, 86400)


@pytest.mark.parametrize(
    ("second", "why", "absent"),
    [
        (said("ns2", state="none"), "ns2: no TLSA record", True),
        (
            said("ns2", f"3 1 1 {32 * 'cd'}", f"2 1 1 {KEY}", f"3 0 1 {KEY}"),
            "ns2: other TLSA records only",
            True,
        ),
        (said("ns2", "x"), "ns2: other TLSA records only", True),
        (said("ns2", state="silent", why="SERVFAIL"), "ns2: SERVFAIL", False),
    ],
)
def test_one_server_that_does_not_show_it(second: Reply, why: str, absent: bool) -> None:
    found = asked(said("ns1", GOOD), second)
    assert (found.why, found.absent) == (why, absent)


def test_a_server_that_cannot_be_found_is_none_that_shows_it() -> None:
    found = asked(said("ns1", GOOD))
    assert (found.why, found.absent) == ("ns2 cannot be found", False)


def test_a_server_that_only_the_zone_above_names_has_to_show_it_too() -> None:
    found = asked(said("ns1", GOOD), said("ns2", GOOD), said("old", state="none"))
    assert (found.why, found.absent) == ("old: no TLSA record", True)


def test_nobody_to_ask_is_not_everybody_showing_it() -> None:
    assert asked(named=()).why == "the servers of hosting.example cannot be found"
