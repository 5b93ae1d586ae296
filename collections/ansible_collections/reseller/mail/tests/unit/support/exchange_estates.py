# SPDX-License-Identifier: GPL-3.0-or-later
"""Estates for the exchange's tests: any file that the schema allows, whether or not a judge would
like it."""

from __future__ import annotations

import base64
import json
import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._language import scalars as s
from ansible_collections.reseller.mail.plugins.plugin_utils._language import schema
from hypothesis import strategies as st

_TRAPS = st.sampled_from(
    [
        *(
            "=1+1",
            "+49 30",
            "-all",
            "@home",
            "'quoted",
            "'=x",
            "''+",
            "[]",
            "{}",
            "＝1",
            " =2",
            "'s-Hertogenbosch",
            "s'",
        ),
        *(
            "null",
            "true",
            "0123",
            "1e3",
            "2026-01-01",
            "a: b",
            "a #b",
            "- x",
            "!vault x",
            "%",
            "`",
            "#",
            "C:",
        ),
        *("ＳＵＭ", "x\u00a0y", 'Jörg, "der"; Chef'),
    ]
)
_NAMES = st.sampled_from(["jo", "ann", "it", "no", "null", "007", "1e3", "a.b", "x_y", "on"])
_DOMAINS = st.sampled_from(
    ["acme.example", "globex.example", "xn--mnchen-3ya.example", "no.example", "a1.b2.example"]
)
_ADDRESSES = st.builds(
    lambda local, domain: f"{local}@{domain}",
    st.one_of(_NAMES, st.sampled_from(["a+b", "x=y", "_z"])),
    _DOMAINS,
)
_TEXTS = st.one_of(_TRAPS, st.text(min_size=1, max_size=12)).filter(
    lambda text: bool(text.strip()) and text.isprintable()
)
_LINES = st.lists(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=8),
    min_size=1,
    max_size=4,
).map("\n".join)
_SCRIPTS = st.one_of(
    _LINES,
    st.sampled_from(
        [
            "keep;",
            "-x\n",
            "=1\n",
            "\n\nkeep;\n\n",
            " keep;\n",
            "\tkeep;",
            "# x\r".strip() + "\n",
            "'a\n",
        ]
    ),
).filter(lambda text: bool(text.strip()) and text.replace("\n", "").replace("\t", "").isprintable())
_CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\n"
    + base64.b64encode(b"\x30\x82" + b"x" * 70).decode()
    + "\n-----END CERTIFICATE-----\n"
)
_SIZES = st.sampled_from(["1B", "1500K", "2048M", "5G", "1T"])
_HASH = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub"


def _number(least: int, most: int) -> st.SearchStrategy[str]:
    return st.integers(least, most).map(str)


