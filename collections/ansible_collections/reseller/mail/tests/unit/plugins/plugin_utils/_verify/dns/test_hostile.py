# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify ends soon with printable findings, whatever a name server answers.

The server here is resolver and authority in one, on loopback, and answers what a test wants. The
operator of a zone may choose all names.
"""

from __future__ import annotations

import asyncio
import random
import time
import typing as t
from dataclasses import replace
from pathlib import Path

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns as compile_dns
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import (
    MOST_SERVERS,
    PATIENCE,
    TRIES,
    Asker,
    server_at,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.zone_text import rdata
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import DkimKey, NodeState
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.dns import ask
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding
from ansible_collections.reseller.mail.tests.unit.support.name_server import UDP_SIZE, NameServer
from ansible_collections.reseller.mail.tests.unit.support.ports import one_port

ESTATE = Path(__file__).parents[4] / "fixtures" / "estate"
Values = t.Callable[[str, str], t.List[str]]
"""By name and type the values, in a zone file's words; ``CNAME …`` is one."""


class Hostile(NameServer):
    """``values_of`` gives the values; ``twist`` may change a response's bytes, or leave it out."""

    def __init__(
        self, values_of: Values, twist: t.Callable[[bytes, bool], t.Sequence[bytes]]
    ) -> None:
        self._values, self._twist, self.asked = values_of, twist, 0
        ((udp, tcp),) = one_port("127.0.0.1")
        super().__init__((udp, tcp))

    def answers(self, wire: bytes, most: int) -> t.Sequence[bytes]:
        return self._twist(self._answer(wire, most), most > UDP_SIZE)

    def _answer(self, data: bytes, most: int) -> bytes:
        self.asked += 1
        query = dns.message.from_wire(data)
        name, rdtype = (
            query.question[0].name.to_text().rstrip(".").lower(),
            dns.rdatatype.to_text(query.question[0].rdtype),
        )
        response = dns.message.make_response(query, recursion_available=True)
        response.flags |= dns.flags.AA
        values = {"SOA": ["ns1. root. 1 3600 600 86400 60"]} if name.count(".") <= 1 else {}
        values["NS"] = ["ns1.none.example."]
        texts = self._values(name, rdtype) or values.get(
            rdtype, ["127.0.0.1"] if (name, rdtype) == ("ns1.none.example", "A") else []
        )
        kind = "CNAME" if texts and texts[0].startswith("CNAME ") else rdtype
        if texts:
            response.answer = [
                dns.rrset.from_text_list(
                    f"{name}.", 300, "IN", kind, [text.removeprefix("CNAME ") for text in texts]
                )
            ]
        try:
            return response.to_wire(max_size=most)
        except dns.exception.TooBig:
            short = dns.message.make_response(query, recursion_available=True)
            short.flags |= dns.flags.AA | dns.flags.TC
            return short.to_wire()


def nothing(_name: str, _type: str) -> list[str]:
    return []


def same(wire: bytes, _tcp: bool) -> list[bytes]:
    return [wire]


def verified(
    values_of: Values,
    twist: t.Callable[[bytes, bool], t.Sequence[bytes]] = same,
    timeout: float = 1.0,
    states: tuple[NodeState, ...] = (),
) -> tuple[list[Finding], Hostile]:
    server = Hostile(values_of, twist)
    model = replace(t.cast("t.Any", MODEL), states=states)

    async def run() -> list[Finding]:
        return await ask.findings(model, Asker("127.0.0.1", timeout, 50, server.port))

    begun = time.monotonic()
    try:
        found = asyncio.run(run())
    finally:
        server.close()
    assert time.monotonic() - begun < 60
    for one in found:
        text = f"{one.found}{one.expected}{one.remedy}"
        assert len(text) < 20000, (one.id, len(text))
        assert all(char.isprintable() or char == "\n" for char in text), one
    return found, server


def ids(found: t.Iterable[Finding], subject: str = "acme.example") -> set[str]:
    return {one.id for one in found if one.subject == subject and one.state in ("fail", "warn")}


def only(name: str, rdtype: str, values: list[str], rest: Values = nothing) -> Values:
    return lambda asked, kind: values if (asked, kind) == (name, rdtype) else rest(asked, kind)


