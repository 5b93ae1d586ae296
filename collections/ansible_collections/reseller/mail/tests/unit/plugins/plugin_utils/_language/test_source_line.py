# SPDX-License-Identifier: GPL-3.0-or-later
"""A line of a tenant's file in a terminal or a log: the mark is under the place, and no secret is
on it."""

from __future__ import annotations

import re
import unicodedata

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._language.source_line import (
    excerpt,
    redacted,
)
from hypothesis import example, given
from hypothesis import strategies as st

HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo"


def shown(text: str, line: int = 1, column: int = 1, width: int = 80) -> str:
    return "\n".join(excerpt(text.split("\n"), line, column, width))


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        ("plan: busines", 7, "plan: busines\n      ^~~~~~~"),
        ("    quota: 5 GB", 12, "    quota: 5 GB\n           ^~~~"),
        (
            "limits: {storage: 20 GB, mailboxes: 5}",
            19,
            "limits: {storage: 20 GB, mailboxes: 5}\n                  ^~~~~",
        ),
        ("to: [jo, 'ann smith', bob]", 10, "to: [jo, 'ann smith', bob]\n         ^~~~~~~~~~~"),
        ("branding: {hostname: a.example}", 11, "branding: {hostname: a.example}\n          ^"),
        ("type: mail", 11, "type: mail\n          ^"),  # behind the end, where something is missing
        ("type: mail\r", 7, "type: mail\n      ^~~~"),
        ("\ttype: x", 8, "    type: x\n          ^"),  # a tab is four cells
        (
            "organisation: 日本 x",
            18,
            "organisation: 日本 x\n                   ^",
        ),  # two cells each
        ("organisation: e\u0301a x", 18, "organisation: e\u0301a x\n                ^"),  # no cell
        ("organisation: a\x1b[31mb", 16, "organisation: a␛[31mb\n               ^"),
        ("organisation: a\u202eb", 16, "organisation: a\ufffdb\n               ^~"),
    ],
)
def test_the_mark_is_under_the_place(line: str, column: int, expected: str) -> None:
    assert shown(line.removesuffix("\r"), 1, column) == expected


def test_no_such_line_no_excerpt() -> None:
    for text, line in (("", 1), ("a: b", 2), ("a: b", 0), ("   ", 1)):
        assert excerpt(text.split("\n"), line, 1, 80) == ("", "")


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    line = f"domains: [{', '.join(f'domain{number}.example' for number in range(2000))}]"
    for column in (11, 12000, 36000, len(line)):
        text, mark = excerpt([line], 1, column, 60)
        assert len(text) <= 60
        place = mark.index("^")
        assert text[place] == line[column - 1], column
    assert excerpt([line], 1, 12000, 60)[0].startswith("…")
    assert excerpt([line], 1, 12000, 60)[0].endswith("…")
    assert not excerpt([line], 1, 11, 60)[0].startswith("…")


SECRETS = [
    # file, line of the fault
    (f"  - name: jo\n    password: {HASH}", 2),
    ("    password: hunter2", 1),
    ("    password: 'hunter2, it''s hunter2'  # hunter2", 1),
    ('{"password": "hunter2"}', 1),
    ('{"password":"hunter2","name": "jo"}', 1),
    ("  - {name: jo, password: hunter2, qouta: 5G}", 1),
    ("  - {name: jo, password: {a: hunter2}, qouta: 5G}", 1),
    ("  - {name: jo, password: [hunter2], qouta: 5G}", 1),
    ("    pasword: hunter2", 1),
    ("    passwort: hunter2", 1),
    ("    pw: hunter2", 1),
    ("    anything_unknown: hunter2", 1),
    ("    ? password\n    : hunter2", 2),
    ("    password hunter2", 1),
    ("    password:hunter2", 1),
    ("    quota: 5G password: hunter2", 1),
    ("    display_name: Jo password: hunter2", 1),
    ("    password: >-\n      hunter2", 2),
    ("    password: >-\n      other\n\n      hunter2", 4),
    ('    password: "other\n      hunter2", quota: 5G', 2),
    ("    password: !vault |\n      $ANSIBLE_VAULT;1.1;AES256\n      6162636465hunter2", 3),
    ("    password: !vault |\n      $ANSIBLE_VAULT;1.1;AES256hunter2", 2),
    ("    quota: 5G  # was: hunter2", 1),
    ("# password: hunter2", 1),
    ("    display_name: {SHA512-CRYPT}$6$hunter2", 1),
    ("    password:\thunter2", 1),
    ("- password: hunter2", 1),
    ("    'password': hunter2", 1),
    ("    Password : hunter2", 1),
]


