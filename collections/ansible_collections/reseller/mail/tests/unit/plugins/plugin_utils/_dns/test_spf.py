# SPDX-License-Identifier: GPL-3.0-or-later
"""SPF chains: the library passes the published suite, and what is ours says what tenants must
know."""

from __future__ import annotations

import asyncio
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import Reply
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.spf import (
    EXTERNAL_ADDRESSES,
    Chain,
    as_library_answer,
    evaluate,
    faults,
)

spftrace = pytest.importorskip("spftrace")
SUITE = Path(__file__).parents[3] / "fixtures" / "rfc7208" / "rfc7208-tests.yml"
"""The openspf.org suite for RFC 7208 as published with pyspf 2.0.14; its licence lies beside it."""
NODE, OTHER = "192.0.2.10", "192.0.2.11"
WANTED = "v=spf1 include:hosting.example -all"
PROVIDER = f"v=spf1 ip4:{NODE} ip4:{OTHER} -all"


class World:
    """Answers like an Asker, from a table: {name: {type: [values]}}; a missing type is an empty
    answer, a missing name NXDOMAIN, None instead of values a server that does not answer."""

    def __init__(self, names: t.Mapping[str, t.Mapping[str, t.Optional[list[str]]]]) -> None:
        self.names = names

    async def look_up(self, name: str, rtype: str) -> Reply:
        types = self.names.get(name.rstrip(".").lower())
        if types is None:
            return Reply("world", "none", why="NXDOMAIN")
        values = types.get(rtype, [])
        if values is None:
            return Reply("world", "silent", why="SERVFAIL")
        return (
            Reply("world", "answer", frozenset(values), 60)
            if values
            else Reply("world", "none", why="NOERROR")
        )


def judged(
    record: t.Union[str, list[str]],
    senders: t.Sequence[str] = (NODE, OTHER),
    relay: str = "",
    **names: t.Any,
) -> dict[str, str]:
    """The faults of acme.example with that record: what was found by the finding's id."""
    texts = [record] if isinstance(record, str) else record
    world = {
        "acme.example": {"TXT": texts},
        "hosting.example": {"TXT": [PROVIDER]},
        **{key.replace("__", "."): value for key, value in names.items()},
    }
    chain = asyncio.run(evaluate(t.cast(t.Any, World(world)), "acme.example", senders))
    return {fault.id: fault.found for fault in faults(chain, WANTED, relay=relay)}


def test_the_record_that_we_ask_for_is_without_fault() -> None:
    assert judged(WANTED) == {}


def test_a_tenant_may_let_others_send_too() -> None:
    assert judged("v=spf1 include:hosting.example ip4:198.51.100.7 -all") == {}


def test_every_address_that_mail_leaves_from_must_pass() -> None:
    found = judged("v=spf1 ip4:192.0.2.10 -all")
    assert found == {"dns.spf_sender": f"addresses for outgoing mail do not pass: {OTHER}: fail"}


def test_the_premium_relay_must_be_included_where_mail_leaves_by_it() -> None:
    relay = {"TXT": ["v=spf1 ip4:198.51.100.25 -all"]}
    found = judged(WANTED, relay="spf.relay.example", spf__relay__example=relay)
    assert found == {
        "dns.spf_sender": (
            "addresses for outgoing mail do not pass: those of the relay"
            " (include:spf.relay.example)"
        )
    }
    for record in (
        "v=spf1 include:hosting.example include:SPF.relay.example -all",
        "v=spf1 include:hosting.example include:through.example -all",
    ):
        through = {"TXT": ["v=spf1 include:spf.relay.example -all"]}
        assert (
            judged(
                record,
                relay="spf.relay.example",
                spf__relay__example=relay,
                through__example=through,
            )
            == {}
        )


def test_the_outbound_addresses_may_be_ipv6() -> None:
    assert "dns.spf_sender" in judged(WANTED, ["2001:db8::1"])
    assert judged("v=spf1 ip6:2001:db8::/64 -all", ["2001:db8::1"]) == {}


