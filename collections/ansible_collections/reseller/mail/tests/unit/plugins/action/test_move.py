# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.move, run as a task of its own."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support.running import ansible

ACCOUNT = """\
organisation: Acme
plan: p
state: active
placement: mx1   # since 2024
default_owner: it@people.example
admins: [{address: it@people.example}]
intake: {expected_mailboxes: 1, dns_contact: it@people.example, clients: local, smime: false}
domains: [acme.example]
"""
FILES = {
    "estate.yml": (
        """\
provider: {name: P, domain: hosting.example}
nodes:
  - {name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}
  - {name: mx2, hostname: mx2.hosting.example, debian: 13, addresses: [192.0.2.2]}
  - {name: mx3, hostname: mx3.hosting.example, debian: 13, addresses: [192.0.2.3], lifecycle: planned}
"""
    ),
    "plans.yml": "plans: [{name: p, limits: {mailboxes: 9}, mailbox_quota: {default: 1G}}]\n",
    "tenants/acme/account.yml": ACCOUNT,
    "tenants/acme/acme.example.yml": "mailboxes: [{name: jo}]\n",
}
NOTHING = {
    "generation": "1",
    "key": False,
    "serves": False,
    "homes": 0,
    "copies": 0,
    "copies_of": [],
    "retained": 0,
    "bytes": 0,
    "arrived": 0,
    "free": 2**40,
}


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    folder = tmp_path / "estate"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def move(estate: Path, *words: str, **options: t.Any) -> subprocess.CompletedProcess[str]:
    found = {"mx1": {**NOTHING, "serves": True}, "mx2": NOTHING, "mx3": NOTHING}
    given = {"estate": str(estate), "tenant": "acme", "to": "mx2", "found": found, **options}
    return ansible(
        estate.parent / "home", "adhoc", "localhost", "-m", "reseller.mail.move",
        "-a", json.dumps(given), *words,
    )  # fmt: skip


def account(estate: Path) -> str:
    return (estate / "tenants/acme/account.yml").read_text(encoding="utf-8")


def test_the_new_node_is_written_when_the_move_is_at_this_step(estate: Path) -> None:
    decided = move(estate)
    assert '"source": "mx1"' in decided.stdout, decided.stdout + decided.stderr
    assert '"stage": "served"' in decided.stdout
    move(estate, "--check", write=True)
    assert account(estate) == ACCOUNT
    assert '"changed": true' in move(estate, write=True).stdout
    assert account(estate) == ACCOUNT.replace("placement: mx1", "placement: mx2")
    assert '"changed": false' in move(estate, write=True).stdout


@pytest.mark.one_core
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tenant": "acmee"}, "the estate has no tenant acmee; did you mean acme?"),
        ({"to": "mx9"}, "there is no node mx9"),
        ({"to": "mx1"}, "tenant acme is on mx1 already. Nothing was changed"),
        ({"to": "mx3"}, "nothing was written"),
        ({"keep_free": "much"}, "keep_free: "),
        ({"keep_free": "2T"}, "mx2 has no room"),
    ],
)
def test_what_cannot_be_done_is_refused(
    estate: Path, options: t.Mapping[str, str], sentence: str
) -> None:
    refused = move(estate, write=True, **options)
    assert refused.returncode == 2
    assert sentence in refused.stdout + refused.stderr
    assert account(estate) == ACCOUNT
