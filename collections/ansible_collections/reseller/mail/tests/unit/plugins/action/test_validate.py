# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.validate, run as people run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

UNIT = Path(__file__).parents[2]
COLLECTIONS = Path(__file__).parents[7]
FIXTURES = UNIT / "fixtures"


def validate(home: Path, *args: str, inventory: str = "localhost,") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    home.mkdir(exist_ok=True)
    (home / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")  # not the one of the place where the tests are started
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_NOCOLOR": "1",
    }
    words = [sys.executable, "-m", "ansible", "playbook", "-i", inventory, "reseller.mail.validate", *args]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_every_fault_stands_in_a_line_of_its_own_and_the_exit_status_is_two(tmp_path: Path) -> None:
    run = validate(tmp_path, "-e", f"mail_estate_dir={FIXTURES}/bad_estate")
    expected = (FIXTURES / "bad_estate.txt").read_text(encoding="utf-8").splitlines()
    assert run.returncode == 2
    printed = run.stdout.splitlines()
    first = printed.index(expected[0])
    assert printed[first : first + len(expected)] == expected
    files = len({line.split(":")[0] for line in expected})
    assert f"has {len(expected)} faults in {files} files; each is named above" in run.stdout


def test_a_faultless_estate_is_counted(tmp_path: Path) -> None:
    for arguments in ((), ("--check", "--diff")):
        run = validate(tmp_path, "-e", f"mail_estate_dir={FIXTURES}/estate", *arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        assert (
            f"The estate {FIXTURES}/estate is without fault: nodes 2, plans 2, tenants 2, domains 2, "
            "domain aliases 0, mailboxes 3, aliases 1, sender addresses 0."
        ) in run.stdout.splitlines()
        assert "changed=0" in run.stdout


def test_a_broken_estate_in_the_inventory_can_still_be_validated(tmp_path: Path) -> None:
    inventory = tmp_path / "mail.yml"
    inventory.write_text(f"plugin: reseller.mail.estate\nestate: {FIXTURES}/bad_estate\n", encoding="utf-8")
    run = validate(tmp_path / "home", inventory=str(inventory))
    assert run.returncode == 2
    assert (FIXTURES / "bad_estate.txt").read_text(encoding="utf-8") in run.stdout


def test_no_estate_is_said_in_one_sentence(tmp_path: Path) -> None:
    run = validate(tmp_path)
    assert run.returncode == 2
    assert "no estate is known: use an inventory with the plugin reseller.mail.estate, or give -e mail_estate_dir=<directory>" in run.stdout + run.stderr
    run = validate(tmp_path, "-e", f"mail_estate_dir={tmp_path}/nothing")
    assert run.returncode == 2
    assert f"there is no estate at {tmp_path}/nothing: it is no directory" in run.stdout + run.stderr
