# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees who asks, without hosts and without a network, where the trouble comes
from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support.running import ansible, variables

FIXTURE = Path(__file__).parents[2] / "fixtures" / "estate"


def diagnosed(
    folder: Path, subject: str, *more: str, estate: Path = FIXTURE
) -> subprocess.CompletedProcess[str]:
    given = variables(mail_estate_dir=estate, diagnose_subject=subject, diagnose_offline=True)
    return ansible(
        folder,
        "playbook",
        "reseller.mail.diagnose",
        *given,
        *(word for one in more for word in ("-e", one)),
        COLUMNS="300",
    )


def test_a_cause_ends_the_run_well_unless_a_script_wants_otherwise(tmp_path: Path) -> None:
    run = diagnosed(tmp_path, "Sales@ACME.example", "diagnose_trouble=login")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "sales@acme.example is an alias" in run.stdout
    assert "log in as jo@acme.example" in run.stdout
    assert (
        diagnosed(
            tmp_path, "sales@acme.example", "diagnose_trouble=login", "diagnose_fatal=true"
        ).returncode
        == 2
    )


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("jo@acme.exmaple", "no tenant has acme.exmaple; did you mean acme.example?"),
        ("a b@acme.example", "cannot be the part before an @"),
        ("joe@acme.example", "did you mean jo@acme.example?"),
    ],
)
def test_who_asks_about_nobody_is_told_what_may_be_meant(
    subject: str, found: str, tmp_path: Path
) -> None:
    run = diagnosed(tmp_path, f"'{subject}'", "diagnose_trouble=inbound")
    assert run.returncode == 0, run.stdout + run.stderr
    assert found in run.stdout


def test_files_at_fault_are_the_cause_and_the_nearest_fault_is_told(tmp_path: Path) -> None:
    shutil.copytree(FIXTURE, tmp_path / "estate")
    account = tmp_path / "estate" / "tenants" / "acme" / "account.yml"
    account.write_text(
        account.read_text(encoding="utf-8").replace("state: active", "state: asleep"),
        encoding="utf-8",
    )
    run = diagnosed(
        tmp_path, "jo@acme.example", "diagnose_trouble=inbound", estate=tmp_path / "estate"
    )
    assert "tenants/acme/account.yml:3:" in run.stdout, run.stdout
    assert "no host is converged until this is repaired" in run.stdout
