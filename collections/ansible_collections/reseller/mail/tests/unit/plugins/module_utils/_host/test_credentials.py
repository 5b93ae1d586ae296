# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
import sqlite3
import string
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import (
    UNAMBIGUOUS,
    Credential,
    CredentialError,
    Store,
    best_scheme,
    first_passwords,
    hash_password,
    invent,
    supplied_hash,
    to_hand_over,
    weaknesses,
)
from hypothesis import given
from hypothesis import strategies as st

if t.TYPE_CHECKING:
    from pathlib import Path

ARGON2 = "$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo"
BLOWFISH = "bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
SHA512 = "x" * 86

ADDRESSES = st.builds(
    "{}@{}.example".format,
    st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12),
    st.text(string.ascii_lowercase, min_size=1, max_size=12),
)


@pytest.mark.parametrize(
    ("password", "reasons"),
    [
        ("Right-Pass-1", []),
        ("Ab1-xyz", ["is shorter than 8 characters"]),
        ("right-pass-1", ["has no upper-case letter"]),
        ("Right-Pass-One", ["has no digit"]),
        ("RightPass1", ["has no symbol"]),
        ("Right Pass 1", ["has no symbol"]),
        ("Right-Pass\t1", ["has control characters"]),
        ("Right-JORDAN-1", ["contains its own name or domain"]),
        ("Right-Acme-1", ["contains its own name or domain"]),
        ("Right-acme.example-1", ["contains its own name or domain"]),
        (
            "",
            [
                "is shorter than 8 characters",
                "has no upper-case letter",
                "has no digit",
                "has no symbol",
            ],
        ),
    ],
)
def test_a_weak_password_is_told_every_reason(password: str, reasons: list[str]) -> None:
    assert weaknesses(password, "jordan@acme.example") == reasons


def test_a_name_of_two_letters_forbids_nothing() -> None:
    assert weaknesses("Right-Joke-1", "jo@acme.example") == []


@given(ADDRESSES, st.integers())
def test_an_invented_password_is_good_and_typable(address: str, seed: int) -> None:
    password = invent(address, random.Random(seed).choice)
    assert weaknesses(password, address) == []
    assert set(password) <= {*UNAMBIGUOUS, "-"}
    assert len(password.replace("-", "")) == 20


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (f"$argon2id{ARGON2}", f"{{ARGON2ID}}$argon2id{ARGON2}"),
        (f"{{ARGON2ID}}$argon2id{ARGON2}", f"{{ARGON2ID}}$argon2id{ARGON2}"),
        (f"{{blf-crypt}}$2y$05${BLOWFISH}", f"{{BLF-CRYPT}}$2y$05${BLOWFISH}"),
        (f"$2b$05${BLOWFISH}", f"{{BLF-CRYPT}}$2b$05${BLOWFISH}"),
        (f"$6$salt${SHA512}", f"{{SHA512-CRYPT}}$6$salt${SHA512}"),
        ("Right-Pass-1", None),
        ("{not a scheme} Right-Pass-1", None),
    ],
)
def test_a_hash_is_honoured_and_a_password_is_no_hash(text: str, stored: str | None) -> None:
    assert supplied_hash(text) == stored


@pytest.mark.parametrize(
    "text", ["{PLAIN}secret", "{MD5}x", "{SHA256}x", "{ARGON2ID}secret", "{BLF-CRYPT}$6$salt$x"]
)
def test_a_hash_that_would_not_protect_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(CredentialError) as caught:
        supplied_hash(text)
    assert text.partition("}")[2] not in str(caught.value)


def test_the_store_keeps_the_day_of_creation(tmp_path: Path) -> None:
    path = str(tmp_path / "odd name?.db")
    with Store(path) as store:
        store.put(
            [
                Credential("jo@acme.example", "{ARGON2ID}a", "initial"),
                Credential("it@acme.example", "{ARGON2ID}b", "supplied"),
            ],
            "2026-01-01T00:00:00Z",
        )
    with Store(path) as store:
        store.put([Credential("jo@acme.example", "{ARGON2ID}c", "user")], "2026-02-02T00:00:00Z")
        assert store.origin("jo@acme.example") == "user"
        assert store.origin("it@acme.example") == "supplied"
        assert store.origin("nobody@acme.example") is None
    rows = sqlite3.connect(path).execute("SELECT * FROM credentials ORDER BY address").fetchall()
    assert rows[1] == (
        "jo@acme.example",
        "{ARGON2ID}c",
        "user",
        "2026-01-01T00:00:00Z",
        "2026-02-02T00:00:00Z",
    )


def test_the_store_writes_all_rows_or_none(tmp_path: Path) -> None:
    with Store(str(tmp_path / "c.db")) as store:
        with pytest.raises(sqlite3.IntegrityError):
            store.put(
                [
                    Credential("a@x.example", "{ARGON2ID}a", "initial"),
                    Credential("b@x.example", "{ARGON2ID}b", "nonsense"),
                ],
                "2026-01-01T00:00:00Z",
            )
        assert store.addresses() == set()


def test_reading_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        Store(str(tmp_path / "c.db"), read_only=True)
    assert not list(tmp_path.iterdir())


def test_a_credential_does_not_show_its_hash() -> None:
    assert "argon" not in repr(Credential("jo@acme.example", "{ARGON2ID}$argon2id$x", "initial"))