@pytest.mark.parametrize(
    "record", ["v=spf1 +all", "v=spf1 ip4:0.0.0.0/0 -all", "v=spf1 include:open.example -all"]
)
def test_nobody_else_may_pass(record: str) -> None:
    found = judged(record, open__example={"TXT": ["v=spf1 all"]})
    assert list(found) == ["dns.spf_any_host"]


@pytest.mark.parametrize(
    ("record", "tail"),
    [
        ("v=spf1 include:hosting.example ~all", "~all"),
        ("v=spf1 include:hosting.example ?all", "?all"),
        ("v=spf1 include:hosting.example", "no all"),
    ],
)
def test_the_tail_refuses(record: str, tail: str) -> None:
    assert judged(record) == {"dns.spf_tail": f"the record ends in {tail} instead of -all"}


def test_a_redirect_has_the_tail_of_its_target() -> None:
    assert judged("v=spf1 redirect=hosting.example") == {}


def includes(number: int) -> dict[str, t.Any]:
    return {f"i{nth}__example": {"TXT": ["v=spf1 -all"]} for nth in range(number)}


def test_ten_lookups_over_the_whole_chain_and_no_more() -> None:
    ten = (
        "v=spf1 include:hosting.example "
        + " ".join(f"include:i{nth}.example" for nth in range(9))
        + " -all"
    )
    assert judged(ten, **includes(9)) == {}
    found = judged(ten.replace(" -all", " include:i9.example -all"), **includes(10))
    assert list(found) == ["dns.spf_lookups"]
    assert found["dns.spf_lookups"].startswith(
        "11 lookups in the whole chain, 10 are allowed: include:hosting.example, include:i0.example"
    )


def test_lookups_of_what_is_included_count_too() -> None:
    deep = "v=spf1 " + " ".join(f"include:i{nth}.example" for nth in range(10)) + " -all"
    assert "dns.spf_lookups" in judged(
        "v=spf1 include:deep.example include:hosting.example -all",
        deep__example={"TXT": [deep]},
        **includes(10),
    )


def test_two_void_lookups_and_no_more() -> None:
    assert judged("v=spf1 include:hosting.example a:gone1.example a:gone2.example -all") == {}
    found = judged(
        "v=spf1 include:hosting.example a:gone1.example a:gone2.example a:gone3.example -all"
    )
    assert found == {"dns.spf_void": "3 lookups find nothing, 2 are allowed"}


@pytest.mark.parametrize(
    "record", ["v=spf1 include:hosting.example ipv4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.999 -all"]
)
def test_a_record_that_cannot_be_evaluated(record: str) -> None:
    assert list(judged(record)) == ["dns.spf_syntax"]


def test_a_circle_of_includes_ends() -> None:
    assert "dns.spf_lookups" in judged("v=spf1 include:acme.example -all")
    assert "dns.spf_lookups" in judged(
        "v=spf1 include:other.example -all",
        other__example={"TXT": ["v=spf1 include:acme.example -all"]},
    )


def test_an_include_without_a_record_breaks_the_whole() -> None:
    assert list(
        judged(
            "v=spf1 include:hosting.example include:nothing.example -all",
            nothing__example={"TXT": ["hello"]},
        )
    ) == ["dns.spf_syntax"]


def test_ptr_is_found_anywhere_in_the_chain() -> None:
    found = judged(
        "v=spf1 include:old.example include:hosting.example -all",
        old__example={"TXT": ["v=spf1 ptr:old.example -all"]},
    )
    assert list(found) == ["dns.spf_ptr"]


def test_the_previous_host_is_named() -> None:
    google = {"_spf__google__com": {"TXT": ["v=spf1 ip4:198.51.100.0/24 -all"]}}
    found = judged("v=spf1 include:hosting.example include:_spf.google.com -all", **google)
    assert found == {
        "dns.spf_leftover": (
            "include:_spf.google.com still lets Google Workspace send as acme.example"
        )
    }


def test_a_sender_that_the_files_name_is_no_leftover() -> None:
    world = {
        "acme.example": {"TXT": ["v=spf1 include:hosting.example include:_spf.google.com -all"]},
        "hosting.example": {"TXT": [PROVIDER]},
        "_spf.google.com": {"TXT": ["v=spf1 -all"]},
    }
    chain = asyncio.run(evaluate(t.cast(t.Any, World(world)), "acme.example", [NODE]))
    assert list(faults(chain, "v=spf1 include:hosting.example include:_spf.google.com -all")) == []


