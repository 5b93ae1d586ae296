# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls import (
    TTLS,
    Evidence,
    Keys,
    Note,
    digest,
    lines,
    noted,
    refusal,
)
from hypothesis import given
from hypothesis import strategies as st

NOW, TTL = 1_800_000_000, 3600
A, B, C = (32 * pair for pair in ("aa", "bb", "cc"))
MX1 = Keys("mx1.hosting.example", A, B)
SHOWN = Evidence(B, TTL)
GONE = Evidence(B, why="ns1: no TLSA record", absent=True)
SILENT = Evidence(B, why="ns2: no answer within 4 s")
READY = Note(B, NOW - TTLS * TTL, TTL)

PEM = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJu/OvQ7p40pmkYfhizqRIrL3M5Rb
ZJzJ+fkh6fna2BKQI4venMe7Mw0VDGdwTdJa5wVSBXRLbzG/QHB0WHLQ5g==
-----END PUBLIC KEY-----
"""


def test_a_digest_is_that_of_openssl() -> None:
    # openssl pkey -pubin -outform DER | sha256sum
    assert digest(PEM) == "f9570a2497184e0b343b671d1cccfbc6ac7b49bd048ac30fa0134516ad20585b"


@pytest.mark.parametrize(
    "text", ["", "x", PEM.replace("PUBLIC", "PRIVATE"), PEM.replace("MFkw", "MF*w")]
)
def test_no_digest_of_anything_else(text: str) -> None:
    with pytest.raises(ValueError, match="not a public key"):
        digest(text)


def test_what_every_server_shows_is_noted_once() -> None:
    first = noted(MX1, SHOWN, NOW)
    assert first.note == Note(B, NOW, TTL)
    assert noted(first, SHOWN, NOW + 9) == first


def test_the_longest_time_to_live_counts() -> None:
    keys = noted(noted(MX1, Evidence(B, 86400), NOW), SHOWN, NOW + 9)
    assert keys.note == Note(B, NOW, 86400)


@pytest.mark.parametrize(
    ("evidence", "kept"),
    [
        (SHOWN, True),
        (SILENT, True),
        (None, True),
        (GONE, False),
        (Evidence(C, why="ns1: no TLSA record", absent=True), True),
    ],
)
def test_only_a_server_that_says_so_takes_a_record_away(
    evidence: t.Optional[Evidence], kept: bool
) -> None:
    assert (noted(replace(MX1, note=READY), evidence, NOW).note == READY) is kept


@pytest.mark.parametrize(
    ("keys", "evidence", "why"),
    [
        (Keys(MX1.name, A), None, "there is no next key yet"),
        (MX1, None, "not known to DNS"),
        (replace(MX1, note=READY), Evidence(C, TTL), "not known to DNS"),
        (replace(MX1, note=READY), SILENT, "ns2: no answer within 4 s"),
        (MX1, GONE, "ns1: no TLSA record"),
        (
            replace(MX1, note=replace(READY, since=READY.since + 1)),
            SHOWN,
            "until 2027-01-15T08:00:01Z",
        ),
        (replace(MX1, note=replace(READY, ttl=TTL + 1)), SHOWN, "until 2027-01-15T08:00:02Z"),
        (MX1, SHOWN, "until 2027-01-15T10:00:00Z"),
    ],
)
def test_why_a_key_must_wait(keys: Keys, evidence: t.Optional[Evidence], why: str) -> None:
    assert why in refusal(keys, evidence, NOW)


def test_a_key_goes_into_service_when_nobody_remembers_records_without_it() -> None:
    assert refusal(replace(MX1, note=READY), SHOWN, NOW) == ""


@given(
    st.lists(
        st.tuples(st.integers(0, 3 * TTL), st.sampled_from([SHOWN, SILENT, GONE, None])),
        max_size=12,
    )
)
def test_whatever_servers_said_no_resolver_remembers_records_without_the_key(
    runs: list[tuple[int, t.Optional[Evidence]]],
) -> None:
    keys, now, absent = MX1, NOW, NOW
    for seconds, evidence in runs:
        now += seconds
        keys = noted(keys, evidence, now)
        if evidence == GONE:
            absent = now
        if not refusal(keys, evidence, now):
            assert evidence == SHOWN
            assert now - absent >= TTLS * TTL


def test_the_diff_tells_what_changed() -> None:
    assert lines(MX1, MX1) == []
    assert lines(Keys(MX1.name, A), MX1) == ["+ next tls key mx1.hosting.example bbbbbbbbbbbb…"]
    assert lines(replace(MX1, note=READY), Keys(MX1.name, B, C)) == [
        "~ tls key mx1.hosting.example aaaaaaaaaaaa… -> bbbbbbbbbbbb…",
        "~ next tls key mx1.hosting.example cccccccccccc…",
    ]
    assert lines(MX1, replace(MX1, note=READY)) == [
        "~ next tls key mx1.hosting.example in DNS since 2027-01-15T06:00:00Z, TTL 3600 s"
    ]
    assert lines(replace(MX1, note=READY), MX1) == ["~ next tls key mx1.hosting.example not in DNS"]
    assert lines(MX1, Keys(MX1.name, A)) == ["- next tls key mx1.hosting.example"]
