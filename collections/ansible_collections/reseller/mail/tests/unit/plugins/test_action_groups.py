# SPDX-License-Identifier: GPL-3.0-or-later
"""``module_defaults`` with the groups of meta/runtime.yml gives the modules their options."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COLLECTION = Path(__file__).parents[3]
COLLECTIONS = COLLECTION.parents[2]
EXAMPLE = COLLECTION.parents[3] / "estates" / "example"


@pytest.mark.parametrize("group", ["all", "estate"])
def test_module_defaults_of_a_group_reach_the_modules(tmp_path: Path, group: str) -> None:
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": {f"group/reseller.mail.{group}": {"estate": str(EXAMPLE)}},
        "tasks": [
            {"reseller.mail.ledger": {"output": "csv", "dest": "ledger.csv"}},
            {"reseller.mail.render": {"node": "mx1", "dest": "render"}},
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "play.yml"],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "acme" in (tmp_path / "ledger.csv").read_text(encoding="utf-8")
    assert (tmp_path / "render" / "postfix" / "virtual_mailbox_maps").is_file()
