# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node that somebody took over may say of keys."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns, opendkim
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.node_report import (
    MOST_KEYS,
    judged,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    Node,
    NodeState,
    TlsKey,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.node_state import text
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX1,
    MX2,
    with_tenant,
)

PUBLIC = "MIIB" + 97 * "abcd"
OTHER = "MIIC" + 97 * "abcd"
SINCE = "2026-11-21T14:00:00Z"


def row(domain: str = "acme.example", selector: str = "mx1", **more: t.Any) -> dict[str, t.Any]:
    return {
        "domain": domain,
        "selector": selector,
        "algorithm": "rsa",
        "state": "active",
        "since": SINCE,
        "public": PUBLIC,
        **more,
    }


def key(
    domain: str = "acme.example", selector: str = "mx1", public: str = PUBLIC, **more: t.Any
) -> DkimKey:
    return DkimKey(domain, selector, public, **{"since": SINCE, **more})


def reported(*keys: DkimKey, node: str = "mx1", tls: tuple[TlsKey, ...] = ()) -> Estate:
    return dataclasses.replace(ESTATE, states=(NodeState(node, keys, tls),))


NONE = reported()


def test_a_node_speaks_of_the_domains_that_it_signs_and_its_own_selectors() -> None:
    rows = [
        row(),
        row(selector="mx1-2", state="generated", public=OTHER),
        row("acme-mail.example"),
        row(selector="mx1-ed25519", algorithm="ed25519", public="A" * 44),
        row("mx1.hosting.example"),
    ]
    found = judged(NONE, MX1, "dkim", rows)
    assert (sorted(found.rows, key=str), found.refused) == (sorted(rows, key=str), [])


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (row("globex.example"), "the node does not sign for it"),
        (row("mx2.hosting.example"), "the node does not sign for it"),
        (row("hosting.example"), "the node does not sign for it"),
        (row("legacy.example"), "the node does not sign for it"),
        (row("later.example"), "the node does not sign for it"),
        (row(selector="mx2"), "the selector mx2 is not one of its own"),
        (row(selector="mail"), "the selector mail is not one of its own"),
        (row(selector="mx1-02"), "the selector mx1-02 is not one of its own"),
        (row(selector="mx1-ed25519"), "the selector mx1-ed25519 is not one of its own"),
        (row(selector="*"), "selector: '*' is not a selector"),
        (row(public='x"; p=' + 400 * "A"), "public: this is not a public key"),
        (row(public=5000 * "A"), "public: this is not a public key"),
        (row(state="eternal"), "state: 'eternal' is not an allowed word"),
        (row(algorithm="rot13"), "algorithm: 'rot13' is not an allowed word"),
        (row(since="yesterday"), "since: 'yesterday' is not a time in UTC"),
        (row(public=None), "public:"),
        (row(since=["x"]), "since:"),
    ],
)
def test_everything_else_is_refused_and_the_others_go_on(bad: dict[str, t.Any], why: str) -> None:
    good = row("shop.example")
    found = judged(NONE, MX1, "dkim", [bad, good])
    assert found.rows == [good]
    (said,) = found.refused
    assert said.startswith(f"the report of mx1 about {bad['domain']} is refused: {why}")


def test_what_is_refused_stays_as_it_was_with_all_of_its_domain() -> None:
    before = reported(key(), key("shop.example"))
    new = row("shop.example", state="retired")
    found = judged(before, MX1, "dkim", [row(), row(selector="mx2", public=OTHER), new])
    assert sorted(found.rows, key=str) == sorted([row(), new], key=str)
    assert [said.partition(":")[0] for said in found.refused] == [
        "the report of mx1 about acme.example is refused"
    ]


def test_a_row_that_names_nobody_may_be_about_anybody_who_is_missing() -> None:
    before = reported(key(), key("shop.example"))
    for bad in (
        {},
        "nonsense",
        None,
        row(None),
        row(7),
        row("ACME.example"),
        row("a b"),
        row(300 * "a" + ".example"),
    ):
        found = judged(before, MX1, "dkim", [bad, row(state="retired")])
        assert found.rows == [row(state="retired"), row("shop.example")], bad
        assert found.refused == ["mx1 reports 1 keys without a readable domain; they are refused"]


@pytest.mark.parametrize("report", [None, "rows", {"domain": "acme.example"}])
def test_a_report_that_is_no_list_changes_nothing(report: t.Any) -> None:
    assert judged(reported(key()), MX1, "dkim", report).rows == [row()]


