# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs Ansible as people run it, wherever the tests are started."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

COLLECTIONS = Path(__file__).parents[6]


def ansible(
    home: Path,
    command: str,
    *words: str,
    inventory: t.Union[str, Path] = "localhost,",
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """What ``ansible-<command>`` does, started in a folder of its own: no settings of the place
    where the tests are started count."""
    home.mkdir(exist_ok=True)
    (home / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")
    }
    given = {
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CONFIG": str(home / "ansible.cfg"),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_NOCOLOR": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "ansible", command, "-i", str(inventory), *words],
        cwd=home,
        env={**inherited, **given, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def variables(**values: object) -> list[str]:
    """The words that give a run its variables."""
    return [word for name, value in values.items() for word in ("-e", f"{name}={value}")]
