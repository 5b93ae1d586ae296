# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import grp
import io
import json
import os
import sqlite3
import stat
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.reseller.mail.plugins.module_utils._host import credentials as store
from ansible_collections.reseller.mail.plugins.module_utils._host import one_text
from ansible_collections.reseller.mail.plugins.modules import credentials

if t.TYPE_CHECKING:
    from pathlib import Path

HASH = "$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
BOTH = one_text.pack(["jo@acme.example", "it@acme.example"])
Call = t.Callable[..., t.Dict[str, t.Any]]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Runs the module as the action plugin does, and answers what it prints."""

    def run(stage: str, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
        given = {
            "estate": "/estate",
            "node": "mx1",
            "initial_passwords": "x.csv",
            "database": str(tmp_path / "credentials.db"),
            "group": grp.getgrgid(os.getgid()).gr_name,
            "stage": stage,
            "_ansible_check_mode": check,
            **arguments,
        }
        out = io.StringIO()
        with patch_module_args(given), contextlib.redirect_stdout(out), pytest.raises(SystemExit):
            credentials.main()
        return t.cast("dict[str, t.Any]", json.loads(out.getvalue()))

    return run


def received(answer: dict[str, t.Any]) -> dict[str, str]:
    return {address: store.digest(password) for address, password in answer["initial"].items()}


def rows(tmp_path: Path) -> list[tuple[str, ...]]:
    return (
        sqlite3.connect(tmp_path / "credentials.db")
        .execute("SELECT address, hash, origin FROM credentials ORDER BY address")
        .fetchall()
    )


def test_planning_makes_nothing(call: Call, tmp_path: Path) -> None:
    answer = call("plan", mailboxes=BOTH)
    assert (answer["missing"], answer["waiting"]) == (["it@acme.example", "jo@acme.example"], [])
    assert not list(tmp_path.iterdir())


def test_a_node_without_mailboxes_misses_no_password(call: Call) -> None:
    assert call("plan", mailboxes=one_text.pack([]))["missing"] == []


def test_the_mailboxes_are_in_no_log_and_not_in_the_answer(call: Call) -> None:
    answer = call("plan", mailboxes=BOTH)
    assert BOTH not in json.dumps(answer)


def test_a_supplied_hash_is_stored_as_it_is_and_read_by_the_group_alone(
    call: Call, tmp_path: Path
) -> None:
    call("create", addresses=["jo@acme.example"], supplied={"jo@acme.example": HASH})
    assert rows(tmp_path) == [("jo@acme.example", f"{{BLF-CRYPT}}{HASH}", "supplied")]
    assert stat.S_IMODE((tmp_path / "credentials.db").stat().st_mode) == 0o640
    assert call("plan", mailboxes=BOTH)["missing"] == ["it@acme.example"]


def test_check_mode_creates_nothing(call: Call, tmp_path: Path) -> None:
    answer = call(
        "create",
        check=True,
        mailboxes=one_text.pack(["jo@acme.example"]),
        addresses=["jo@acme.example"],
        supplied={"jo@acme.example": HASH},
    )
    assert (answer["missing"], answer.get("changed", False)) == (["jo@acme.example"], False)
    assert not list(tmp_path.iterdir())


def test_passwords_wait_until_they_are_acknowledged(call: Call, tmp_path: Path) -> None:
    spool = tmp_path / "initial_passwords.json"
    spool.write_text('{"it@acme.example": "Waiting-Pass-1", "jo@acme.example": "Waiting-Pass-2"}')
    assert call("plan", mailboxes="")["waiting"] == ["it@acme.example", "jo@acme.example"]
    # One that was given a password since then is not told the old one any more.
    answer = call("create", addresses=["jo@acme.example"], supplied={"jo@acme.example": HASH})
    assert answer["initial"] == {"it@acme.example": "Waiting-Pass-1"}
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600
    call("acknowledge", received=received(answer))
    assert not spool.exists()


def test_passwords_that_an_older_version_left_behind_are_not_lost(
    call: Call, tmp_path: Path
) -> None:
    """It kept them in ``handover.json``. Looking changes nothing; the first creation moves them."""
    former, spool = tmp_path / "handover.json", tmp_path / "initial_passwords.json"
    former.write_text('{"it@acme.example": "Waiting-Pass-1", "jo@acme.example": "Waiting-Pass-2"}')
    for check in (True, False):
        answer = call("plan", check=check, mailboxes="")
        assert answer["waiting"] == ["it@acme.example", "jo@acme.example"]
        assert former.exists()
        assert not spool.exists()
    answer = call("create", addresses=["jo@acme.example"], supplied={"jo@acme.example": HASH})
    assert answer["initial"] == {"it@acme.example": "Waiting-Pass-1"}
    assert not former.exists()
    assert json.loads(spool.read_text()) == answer["initial"]
    assert stat.S_IMODE(spool.stat().st_mode) == 0o600
    call("acknowledge", received=received(answer))
    assert {path.name for path in tmp_path.iterdir()} == {"credentials.db", ".lock"}


def test_of_two_files_with_passwords_the_newer_one_counts(call: Call, tmp_path: Path) -> None:
    former, spool = tmp_path / "handover.json", tmp_path / "initial_passwords.json"
    spool.write_text('{"it@acme.example": "Older-Pass-1", "jo@acme.example": "Waiting-Pass-2"}')
    former.write_text('{"it@acme.example": "Newer-Pass-1", "ann@acme.example": "Waiting-Pass-3"}')
    os.utime(spool, (1, 1))
    assert call("create")["initial"] == {
        "ann@acme.example": "Waiting-Pass-3",
        "it@acme.example": "Newer-Pass-1",
        "jo@acme.example": "Waiting-Pass-2",
    }
    assert not former.exists()


def test_a_fault_in_one_supplied_hash_keeps_nobody_else_from_a_password(
    call: Call, tmp_path: Path
) -> None:
    answer = call(
        "create",
        addresses=["a@x.example", "b@x.example"],
        supplied={"a@x.example": HASH, "b@x.example": "{PLAIN}secret-word"},
    )
    assert answer["faults"] == {
        "b@x.example": (
            "the hash scheme PLAIN is not one of ARGON2ID, ARGON2I, BLF-CRYPT, SHA512-CRYPT"
        )
    }
    assert "secret-word" not in json.dumps(answer)
    assert [address for address, *_rest in rows(tmp_path)] == ["a@x.example"]


def test_a_store_from_a_backup_gets_its_owner_and_mode(call: Call, tmp_path: Path) -> None:
    call("create", addresses=["jo@acme.example"], supplied={"jo@acme.example": HASH})
    (tmp_path / "credentials.db").chmod(0o600)
    assert (
        call("plan", check=True, mailboxes="")["repaired"]
        == call("plan", mailboxes="")["repaired"]
        == ["~ credential store owner and mode"]
    )
    assert stat.S_IMODE((tmp_path / "credentials.db").stat().st_mode) == 0o640
    assert call("plan", mailboxes="")["repaired"] == []


def test_the_plan_names_what_is_retained_with_its_tenant(call: Call, tmp_path: Path) -> None:
    mail = tmp_path / "vmail"
    for name, hashed in (("jo", HASH), ("it", "")):
        entry = mail / f".retained/acme/acme.example/20261130T160000Z-{name}"
        entry.mkdir(parents=True)
        login = {"hash": hashed, "origin": "user", "created_at": "", "changed_at": ""}
        if hashed:
            (entry / "login.json").write_text(json.dumps(login), encoding="utf-8")
    (mail / ".retained").chmod(0o700)
    answer = call("plan", mailboxes=BOTH, mail=str(mail))
    assert answer["missing"] == ["it@acme.example", "jo@acme.example"]
    assert answer["retained"] == [["jo@acme.example", "acme"]]
    assert HASH not in json.dumps(answer)