def test_two_keys_at_one_selector_and_too_many_keys_are_refused() -> None:
    assert (
        "two keys at one selector"
        in judged(NONE, MX1, "dkim", [row(), row(public=OTHER)]).refused[0]
    )
    many = [row(selector=f"mx1-{number}") for number in range(2, MOST_KEYS + 3)]
    assert f"more than {MOST_KEYS} keys" in judged(NONE, MX1, "dkim", many).refused[0]
    assert judged(NONE, MX1, "dkim", many[:MOST_KEYS]).refused == []


def test_a_domain_that_moved_away_keeps_the_keys_that_were_known_on_their_way_out() -> None:
    before = dataclasses.replace(
        with_tenant(ESTATE, "acme", placement="mx2"),
        states=(NodeState("mx1", (key(), key("shop.example", state="retired"))),),
    )
    on = [row(state="retired", since="2026-11-22T14:00:00Z"), row("shop.example", state="removed")]
    found = judged(before, MX1, "dkim", on)
    assert (found.rows, found.refused) == (on, [])
    for bad in (row(selector="mx1-2", public=OTHER), row(public=OTHER)):
        assert judged(before, MX1, "dkim", [bad]).rows == [row()]
    back = judged(before, MX1, "dkim", [row("shop.example")])
    assert back.rows == [row("shop.example", state="retired")]
    assert back.refused
    # The node that it came to makes keys of its own.
    assert judged(before, MX2, "dkim", [row(selector="mx2")]).refused == []


def test_a_node_whose_name_begins_like_anothers_does_not_take_its_selectors() -> None:
    """mx1's second selector is the first one of the node mx1-2."""
    third = Node("mx1-2", "mx1-2.hosting.example", 13, ("192.0.2.3",))
    estate = dataclasses.replace(NONE, nodes=(*ESTATE.nodes, third))
    assert (
        "mx1-2 is not one of its own"
        in judged(estate, MX1, "dkim", [row(selector="mx1-2")]).refused[0]
    )
    moved = dataclasses.replace(
        with_tenant(estate, "acme", placement="mx1-2"),
        states=(NodeState("mx1", (key(selector="mx1-2-3"),)),),
    )
    assert judged(moved, third, "dkim", [row(selector="mx1-2-3", public=OTHER)]).refused == []


def test_tls_keys_are_of_the_nodes_own_names() -> None:
    good = {"name": "mx1.hosting.example", "current": 32 * "ab", "next": 32 * "cd"}
    before = reported(tls=(TlsKey("mx1.hosting.example", 32 * "01"),))
    assert judged(before, MX1, "tls", [{**good, "ready": "x"}]).rows == [good]
    for bad in ({**good, "name": "mx2.hosting.example"}, {**good, "name": "acme.example"}):
        found = judged(before, MX1, "tls", [good, bad])
        assert found.rows == [good]
        assert "not a name under which the node takes mail" in found.refused[0]
    for bad in ({**good, "current": "ab"}, {**good, "next": 32 * "CD"}):
        assert judged(before, MX1, "tls", [bad]).rows == [
            {"name": "mx1.hosting.example", "current": 32 * "01"}
        ]
    assert "reported twice" in judged(before, MX1, "tls", [good, good]).refused[0]


def test_nothing_that_is_written_down_makes_the_estate_invalid() -> None:
    files = {
        "estate.yml": (
            b"provider: {name: P, domain: p.example}\nnodes:\n  - {name: mx1, hostname:"
            b" mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}\n"
        ),
        "plans.yml": b"plans: []\n",
    }
    wild: list[t.Any] = [
        row(),
        row(selector="\x1b[2J"),
        row(public="?"),
        row("x y"),
        {"domain": {}},
        3,
        row("shop.example", state=7),
    ]
    found = judged(NONE, MX1, "dkim", wild)
    _estate, faults = build({**files, "state/mx1.json": text("mx1", "dkim", found.rows).encode()})
    assert faults == []
    assert "\x1b" not in "".join(found.refused)


def test_two_states_at_one_selector_publish_the_key_of_the_node_whose_selector_it_is() -> None:
    """A state file is committed: it may be older than the tenant's move, or than this rule."""
    states = (
        NodeState("mx2", (key(public=OTHER), key(selector="mx2"))),
        NodeState("mx1", (key(),)),
    )
    for order in (states, states[::-1]):
        estate = dataclasses.replace(ESTATE, states=order)
        assert {one.selector: one.public for one in opendkim.published(estate)["acme.example"]} == {
            "mx1": PUBLIC,
            "mx2": PUBLIC,
        }
        at = [
            record.value
            for record in dns.records(estate)
            if record.name == "mx1._domainkey.acme.example"
        ]
        assert at == [f"v=DKIM1; k=rsa; p={PUBLIC}"]