def test_a_password_is_never_an_argument() -> None:
    seen: list[str] = []

    def run(command: list[str], given: str) -> tuple[int, str, str]:
        seen.extend(command)
        assert given == "Right-Pass-1\nRight-Pass-1\n"
        return 0, "{BLF-CRYPT}$2y$05$x\n", ""

    assert hash_password(run, "Right-Pass-1", "BLF-CRYPT") == "{BLF-CRYPT}$2y$05$x"
    assert not any("Right" in word for word in seen)


@pytest.mark.parametrize(
    "answer", [(1, "", "Fatal: no"), (0, "", ""), (0, "{PLAIN}Right-Pass-1\n", "")]
)
def test_what_is_no_hash_is_not_stored(answer: tuple[int, str, str]) -> None:
    with pytest.raises(CredentialError, match="doveadm pw -s ARGON2ID failed"):
        hash_password(lambda _command, _given: answer, "Right-Pass-1", "ARGON2ID")


def test_a_hash_whose_output_was_lost_is_made_again() -> None:
    answers = [(0, "", ""), (0, "{ARGON2ID}$argon2id$x\n", "")]
    assert (
        hash_password(lambda _command, _given: answers.pop(0), "Right-Pass-1", "ARGON2ID")
        == "{ARGON2ID}$argon2id$x"
    )


def test_the_best_scheme_that_dovecot_knows_is_taken() -> None:
    assert best_scheme(lambda _c, _g: (0, "MD5 BLF-CRYPT ARGON2ID \n", "")) == "ARGON2ID"
    assert best_scheme(lambda _c, _g: (0, "MD5 BLF-CRYPT ARGON2I \n", "")) == "BLF-CRYPT"
    with pytest.raises(CredentialError, match="none of"):
        best_scheme(lambda _c, _g: (0, "MD5 PLAIN\n", ""))


def test_dovecot_reads_no_row_that_costs_too_much_however_it_came_into_the_store(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "c.db")
    good = f"{{BLF-CRYPT}}$2y$05${BLOWFISH}"
    hashes = {
        "good@x.example": good,
        "blowfish@x.example": good.replace("$05$", "$31$"),
        "rounds@x.example": f"{{SHA512-CRYPT}}$6$rounds=999999999$salt${SHA512}",
        "memory@x.example": f"{{ARGON2ID}}$argon2id{ARGON2.replace('65536', '4294967295')}",
        "plain@x.example": "{PLAIN}secret",
    }
    with Store(path) as store:
        store.put(
            [Credential(address, hashed, "supplied") for address, hashed in hashes.items()],
            "2026-01-01T00:00:00Z",
        )
        assert sorted(store.unusable()) == sorted(set(hashes) - {"good@x.example"})
        assert not any(hashed in "".join(store.unusable().values()) for hashed in hashes.values())
    assert sqlite3.connect(path).execute("SELECT address FROM logins").fetchall() == [
        ("good@x.example",)
    ]


def test_a_store_of_an_earlier_version_is_brought_up_to_date_and_keeps_its_rows(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "c.db")
    with Store(path) as store:
        store.put(
            [Credential("jo@x.example", f"{{ARGON2ID}}$argon2id{ARGON2}", "user")],
            "2026-01-01T00:00:00Z",
        )
        assert not store.is_ready("ARGON2ID")
    old = sqlite3.connect(path)
    old.executescript(
        "DROP TABLE decoy; DROP VIEW logins; CREATE VIEW logins AS SELECT address, hash FROM"
        " credentials"
    )
    old.close()
    with Store(path) as store:
        assert store.decoy() is None
        store.put_decoy("{ARGON2ID}$argon2id$first")
        store.put_decoy("{ARGON2ID}$argon2id$decoy")
        assert store.decoy() == "{ARGON2ID}$argon2id$decoy"
        assert store.is_ready("ARGON2ID")
        assert not store.is_ready("BLF-CRYPT")
        assert store.addresses() == {"jo@x.example"}


def test_a_new_mailbox_gets_the_hash_or_password_of_the_files_or_an_invented_one() -> None:
    hashed = "$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
    first = first_passwords(
        ["a@x.example", "b@x.example", "c@x.example", "d@x.example"],
        {"a@x.example": hashed, "b@x.example": "Given-1", "d@x.example": "{MD5}x"},
        {"c@x.example": "Made-2"},
    )
    assert first.hashes == {"a@x.example": f"{{BLF-CRYPT}}{hashed}"}
    assert first.clear == {"b@x.example": "Given-1", "c@x.example": "Made-2"}
    assert list(first.faults) == ["d@x.example"]
    assert "Given-1" not in repr(first)
    assert "Made-2" not in repr(first)


def test_a_waiting_password_is_handed_over_unless_the_files_have_another() -> None:
    waiting = {"a@x.example": "old", "b@x.example": "old", "c@x.example": "old"}
    supplied, faults = {"b@x.example", "c@x.example"}, {"c@x.example", "e@x.example"}
    made = {"a@x.example": "new", "d@x.example": "new", "e@x.example": "new"}
    assert to_hand_over(waiting, made, supplied, faults) == {
        "a@x.example": "new",
        "c@x.example": "old",
        "d@x.example": "new",
    }
