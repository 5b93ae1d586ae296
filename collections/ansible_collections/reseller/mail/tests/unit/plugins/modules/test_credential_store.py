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
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import (
    Credential,
    Store,
)
from ansible_collections.reseller.mail.plugins.modules import credential_store

if t.TYPE_CHECKING:
    from pathlib import Path

COSTLY = "{BLF-CRYPT}$2y$31$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
DOVEADM = """#!/bin/sh
case "$*" in
*-l) echo "MD5 BLF-CRYPT ARGON2ID" ;;
*) read -r secret; echo "$secret" >>"$(dirname "$0")/secrets"; echo '{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo' ;;
esac
"""
Call = t.Callable[..., t.Dict[str, t.Any]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs the module on a host whose doveadm writes down what it is to hash; answers what it
    prints."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "doveadm").write_text(DOVEADM)
    (tmp_path / "bin" / "doveadm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    def run(check: bool = False) -> dict[str, t.Any]:
        given = {
            "database": str(tmp_path / "c.db"),
            "group": grp.getgrgid(os.getgid()).gr_name,
            "_ansible_check_mode": check,
        }
        out = io.StringIO()
        with patch_module_args(given), contextlib.redirect_stdout(out), pytest.raises(SystemExit):
            credential_store.main()
        return t.cast("dict[str, t.Any]", json.loads(out.getvalue()))

    return run


def test_a_new_store_gets_a_decoy_once(call: Call, tmp_path: Path) -> None:
    assert call(check=True)["changed"]
    assert not (tmp_path / "c.db").exists()
    answer = call()
    assert (answer["changed"], answer["made"]) == (True, True)
    assert stat.S_IMODE((tmp_path / "c.db").stat().st_mode) == 0o640
    answer = call()
    assert (answer["changed"], answer["made"]) == (False, False)
    with Store(str(tmp_path / "c.db"), read_only=True) as store:
        assert str(store.decoy()).startswith("{ARGON2ID}$argon2id$")


def test_nobody_knows_the_decoys_password(call: Call, tmp_path: Path) -> None:
    answers = [call()]
    (tmp_path / "c.db").unlink()
    answers.append(call())
    first, second = (tmp_path / "bin" / "secrets").read_text().split()
    assert first != second
    assert len(first) >= 40
    assert not any(secret in json.dumps(answers) for secret in (first, second))


def test_the_store_of_an_earlier_version_keeps_its_rows_and_a_costly_one_is_told(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(str(tmp_path / "c.db")) as store:
        store.put([Credential("jo@acme.example", COSTLY, "supplied")], "2026-01-01T00:00:00Z")
    old = sqlite3.connect(tmp_path / "c.db")
    old.executescript("DROP VIEW logins; DROP TABLE decoy")
    old.close()
    answer = call()
    assert answer["changed"]
    assert answer["unusable"] == {
        "jo@acme.example": "cost of this BLF-CRYPT hash is 31, which is not 4 to 13"
    }
    told = (
        json.dumps(answer) + capsys.readouterr().err
    )  # a warning goes into the answer or, within Ansible's own process, to the terminal
    assert "jo@acme.example cannot log in: cost of this BLF-CRYPT hash is 31" in told
    assert COSTLY.rpartition("$")[2] not in told
    again = call()
    assert (again["changed"], again["unusable"]) == (False, answer["unusable"])
