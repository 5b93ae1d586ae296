# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.suspension, run as a task of its own."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support.running import ansible

ACCOUNT = """\
# Acme
organisation: Acme
plan: p
state: active
placement: mx1
default_owner: it@people.example
admins: [{address: it@people.example}]
intake: {expected_mailboxes: 1, dns_contact: it@people.example, clients: local, smime: false}
domains: [acme.example]
"""
SUSPENDED = "suspensions:\n  - of: jo@acme.example\n    profile: abuse\n    reason: 'spam'\n"
FILES = {
    "estate.yml": (
        """\
provider: {name: P, domain: hosting.example}
nodes: [{name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}]
"""
    ),
    "plans.yml": "plans: [{name: p, limits: {mailboxes: 9}, mailbox_quota: {default: 1G}}]\n",
    "tenants/acme/account.yml": ACCOUNT,
    "tenants/acme/acme.example.yml": "mailboxes: [{name: jo}, {name: ann}]\n",
}


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    folder = tmp_path / "estate"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def run(estate: Path, *words: str, **options: str) -> subprocess.CompletedProcess[str]:
    arguments = json.dumps({"estate": str(estate), **options})
    return ansible(
        estate.parent / "home", "adhoc", "localhost", "-m", "reseller.mail.suspension",
        "-a", arguments, *words,
    )  # fmt: skip


def suspend(estate: Path, *words: str, **options: str) -> subprocess.CompletedProcess[str]:
    given = {"subject": "jo@acme.example", "profile": "abuse", "reason": "spam", **options}
    return run(estate, *words, **given)


def resume(estate: Path, subject: str = "jo@acme.example") -> subprocess.CompletedProcess[str]:
    return run(estate, subject=subject, state="absent")


def account(estate: Path) -> str:
    return (estate / "tenants/acme/account.yml").read_text(encoding="utf-8")


def test_a_suspension_is_written_once_and_taken_out_again(estate: Path) -> None:
    (estate / "tenants/acme/account.yml").chmod(0o640)
    check = suspend(estate, "--check")
    assert '"changed": true' in check.stdout, check.stdout + check.stderr
    assert account(estate) == ACCOUNT
    done = suspend(estate)
    assert '"changed": true' in done.stdout, done.stdout + done.stderr
    assert (
        "jo@acme.example is suspended (mailbox jo@acme.example): inbound defer, login refuse,"
        " submission refuse, queued hold." in done.stdout
    )
    assert account(estate) == ACCOUNT + SUSPENDED
    assert (estate / "tenants/acme/account.yml").stat().st_mode & 0o777 == 0o640
    assert '"changed": false' in suspend(estate).stdout
    ended = resume(estate)
    assert "jo@acme.example is not suspended." in ended.stdout, ended.stdout + ended.stderr
    assert account(estate) == ACCOUNT


@pytest.mark.one_core
def test_a_mailbox_stays_suspended_as_long_as_its_tenant_is(estate: Path) -> None:
    suspend(estate)
    suspend(estate, subject="acme", profile="nonpayment")
    ended = resume(estate)
    assert "jo@acme.example is suspended (tenant acme)" in ended.stdout, ended.stdout


@pytest.mark.one_core
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"subject": "joe@acme.example"}, "joe@acme.example is no mailbox"),
        ({"profile": "abuze"}, "there is no suspension profile abuze; allowed: "),
        ({"profile": "", "state": "absent"}, "jo@acme.example is not suspended"),
    ],
)
def test_what_cannot_be_done_is_refused(
    estate: Path, options: t.Mapping[str, str], sentence: str
) -> None:
    refused = suspend(estate, **options)
    assert refused.returncode == 2
    said = refused.stdout + refused.stderr
    assert sentence in said
    assert "nothing was written" in said
    assert account(estate) == ACCOUNT


@pytest.mark.one_core
def test_a_tenant_that_hosts_do_not_serve_is_not_suspended(estate: Path) -> None:
    pending = ACCOUNT.replace("state: active", "state: pending")
    (estate / "tenants/acme/account.yml").write_text(pending, encoding="utf-8")
    assert "tenant acme is pending: hosts do not serve it" in suspend(estate).stdout
    assert account(estate) == pending


@pytest.mark.one_core
def test_a_result_with_a_fault_is_not_written(estate: Path) -> None:
    """The longest reason that the language takes has 200 characters."""
    refused = suspend(estate, reason="x" * 2000)
    assert refused.returncode == 2
    assert account(estate) == ACCOUNT