@pytest.mark.parametrize(
    ("record", "rest"),
    [
        (
            "v=spf1 include:hosting.example include:_spf.google.com -all",
            "v=spf1 include:hosting.example -all",
        ),
        ("v=spf1 PTR include:hosting.example -all", "v=spf1 include:hosting.example -all"),
        ("v=spf1 include:hosting.example ~all", "v=spf1 include:hosting.example -all"),
        ("v=spf1 ip4:192.0.2.99 -all", "v=spf1 include:hosting.example -all"),
    ],
)
def test_a_remedy_puts_one_record_in_the_place_of_the_other(record: str, rest: str) -> None:
    """Published beside the one that is there, it would be a second one."""
    world = {
        "acme.example": {"TXT": [record]},
        "hosting.example": {"TXT": [PROVIDER]},
        "_spf.google.com": {"TXT": ["v=spf1 -all"]},
    }
    chain = asyncio.run(evaluate(t.cast(t.Any, World(world)), "acme.example", [NODE]))
    remedies = [one.remedy for one in faults(chain, f'acme.example. 3600 IN TXT "{WANTED}"')]
    assert remedies
    for remedy in remedies:
        assert remedy.endswith(
            f'remove acme.example. 3600 IN TXT "{record}"\npublish acme.example. 3600 IN TXT'
            f' "{rest}"'
        )


def test_a_server_that_does_not_answer_proves_nothing() -> None:
    assert (
        judged(
            "v=spf1 include:silent.example include:hosting.example -all",
            silent__example={"TXT": None},
        )
        == {}
    )


@pytest.mark.parametrize("records", [[], ["hello"], [WANTED, "v=spf1 -all"]])
def test_no_record_or_two_is_for_the_record_set_to_say(records: list[str]) -> None:
    assert judged(records) == {}


def test_the_external_address_is_never_one_of_our_addresses() -> None:
    chain = asyncio.run(
        evaluate(
            t.cast(t.Any, World({"acme.example": {"TXT": ["v=spf1 ip4:198.18.0.1 -all"]}})),
            "acme.example",
            [EXTERNAL_ADDRESSES[0]],
        )
    )
    assert chain.external == "fail"
    assert chain.senders == ((EXTERNAL_ADDRESSES[0], "pass"),)


def test_hostile_records_end() -> None:
    long = "v=spf1 " + " ".join(f"a:{'x' * 60}{nth}.example" for nth in range(2000)) + " -all"
    assert isinstance(judged(long), dict)
    assert isinstance(
        judged("v=spf1 exists:%{i}.%{l}.%{d}.example a:\u00e9.example \x00 -all"), dict
    )


def test_values_reach_the_library_as_it_wants_them() -> None:
    assert as_library_answer(Reply("s", "answer", frozenset(["10 mx.example."])), "MX") == (
        "NOERROR",
        ["mx.example"],
    )
    assert as_library_answer(Reply("s", "answer", frozenset(["10 dots."])), "TXT") == (
        "NOERROR",
        ["10 dots."],
    )
    assert as_library_answer(Reply("s", "silent"), "A") == ("SERVFAIL", [])
    assert as_library_answer(Reply("s", "none", why="NXDOMAIN"), "A") == ("NXDOMAIN", [])


def test_a_chain_is_unsure_only_about_servers() -> None:
    assert Chain("a", (("1", "temperror"),), "fail", 0, 0, ()).is_uncertain
    assert not Chain("a", (("1", "permerror"),), "permerror", 0, 0, ()).is_uncertain


