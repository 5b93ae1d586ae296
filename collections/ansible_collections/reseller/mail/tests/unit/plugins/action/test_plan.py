# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.plan, run as people run it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support import plan_estate as e
from ansible_collections.reseller.mail.tests.unit.support.running import ansible, variables


def write(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def plan(home: Path, *args: str, **given: object) -> subprocess.CompletedProcess[str]:
    return ansible(home, "playbook", "reseller.mail.plan", *args, *variables(**given))


@pytest.fixture(name="before")
def _before(tmp_path: Path) -> Path:
    return write(tmp_path / "before", e.FILES)


def test_two_folders_are_compared_and_the_plan_is_written(tmp_path: Path, before: Path) -> None:
    after = write(tmp_path / "after", e.changed(e.FILES, e.ACME, ("quota: 5G", "quota: 6G")))
    comment, numbers = tmp_path / "out" / "plan.md", tmp_path / "plan.json"
    files = {"plan_markdown": comment, "plan_json": numbers}
    checked = plan(tmp_path / "home", "--check", mail_estate_dir=after, plan_before=before, **files)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert not comment.exists()
    run = plan(
        tmp_path / "home", mail_estate_dir=after, plan_before=before, mail_actor="it-acme", **files
    )
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    first = lines.index("tenant acme (Acme Corporation)")
    assert lines[first + 1] == "    ~ mailbox jo@acme.example: quota 5G → 6G"
    assert "it-acme is tenant_admin of acme; may make this change" in lines
    assert comment.read_text(encoding="utf-8").startswith("<!-- reseller.mail.plan -->\n")
    assert json.loads(numbers.read_text(encoding="utf-8"))["counts"] == {
        "added": 0,
        "changed": 1,
        "removed": 0,
    }
    assert (
        "changed=0"
        in plan(
            tmp_path / "home",
            mail_estate_dir=after,
            plan_before=before,
            mail_actor="it-acme",
            **files,
        ).stdout
    )


@pytest.mark.one_core
@pytest.mark.parametrize(
    ("replacement", "variables", "output"),
    [
        (("quota: 5G", "quota: lots"), {}, f"{e.ACME}:7:12"),
        (
            ("quota: 5G", "quota: 6G"),
            {"mail_actor": "ann@globex.example"},
            "1 edit is not allowed to ann@globex.example; each is named above",
        ),
        (("  - name: small\n", ""), {"mail_actor": ""}, "the actor is empty"),
    ],
)
def test_what_is_refused_fails(
    tmp_path: Path,
    before: Path,
    replacement: tuple[str, str],
    variables: dict[str, str],
    output: str,
) -> None:
    after = write(tmp_path / "after", e.changed(e.FILES, e.ACME, replacement))
    run = plan(tmp_path / "home", mail_estate_dir=after, plan_before=before, **variables)
    assert run.returncode == 2, run.stdout + run.stderr
    assert output in run.stdout + run.stderr


@pytest.mark.one_core
def test_a_refused_change_prints_its_reasons_and_no_data(tmp_path: Path, before: Path) -> None:
    wrong = ("  - name: small\n", "".join(f"  - name: box {n}\n" for n in range(8)))
    after = write(tmp_path / "after", e.changed(e.FILES, e.ACME, wrong))
    numbers = tmp_path / "plan.json"
    run = plan(tmp_path / "home", mail_estate_dir=after, plan_before=before, plan_json=numbers)
    assert run.returncode == 2, run.stdout + run.stderr
    for line in range(10, 18):
        assert f"{e.ACME}:{line}:11: " in run.stdout, "each fault is named"
    assert len(run.stdout.splitlines()) <= 40, run.stdout
    assert "sections:" not in run.stdout + run.stderr
    assert len(json.loads(numbers.read_text(encoding="utf-8"))["faults"]) == 8


@pytest.mark.one_core
def test_mass_deletion_needs_the_number(tmp_path: Path, before: Path) -> None:
    after = write(
        tmp_path / "after",
        {path: text for path, text in e.FILES.items() if not path.startswith("tenants/acme/")},
    )
    after.joinpath("estate.yml").write_text(
        e.FILES["estate.yml"].replace(
            "  - {identity: it-acme, role: tenant_admin, tenant: acme, address: it@acme.example}\n",
            "",
        ),
        encoding="utf-8",
    )
    run = plan(tmp_path / "home", mail_estate_dir=after, plan_before=before)
    assert run.returncode == 2, run.stdout + run.stderr
    number = run.stdout.split("mail_deletions_accepted=")[1].split()[0]
    assert number == "10", "1 tenant, 2 domains, 7 mailboxes"
    assert (
        plan(
            tmp_path / "home", mail_estate_dir=after, plan_before=before, mail_deletions_accepted=9
        ).returncode
        == 2
    )
    assert (
        plan(
            tmp_path / "home", mail_estate_dir=after, plan_before=before, mail_deletions_accepted=10
        ).returncode
        == 0
    )


@pytest.mark.one_core
def test_one_sentence_names_what_is_missing(tmp_path: Path, before: Path) -> None:
    for given, output in (
        (
            {"mail_estate_dir": before},
            "plan_before_revision or plan_before is missing: give -e plan_before_revision=",
        ),
        ({"plan_before": before}, "no estate is known"),
        (
            {"mail_estate_dir": before, "plan_before": f"{before}/nothing"},
            "there is no estate before at",
        ),
        ({"mail_estate_dir": before, "plan_before_revision": "main"}, "not a git repository"),
        (
            {"mail_estate_dir": before, "plan_before_revision": "main", "plan_merge": "true"},
            "merge needs before_revision and after_revision",
        ),
    ):
        run = plan(tmp_path / "home", **given)
        assert run.returncode == 2
        assert output in run.stdout + run.stderr, run.stdout
