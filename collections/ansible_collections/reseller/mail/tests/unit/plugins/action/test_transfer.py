# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.transfer and reseller.mail.ledger, run as people run them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.action.transfer import _admins
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.tests.unit.support.running import ansible, variables

FILES = {
    "estate.yml": (
        """\
provider: {name: P, domain: hosting.example}
nodes: [{name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}]
"""
    ),
    "plans.yml": "plans: [{name: p, limits: {mailboxes: 9}, mailbox_quota: {default: 1G}}]\n",
    "tenants/acme/account.yml": (
        """\
organisation: Acme
plan: p
placement: mx1
default_owner: it@people.example
admins:
  - address: it@people.example
  - {address: jo@people.example, limits: {mailboxes: 3}}
domains: [acme.example, shop.example]
"""
    ),
    "tenants/acme/acme.example.yml": (
        """\
# Acme's people.
mailboxes:
  - {name: it, quota: 2G}   # inherits
  - name: jo
    owner: it@people.example   # her own soon
    password: "{BLF-CRYPT}$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
aliases: [{name: sales, to: [jo], owner: jo@people.example}]
"""
    ),
    "tenants/acme/shop.example.yml": "owner: jo@people.example\nmailboxes: [{name: orders}]\n",
}


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        file = tmp_path / "estate" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "estate"


def play(estate: Path, playbook: str, *args: str) -> subprocess.CompletedProcess[str]:
    return ansible(
        estate.parent / "home",
        "playbook",
        playbook,
        *variables(mail_estate_dir=estate),
        *args,
        COLUMNS="120",
    )


def transfer(estate: Path, *args: str, **words: str) -> subprocess.CompletedProcess[str]:
    given = {"tenant": "acme", "from": "it@people.example", "to": "jo@people.example", **words}
    return play(
        estate,
        "reseller.mail.transfer",
        *args,
        *(part for key, value in given.items() for part in ("-e", f"transfer_{key}={value}")),
    )


def contents(estate: Path) -> dict[str, str]:
    return {
        str(path.relative_to(estate)): path.read_bytes().decode()
        for path in sorted(estate.rglob("*"))
        if path.is_file()
    }


def test_a_transfer_writes_only_the_owners_and_its_check_tells_it_before(estate: Path) -> None:
    (estate / "tenants/acme/acme.example.yml").chmod(0o640)
    check = transfer(estate, "--check", "--diff")
    assert check.returncode == 0, check.stdout + check.stderr
    assert contents(estate) == FILES
    assert "+    owner: jo@people.example   # her own soon" in check.stdout
    assert "$2y$" not in check.stdout
    assert 'password: "…"' in check.stdout, "a line of the diff's context"
    assert (
        "it@people.example → jo@people.example: domains 1, mailboxes 2, storage 3G; in"
        " tenants/acme/acme.example.yml." in check.stdout
    )
    assert "it@people.example stays the account's default_owner" in check.stdout
    run = transfer(estate)
    assert "changed=1" in run.stdout
    assert "changed=1" in check.stdout
    text = FILES["tenants/acme/acme.example.yml"]
    expected = text.replace("owner: it@", "owner: jo@").replace(
        "mailboxes:", "owner: jo@people.example\nmailboxes:", 1
    )
    assert contents(estate) == {**FILES, "tenants/acme/acme.example.yml": expected}
    assert (estate / "tenants/acme/acme.example.yml").stat().st_mode & 0o777 == 0o640
    again = transfer(estate)
    assert "changed=0" in again.stdout
    assert "it@people.example owns nothing in tenant acme." in again.stdout


@pytest.mark.one_core
def test_no_room_is_refused_whole_with_the_missing_amounts(estate: Path) -> None:
    account = estate / "tenants/acme/account.yml"
    account.write_text(
        FILES["tenants/acme/account.yml"].replace("{mailboxes: 3}", "{mailboxes: 2, storage: 2G}"),
        encoding="utf-8",
    )
    before = contents(estate)
    run = transfer(estate)
    assert run.returncode == 2
    assert (
        "the limit of jo@people.example for mailboxes is too low: 2 would be added, 1 are left; raise it by 1"
        in run.stdout
    )
    assert (
        "the limit of jo@people.example for storage is too low: 3G would be added, 1G are left; raise it by 2G"
        in run.stdout
    )
    assert (
        "nothing was written: the limits of jo@people.example are too low for what it@people.example owns"
        " (mailboxes, storage); each is named above" in run.stdout
    )
    assert contents(estate) == before