_KINDS: list[tuple[s.Scalar, st.SearchStrategy[str]]] = [
    (s.TEXT, _TEXTS),
    (s.SLUG, st.sampled_from(["acme", "a-1", "no", "123", "business"])),
    (s.DOMAIN, _DOMAINS),
    (s.OWNER_NAME, _DOMAINS),
    (s.MAIL_DOMAIN, _DOMAINS),
    (s.LOCAL, _NAMES),
    (s.ADDRESS, _ADDRESSES),
    (s.RECIPIENT, st.one_of(_NAMES, _ADDRESSES)),
    (s.LIMIT, st.one_of(st.just("unlimited"), _number(0, 10**6))),
    (s.POOL, st.one_of(st.sampled_from(["0", "unlimited"]), _SIZES)),
    (s.QUOTA, st.one_of(st.just("unlimited"), _SIZES)),
    (s.SIZE, _SIZES),
    (s.IP, st.sampled_from(["192.0.2.1", "2001:db8::1", "::1"])),
    (s.TRUTH, st.sampled_from(["true", "false"])),
    (s.PORT, _number(1, 65535)),
    (s.MAX_AGE, _number(86400, 31557600)),
    (s.PASSWORD, st.just(_HASH)),
    (s.URL, st.sampled_from(["https://acme.example/a?b=c#d", "https://acme.example"])),
    (s.DATE, st.dates().map(str)),
    (s.MONEY, st.sampled_from(["0", "4.90", "4.9", "1200"])),
    (s.RATIO, st.sampled_from(["1.5", "2", "0.75"])),
    (s.PERCENT, _number(0, 100)),
    (s.PRIORITY, _number(11, 65535)),
    (s.COUNT, _number(1, 10**9)),
    (s.DAYS, _number(1, 3650)),
    (s.EVIDENCE_DAYS, _number(1, 45)),
    (s.COLOUR, st.sampled_from(["#1a6b3c", "#000000"])),
    (s.LOCALE, st.sampled_from(["de", "fr-CH", "no"])),
    (s.CURRENCY, st.just("EUR")),
    (s.CERTIFICATE, st.just(_CERTIFICATE)),
    (s.SIEVE, _SCRIPTS),
    (s.SUBJECT, st.one_of(st.just("acme"), _DOMAINS, _ADDRESSES)),
    (s.REPLY, st.sampled_from(["=1+1", "Pay first, please", "+49 30", "x"])),
    (s.USERNAME, st.sampled_from(["acme", "=x@relay.example", "0123"])),
    (s.SCORE, st.sampled_from(["0.1", "6", "6.5", "15.0", "never"])),
    (s.SENDER, st.one_of(_ADDRESSES, _DOMAINS, _DOMAINS.map(".{}".format))),
    (
        s.SENDER_OR_NETWORK,
        st.one_of(_ADDRESSES, st.sampled_from(["192.0.2.0/24", "2001:db8::/32"])),
    ),
    (s.PROFILE, st.sampled_from(["abuse", "legal_hold", "late_2"])),
]


def value(kind: schema.Type) -> st.SearchStrategy[t.Any]:
    """Anything that the schema takes for a key of that type, as a file says it: all text."""
    if isinstance(kind, schema.Many):
        return st.lists(value(kind.of), max_size=2)
    if isinstance(kind, schema.Table):
        return table(kind)
    for known, strategy in _KINDS:
        if kind is known:
            return strategy
    if kind.words:
        return st.sampled_from([*kind.words, *kind.also])
    raise AssertionError(f"no values for {kind}")


def table(kind: schema.Table) -> st.SearchStrategy[dict[str, t.Any]]:
    """A table with its required keys and any of the others."""
    if kind.free is not None:
        return st.dictionaries(_TEXTS, value(kind.free), max_size=3)
    return _tables(kind)


@st.composite
def _tables(draw: st.DrawFn, kind: schema.Table) -> dict[str, t.Any]:
    others = [name for name, key in kind.keys.items() if not key.required]
    chosen = draw(st.lists(st.sampled_from(others), unique=True, max_size=4)) if others else []
    return {
        name: draw(_one(key)) for name, key in kind.keys.items() if key.required or name in chosen
    }


def _one(key: schema.Key) -> st.SearchStrategy[t.Any]:
    # A required list with nothing in it is a fault, and what has faults is not exported.
    if key.required and isinstance(key.type, schema.Many):
        return st.lists(value(key.type.of), min_size=1, max_size=2)
    return value(key.type)


@st.composite
def estates(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of an estate, as JSON, which is YAML too."""
    said = {"estate.yml": draw(table(schema.ESTATE)), "plans.yml": draw(table(schema.PLANS))}
    for tenant in draw(st.lists(st.sampled_from(["acme", "no", "123"]), unique=True, max_size=2)):
        said[f"tenants/{tenant}/account.yml"] = draw(table(schema.ACCOUNT))
        for domain in draw(st.lists(_DOMAINS, unique=True, max_size=2)):
            said[f"tenants/{tenant}/{domain}.yml"] = draw(table(schema.DOMAIN_FILE))
    return {
        path: json.dumps(document, ensure_ascii=False).encode() for path, document in said.items()
    }
