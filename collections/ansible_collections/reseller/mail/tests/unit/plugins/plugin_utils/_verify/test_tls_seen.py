# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls import Evidence
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import Reply
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.tls_seen import look
from ansible_collections.reseller.mail.tests.unit.support.name_server import AnsweringFromTable

MX1 = "mx1.hosting.example"
KEY = 32 * "ab"
GOOD = f"3 1 1 {KEY[:56]} {KEY[56:]}"
"""As dnspython prints it."""


def reply(
    server: str, *values: str, ttl: int = 3600, state: str = "answer", why: str = ""
) -> Reply:
    return Reply(server, state, frozenset(values), ttl, why)


def asked(*replies: Reply, named: tuple[str, ...] = ("ns1", "ns2")) -> Evidence:
    table = {(reply.server, f"_25._tcp.{MX1}"): reply for reply in replies}
    above = [reply.server for reply in replies]
    ours = [name for name in above if name in named]
    asker = AnsweringFromTable("hosting.example", table, ours, above, named)
    return asyncio.run(look(t.cast("t.Any", asker), {MX1: KEY}))[MX1]


def test_a_key_that_every_server_shows() -> None:
    assert asked(
        reply("ns1", GOOD, f"3 1 1 {32 * 'cd'}"), reply("ns2", GOOD.upper(), ttl=86400)
    ) == Evidence(KEY, 86400)


@pytest.mark.parametrize(
    ("second", "why", "absent"),
    [
        (reply("ns2", state="none"), "ns2: no TLSA record", True),
        (
            reply("ns2", f"3 1 1 {32 * 'cd'}", f"2 1 1 {KEY}", f"3 0 1 {KEY}"),
            "ns2: other TLSA records only",
            True,
        ),
        (reply("ns2", "x"), "ns2: other TLSA records only", True),
        (reply("ns2", state="silent", why="SERVFAIL"), "ns2: SERVFAIL", False),
    ],
)
def test_one_server_that_does_not_show_it(second: Reply, why: str, absent: bool) -> None:
    found = asked(reply("ns1", GOOD), second)
    assert (found.why, found.absent) == (why, absent)


def test_a_server_that_cannot_be_found_is_none_that_shows_it() -> None:
    found = asked(reply("ns1", GOOD))
    assert (found.why, found.absent) == ("ns2 cannot be found", False)


def test_a_server_that_only_the_zone_above_names_has_to_show_it_too() -> None:
    found = asked(reply("ns1", GOOD), reply("ns2", GOOD), reply("old", state="none"))
    assert (found.why, found.absent) == ("old: no TLSA record", True)


def test_nobody_to_ask_is_not_everybody_showing_it() -> None:
    assert asked(named=()).why == "the servers of hosting.example cannot be found"
