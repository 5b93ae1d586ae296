# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees who asks where a value comes from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support.running import ansible, variables

FIXTURE = Path(__file__).parents[2] / "fixtures" / "estate"


def explained(folder: Path, subject: str, *more: str) -> subprocess.CompletedProcess[str]:
    return ansible(
        folder,
        "playbook",
        "reseller.mail.explain",
        *variables(mail_estate_dir=FIXTURE, explain_subject=subject),
        *more,
    )


def test_every_value_is_told_with_its_level_and_place(tmp_path: Path) -> None:
    run = explained(tmp_path, "Jo@ACME.example", "--check")
    assert run.returncode == 0, run.stdout + run.stderr
    lines = [line.split() for line in run.stdout.splitlines()]
    assert ["quota", "5G", "mailbox", "tenants/acme/acme.example.yml:5:12"] in lines
    assert ["owner", "it@acme.example", "account", "tenants/acme/account.yml:6:16"] in lines
    assert ["credentials", "local", "default"] in lines


@pytest.mark.one_core
def test_an_alias_is_shown_with_where_its_mail_goes(tmp_path: Path) -> None:
    run = explained(tmp_path, "sales@acme.example")
    assert run.returncode == 0, run.stdout + run.stderr
    lines = [line.split() for line in run.stdout.splitlines()]
    assert ["to", "jo@acme.example", "domain", "tenants/acme/acme.example.yml:8:9"] in lines


@pytest.mark.one_core
def test_defaults_can_be_left_out(tmp_path: Path) -> None:
    run = explained(tmp_path, "jo@acme.example", "-e", "explain_set_only=true")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "quota " in run.stdout
    assert "credentials" not in run.stdout


@pytest.mark.one_core
@pytest.mark.parametrize(
    ("subject", "kind", "meant"),
    [
        ("joe@acme.example", "address", "jo@acme.example"),
        ("sale@acme.example", "address", "sales@acme.example"),
        ("acmee.example", "domain", "acme.example"),
    ],
)
def test_who_asks_for_what_is_not_there_is_told_what_may_be_meant(
    tmp_path: Path, subject: str, kind: str, meant: str
) -> None:
    run = explained(tmp_path, subject)
    assert run.returncode == 2
    assert f"the estate has no {kind} {subject}; did you mean {meant}?" in " ".join(
        run.stdout.split()
    )