@pytest.mark.one_core
def test_a_transfer_may_mend_an_owner_that_is_over_its_limit_but_not_write_other_faults(
    estate: Path,
) -> None:
    account = estate / "tenants/acme/account.yml"
    tight = "- {address: it@people.example, limits: {mailboxes: 1}}"
    account.write_text(
        FILES["tenants/acme/account.yml"].replace("- address: it@people.example", tight),
        encoding="utf-8",
    )
    assert transfer(estate, "--check").returncode == 0
    plans = estate / "plans.yml"
    plans.write_text(FILES["plans.yml"].replace("mailboxes: 9", "mailboxes: 2"), encoding="utf-8")
    before = contents(estate)
    run = transfer(estate)
    assert run.returncode == 2
    assert ": over-limit: mailboxes of tenant acme: 3 in all" in run.stdout
    assert "nothing was written: the result would have the 1 faults named above" in run.stdout
    assert contents(estate) == before


NO_ADMIN = (
    "x@people.example is no admin of tenant acme, and a transfer stays within a tenant; allowed:"
    " it@people.example, jo@people.example"
)


@pytest.mark.one_core
@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("it@people.example", "x@people.example", NO_ADMIN),
        (
            "jo",
            "it@people.example",
            "'jo' is not an address; allowed: an address such as jo@acme.example",
        ),
        (
            "it@people.example",
            "IT@people.example",
            "source and target are both it@people.example; allowed: two admins",
        ),
    ],
)
def test_words_that_cannot_be_right(source: str, target: str, sentence: str) -> None:
    read, faults = build({path: text.encode() for path, text in FILES.items()})
    assert faults == []
    with pytest.raises(AnsibleActionFail) as refused:
        _admins(read.tenants[0], source, target)
    assert refused.value.message == sentence


@pytest.mark.one_core
def test_a_word_that_cannot_be_right_changes_nothing(estate: Path) -> None:
    run = transfer(estate, tenant="acmee")
    assert run.returncode == 2
    assert (
        "the estate has no tenant acmee; did you mean acme?; allowed: acme"
        in run.stdout + run.stderr
    )
    assert contents(estate) == FILES


@pytest.mark.one_core
def test_an_estate_at_fault_is_neither_counted_nor_changed(estate: Path) -> None:
    (estate / "tenants/acme/acme.example.yml").write_text(
        "mailboxes: [{name: it, quotta: 1G}]\n", encoding="utf-8"
    )
    for run in (transfer(estate), play(estate, "reseller.mail.ledger")):
        assert run.returncode == 2
        assert (
            "has 1 fault; ansible-playbook reseller.mail.validate names them; the first is"
            " tenants/acme/acme.example.yml:1:24: unknown-key" in (run.stdout + run.stderr)
        )


@pytest.mark.one_core
def test_the_ledger_is_shown_and_also_when_something_is_over(estate: Path) -> None:
    run = play(estate, "reseller.mail.ledger")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "acme  Acme · pending on mx1 · plan p · admins 2" in run.stdout
    assert "changed=0" in run.stdout
    (estate / "plans.yml").write_text(
        FILES["plans.yml"].replace("mailboxes: 9", "mailboxes: 2"), encoding="utf-8"
    )
    assert "3/2 ✗" in play(estate, "reseller.mail.ledger").stdout


@pytest.mark.one_core
def test_the_ledger_as_files(estate: Path) -> None:
    dest = estate.parent / "build" / "ledger.json"
    words = ("-e", "ledger_output=json", "-e", f"ledger_dest={dest}")
    check = play(estate, "reseller.mail.ledger", "--check", *words)
    assert "changed=1" in check.stdout
    assert not dest.exists()
    assert "changed=1" in play(estate, "reseller.mail.ledger", *words).stdout
    assert (
        json.loads(dest.read_text(encoding="utf-8"))["tenants"][0]["counters"]["mailboxes"]["used"]
        == 3
    )
    assert "changed=0" in play(estate, "reseller.mail.ledger", *words).stdout
    table = play(
        estate, "reseller.mail.ledger", "-e", '{"ledger_tenants": ["acme"], "ledger_output": "csv"}'
    )
    assert "\nowner,acme,jo@people.example,p,mx1,mailboxes,1,3,2,33.3,admin,ok\n" in table.stdout


@pytest.mark.one_core
def test_without_an_estate_one_sentence_says_so(estate: Path) -> None:
    run = play(estate, "reseller.mail.ledger", "-e", "mail_estate_dir=")
    assert (
        "no estate is known: use an inventory with the plugin reseller.mail.estate, or give -e"
        " mail_estate_dir=<directory>" in run.stdout + run.stderr
    )
