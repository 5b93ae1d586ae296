# SPDX-License-Identifier: GPL-3.0-or-later
"""Installed from its file into an environment with nothing else, every playbook runs.

Outside of the repository, with the oldest and the newest ansible-core. Hosts do not answer here:
molecule/platform runs the same playbooks with hosts.
"""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.support.inventory_page import (
    COLLECTION,
    PLAYBOOKS,
    ROWS,
    Operator,
)

PROJECT = COLLECTION.parents[3]
CORES = {".venv": "oldest", ".venv-newest": "newest"}
"""The environments of the tests, whose Python and pinned versions are taken, and their pins."""
ADMINS = "admins:\n  - address: jo@acme.example\n"
UNREACHABLE = 4
NOWHERE = ("-e", "ansible_host=127.0.0.1", "-e", "ansible_port=1")
GO_ON = ("diagnose", "preflight", "promote", "verify", "why")
"""Playbooks that do what is possible without the hosts."""


def pip(python: Path, *words: str | Path) -> None:
    done = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(name="operator", scope="module", params=CORES)
def _operator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Return an operator who has installed the collection as docs/inventory.md says."""
    source = PROJECT / request.param / "bin" / "python"
    if not source.exists():
        pytest.skip(f"{request.param} is not here: no Python for this ansible-core was found")
    place = tmp_path_factory.mktemp("empty")
    pins = PROJECT / "requirements" / "pinned" / f"{CORES[request.param]}.txt"
    subprocess.run([source, "-m", "venv", place / "venv"], check=True)
    python = place / "venv" / "bin" / "python"
    pip(python, "-c", pins, "ansible-core")
    operator = Operator(
        place,
        PATH=f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        PYTHONPATH="",
        GIT_CONFIG_GLOBAL="/dev/null",
        GIT_AUTHOR_NAME="T",
        GIT_AUTHOR_EMAIL="t@example.test",
        GIT_COMMITTER_NAME="T",
        GIT_COMMITTER_EMAIL="t@example.test",
    )
    # What the page says of transfer.
    operator.write({ADMINS: f"{ADMINS}  - address: it@hosting.example\n"})
    operator.install()
    (installed,) = place.glob("ansible/collections/ansible_collections/reseller/mail")
    pip(python, "-c", pins, "-r", installed / "requirements.txt")
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["commit", "--quiet", "--message", "The estate"],
    ):
        assert operator.run("git", *command).rc == 0
    run = operator.play("export")
    assert (run.rc, run.complaints) == (0, []), run.output
    operator.play("verify", *NOWHERE)  # promote reads its report
    version = operator.run("ansible", "--version").output
    core = t.cast("re.Match[str]", re.search(r"core (\d+\.\d+\.\d+)", version)).group(1)
    assert f"ansible-core=={core}" in pins.read_text(encoding="utf-8")
    assert str(place) in version
    assert str(PROJECT) not in version
    return operator


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_playbook_runs_as_far_as_hosts_that_do_not_answer(
    operator: Operator, playbook: str
) -> None:
    run = operator.play(playbook, "--check", *(NOWHERE if ROWS[playbook].hosts else ()))
    assert run.complaints == [], run.output
    assert "Python package" not in run.output
    if not ROWS[playbook].hosts:
        assert run.rc == 0, run.output
    elif playbook not in GO_ON:
        assert run.rc == UNREACHABLE, run.output
        assert "Connection refused" in run.output
