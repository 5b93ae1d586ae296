# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.validate, run as people and pipelines run it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support.running import ansible

UNIT = Path(__file__).parents[2]
FIXTURES = UNIT / "fixtures"
BAD = (FIXTURES / "bad_estate.txt").read_text(encoding="utf-8").splitlines()


def validate(
    home: Path, *args: str, inventory: str = "localhost,", **more: str
) -> subprocess.CompletedProcess[str]:
    return ansible(home, "playbook", "reseller.mail.validate", *args, inventory=inventory, **more)


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """An estate with faults in a Git repository."""
    shutil.copytree(FIXTURES / "bad_estate", tmp_path / "repository" / "estates" / "bad")
    (tmp_path / "repository" / ".git").mkdir()
    return tmp_path / "repository" / "estates" / "bad"


def test_every_fault_is_told_with_its_line_and_the_exit_status_is_two(
    tmp_path: Path, bad: Path
) -> None:
    run = validate(tmp_path / "home", "-e", f"mail_estate_dir={bad}")
    assert run.returncode == 2
    printed = run.stdout.splitlines()
    heads = [line for line in printed if line.startswith("estates/bad/")]
    assert heads == [f"estates/bad/{line.partition('; allowed: ')[0]}" for line in BAD]
    allowed = [
        line.strip().removeprefix("allowed: ")
        for line in printed
        if line.startswith("       allowed: ")
    ]
    assert allowed == [line.partition("; allowed: ")[2] for line in BAD]
    place = printed.index(next(line for line in heads if "unknown-key" in line))
    assert printed[place + 1 : place + 3] == ["     4 │     qouta: …", "       │     ^~~~~"]
    files = len({line.split(":")[0] for line in BAD})
    assert (
        f"{len(BAD)} faults in {files} files; docs/faults.md of the collection explains each id:"
        in printed
    )
    assert f"has {len(BAD)} faults in {files} files; they are shown above" in " ".join(
        run.stdout.split()
    )
    assert "\x1b" not in run.stdout


def test_colours_are_for_terminals_and_never_for_the_log(tmp_path: Path, bad: Path) -> None:
    log = tmp_path / "log"
    run = validate(
        tmp_path / "home",
        "-e",
        f"mail_estate_dir={bad}",
        ANSIBLE_NOCOLOR="0",
        ANSIBLE_FORCE_COLOR="1",
        ANSIBLE_LOG_PATH=str(log),
    )
    assert "\x1b[1;31munknown-key\x1b[0m" in run.stdout
    assert "\x1b" not in log.read_text(encoding="utf-8")
    assert "unknown-key" in log.read_text(encoding="utf-8")


@pytest.mark.one_core
@pytest.mark.parametrize("output", ["json", "github", "gitlab", "sarif", "text"])
def test_a_report_goes_into_a_file_while_people_read_text(
    tmp_path: Path, bad: Path, output: str
) -> None:
    dest = tmp_path / "reports" / "report"
    arguments = (
        "-e",
        f"mail_estate_dir={bad}",
        "-e",
        f"validate_output={output}",
        "-e",
        f"validate_dest={dest}",
    )
    run = validate(tmp_path / "home", *arguments, "--check")
    assert run.returncode == 2
    assert not dest.exists()
    run = validate(tmp_path / "home", *arguments)
    assert run.returncode == 2
    assert (
        "estates/bad/tenants/acme/acme.example.yml:4:5: unknown-key: 'qouta' is no key of a"
        " mailbox; did you mean quota?" in run.stdout.splitlines()
    )
    text = dest.read_text(encoding="utf-8")
    assert text.endswith("\n")
    if output == "github":
        assert len(text.splitlines()) == len(BAD)
        assert all(line.startswith("::error file=estates/bad/") for line in text.splitlines())
    elif output != "text":
        told = json.loads(text)
        rows = {
            "json": lambda: told["faults"],
            "gitlab": lambda: told,
            "sarif": lambda: told["runs"][0]["results"],
        }[output]()
        assert len(rows) == len(BAD)
    if output != "text":
        assert f"the report is in {dest}" in " ".join(run.stdout.split())


@pytest.mark.one_core
def test_without_a_file_the_form_is_printed_as_it_is(tmp_path: Path, bad: Path) -> None:
    run = validate(
        tmp_path / "home", "-e", f"mail_estate_dir={bad}", "-e", "validate_output=github"
    )
    assert run.returncode == 2
    assert sum(
        line.startswith("::error file=estates/bad/") for line in run.stdout.splitlines()
    ) == len(BAD)
    assert "^~" not in run.stdout


@pytest.mark.one_core
def test_paths_are_relative_to_what_one_says(tmp_path: Path, bad: Path) -> None:
    run = validate(tmp_path / "home", "-e", f"mail_estate_dir={bad}", "-e", f"validate_root={bad}")
    assert next(line for line in run.stdout.splitlines() if ": unknown-key: " in line).startswith(
        "tenants/acme/acme.example.yml:4:5: "
    )
    run = validate(
        tmp_path / "home", "-e", f"mail_estate_dir={bad}", "-e", f"validate_root={tmp_path}/home"
    )
    assert run.returncode == 2
    assert f"the estate {bad} is not below {tmp_path}/home" in " ".join(
        (run.stdout + run.stderr).split()
    )


