# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import typing as t

import dns.message
import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.dkim import KeyName, Shown
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import Asker, Reply, Server
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import DkimKey
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dkim_seen import look
from ansible_collections.reseller.mail.tests.unit.support.name_server import AnsweringFromTable

NAME = KeyName("acme.example", "mx1-2")
OWNER = str(NAME)


def table(
    replies: t.Mapping[tuple[str, str], Reply],
    servers: tuple[str, ...] = ("ns1", "ns2"),
    named: tuple[str, ...] = (),
    above: tuple[str, ...] = (),
) -> AnsweringFromTable:
    return AnsweringFromTable("acme.example", replies, servers, above or servers, named)


def reply(server: str, *values: str, state: str = "answer", **more: str) -> Reply:
    return Reply(server, state, frozenset(values), **more)


def asked(asker: AnsweringFromTable) -> t.Union[Shown, str]:
    shown, missing = asyncio.run(
        look(t.cast("t.Any", asker), {NAME: DkimKey("acme.example", "mx1-2", "PP")})
    )
    return shown[NAME] if shown else missing[NAME]


GOOD = "v=DKIM1; k=rsa; p=P P"


def test_a_key_that_every_server_shows_is_shown() -> None:
    asker = table({("ns1", OWNER): reply("ns1", GOOD), ("ns2", OWNER): reply("ns2", GOOD)})
    assert asked(asker) == Shown("PP", ("ns1", "ns2"))


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (reply("ns2", state="none"), "no such record"),
        (reply("ns2", state="silent", why="SERVFAIL"), "SERVFAIL"),
        (reply("ns2", "v=DKIM1; p=Q"), "another key"),
        (reply("ns2", "v=DKIM1; p="), "another key"),
        (reply("ns2", GOOD, "v=DKIM1; p=Q"), "more than one TXT record"),
        (reply("ns2", "v=DKIM1; k=ed25519; p=PP"), "the right key, with the type ed25519"),
        (reply("ns2", "v=DKIM1; h=sha1; p=PP"), "the right key, for signatures by sha1 only"),
        (reply("ns2", "v=DKIM1; s=tlsrpt; p=PP"), "the right key, for tlsrpt and not for mail"),
        (reply("ns2", "v=DKIM2; p=PP"), "its version is DKIM2"),
        (reply("ns2", "v=DKIM1; p=PP; p=PP"), "it has p= twice"),
        (reply("ns2", "V=DKIM1; P=PP"), "it has no tag p="),
        (reply("ns2", "p=PP; v=DKIM1"), "v= is not the first tag"),
    ],
)
def test_one_server_that_does_not_show_it_is_enough(second: Reply, why: str) -> None:
    assert (
        asked(table({("ns1", OWNER): reply("ns1", GOOD), ("ns2", OWNER): second})) == f"ns2: {why}"
    )


def test_a_server_that_cannot_be_found_is_no_server_that_shows_it() -> None:
    asker = table({("ns1", OWNER): reply("ns1", GOOD)}, servers=("ns1",), named=("ns1", "ns2"))
    assert asked(asker) == "ns2 cannot be found"


def test_a_server_that_only_the_zone_above_names_has_to_show_it_too() -> None:
    both = {(server, OWNER): reply(server, GOOD) for server in ("ns1", "ns2")}
    assert (
        asked(table(both | {("old", OWNER): reply("old", state="none")}, above=("ns1", "old")))
        == "old: no such record"
    )
    assert asked(table(both | {("old", OWNER): reply("old", GOOD)}, above=("ns1", "old"))) == Shown(
        "PP", ("ns1", "ns2", "old")
    )


def test_tags_that_harm_nobody_are_no_reason_to_wait() -> None:
    text = "v=DKIM1; h=sha1:sha256; s=email; t=s; n=a note; p=PP"
    assert asked(
        table({(server, OWNER): reply(server, text) for server in ("ns1", "ns2")})
    ) == Shown("PP", ("ns1", "ns2"))


def test_a_delegated_selector_is_followed_to_its_target() -> None:
    link = {
        (server, OWNER): reply(server, state="none", alias="key.p.example")
        for server in ("ns1", "ns2")
    }
    target = {(server, "key.p.example"): reply(server, GOOD) for server in ("ns1", "ns2")}
    assert asked(table(link | target)) == Shown("PP", ("ns1", "ns2"))
    half = {**link, ("ns2", OWNER): reply("ns2", GOOD)}
    assert asked(table(half | target)) == "its servers disagree whether it is a CNAME"
    loop = {
        (server, "key.p.example"): reply(server, state="none", alias=OWNER)
        for server in ("ns1", "ns2")
    }
    assert asked(table(link | loop)) == "more than 8 CNAMEs"


REFERRAL = """id 1
opcode QUERY
rcode NOERROR
flags QR
;QUESTION
acme.example. IN NS
;AUTHORITY
acme.example. 3600 IN NS ns1.acme.example.
acme.example. 3600 IN NS old.acme.example.
;ADDITIONAL
ns1.acme.example. 3600 IN A 127.0.0.1
old.acme.example. 3600 IN A 127.0.0.2
"""


def test_the_zone_above_may_name_a_server_that_only_it_knows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that was taken out of a zone, and stays in the registry: resolvers are led to
    it by its glue."""
    asker = Asker("127.0.0.9")
    asked: list[str] = []

    async def exchange(server: Server, name: str, rdtype: str, recursive: bool) -> t.Any:
        asked.append(f"{server.name} {name} {rdtype}")
        return dns.message.from_text(REFERRAL)

    async def addresses(name: str) -> list[str]:
        return ["127.0.0.1"] if name == "ns1.acme.example" else []

    async def above(name: str) -> str:
        return "example"

    async def servers(zone: str) -> list[Server]:
        return [Server("ns.example", "127.0.0.3")]

    for name, work in (
        ("_exchange", exchange),
        ("addresses", addresses),
        ("zone_of", above),
        ("servers_of", servers),
    ):
        monkeypatch.setattr(asker, name, work)

    async def twice() -> list[Server]:
        await asker.delegation("acme.example")
        return await asker.delegation("acme.example")

    assert asyncio.run(twice()) == [
        Server("ns1.acme.example", "127.0.0.1"),
        Server("old.acme.example", "127.0.0.2"),
    ]
    assert asked == ["ns.example acme.example NS"], "asked once"