def zone(data: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The suite's zone data for the library: TIMEOUT stands for types that are not named, SPF (type
    99) doubles as TXT unless TXT is named."""
    names: dict[str, t.Any] = {}
    for name, rows in data.items():
        found: list[tuple[str, str]] = []
        named = False
        for row in rows if isinstance(rows, list) else [rows]:
            if row == "TIMEOUT":
                found.append(("*", "TIMEOUT"))
                continue
            ((rtype, value),) = row.items()
            named = named or rtype == "TXT"
            if value != "NONE":
                text = (
                    "".join(map(str, value))
                    if isinstance(value, list) and rtype in ("TXT", "SPF")
                    else str(value[1] if rtype == "MX" else value)
                )
                found.append((rtype, text))
        if not named and ("*", "TIMEOUT") not in found:
            found += [("TXT", value) for rtype, value in found if rtype == "SPF"]
        names[name] = "TIMEOUT" if found == [("*", "TIMEOUT")] else found
    return names


def suite() -> list[t.Any]:
    parts = yaml.safe_load_all(SUITE.read_text(encoding="utf-8"))
    return [
        pytest.param(case, zone(part["zonedata"]), id=f"{part['description']}: {name}")
        for part in parts
        for name, case in part["tests"].items()
    ]


@pytest.mark.parametrize(("case", "names"), suite())
def test_the_suite_of_rfc_7208(case: dict[str, t.Any], names: dict[str, t.Any]) -> None:
    evaluator = spftrace.Evaluator(spftrace.ZoneResolver(names), spftrace.Limits())
    result = asyncio.run(
        evaluator.evaluate(case["host"], case.get("mailfrom", ""), case.get("helo", ""))
    )
    assert result.verdict in (
        case["result"] if isinstance(case["result"], list) else [case["result"]]
    )


def remedies(record: str) -> dict[str, str]:
    """The remedies for acme.example with that record, by the finding's id."""
    gone = {"TXT": ["v=spf1 ip4:198.51.100.7 ~all"]}
    world = World(
        {
            "acme.example": {"TXT": [record]},
            "hosting.example": {"TXT": [PROVIDER]},
            "_spf.google.com": gone,
        }
    )
    chain = asyncio.run(evaluate(t.cast(t.Any, world), "acme.example", (NODE, OTHER)))
    return {
        fault.id: fault.remedy for fault in faults(chain, f'acme.example. 3600 IN TXT "{WANTED}"')
    }


@pytest.mark.parametrize(
    "term",
    [
        "include:_spf.google.com", "a:mail.secureserver.net", "a:mail.secureserver.net/24",
        "a:mail.secureserver.net/24//64", "a:mail.secureserver.net//64",
        "mx:acme.mail.protection.outlook.com", "mx:acme.mail.protection.outlook.com/24",
        "+mx:mx.ovh.com./28",
    ],
)  # fmt: skip
def test_a_former_host_is_known_with_and_without_a_length(term: str) -> None:
    remedy = remedies(f"v=spf1 {term} include:hosting.example -all")["dns.spf_leftover"]
    assert remedy.endswith(f'publish acme.example. 3600 IN TXT "{WANTED}"')


@pytest.mark.parametrize(
    ("record", "publish"),
    [
        ("v=spf1 redirect=_spf.google.com", WANTED),
        ("v=spf1 include:hosting.example redirect=_spf.google.com", WANTED),
        ("v=spf1 include:_spf.google.com", WANTED),
        (
            "v=spf1 ip4:198.51.100.9 include:_spf.google.com ~all",
            "v=spf1 include:hosting.example ip4:198.51.100.9 ~all",
        ),
        ("v=spf1 include:hosting.example ptr", WANTED),
        ("v=spf1 include:_spf.google.com all", WANTED),
        ("v=spf1 include:hosting.example ptr +ALL", WANTED),
        (
            "v=spf1 ptr include:hosting.example ptr:acme.example ~all",
            "v=spf1 include:hosting.example ~all",
        ),
        ("v=spf1 include:_spf.google.com a:mail.secureserver.net redirect=_spf.google.com", WANTED),
        (
            "v=spf1 include:hosting.example include:_spf.google.com redirect=hosting.example",
            "v=spf1 include:hosting.example redirect=hosting.example",
        ),
    ],
)
def test_what_is_to_be_published_has_an_end_and_lets_our_hosts_send(
    record: str, publish: str
) -> None:
    found = remedies(record)
    remedy = found.get("dns.spf_leftover") or found["dns.spf_ptr"]
    assert remedy.endswith(f'publish acme.example. 3600 IN TXT "{publish}"')
