# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes' own word counts; the files in state/ are copies of it."""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

import pytest
from client import ESTATE, Run, ansible, changed_estate
from conftest import NODES

HERE = Path(__file__).parent
PLAYS = (str(HERE / "keys.yml"), str(HERE / "generation.yml"))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The estate as a runner has it that was not given state/."""
    estate = changed_estate(tmp_path, {})
    shutil.rmtree(estate / "state")
    return estate


def apply(estate: Path, *arguments: str) -> Run:
    """Read the keys of both nodes and install the generation that follows from them."""
    return ansible("ansible-playbook", *PLAYS, *arguments, estate=estate)


def keys(estate: Path) -> dict[str, t.Any]:
    return {
        name: json.loads((estate / "state" / f"{name}.json").read_text("utf-8"))["dkim"]
        for name in NODES
    }


def test_a_clone_without_state_gives_the_same_generation_and_reports(clone: Path) -> None:
    """In check mode, too, which writes nothing. Then only the reports are new."""
    dry = apply(clone, "--check", "--diff")
    assert dry.rc == 0, dry.output
    assert {name: dry.changed(name) for name in NODES} == dict.fromkeys(NODES, 0), dry.output
    assert not (clone / "state").exists()
    run = apply(clone, "--diff")
    assert run.rc == 0, run.output
    assert {name: run.changed(name) for name in NODES} == dict.fromkeys(NODES, 1), run.output
    assert keys(clone) == keys(ESTATE)
    for name in NODES:
        assert f"state/{name}.json has no dkim keys yet" in run.output
    assert "is not what the host has" not in run.output


def test_a_host_that_signs_is_not_given_a_generation_that_signs_nothing(clone: Path) -> None:
    """A play without the role that reads the keys."""
    for arguments in (("--check",), ()):
        run = ansible("ansible-playbook", PLAYS[1], *arguments, estate=clone)
        assert run.rc == 2, run.output
        assert {name: run.recap[name]["changed"] for name in NODES} == dict.fromkeys(NODES, 0)
        for name in NODES:
            assert f"no report of the DKIM keys of {name} (state/{name}.json)" in run.output


def test_a_file_that_is_not_what_the_node_has_is_said_and_set_right(tmp_path: Path) -> None:
    """Somebody wrote another key into the file of one node, and an older state into the other."""
    estate = changed_estate(tmp_path, {})
    forged = "MIIB" + 97 * "abcd"
    expected = {}
    for name, change in {"mx1": ("public", forged), "mx2": ("state", "generated")}.items():
        path = estate / "state" / f"{name}.json"
        report = json.loads(path.read_text("utf-8"))
        row = next(key for key in report["dkim"] if key["state"] == "active")
        row[change[0]] = change[1]
        path.write_text(json.dumps(report), encoding="utf-8")
        what = {
            "mx1": "is another key on the host than in the file",
            "mx2": "is active on the host, and generated in the file",
        }[name]
        expected[name] = f"{row['selector']}._domainkey.{row['domain']} {what}"
    run = apply(estate)
    assert run.rc == 0, run.output
    assert keys(estate) == keys(ESTATE)
    said = " ".join(run.output.split())
    for name in NODES:
        assert f"[WARNING]: state/{name}.json is not what the host has: {expected[name]}." in said


def test_records_of_a_node_that_is_not_reached_stay_in_dns(tmp_path: Path) -> None:
    """The clone has the list of published records, and no report of mx2."""
    estate = changed_estate(tmp_path, {})
    (estate / "state" / "mx2.json").unlink()
    run = ansible(
        "ansible-playbook", "reseller.mail.dns_publish", "--check", "--diff", estate=estate
    )
    assert run.rc == 0, run.output
    gone = [line for line in run.output.splitlines() if line.startswith("- ") and "mx2" in line]
    assert gone == [], run.output
    assert "mx2: the estate has no report of its keys (state/mx2.json)" in run.output
