# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.export and reseller.mail.import_estate, run as people run them."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.tests.unit.support.running import ansible

UNIT = Path(__file__).parents[2]
FIXTURES = UNIT / "fixtures"
MODOBOA = ",".join(
    str(FIXTURES / "exchange" / f"modoboa-{name}.csv") for name in ("domains", "identities")
)


def play(home: Path, playbook: str, *args: str) -> subprocess.CompletedProcess[str]:
    return ansible(home, "playbook", f"reseller.mail.{playbook}", *args)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """An estate with nodes and a plan, and no tenants."""
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "estate.yml").write_text(
        "provider: {name: P, domain: p.example}\nnodes: [{name: mx1, hostname: mx1.hosting.example,"
        " debian: 12, addresses: [192.0.2.1]}]\n",
        encoding="utf-8",
    )
    (folder / "plans.yml").write_text(
        "plans:\n  - {name: business, features: [catch_all], mailbox_quota: {default: 2G}}\n",
        encoding="utf-8",
    )
    return folder


def test_a_modoboa_becomes_an_estate_that_validate_accepts(tmp_path: Path, estate: Path) -> None:
    words = [
        "-e",
        f"mail_estate_dir={estate}",
        "-e",
        "import_from=modoboa",
        "-e",
        f"import_src={MODOBOA}",
    ]
    words += [
        "-e",
        "import_tenant=acme",
        "-e",
        "import_plan=business",
        "-e",
        "import_placement=mx1",
    ]
    before = tree(estate)
    checked = play(tmp_path / "home", "import_estate", *words, "--check", "--diff")
    assert checked.returncode == 0, checked.stdout
    assert "+  - name: jo" in checked.stdout
    assert "$2b$" not in checked.stdout  # hashes are in no log
    assert tree(estate) == before
    run = play(tmp_path / "home", "import_estate", *words)
    assert run.returncode == 0, run.stdout
    assert (
        "not imported: modoboa-identities.csv:14: alias a+b@acme.example: 'a+b' cannot be the part before an @"
        in run.stdout
    )
    assert play(tmp_path / "home", "validate", "-e", f"mail_estate_dir={estate}").returncode == 0
    after = tree(estate)
    again = play(tmp_path / "home", "import_estate", *words)
    assert (again.returncode, tree(estate)) == (0, after), again.stdout
    assert "changed=0" in again.stdout


@pytest.mark.one_core
def test_faults_are_told_with_their_rows_and_nothing_is_written(
    tmp_path: Path, estate: Path
) -> None:
    (estate / "plans.yml").write_text(
        "plans:\n  - {name: business, mailbox_quota: {default: 2G}}\n", encoding="utf-8"
    )
    words = [
        "-e",
        f"mail_estate_dir={estate}",
        "-e",
        "import_from=modoboa",
        "-e",
        f"import_src={MODOBOA}",
        "-e",
        "import_tenant=acme",
    ]
    before = tree(estate)
    run = play(
        tmp_path / "home",
        "import_estate",
        *words,
        "-e",
        "import_plan=business",
        "-e",
        "import_placement=mx1",
    )
    assert run.returncode == 2
    assert (
        "modoboa-identities.csv:12: tenants/acme/acme.example.yml:27:12: feature-not-in-plan: "
        in run.stdout
    )
    assert tree(estate) == before
    told = play(
        tmp_path / "home",
        "import_estate",
        *words,
        "-e",
        "import_plan=business",
        "-e",
        "import_placement=mx1",
        "-e",
        "import_write_faulty=true",
    )
    assert told.returncode == 0, told.stdout
    assert "tenants/acme/acme.example.yml" in tree(estate)


@pytest.mark.one_core
def test_an_export_is_imported_as_the_same_estate(tmp_path: Path) -> None:
    copy, out = tmp_path / "copy", tmp_path / "out"
    words = [
        "-e",
        f"mail_estate_dir={FIXTURES / 'estate'}",
        "-e",
        "export_form=json",
        "-e",
        "export_secrets=true",
        "-e",
        f"export_dest={out}",
    ]
    run = play(tmp_path / "home", "export", *words)
    assert run.returncode == 0, run.stdout
    assert stat.S_IMODE((out / "estate.json").stat().st_mode) == 0o600
    assert "changed=0" in play(tmp_path / "home", "export", *words).stdout
    taken = play(
        tmp_path / "home",
        "import_estate",
        "-e",
        f"mail_estate_dir={copy}",
        "-e",
        "import_from=json",
        "-e",
        f"import_src={out}",
    )
    assert taken.returncode == 0, taken.stdout
    assert load(str(copy)) == load(str(FIXTURES / "estate"))


@pytest.mark.one_core
def test_an_inbox_adds_and_never_contradicts(tmp_path: Path) -> None:
    estate, inbox = tmp_path / "estate", tmp_path / "inbox"
    shutil.copytree(FIXTURES / "estate", estate)
    inbox.mkdir()
    words = [
        "-e",
        f"mail_estate_dir={estate}",
        "-e",
        "import_from=csv",
        "-e",
        f"import_src={inbox}",
        "-e",
        "import_existing=add",
    ]
    (inbox / "mailboxes.csv").write_text(
        "tenant,domain,name,quota\nacme,acme.example,new,1G\n", encoding="utf-8"
    )
    run = play(tmp_path / "home", "import_estate", *words)
    assert run.returncode == 0, run.stdout
    assert b"  - name: new\n    quota: 1G\n" in tree(estate)["tenants/acme/acme.example.yml"]
    after = tree(estate)
    (inbox / "mailboxes.csv").write_text(
        "tenant,domain,name,quota\nacme,acme.example,new,2G\n", encoding="utf-8"
    )
    run = play(tmp_path / "home", "import_estate", *words)
    assert run.returncode == 2
    assert "mailboxes.csv:2: tenants/acme/acme.example.yml:" in run.stdout
    assert tree(estate) == after