MODEL = load(str(ESTATE))[0]
OURS: dict[tuple[str, str], list[str]] = {}
for _record in compile_dns.records(MODEL) if MODEL else ():
    if _record.type == "MX" or _record.domain == "hosting.example":
        OURS.setdefault((_record.name, _record.type), []).append(rdata(_record.type, _record.value))


def ours(name: str, rdtype: str) -> list[str]:
    """Just as much as lets everything else be asked."""
    return OURS.get((name, rdtype), [])


def test_the_server_says_what_it_should() -> None:
    found, _server = verified(ours)
    assert {"dns.spf_missing", "dns.dmarc_missing"} <= ids(found)
    assert "dns.mx_missing" in ids(verified(nothing)[0])


KEYS = {
    kind: DkimKey("acme.example", kind, letter * 43 + "=", kind)
    for kind, letter in (("rsa", "A"), ("ed25519", "B"))
}


def denied(wire: bytes, _tcp: bool) -> list[bytes]:
    """NXDOMAIN for every name below ``_domainkey`` that has no record, and for ``_domainkey``
    itself, which may be no less than empty."""
    return [
        (
            wire[:3] + b"\3" + wire[4:]
            if b"\x0a_domainkey\4acme" in wire and wire[6:8] == b"\0\0"
            else wire
        )
    ]


@pytest.mark.parametrize(
    ("keys", "twist", "expected"),
    [
        (("rsa", "ed25519"), same, set()),
        (("rsa", "ed25519"), denied, {"dns.dkim_hidden"}),
        (("rsa",), denied, {"dns.dkim_ed25519_missing", "dns.dkim_hidden"}),
        (
            ("default",),
            denied,
            {"dns.dkim_selector", "dns.dkim_ed25519_missing", "dns.dkim_hidden"},
        ),
        ((), denied, {"dns.dkim_none"}),
        ((), same, {"dns.dkim_missing", "dns.dkim_ed25519_missing"}),
    ],
)
def test_what_has_keys_below_it_exists(
    keys: tuple[str, ...], twist: t.Callable[[bytes, bool], t.Sequence[bytes]], expected: set[str]
) -> None:
    """RFC 8020: a resolver that believes a server which denies ``_domainkey`` asks for no key."""
    there = {
        f"{key}._domainkey.acme.example": [f'"v=DKIM1; k={one.algorithm}; p={one.public}"']
        for key in keys
        for one in [KEYS.get(key, KEYS["rsa"])]
    }
    found, _server = verified(
        lambda name, rdtype: there.get(name, []) if rdtype == "TXT" else ours(name, rdtype),
        twist,
        states=(NodeState("mx1", tuple(KEYS.values())),),
    )
    assert {id_ for id_ in ids(found) if id_.startswith("dns.dkim")} == expected


def test_a_key_that_is_elsewhere_and_denied_ends_no_run() -> None:
    there = {
        ("default._domainkey.acme.example", "TXT"): [f'"v=DKIM1; k=rsa; p={KEYS["rsa"].public}"']
    }
    found, _server = verified(
        lambda *asked: there.get(asked, []) or ours(*asked),
        denied,
        states=(NodeState("mx1", (KEYS["rsa"],)),),
    )
    assert {id_ for id_ in ids(found) if id_.startswith("dns.dkim")} == {
        "dns.dkim_selector",
        "dns.dkim_hidden",
    }


def test_a_thousand_mx_do_not_have_us_ask_a_thousand_hosts() -> None:
    found, server = verified(
        only(
            "acme.example", "MX", [f"{number} h{number}.victim.example." for number in range(1000)]
        ),
        timeout=8,
    )
    assert ids(found) & {"dns.mx_foreign", "dns.mx_unresolved"}
    assert server.asked < 400
    remedy = next(one.remedy for one in found if one.id in ("dns.mx_foreign", "dns.mx_unresolved"))
    assert "and 980 more" in remedy


def test_a_thousand_name_servers_are_not_all_asked() -> None:
    names = [f"n{number}.victim.example." for number in range(1000)]

    def values_of(name: str, rdtype: str) -> list[str]:
        if rdtype == "NS" and name == "acme.example":
            return names
        if rdtype == "A" and name.endswith("victim.example"):
            return [
                f"127.0.{int(name[1:].partition('.')[0]) // 250 + 1}.{int(name[1:].partition('.')[0]) % 250 + 1}"
            ]
        return ours(name, rdtype)

    found, server = verified(values_of, timeout=5)
    assert server.asked < 500
    assert any(one.id.startswith("dns.servers_") for one in found)
    assert MOST_SERVERS < 100


