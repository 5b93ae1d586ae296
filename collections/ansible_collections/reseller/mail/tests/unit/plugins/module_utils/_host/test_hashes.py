# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sqlite3

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.hashes import (
    ALLOWED,
    SCHEMES,
    UnfitHash,
    canonical,
    sql_usable,
)

BLOWFISH = "bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
ARGON2 = "c29tZXNhbHQ$aGFzaGhhc2hoYXNo"
SHA512 = "salt$" + "x" * 86

FIT = [
    f"{{BLF-CRYPT}}$2y$04${BLOWFISH}",
    f"{{BLF-CRYPT}}$2a$13${BLOWFISH}",
    f"{{SHA512-CRYPT}}$6${SHA512}",
    f"{{SHA512-CRYPT}}$6$rounds=1000000${SHA512}",
    f"{{ARGON2ID}}$argon2id$v=19$m=131072,t=6,p=8${ARGON2}",
    f"{{ARGON2I}}$argon2i$v=19$m=8,t=1,p=1${ARGON2}",
]
COSTLY = {
    f"{{BLF-CRYPT}}$2y$14${BLOWFISH}": "cost of this BLF-CRYPT hash is 14, which is not 4 to 13",
    f"{{BLF-CRYPT}}$2y$31${BLOWFISH}": "cost of this BLF-CRYPT hash is 31",
    f"{{BLF-CRYPT}}$2b$03${BLOWFISH}": "cost of this BLF-CRYPT hash is 03",
    f"{{SHA512-CRYPT}}$6$rounds=999999999${SHA512}": (
        "rounds of this SHA512-CRYPT hash is 999999999, which is not 1000 to 1000000"
    ),
    f"{{SHA512-CRYPT}}$6$rounds=1${SHA512}": "rounds of this SHA512-CRYPT hash is 1,",
    f"{{ARGON2ID}}$argon2id$v=19$m=4294967295,t=3,p=1${ARGON2}": (
        "m of this ARGON2ID hash is 4294967295, which is not 8 to 131072"
    ),
    f"{{ARGON2ID}}$argon2id$v=19$m=65536,t=100000,p=1${ARGON2}": (
        "t of this ARGON2ID hash is 100000"
    ),
    f"{{ARGON2I}}$argon2i$v=19$m=65536,t=3,p=255${ARGON2}": "p of this ARGON2I hash is 255",
}
MALFORMED = [
    "{BLF-CRYPT}$2y$12$tooshort",
    f"{{BLF-CRYPT}}$2y$12${BLOWFISH}x",
    f"{{BLF-CRYPT}}$6${SHA512}",
    f"{{SHA512-CRYPT}}$6$rounds=+5000${SHA512}",
    f"{{SHA512-CRYPT}}$6$a:b${'x' * 86}",
    f"{{ARGON2ID}}$argon2id$v=19$t=3,m=65536,p=1${ARGON2}",
    f"{{ARGON2ID}}$argon2id$v=19$m=99999999999,t=3,p=1${ARGON2}",
    f"{{ARGON2ID}}$argon2id$v=19$m=65536,t=3,p=1${'A' * 500}$aGFzaGhhc2hoYXNo",
    "{MD5}5f4dcc3b5aa765d61d8327deb882cf99",
]


def passes_sql(text: str) -> bool:
    return bool(
        sqlite3.connect(":memory:")
        .execute(f"SELECT {sql_usable('hash')} FROM (SELECT ? AS hash)", (text,))
        .fetchone()[0]
    )


@pytest.mark.parametrize("text", FIT)
def test_a_hash_within_the_bounds_is_taken_with_its_scheme_and_without(text: str) -> None:
    assert canonical(text) == text
    assert canonical(text.partition("}")[2]) == text
    assert passes_sql(text)


@pytest.mark.parametrize(("text", "reason"), COSTLY.items())
def test_a_hash_that_would_keep_a_processor_busy_is_refused_by_python_and_by_sql(
    text: str, reason: str
) -> None:
    with pytest.raises(UnfitHash) as caught:
        canonical(text)
    assert str(caught.value).startswith(reason)
    assert not passes_sql(text)


@pytest.mark.parametrize("text", [*MALFORMED, *COSTLY])
def test_a_refusal_does_not_show_the_hash(text: str) -> None:
    with pytest.raises(UnfitHash) as caught:
        canonical(text)
    assert text.rpartition("$")[2].rpartition("}")[2] not in str(caught.value)


@pytest.mark.parametrize("rounds", ["9" * 30, "+999999999", " 999999999"])
def test_sql_is_not_outwitted_by_numbers_that_crypt_would_read(rounds: str) -> None:
    assert not passes_sql(f"{{SHA512-CRYPT}}$6$rounds={rounds}${SHA512}")


def test_only_names_of_schemes_are_shown_since_braces_may_be_part_of_a_password() -> None:
    for text, shown in (("{MD5}x", "MD5"), ("{Hunter-2}x", "scheme is not")):
        with pytest.raises(UnfitHash, match=shown) as caught:
            canonical(text)
        assert "HUNTER" not in str(caught.value).upper()


def test_what_is_allowed_names_every_scheme_and_bound() -> None:
    for scheme in SCHEMES:
        assert f"{{{scheme.name}}}" in ALLOWED
        assert all(f"{cost.name} {cost.least} to {cost.most}" in ALLOWED for cost in scheme.costs)