def test_a_faultless_estate_is_counted_and_its_report_is_empty(tmp_path: Path) -> None:
    dest = tmp_path / "report.json"
    for arguments, changed in (
        ((), 0),
        (("--check", "--diff"), 0),
        (("-e", "validate_output=json", "-e", f"validate_dest={dest}"), 1),
    ):
        run = validate(tmp_path, "-e", f"mail_estate_dir={FIXTURES}/estate", *arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        assert (
            f"The estate {FIXTURES}/estate has no fault: nodes 2, plans 2, tenants 2, domains"
            " 2, domain aliases 0, mailboxes 3, aliases 1, sender addresses 0."
            in run.stdout.splitlines()
        )
        assert f"changed={changed}" in run.stdout
    assert json.loads(dest.read_text(encoding="utf-8"))["counts"]["mailboxes"] == 3


@pytest.mark.one_core
def test_keys_without_effect_are_named(tmp_path: Path) -> None:
    estate = tmp_path / "estate"
    shutil.copytree(FIXTURES / "estate", estate)
    with (estate / "estate.yml").open("a", encoding="utf-8") as file:
        file.write("backup_mx:\n  - {hostname: alt.hosting.example, addresses: [192.0.2.99]}\n")
    dest = tmp_path / "report.json"
    run = validate(
        tmp_path / "home",
        "-e",
        f"mail_estate_dir={estate}",
        "-e",
        "validate_output=json",
        "-e",
        f"validate_dest={dest}",
    )
    assert run.returncode == 0, run.stdout + run.stderr
    idle = {
        row["key"]: row["times"]
        for row in json.loads(dest.read_text(encoding="utf-8"))["without_effect"]
    }
    told = " ".join(run.stdout.split())
    if "estate.yml: backup_mx.hostname" in idle:  # while nothing acts on it
        assert idle["estate.yml: backup_mx.hostname"] == 1
    for key in idle:
        assert key.partition(": ")[2] in told
    assert ("hosts do not act on it yet" in told) == bool(idle)


@pytest.mark.one_core
def test_a_typo_that_a_catch_all_takes_is_a_warning(tmp_path: Path) -> None:
    estate = Path(shutil.copytree(FIXTURES / "estate", tmp_path / "estate"))
    with (estate / "tenants/acme/acme.example.yml").open("a", encoding="utf-8") as stream:
        stream.write("  - {name: press, to: [salse]}\ncatch_all: it\n")
    dest = tmp_path / "report.json"
    given = ("-e", f"mail_estate_dir={estate}", "-e", "validate_output=json")
    run = validate(tmp_path / "home", *given, "-e", f"validate_dest={dest}")
    assert run.returncode == 0, run.stdout + run.stderr
    shown = " ".join((run.stdout + run.stderr).split())
    what = (
        "the alias press@acme.example delivers to salse@acme.example, which is no mailbox or alias:"
        " the catch-all it@acme.example takes its mail; did you mean sales?"
    )
    assert f"acme.example.yml:9:24: target-by-catch-all: {what}" in shown
    (row,) = json.loads(dest.read_text(encoding="utf-8"))["warnings"]
    assert (row["id"], row["line"], row["column"], row["what"]) == (
        "target-by-catch-all",
        9,
        24,
        what,
    )


def test_a_broken_estate_in_the_inventory_can_still_be_validated(tmp_path: Path, bad: Path) -> None:
    inventory = tmp_path / "inventory" / "mail.yml"
    inventory.parent.mkdir()
    inventory.write_text(f"plugin: reseller.mail.estate\nestate: {bad}\n", encoding="utf-8")
    run = validate(tmp_path / "home", inventory=str(inventory))
    assert run.returncode == 2
    assert run.stdout.count("       allowed: ") == len(BAD)


@pytest.mark.one_core
def test_a_report_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path, bad: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    run = validate(
        tmp_path / "home",
        "-e",
        f"mail_estate_dir={bad}",
        "-e",
        f"validate_dest={tmp_path}/file/report",
    )
    assert run.returncode == 2
    told = " ".join((run.stdout + run.stderr).split())
    assert f"Task failed: {tmp_path}/file/report cannot be written: " in told
    assert "[Errno" not in told
    assert "Traceback" not in told


def test_no_estate_is_said_in_one_sentence(tmp_path: Path) -> None:
    run = validate(tmp_path)
    assert run.returncode == 2
    assert (
        "no estate is known: use an inventory with the plugin reseller.mail.estate, or give -e"
        " mail_estate_dir=<directory>" in run.stdout + run.stderr
    )
    run = validate(tmp_path, "-e", f"mail_estate_dir={tmp_path}/nothing")
    assert run.returncode == 2
    assert (
        f"there is no estate at {tmp_path}/nothing: it is no directory" in run.stdout + run.stderr
    )