def test_a_thousand_receivers_of_reports_are_not_all_asked_about() -> None:
    rua = ",".join(f"mailto:x@d{number}.victim.example" for number in range(1000))
    parts = " ".join(f'"{rua[place : place + 255]}"' for place in range(0, len(rua), 255))
    _found, server = verified(
        only("_dmarc.acme.example", "TXT", [f'"v=DMARC1; p=none; rua=" {parts}'], ours)
    )
    assert server.asked < 400


@pytest.mark.parametrize(
    "domain", ["a..b", "." * 5, "a" * 64 + ".example", "\\195\\182..example", "xn--\\255.example"]
)
def test_a_domain_that_can_be_none_is_a_finding(domain: str) -> None:
    found, _server = verified(
        only("_dmarc.acme.example", "TXT", [f'"v=DMARC1; p=none; rua=mailto:x@{domain}"'], ours)
    )
    assert "dns.dmarc_syntax" in ids(found)


@pytest.mark.parametrize(
    "spf",
    [
        "v=spf1 include:a..b -all",
        "v=spf1 exists:%{i}.%{l}.%{o}..x -all",
        "v=spf1 include:" + "c" * 64 + ".example -all",
        "v=spf1 redirect=\\255\\000.example",
        "v=spf1 include:\\027[31m.secureserver.net -all",
        "v=spf1 include:acme.example include:acme.example -all",
        "v=spf1 " + "mx " * 40 + "-all",
    ],
)
def test_an_spf_record_that_cannot_be_followed_is_a_finding(spf: str) -> None:
    parts = " ".join(f'"{spf[place : place + 250]}"' for place in range(0, len(spf), 250))
    found, _server = verified(only("acme.example", "TXT", [parts], ours))
    assert {id_ for id_ in ids(found) if id_.startswith("dns.spf")}


def test_text_that_would_act_on_a_terminal_or_a_page_is_shown_as_it_is() -> None:
    evil = (
        '"v=spf1 \\027[31m\\007\\155\\013\\010 <script>alert(1)</script> \\226\\128\\174 {{ 7 * 7'
        ' }} -all"'
    )
    found, _server = verified(only("acme.example", "TXT", [evil, '"v=spf1 -all"'], ours))
    two = next(one for one in found if one.id == "dns.spf_two")
    assert "\\x1b[31m" in two.found
    assert "<script>" in two.found


def test_a_giant_set_is_read_and_not_repeated() -> None:
    found, _server = verified(
        only(
            "acme.example",
            "TXT",
            [f'"v=spf1 ip4:192.0.2.{number % 250} n{number} -all"' for number in range(1200)],
            ours,
        ),
        timeout=8,
    )
    two = next(one for one in found if one.id == "dns.spf_two")
    assert two.found.startswith("1200 SPF records")
    assert "and 1180 more" in two.remedy


@pytest.mark.parametrize("length", [1, 2, 9, 40])
def test_aliases_in_a_circle_or_a_long_chain(length: int) -> None:
    def values_of(name: str, rdtype: str) -> list[str]:
        if name.endswith("acme.example") and rdtype not in ("NS", "SOA", "MX"):
            number = (
                int(name.partition(".")[0][1:])
                if name.startswith("c") and name[1].isdigit()
                else -1
            )
            return [f"CNAME c{(number + 1) % length}.acme.example."]
        return ours(name, rdtype)

    found, _server = verified(values_of)
    assert ids(found)


def test_wildcards_answer_for_everything() -> None:
    wild = {"TXT": ['"nonsense"'], "A": ["192.0.2.1"]}
    found, _server = verified(
        lambda name, rdtype: (
            wild.get(rdtype, [])
            if name.endswith("acme.example") and rdtype in wild
            else ours(name, rdtype)
        )
    )
    assert "dns.wildcard" in ids(found)


def _wrong_number(wire: bytes, _tcp: bool) -> list[bytes]:
    return [bytes([wire[0] ^ 1]) + wire[1:]]


def _other_question(wire: bytes, _tcp: bool) -> list[bytes]:
    return [wire.replace(b"\4acme", b"\4evil")]


def _cut(wire: bytes, _tcp: bool) -> list[bytes]:
    return [wire[:-3]]


