# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.welcome, run as people run it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.record import PURPOSES
from ansible_collections.reseller.mail.tests.unit.support.running import ansible, variables

PROJECT = Path(__file__).parents[8]
EXAMPLE = PROJECT / "estates" / "example"
TIME = "2026-11-30T09:00:00Z"


def welcome(
    home: Path, *words: str, estate: Path = EXAMPLE, **values: t.Any
) -> subprocess.CompletedProcess[str]:
    given = variables(mail_estate_dir=estate, **values)
    return ansible(home, "playbook", "reseller.mail.welcome", *given, *words)


@pytest.fixture(name="estate")
def _estate(tmp_path: Path) -> Path:
    """Return the example estate, in which the node of globex has reported its keys."""
    folder = tmp_path / "estate"
    shutil.copytree(EXAMPLE, folder)
    (folder / "state").mkdir()
    keys = [{"domain": "globex.example", "selector": "mx2", "public": "A7b+" * 100}]
    report = json.dumps({"node": "mx2", "dkim": keys})
    (folder / "state/mx2.json").write_text(report, encoding="utf-8")
    return folder


@pytest.fixture(name="report")
def _report(tmp_path: Path) -> Path:
    """Return a report of verify in which globex alone is in order."""
    findings = [
        {"id": one, "subject": "globex.example", "state": "ok"}
        for one in sorted({purpose.finding for purpose in PURPOSES.values()})
    ]
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"checked": TIME, "findings": findings}), encoding="utf-8")
    return path


def written(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_without_a_report_no_pack_is_written_and_each_tenant_is_named(tmp_path: Path) -> None:
    run = welcome(tmp_path / "home")
    assert run.returncode == 0, run.stdout
    for tenant in ("acme", "globex", "initech"):
        assert f"held back: {tenant}: " in run.stdout
    assert "held back: umbrella: the tenant is pending" in run.stdout
    assert "vandelay" not in run.stdout
    assert "wrote the packs of 0 tenants" in run.stdout
    assert "held back: 4; verify has no report" in run.stdout
    assert not (tmp_path / "home/build").exists()


def test_a_tenant_in_order_gets_its_pack_once_and_only_its_owner_reads_it(
    tmp_path: Path, estate: Path, report: Path
) -> None:
    home, folder = tmp_path / "home", tmp_path / "packs"
    given = {"estate": estate, "welcome_report": report, "welcome_dir": folder}
    run = welcome(home, "--check", "--diff", **given)
    assert f"would write the packs of 1 tenants into {folder}; held back: 3" in run.stdout
    assert "+<!doctype html>" in run.stdout
    assert not folder.exists()
    run = welcome(home, **given)
    assert (run.returncode, "changed=1" in run.stdout) == (0, True), run.stdout
    assert f"verify checked at {TIME}" in run.stdout
    assert "globex: " not in run.stdout
    files = written(folder)
    assert {name.partition("/")[0] for name in files} == {"globex"}
    assert "globex/globex.example/golive.txt" in files
    assert {stat.S_IMODE(os.stat(folder / name).st_mode) for name in files} == {0o600}
    run = welcome(home, **given)
    assert "changed=0" in run.stdout
    assert written(folder) == files


def test_only_the_named_tenant_gets_its_pack_with_its_contract(tmp_path: Path) -> None:
    contracts, folder = tmp_path / "contracts.yml", tmp_path / "packs"
    contracts.write_text("contracts: [{tenant: acme, product: Business mail, amount: 5}]\n")
    run = welcome(
        tmp_path / "home",
        "-e",
        json.dumps({"welcome_tenants": ["acme"]}),
        welcome_verified="false",
        welcome_contracts=contracts,
        welcome_dir=folder,
    )
    assert run.returncode == 0, run.stdout
    assert {path.name for path in folder.iterdir()} == {"acme"}
    letter = (folder / "acme/letter.txt").read_text(encoding="utf-8")
    assert "Product: Business mail" in letter
    assert "Amount:  5.00\N{NO-BREAK SPACE}EUR" in letter


def test_every_fault_of_contracts_and_tenants_is_printed_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    contracts, folder = tmp_path / "contracts.yml", tmp_path / "packs"
    contracts.write_text("contracts:\n  - {tenant: acmee}\n  - {tenant: acme, due: soon}\n")
    run = welcome(
        tmp_path / "home",
        "-e",
        json.dumps({"welcome_tenants": ["acme", "globx"]}),
        welcome_verified="false",
        welcome_contracts=contracts,
        welcome_dir=folder,
    )
    assert run.returncode == 2
    assert f"{contracts}:2:14: unknown-tenant: " in run.stdout
    assert f"{contracts}:3:25: unfit-value: 'soon' is not a date" in run.stdout
    assert "the estate has no tenant globx; did you mean globex?" in run.stdout
    assert "nothing was written: 3 faults, named above" in run.stdout
    assert not folder.exists()


def test_a_file_of_contracts_that_is_not_there_is_named(tmp_path: Path) -> None:
    run = welcome(tmp_path / "home", welcome_contracts=tmp_path / "none.yml")
    assert run.returncode == 2
    assert f"there is no file of contracts at {tmp_path / 'none.yml'}" in run.stdout + run.stderr
