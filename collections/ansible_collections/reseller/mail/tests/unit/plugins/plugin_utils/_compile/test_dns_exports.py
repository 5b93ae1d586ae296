# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import json

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import dns as compiled
from ansible_collections.reseller.mail.plugins.plugin_utils._compile.dns import exports
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.record import PURPOSES, Record
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.rrset import (
    RRset,
    by_zone,
    likely_zones,
    record_sets,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.zone_text import zone_line
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import ESTATE
from hypothesis import given
from hypothesis import strategies as st

RECORDS = compiled.records(ESTATE)
ZONES = likely_zones(RECORDS)


def test_json_tells_every_record_and_its_reason() -> None:
    found = json.loads(exports.as_json(RECORDS, compiled.reverse_records(ESTATE)))
    assert len(found["records"]) == len(RECORDS)
    (key,) = (one for one in found["records"] if one["name"] == "mx1._domainkey.acme.example")
    assert key["why"] == PURPOSES["dkim"].why
    assert (len(key["value"]), key["rdata"][:20]) == (418, '"v=DKIM1; k=rsa; p=A')
    assert {one["type"] for one in found["reverse_records"]} == {"PTR"}


def test_terraforms_keys_do_not_move_when_others_come() -> None:
    found = json.loads(exports.terraform(RECORDS, ZONES))
    assert set(found) == ZONES
    assert found["acme.example"]["@ MX"] == {
        "name": "",
        "fqdn": "acme.example.",
        "type": "MX",
        "ttl": 3600,
        "values": ["10 mx1.hosting.example."],
        "rdata": ["10 mx1.hosting.example."],
    }
    key = found["acme.example"]["mx1._domainkey TXT"]
    assert key["values"] == ["v=DKIM1; k=rsa; p=" + "A" * 400]
    assert key["rdata"][0].count('" "') == 1
    assert {rrset["type"] for rrset in found["hosting.example"].values()} == {"A", "AAAA", "TXT"}
    more = dataclasses.replace(ESTATE, caa=("letsencrypt.org",))
    assert (
        found["acme.example"].items()
        <= json.loads(exports.terraform(compiled.records(more), ZONES))["acme.example"].items()
    )


def test_zones_where_nobody_can_be_asked() -> None:
    inner = [
        dataclasses.replace(one, domain="sub.acme.example", name="sub.acme.example")
        for one in RECORDS[:1]
    ]
    assert "sub.acme.example" not in likely_zones([*RECORDS, *inner])
    assert "sub.acme.example" in likely_zones([*RECORDS, *inner], ["sub.acme.example"])
    assert by_zone(record_sets(inner), ["other.example"]) == {}


def test_the_script_replaces_what_is_ours_alone_and_adds_to_what_is_everybodys() -> None:
    text = exports.nsupdate(
        "acme.example",
        by_zone(record_sets(RECORDS), ZONES)["acme.example"],
        {
            ("acme.example", "TXT"): {"v=spf1 old -all"},
            ("gone.acme.example", "A"): {"192.0.2.1"},
            ("acme.example", "MX"): {"10 mx1.hosting.example."},
        },
    )
    lines = text.splitlines()
    assert (lines[0], lines[-1]) == ("zone acme.example.", "send")
    assert "del acme.example. MX" in lines
    assert "del acme.example. TXT" not in lines
    assert lines.index('del acme.example. TXT "v=spf1 old -all"') < lines.index(
        'add acme.example. 3600 TXT "v=spf1 include:hosting.example -all"'
    )
    assert "del gone.acme.example. A 192.0.2.1" in lines
    assert "del _dmarc.acme.example. TXT" in lines


@given(st.integers(0, 350))
def test_no_message_grows_too_large_and_nothing_is_lost(number: int) -> None:
    sets = {
        (f"{one}.a.example", "A"): RRset(f"{one}.a.example", "A", 60, frozenset({"192.0.2.1"}))
        for one in range(number)
    }
    lines = exports.nsupdate("a.example", sets, {}).splitlines()
    assert sum(line.startswith("add ") for line in lines) == number
    assert lines.count("send") == -(-number // exports.BATCH)


@pytest.mark.parametrize("text", ["x" * 255, "x" * 256, "\u00e9" * 300, 'a"b\\c;d'])
def test_values_for_other_tools_are_split_and_escaped_as_in_zone_files(text: str) -> None:
    record = Record("a.example", "a.example", "TXT", 60, text, True, "spf")
    (rrset,) = json.loads(exports.terraform([record], ["a.example"]))["a.example"].values()
    assert rrset["values"] == [text]
    assert zone_line(record).endswith(rrset["rdata"][0])
