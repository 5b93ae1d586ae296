# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the mail of each sender leaves, and what the nodes and DNS have to know for that."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns as compiled
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import outgoing, postfix
from ansible_collections.reseller.mail.plugins.plugin_utils._compile.describe import describe
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Spf
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    Estate,
    OutboundHost,
    OutgoingRelay,
    PremiumRelay,
)
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    GLOBEX,
    MX1,
    MX2,
    with_tenant,
)

BULK = OutgoingRelay("bulk", "smtp.bulk.example", 587, "spf.bulk.example", "acme")
PREMIUM = PremiumRelay("smtp.relay.example", 465, "spf.relay.example", "hosting")
NODE = dataclasses.replace(
    MX2,
    outbound_addresses=("192.0.2.22", "2001:db8::22", "192.0.2.23"),
    outbound_hosts=(OutboundHost("out.hosting.example", ("192.0.2.22", "2001:db8::22")),),
)
WITH = dataclasses.replace(ESTATE, nodes=(MX1, NODE), relays=(BULK,), premium_relay=PREMIUM)


def of(domain: t.Any, **changes: t.Any) -> t.Any:
    return dataclasses.replace(domain, **changes)


def globex(estate: Estate = WITH, domain: t.Any = GLOBEX, **tenant: t.Any) -> Estate:
    return with_tenant(estate, "globex", domains=(domain,), **tenant)


def rows(estate: Estate, node: t.Any = NODE) -> dict[str, str]:
    return outgoing.sender_transports(estate, node)


def test_the_estate_s_senders_leave_directly_and_all_others_have_no_row() -> None:
    for node in (MX1, NODE):
        found = rows(WITH, node)
        names = {f"@{name}" for _tenant, domain in WITH.served_domains() for name in domain.names}
        assert set(found) == {"<>", f"@{node.hostname}", "@hosting.example", *names}
        assert set(found.values()) == {"smtp:"}


@pytest.mark.parametrize(
    ("domain", "tenant", "expected"),
    [
        ({}, {"premium_relay": True}, "relay-premium:[smtp.relay.example]:465"),
        ({"outgoing_relay": "bulk"}, {}, "relay-bulk:[smtp.bulk.example]:587"),
        (
            {"outgoing_relay": "bulk"},
            {"premium_relay": True, "outbound_address": "192.0.2.22"},
            "relay-bulk:[smtp.bulk.example]:587",
        ),
        ({"outgoing_relay": "premium"}, {}, "relay-premium:[smtp.relay.example]:465"),
        ({}, {"outbound_address": "192.0.2.22"}, "out-192-0-2-22:"),
        ({}, {"outbound_address": "2001:db8::22"}, "out-192-0-2-22:"),
        ({}, {"outbound_address": "192.0.2.23"}, "out-192-0-2-23:"),
    ],
)
def test_a_relay_wins_over_an_address_and_a_domain_over_its_tenant(
    domain: dict[str, t.Any], tenant: dict[str, t.Any], expected: str
) -> None:
    estate = globex(domain=of(GLOBEX, **domain), **tenant)
    for name in GLOBEX.names:
        assert rows(estate)[f"@{name}"] == expected
    assert rows(estate)["@acme.example"] == "smtp:"
    text = postfix.lookups(estate, NODE)["postfix/sender_transport_maps"]
    assert list(lines.faults("postfix/sender_transport_maps", text.encode(), 13)) == []


@pytest.mark.parametrize(
    ("domain", "tenant", "expected"),
    [
        ({}, {"outbound_address": "192.0.2.22"}, None),
        ({"spf": Spf("mx")}, {}, None),
        ({"outgoing_relay": "bulk"}, {"outbound_address": "192.0.2.22"}, "relay-bulk:"),
    ],
)
def test_another_node_sends_with_its_own_sender_what_spf_does_not_let_it_send(
    domain: dict[str, t.Any], tenant: dict[str, t.Any], expected: t.Optional[str]
) -> None:
    found = rows(globex(domain=of(GLOBEX, **domain), **tenant), MX1).get("@globex.example")
    assert found is expected or str(found).startswith(str(expected))


def test_the_names_of_outbound_hosts_lead_to_their_addresses_and_back() -> None:
    estate = globex(domain=of(GLOBEX, spf=Spf("mx")), outbound_address="192.0.2.22")
    records = {(one.name, one.type): [] for one in compiled.records(estate)}
    for one in compiled.records(estate):
        records[one.name, one.type].append(one.value)
    assert records["out.hosting.example", "A"] == ["192.0.2.22"]
    assert records["out.hosting.example", "AAAA"] == ["2001:db8::22"]
    assert records["out.hosting.example", "TXT"] == ["v=spf1 a -all"]
    assert records["mx2.hosting.example", "A"] == ["192.0.2.2", "192.0.2.23"]
    assert "ip4:192.0.2.22 ip6:2001:db8::22" in records["hosting.example", "TXT"][0]
    assert records["globex.example", "TXT"] == ["v=spf1 mx ip4:192.0.2.22 ip6:2001:db8::22 -all"]
    back = {one.name: one.value for one in compiled.reverse_records(estate)}
    assert back["22.2.0.192.in-addr.arpa"] == "out.hosting.example."
    assert back["23.2.0.192.in-addr.arpa"] == "mx2.hosting.example."


def test_spf_includes_a_relay_for_its_domains_alone_and_keeps_their_tail() -> None:
    domain = of(GLOBEX, outgoing_relay="bulk", spf=Spf(tail="~all"))
    spf = {
        one.name: one.value
        for one in compiled.records(globex(domain=domain))
        if one.value.startswith("v=spf1")
    }
    assert spf["globex.example"] == "v=spf1 include:hosting.example include:spf.bulk.example ~all"
    assert "relay" not in spf["acme.example"]
    assert "bulk" not in spf["acme.example"]


def test_roles_get_transports_and_no_password() -> None:
    assert outgoing.outbound_settings(NODE) == [
        {
            "transport": "out-192-0-2-22",
            "hostname": "out.hosting.example",
            "ipv4": "192.0.2.22",
            "ipv6": "2001:db8::22",
        },
        {
            "transport": "out-192-0-2-23",
            "hostname": "mx2.hosting.example",
            "ipv4": "192.0.2.23",
            "ipv6": "",
        },
    ]
    assert [one["transport"] for one in outgoing.relay_settings(WITH)] == [
        "relay-premium",
        "relay-bulk",
    ]


def test_a_diff_shows_where_the_mail_of_a_domain_leaves() -> None:
    estate = globex(domain=of(GLOBEX, outgoing_relay="bulk"))
    assert "outgoing mail of globex.example via smtp.bulk.example:587" in describe(estate, NODE)
    estate = globex(outbound_address="192.0.2.22")
    line = "outgoing mail of globex.example from 192.0.2.22, 2001:db8::22"
    assert line in describe(estate, NODE)
