# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of value takes and refuses, and how a walk through a file reports it."""

from __future__ import annotations

import datetime
import re
import typing as t
from decimal import Decimal

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._language import (
    scalars as language_scalars,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._language import schema
from ansible_collections.reseller.mail.plugins.plugin_utils._language.typed_values import Walker
from ansible_collections.reseller.mail.plugins.plugin_utils._language.yaml_nodes import parse
from hypothesis import given
from hypothesis import strategies as st

HASH = "{BLF-CRYPT}$2y$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m"
GOOD: list[tuple[language_scalars.Scalar, str, t.Any]] = [
    (language_scalars.LIMIT, "0", 0),
    (language_scalars.LIMIT, "unlimited", None),
    (language_scalars.LIMIT, str(2**63 - 1), 2**63 - 1),
    (language_scalars.POOL, "0", 0),
    (language_scalars.POOL, "unlimited", None),
    (language_scalars.POOL, "20G", 20 * 2**30),
    (language_scalars.QUOTA, "1K", 1024),
    (language_scalars.QUOTA, "500M", 500 * 2**20),
    (language_scalars.QUOTA, "7B", 7),
    (language_scalars.QUOTA, "8388607T", 8388607 * 2**40),
    (language_scalars.QUOTA, "unlimited", None),
    (language_scalars.SIZE, "1T", 2**40),
    (language_scalars.TRUTH, "true", True),
    (language_scalars.TRUTH, "false", False),
    (language_scalars.PORT, "1", 1),
    (language_scalars.PORT, "65535", 65535),
    (language_scalars.MAX_AGE, "86400", 86400),
    (language_scalars.MAX_AGE, "31557600", 31557600),
    (language_scalars.IP, "2001:0DB8::0", "2001:db8::"),
    (language_scalars.TEXT, "Jo {{ Doe }} Ünï", "Jo {{ Doe }} Ünï"),
    (language_scalars.SLUG, "acme-2", "acme-2"),
    (language_scalars.PASSWORD, HASH, HASH),
    (language_scalars.PUBLIC_KEY, "A" * 40, "A" * 40),
]

PEM = "-----BEGIN CERTIFICATE-----\nMIIB" + "A" * 60 + "\n-----END CERTIFICATE-----\n"
GOOD += [
    (
        language_scalars.URL,
        "https://acme.example:8443/help?a=b#c",
        "https://acme.example:8443/help?a=b#c",
    ),
    (language_scalars.DATE, "2024-02-29", datetime.date(2024, 2, 29)),
    (language_scalars.MONEY, "4.90", Decimal("4.90")),
    (language_scalars.MONEY, "0", Decimal(0)),
    (language_scalars.RATIO, "1.5", Decimal("1.5")),
    (language_scalars.PERCENT, "100", 100),
    (language_scalars.PRIORITY, "11", 11),
    (language_scalars.COUNT, "1", 1),
    (language_scalars.DAYS, "3650", 3650),
    (language_scalars.COLOUR, "#1a6b3c", "#1a6b3c"),
    (language_scalars.LOCALE, "fr-CH", "fr-CH"),
    (language_scalars.CURRENCY, "EUR", "EUR"),
    (language_scalars.CERTIFICATE, f"\n{PEM}\n", PEM),
    (language_scalars.SIEVE, "keep;\n\t# ä\n", "keep;\n\t# ä\n"),
    (language_scalars.SIEVE, "#" * 2**16, "#" * 2**16),
]

BAD: list[tuple[language_scalars.Scalar, str]] = [
    *((language_scalars.LIMIT, text) for text in ("-1", "none", "", "1.5", "01", "1e3", "1_000",
                                                  "٣", "5G", "Unlimited", str(2**63), "9" * 5000)),
    *((language_scalars.POOL, text) for text in ("5", "5 G", "5g", "5GB", "-5G", "0G", "05G",
                                                 "1.5G", "", "8388608T", "9" * 5000 + "G", "5G\n")),
    *((language_scalars.QUOTA, text) for text in ("0", "0B", "none", "-1", "1P")),
    *((language_scalars.SIZE, text) for text in ("0", "unlimited")),
    *((language_scalars.TRUTH, text) for text in ("yes", "True", "1", "")),
    *((language_scalars.PORT, text) for text in ("0", "65536", "smtp")),
    *((language_scalars.MAX_AGE, text) for text in ("86399", "31557601")),
    *((language_scalars.IP, text) for text in ("192.0.2.256", "192.0.2.1/24", "fe80::1%eth0",
                                               "mx1", "010.0.0.1")),
    *((language_scalars.TEXT, text) for text in ("", "  ", "a\nb", "a\x7fb", "x" * 201,
                                                 "a\u200fb")),
    *((language_scalars.SLUG, text) for text in ("", "Acme", "a_b", "-a", "a-", "a" * 33, "a.b",
                                                 "a\n", "ä")),
    *((language_scalars.PASSWORD, text) for text in ("", "secret",
                                                     "{PLAIN}aaaaaaaaaaaaaaaaaaaaaaaaaa", "{ARGON2ID}short", "{ARGON2ID}" + "a b" * 20)),
    (language_scalars.PASSWORD, "{ARGON2ID}" + "a:b" * 20),
    *((language_scalars.URL, text) for text in ("http://acme.example", "https://", "https://acme",
                                                "https://a b.example")),
    *((language_scalars.URL, text) for text in ("javascript:alert(1)", "https://x.example/\n")),
    *((language_scalars.URL, text) for text in ('https://x.example/"onload',
                                                "https://x.example/<b>", "https://user@x.example/", "https://x.example/" + "a" * 300)),
    *((language_scalars.DATE, text) for text in ("2026-02-30", "2026-3-1", "01.03.2026",
                                                 "2026-03-01T00:00", "٢٠٢٦-03-01", "")),
    *((language_scalars.MONEY, text) for text in ("-1", "1,50", "1.50000", "€1", "1e3", ".5", "01",
                                                  "NaN", "Infinity", "9" * 10)),
    *((language_scalars.RATIO, text) for text in ("0", "0.00", "101", "-1", "1.555")),
    *((language_scalars.PERCENT, text) for text in ("101", "-1", "10%", "5.5")),
    *((language_scalars.PRIORITY, text) for text in ("10", "0", "65536")),
    *((language_scalars.COUNT, text) for text in ("0", "unlimited", "-1", str(10**9 + 1))),
    *((language_scalars.DAYS, text) for text in ("0", "3651", "30d")),
    *((language_scalars.COLOUR, text) for text in ("red", "#FFF", "#1A6B3C", "#1a6b3c;", "1a6b3c")),
    *((language_scalars.LOCALE, text) for text in ("english", "EN", "en_US", "de-de", "")),
    *((language_scalars.CURRENCY, text) for text in ("eur", "€", "EURO", "")),
    *((language_scalars.CERTIFICATE, text) for text in ("", "x", PEM + PEM, PEM.replace("MIIB",
                                                                                        "AAAA"), PEM.replace("CERTIFICATE", "PRIVATE KEY"))),
    (language_scalars.CERTIFICATE,
        PEM + "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"),
    *((language_scalars.SIEVE, text) for text in ("", " \n", "keep;\x00", "keep;\u202e",
                                                  "keep;\r\n", "#" * (2**16 + 1), "ä" * (2**15 + 1))),
    *((language_scalars.PUBLIC_KEY, text) for text in ("", "AAAA", "A" * 41, "!" * 40, "A" * 4004,
                                                       "A" * 40 + "\n")),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_what_is_taken(kind: language_scalars.Scalar, text: str, value: object) -> None:
    assert kind.read(text) == value


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_what_is_refused(kind: language_scalars.Scalar, text: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as error:
        kind.read(text)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 300


def scalars(table: schema.Table) -> t.Iterator[language_scalars.Scalar]:
    for key in table.keys.values():
        kind: t.Any = key.type.of if isinstance(key.type, schema.Many) else key.type
        if isinstance(kind, schema.Table):
            yield from scalars(kind)
        else:
            yield kind


SCALARS = [
    kind
    for kind in {
        id(kind): kind for table in schema.FILES.values() for kind in scalars(table)
    }.values()
    if kind not in language_scalars.LINES
]


@given(st.text(max_size=50) | st.text(alphabet="0123456789GMKunlimted{}:/.-\n", max_size=25))
def test_a_reader_gives_a_value_of_one_line_or_a_value_error(text: str) -> None:
    for kind in SCALARS:
        try:
            value = kind.read(text)
        except ValueError:
            continue
        assert "\n" not in str(value)
        assert str(value).isprintable()


def documented(table: schema.Table) -> t.Iterator[tuple[str, schema.Key]]:
    for name, key in table.keys.items():
        yield f"{table.name}.{name}", key
        kind = key.type.of if isinstance(key.type, schema.Many) else key.type
        if isinstance(kind, schema.Table):
            yield from documented(kind)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        pytest.param(*entry, id=entry[0])
        for table in schema.FILES.values()
        for entry in documented(table)
    ],
)
def test_every_key_is_documented_and_plain(name: str, key: schema.Key) -> None:
    assert re.fullmatch(r"[a-z][a-z_]*", name.rpartition(".")[2])
    assert key.doc.endswith(".")
    assert not (key.required and key.default is not None)
    assert key.rows
    assert all(re.fullmatch(r"(S[0-4]|X)-[1-9][0-9]?", row) for row in key.rows)
    assert key.acts in schema.ACTS
    assert (key.acts == schema.PARTS) is is_parted(key.type)


def is_parted(kind: schema.Type) -> bool:
    """Whether its own keys tell what it does."""
    kind = kind.of if isinstance(kind, schema.Many) else kind
    return isinstance(kind, schema.Table) and kind.free is None


def walk(text: str, table: schema.Table = schema.DOMAIN_FILE) -> tuple[dict[str, t.Any], list[str]]:
    root, wrong = parse("f.yml", text.encode())
    walker = Walker("f.yml")
    values = walker.file_values(root, table)
    return values or {}, [str(fault).removeprefix("f.yml:") for fault in (*wrong, *walker.faults)]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "mailboxes: {name: jo}\n",
            "1:12: wrong-type: this is a mapping, not a list; allowed: a list of mailboxes",
        ),
        (
            "mailboxes: [jo]\n",
            ("1:13: wrong-type: this is a text, not a mailbox with keys; allowed: the keys name, "),
        ),
        (
            "catch_all: [jo]\n",
            ("1:12: wrong-type: this is a list, not a single value; allowed: an address such as "),
        ),
        ("catch_all:\n", "1:11: no-value: there is no value; allowed: an address such as "),
        (
            "mailboxes: ~\n",
            "1:12: no-value: there is no value; allowed: a value, or leave the key out",
        ),
        (
            "- a\n",
            (
                "1:1: wrong-type: this is a list, not the keys of <domain>.yml; allowed: the"
                " keys type, "
            ),
        ),
        (
            "mailboxs: []\n",
            (
                "1:1: unknown-key: 'mailboxs' is no key of <domain>.yml; did you mean mailboxes?;"
                " allowed: type, state, owner, "
            ),
        ),
        ("<<: {type: relay}\n", "1:1: unknown-key: '<<' is no key of <domain>.yml; allowed: "),
        (
            "aliases: [{name: a}]\n",
            (
                "1:11: missing-key: an alias lacks the key to; allowed: to: a list, each item an address"
                " such as "
            ),
        ),
        (
            "aliases: [{name: a, too: [b]}]\n",
            "1:21: unknown-key: 'too' is no key of an alias; did you mean to?; allowed: name, to, ",
        ),
        (
            "plan: gold\n",
            ("1:1: foreign-key: 'plan' belongs in account.yml, not in this file; allowed: type, "),
        ),
        (
            "nodes: []\n",
            ("1:1: foreign-key: 'nodes' belongs in estate.yml, not in this file; allowed: type, "),
        ),
        (
            "retention: 5\n",
            (
                "1:1: foreign-key: 'retention' belongs in defaults of account.yml,"
                " not in this file; allowed: type, "
            ),
        ),
        ("dnssec: []\n", "1:1: unknown-key: 'dnssec' is no key of <domain>.yml; allowed: "),
        (
            "catch_all: !!binary am8=\n",
            "1:12: unfit-tag: the tag 'tag:yaml.org,2002:binary' is not allowed here; allowed: ",
        ),
        (
            "catch_all: !vault jo\n",
            "1:12: unfit-tag: the tag '!vault' is not allowed here; allowed: ",
        ),
        (
            "dmarc: !x {stage: observe}\n",
            "1:8: unfit-tag: the tag '!x' is not allowed here; allowed: ",
        ),
    ],
)
def test_how_a_fault_reads(text: str, fault: str) -> None:
    faults = walk(text)[1]
    assert any(line.startswith(fault) for line in faults), faults


