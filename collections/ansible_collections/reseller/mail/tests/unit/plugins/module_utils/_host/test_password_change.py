# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import sqlite3
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import password_change
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import (
    Credential,
    CredentialError,
    Store,
    is_invented,
)

OLD, NEW, JO = "Right-Pass-1", "Other-Pass-2", "jo@acme.example"


class Dovecot:
    """What doveadm answers. ``calls`` has the arguments of each call, and what it was given."""

    def __init__(self, status: int = 0) -> None:
        self.status, self.calls = status, t.cast("list[tuple[list[str], str]]", [])

    def __call__(self, command: list[str], given: str) -> tuple[int, str, str]:
        self.calls.append((command, given))
        if "-l" in command:
            return 0, "ARGON2ID BLF-CRYPT", ""
        if "pw" in command:
            return 0, f"{{ARGON2ID}}$argon2id$of-{len(given)}\n", ""
        right = given == f"{OLD}\n"
        answer = f"passdb: {command[-1]} auth succeeded\nextra fields:\n  user={JO}\n"
        return (self.status, answer, "") if right else (77, "", "auth failed")


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = str(tmp_path / "credentials.db")
    with Store(path) as store:
        store.put([Credential(JO, "{ARGON2ID}$argon2id$old", "initial")], "2026-01-01T00:00:00Z")
    return path


def row(database: str) -> tuple[str, str]:
    return t.cast(
        "tuple[str, str]",
        sqlite3.connect(database).execute("SELECT hash, origin FROM credentials").fetchone(),
    )


def waiting(database: str) -> dict[str, str]:
    spool = Path(database).with_name("initial_passwords.json")
    return json.loads(spool.read_text(encoding="utf-8")) if spool.exists() else {}


def test_a_user_changes_the_password_with_the_old_one(database: str) -> None:
    dovecot = Dovecot()
    assert password_change.by_user(database, dovecot, JO, OLD, NEW) == JO
    assert row(database) == (f"{{ARGON2ID}}$argon2id$of-{2 * len(NEW) + 2}", "user")
    assert not any(
        word in argument
        for command, _given in dovecot.calls
        for argument in command
        for word in (OLD, NEW)
    ), "every user of the host sees arguments"


def test_a_login_with_another_name_of_the_domain_changes_the_mailbox(database: str) -> None:
    assert password_change.by_user(database, Dovecot(), "jo@acme.test", OLD, NEW) == JO
    assert row(database)[1] == "user"


@pytest.mark.parametrize(
    ("address", "old", "status", "error"),
    [
        (JO, "Wrong-Pass-1", 0, password_change.NotAllowed),
        ("-x@acme.example", OLD, 0, password_change.NotAllowed),
        ("jo", OLD, 0, password_change.NotAllowed),
        (f"{JO} x", OLD, 0, password_change.NotAllowed),
        (JO, f"{OLD}\nx", 0, password_change.NotAllowed),
        (JO, OLD, 75, password_change.Unavailable),
    ],
)
def test_without_the_right_old_password_nothing_changes(
    database: str, address: str, old: str, status: int, error: type[CredentialError]
) -> None:
    dovecot, before = Dovecot(status), row(database)
    with pytest.raises(error) as caught:
        password_change.by_user(database, dovecot, address, old, NEW)
    assert row(database) == before
    assert not any(word in str(caught.value) for word in (old, NEW))
    assert not any("pw" in command for command, _given in dovecot.calls)


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("Ab1-xyz", "is shorter than 8 characters"),
        ("Summer2026!", "is a common password"),
        ("Right-Acme-1", "contains its own name or domain"),
        ("Right-Pass\n2", "has control characters"),
        (f"Right-2{'x' * 250}", "is longer than 256 characters"),
        (OLD, "is the old one"),
    ],
)
def test_a_new_password_against_the_policy_is_refused(database: str, new: str, reason: str) -> None:
    before = row(database)
    with pytest.raises(password_change.Weak, match=reason) as caught:
        password_change.by_user(database, Dovecot(), JO, OLD, new)
    assert row(database) == before
    assert new not in str(caught.value)


def test_an_operator_needs_no_old_password(database: str) -> None:
    assert password_change.by_operator(database, Dovecot(), JO, NEW) == JO
    assert row(database)[1] == "operator"


def test_a_generated_password_waits_for_ansible_and_is_told_to_no_one_else(database: str) -> None:
    dovecot = Dovecot()
    password_change.generated(database, dovecot, JO)
    assert is_invented(waiting(database)[JO])
    assert row(database) == ("{ARGON2ID}$argon2id$of-50", "initial")
    spool = Path(database).with_name("initial_passwords.json")
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600


@pytest.mark.parametrize("who", ["user", "operator"])
def test_an_initial_password_that_still_waits_is_not_handed_over_after_a_change(
    database: str, who: str
) -> None:
    spool = Path(database).with_name("initial_passwords.json")
    spool.write_text(json.dumps({JO: OLD, "it@acme.example": "Waiting-Pass-1"}), encoding="utf-8")
    if who == "user":
        password_change.by_user(database, Dovecot(), JO, OLD, NEW)
    else:
        password_change.by_operator(database, Dovecot(), JO, NEW)
    assert waiting(database) == {"it@acme.example": "Waiting-Pass-1"}


@pytest.mark.parametrize("change", ["by_operator", "generated"])
def test_an_address_without_a_credential_gets_none(database: str, change: str) -> None:
    arguments = (NEW,) if change == "by_operator" else ()
    with pytest.raises(CredentialError, match=r"ann@acme.example has no credential here"):
        getattr(password_change, change)(database, Dovecot(), "ann@acme.example", *arguments)
    assert waiting(database) == {}
    with Store(database) as store:
        assert store.addresses() == {JO}


def test_a_mailbox_that_leaves_while_its_password_changes_gets_no_credential(
    database: str,
) -> None:
    class Leaves(Dovecot):
        def __call__(self, command: list[str], given: str) -> tuple[int, str, str]:
            if "pw" in command:
                sqlite3.connect(database, isolation_level=None).execute("DELETE FROM credentials")
            return super().__call__(command, given)

    with pytest.raises(CredentialError, match="has no credential here"):
        password_change.by_user(database, Leaves(), JO, OLD, NEW)
    with Store(database) as store:
        assert store.is_empty()
