# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/test.sh: its last lines name every test that failed, and say why.

Forges cut long logs in the middle. The scripts are the real ones, and pytest is: only the project
around them is small.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_core

PROJECT = Path(__file__).parents[7]
UNIT = Path("collections/ansible_collections/reseller/mail/tests/unit")
LONG = "a reason that is longer than a terminal is wide " * 10


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """Return a project with scripts/test.sh, one unit test that passes and two that fail."""
    (tmp_path / "scripts").mkdir()
    for name in ("test.sh", "lib.sh"):
        shutil.copy2(PROJECT / "scripts" / name, tmp_path / "scripts")
    program(tmp_path / "scripts" / "venv.sh", "exit 0")
    program(tmp_path / ".venv/bin/python", f'exec {sys.executable} "$@"')
    (tmp_path / UNIT).mkdir(parents=True)
    (tmp_path / UNIT / "test_sums.py").write_text(
        f"""import pytest

def test_right(): assert 1 + 1 == 2

def test_wrong():
    print("output " * 10, "\\n" * 300)
    raise ValueError("{LONG}")

@pytest.fixture
def broken(): raise OSError("no disk")

def test_without_its_fixture(broken): pass
""",
        encoding="utf-8",
    )
    return tmp_path


def program(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def result(project: Path, *parts: str) -> list[str]:
    """Run the parts, which fail; return the lines after the heading of the result."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    command = subprocess.run(
        ["scripts/test.sh", *parts],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert command.returncode == 1, command.stdout + command.stderr
    return re.split(r"━━ \d+:\d+  Result\n", command.stdout)[-1].splitlines()


def assert_names_of_units(lines: list[str]) -> None:
    title, wrong, error = lines
    assert title.startswith("FAILED: Unit tests")
    assert wrong.startswith(f"   FAILED {UNIT}/test_sums.py::test_wrong - ValueError: a reason")
    assert len(wrong) == 303
    assert error == f"   ERROR {UNIT}/test_sums.py::test_without_its_fixture - OSError: no disk"


def test_the_result_names_each_failed_test_and_its_reason(project: Path) -> None:
    *lines, count = result(project, "unit")
    assert_names_of_units(lines)
    assert count.startswith("0 passed, 1 failed in ")


def test_a_command_that_names_no_tests_shows_its_last_lines(project: Path) -> None:
    for name in ("yamllint", "ruff", "mypy"):
        program(project / ".venv/bin" / name, "true")
    program(project / ".venv/bin/ansible-lint", "seq 100; echo; exit 2")
    *lines, count = result(project, "lint")
    title, *shown = lines
    assert title == "FAILED: ansible-lint, profile production"
    assert shown == ["   96", "   97", "   98", "   99", "   100"]
    assert count.startswith("4 passed, 1 failed in ")


@pytest.mark.skipif(os.geteuid() != 0, reason="scripts/test.sh wants root for the platform")
def test_what_ran_beside_the_platform_is_named_too(project: Path) -> None:
    """Molecule draws a box around what pytest prints and wraps its lines."""
    tests = Path("molecule/platform/tests")
    (project / tests).mkdir(parents=True)
    shutil.copy2(PROJECT / tests / "summary.py", project / tests / "conftest.py")
    (project / tests / "test_host.py").write_text(
        "def test_mail(): assert not 'mail'\n", encoding="utf-8"
    )
    program(
        project / ".venv/bin/molecule",
        f"set -o pipefail; python -m pytest {tests} | fold -w 40 | sed 's/^/  │ /'",
    )
    *lines, count = result(project, "unit", "platform")
    assert lines[0] == "FAILED: The platform on real hosts (molecule/platform)"
    assert (
        lines[1] == f"   FAILED {tests}/test_host.py::test_mail - AssertionError: assert not 'mail'"
    )
    assert_names_of_units(lines[2:])
    assert count.startswith("0 passed, 2 failed in ")