@pytest.mark.parametrize(("text", "line"), SECRETS)
def test_a_secret_is_on_no_line(text: str, line: int) -> None:
    assert "hunter2" in text.split("\n")[line - 1] or HASH in text
    for column in range(1, len(text.split("\n")[line - 1]) + 2):
        for width in (20, 80):
            printed = shown(text, line, column, width)
            assert "hunter2" not in printed
            assert "argon2id" not in printed
            assert "^" in printed


def test_what_is_left_out_is_seen_to_be() -> None:
    assert (
        shown("  - {name: jo, password: hunter2, qouta: 5G}", 1, 35)
        == "  - {name: jo, password: …, qouta: …}\n                            ^~~~~"
    )
    assert (
        shown("  - {name: jo, password: hunter2, quota: 5}", 1, 26)
        == "  - {name: jo, password: …, quota: 5}\n                         ^"
    )


def test_what_is_no_secret_is_shown() -> None:
    lines = (
        "    quota: 5G",
        "external_ids: {whmcs: '1042'}",
        "  - {name: jo, to: [a, b@c.example]}",
        "  - jo",
        '  "node": "mx1",',
        "mta_sts: {mode: testing}",
    )
    for line in lines:
        assert excerpt(["to:", line], 2, 1, 80)[0] == line
    assert excerpt(["external_ids:", "  whmcs: 1042"], 2, 3, 80)[0] == "  whmcs: 1042"
    assert excerpt(["to:", "  - jo", "  - ann"], 3, 5, 80)[0] == "  - ann"


def test_messages_lose_hashes_and_what_follows_the_word_password() -> None:
    assert redacted(f"'{HASH}' cannot be used as a text") == "'…' cannot be used as a text"
    assert (
        redacted("'jo password: hunter2' cannot be the part before an @")
        == "'jo password: …' cannot be the part before an @"
    )
    for plain in (
        "'password' is no key of an alias",
        "'pasword' is no key of a mailbox; did you mean password?",
        "jo@acme.example is not an admin of tenant acme",
    ):
        assert redacted(plain) == plain


@given(
    st.text(max_size=120).filter(lambda text: "\n" not in text),
    st.integers(1, 130),
    st.integers(20, 60),
)
@example("a: \u0301", 4, 20)
def test_any_line_fits_and_has_its_mark_inside(line: str, column: int, width: int) -> None:
    text, mark = excerpt([line], 1, column, width)
    assert bool(text) == bool(mark)
    cells = sum(
        (
            0
            if unicodedata.category(char) in ("Mn", "Me")
            else 2
            if unicodedata.east_asian_width(char) in "WF"
            else 1
        )
        for char in text
    )
    assert cells <= width
    assert not any(
        ord(char) < 32 or unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in text
    )
    if mark:
        assert re.fullmatch(" *\\^~*", mark)
        assert len(mark) <= cells + 1


@given(
    st.text(alphabet="ab:{}[],'\"# -?|\t", max_size=40),
    st.text(alphabet="ab:{}[],'\"# -\t", max_size=20),
    st.integers(1, 80),
)
def test_no_neighbourhood_brings_a_password_to_light(before: str, after: str, column: int) -> None:
    line = f"{before} password: hunter2{after}"
    assert "hunter2" not in excerpt([line], 1, column, 200)[0]