def test_what_belongs_under_defaults_is_told_so() -> None:
    found = (
        "1:1: unknown-key: 'retention' is no key of account.yml, but of its defaults; allowed:"
        " defaults: {retention: ...}"
    )
    assert found in walk("retention: 5\n", schema.ACCOUNT)[1]


def test_one_fault_hides_no_other_and_takes_only_itself_away() -> None:
    values, faults = walk(
        "mailboxes: [{name: A+b}, {name: jo, quota: 5, displayname: x}, 7]\nmta_sts: {mode: maybe,"
        " max_age: 1}\ncatch_all: jo\n"
    )
    assert [fault.split(":")[1] for fault in faults] == ["20", "44", "47", "64", "17", "33"]
    assert [box["name"] for box in values["mailboxes"]] == ["jo"]
    assert values["mailboxes"][0]["quota"] is schema.UNSET
    assert (values["mta_sts"]["mode"], values["mta_sts"]["max_age"]) == (None, None)  # both cascade
    assert values["catch_all"] == "jo"


def test_an_empty_file_is_a_domain_with_nothing_in_it() -> None:
    values, faults = walk("")
    assert faults == []
    assert (values["type"], values["mailboxes"]) == ("mail", ())


def test_holes_name_what_was_left_out() -> None:
    root, _wrong = parse(
        "f.yml",
        b"mailboxes: [{name: a b}]\naliases: [{name: x, to: [y], may_send: perhaps}]\ntype: 5\n",
    )
    walker = Walker("f.yml")
    walker.file_values(root, schema.DOMAIN_FILE)
    assert walker.holes == {("f.yml", "mailboxes"), ("f.yml", "type")}
