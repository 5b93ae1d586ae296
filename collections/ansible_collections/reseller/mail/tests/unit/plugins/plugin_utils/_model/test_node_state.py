# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import random
import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    NodeState,
    TlsKey,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.node_state import text

PUBLIC = "MIIB" + 47 * "abcd"
SINCE = "2026-11-21T14:00:00Z"
REST = {"algorithm": "rsa", "state": "retired", "since": SINCE, "public": PUBLIC}
KEYS = [
    {"domain": f"{name}.example", "selector": "mx1", **REST}
    for name in ("acme", "acme-shop", "globex")
]

ESTATE = {
    "estate.yml": (
        b"provider: {name: P, domain: p.example}\nnodes:\n  - {name: mx1, hostname: mx1.p.example,"
        b" debian: 12, addresses: [192.0.2.1]}\n"
    ),
    "plans.yml": b"plans: []\n",
}


def test_the_order_of_the_report_does_not_show() -> None:
    shuffled: list[dict[str, t.Any]] = [*KEYS]
    random.Random(1).shuffle(shuffled)
    assert text("mx1", "dkim", shuffled) == text("mx1", "dkim", KEYS)


def test_one_key_is_one_line_and_nothing_else_gets_in() -> None:
    said = text("mx1", "dkim", [{**KEYS[0], "private": "no"}])
    line = (
        '{"domain": "acme.example", "selector": "mx1", "algorithm": "rsa", "state": "retired",'
        ' "since": "' + SINCE + '", "public": "' + PUBLIC + '"}'
    )
    assert said == '{\n  "node": "mx1",\n  "dkim": [\n    ' + line + "\n  ]\n}\n"


def test_what_others_reported_stays() -> None:
    before = (
        '{"node": "mx1", "dkim": [{"domain": "old.example"}], "tls": [{"name": "mx1.p.example"}]}'
    )
    assert json.loads(text("mx1", "dkim", KEYS[:1], before)) == {
        "node": "mx1",
        "dkim": KEYS[:1],
        "tls": [{"name": "mx1.p.example"}],
    }
    assert text("mx1", "dkim", KEYS, text("mx1", "dkim", KEYS, before)) == text(
        "mx1", "dkim", KEYS, before
    )
    assert text("mx1", "dkim", KEYS, "half a fi") == text("mx1", "dkim", KEYS)


def test_keys_for_tls_stand_beside_them() -> None:
    tls = [
        {"name": name, "current": 32 * "ab", "next": 32 * "cd", "ready": "no"}
        for name in ("mx1.p.example", "mail.acme.example")
    ]
    said = text("mx1", "tls", tls, text("mx1", "dkim", KEYS))
    assert said == text("mx1", "dkim", KEYS, text("mx1", "tls", tls))
    estate, faults = build({**ESTATE, "state/mx1.json": said.encode()})
    assert faults == []
    assert estate.states[0].tls == (
        TlsKey("mail.acme.example", 32 * "ab", 32 * "cd"),
        TlsKey("mx1.p.example", 32 * "ab", 32 * "cd"),
    )


def test_a_certificate_that_was_supplied_may_have_no_next_key() -> None:
    estate, faults = build(
        {
            **ESTATE,
            "state/mx1.json": (
                text(
                    "mx1", "tls", [{"name": "mx1.p.example", "current": 32 * "ab", "next": ""}]
                ).encode()
            ),
        }
    )
    assert faults == []
    assert estate.states[0].tls == (TlsKey("mx1.p.example", 32 * "ab"),)


def test_a_node_without_keys_reports_an_empty_list() -> None:
    assert json.loads(text("mx1", "dkim", [])) == {"node": "mx1", "dkim": []}


def test_the_loader_reads_what_was_written() -> None:
    estate, faults = build({**ESTATE, "state/mx1.json": text("mx1", "dkim", KEYS[:1]).encode()})
    assert faults == []
    assert estate.states == (
        NodeState("mx1", (DkimKey("acme.example", "mx1", PUBLIC, "rsa", "retired", SINCE),)),
    )


def test_a_report_from_before_keys_had_states_is_of_keys_that_sign() -> None:
    old = (
        '{"node": "mx1", "dkim": [{"domain": "acme.example", "selector": "mx1", "public":'
        f' "{PUBLIC}"}}]}}'
    )
    estate, faults = build({**ESTATE, "state/mx1.json": old.encode()})
    assert faults == []
    assert [(key.algorithm, key.state) for key in estate.states[0].dkim] == [("rsa", "active")]