@pytest.mark.parametrize(
    "twist", [_wrong_number, _other_question, _cut], ids=["number", "question", "cut"]
)
def test_an_answer_to_something_else_proves_nothing(
    twist: t.Callable[[bytes, bool], t.Sequence[bytes]],
) -> None:
    async def run() -> t.Any:
        server = Hostile(ours, twist)
        port = server.port
        try:
            return await Asker("127.0.0.1", 0.3, 50, port).ask(
                server_at("127.0.0.1", port), "acme.example", "MX"
            )
        finally:
            server.close()

    assert asyncio.run(run()).state == "silent"


def test_a_guess_does_not_end_the_wait_for_the_answer() -> None:
    async def run() -> t.Any:
        server = Hostile(ours, lambda wire, tcp: [*_wrong_number(wire, tcp), b"", b"\0", wire])
        port = server.port
        try:
            return await Asker("127.0.0.1", 1.0, 50, port).ask(
                server_at("127.0.0.1", port), "acme.example", "MX"
            )
        finally:
            server.close()

    assert asyncio.run(run()).values == {"10 mx1.hosting.example."}


@pytest.mark.parametrize("misses", [1, PATIENCE])
def test_answers_that_are_lost_at_one_time_are_one_miss(misses: int) -> None:
    """Fifty questions at once without an answer, ``misses`` times; then the server is there
    again."""

    async def run() -> t.Any:
        server = Hostile(ours, lambda wire, tcp: [wire] if awake else [])
        port = server.port
        asker = Asker("127.0.0.1", 0.2, 50, port)
        try:
            awake = False
            for _turn in range(-(-misses // TRIES)):
                await asyncio.gather(
                    *(
                        asker.ask(server_at("127.0.0.1", port), f"n{number}.acme.example", "MX")
                        for number in range(50)
                    )
                )
            awake = True
            return (await asker.ask(server_at("127.0.0.1", port), "acme.example", "MX")).state
        finally:
            server.close()

    assert asyncio.run(run()) == ("answer" if misses == 1 else "silent")


@pytest.mark.parametrize("seed", range(6))
def test_any_bytes_in_any_record(seed: int) -> None:
    """Names, texts and numbers out of the blue, for every question."""
    chance = random.Random(seed)

    def escaped(least: int, most: int) -> str:
        return "".join(
            f"\\{chance.randrange(256):03d}" for _each in range(chance.randint(least, most))
        )

    def name() -> str:
        return ".".join(escaped(1, 20) for _each in range(chance.randint(1, 4))) + "."

    def text() -> str:
        start = chance.choice(
            [
                "",
                "v=spf1 ",
                "v=DMARC1; p=",
                "v=DKIM1; p=",
                "v=STSv1; id=",
                "v=TLSRPTv1; rua=mailto:",
                "v=DMARC1; p=none; rua=mailto:a@",
            ]
        )
        return " ".join(
            f'"{start if not place else ""}{escaped(0, 40)}"'
            for place in range(chance.randint(1, 4))
        )

    def values_of(asked: str, rdtype: str) -> list[str]:
        if (
            asked in ("", "example", "hosting.example", "ns1.none.example")
            or rdtype in ("SOA", "NS")
            or chance.random() < 0.2
        ):
            return []
        if rdtype == "MX" and chance.random() < 0.7:
            return ours(asked, rdtype)
        if chance.random() < 0.1:
            return [f"CNAME {name()}"]

        def number() -> int:
            return chance.randrange(65536)

        one: dict[str, t.Callable[[], str]] = {
            "TXT": text,
            "SPF": text,
            "A": lambda: f"192.0.2.{chance.randrange(256)}",
            "AAAA": lambda: f"2001:db8::{number():x}",
            "MX": lambda: f"{number()} {name()}",
            "SRV": lambda: f"{number()} {number()} {number()} {name()}",
            "PTR": name,
            "CAA": lambda: (
                f"{chance.randrange(256)} {chance.choice(['issue', 'iodef', 'x1'])}"
                f' "{escaped(0, 30)}"'
            ),
            "TLSA": lambda: (
                f"{chance.randrange(256)} {chance.randrange(256)} {chance.randrange(256)}"
                f" {chance.randbytes(chance.randint(1, 40)).hex()}"
            ),
        }
        return [one[rdtype]() for _each in range(chance.randint(1, 4))] if rdtype in one else []

    found, _server = verified(values_of)
    assert ids(found)
