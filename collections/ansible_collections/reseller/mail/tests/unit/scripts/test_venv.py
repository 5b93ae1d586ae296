# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/venv.sh and requirements/: what is installed is pinned, and no environment is taken from
under a running command.

The environments here are real but empty, so no package index is needed.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[7]
REQUIREMENTS = PROJECT / "requirements"
CONTROLLER = Path("collections/ansible_collections/reseller/mail/requirements.txt")
"""What runtime.txt includes: the packages that the collection itself asks for."""
sys.path.insert(0, str(PROJECT / "scripts"))
import pins  # noqa: E402

pytestmark = pytest.mark.one_core

ENVIRONMENTS = {
    "oldest": ("tools", "oldest-core", "runtime", "lint", "test", "unit", "fuzz"),
    "newest": ("tools", "runtime", "unit"),
    "package": ("tools", "package"),
}
HERE = f"# For Python 3.{sys.version_info[1]}\n"


@pytest.fixture(name="empty")
def _empty(tmp_path: Path) -> Path:
    """The scripts of this project, with requirements that ask for nothing, for the Python that runs
    the tests."""
    return laid(tmp_path)


@pytest.fixture(name="template", scope="module")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = laid(tmp_path_factory.mktemp("template"))
    assert "Python environment .venv " in run(folder)
    return folder


@pytest.fixture(name="project")
def _project(template: Path, tmp_path: Path) -> Path:
    """The same with the tests' environment in it."""
    shutil.copytree(template, tmp_path, symlinks=True, dirs_exist_ok=True)
    (tmp_path / ".venv" / "mark").touch()
    return tmp_path


def laid(folder: Path) -> Path:
    shutil.copytree(PROJECT / "scripts", folder / "scripts")
    (folder / "requirements" / "pinned").mkdir(parents=True)
    for path in REQUIREMENTS.glob("*.txt"):
        (folder / "requirements" / path.name).write_text("# nothing\n", encoding="utf-8")
    (folder / CONTROLLER).parent.mkdir(parents=True)
    (folder / CONTROLLER).write_text("# nothing\n", encoding="utf-8")
    pin(folder, "")
    (folder / "scripts" / "pins.py").write_text(
        "", encoding="utf-8"
    )  # pip of this Python's own is in no pins
    return folder


def pin(project: Path, text: str, header: str = HERE) -> None:
    for name in ENVIRONMENTS:
        (project / "requirements" / "pinned" / f"{name}.txt").write_text(
            header + text, encoding="utf-8"
        )


def start(project: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    # Only the Python that runs the tests is found, so that all machines try the same.
    folder = project / "python"
    folder.mkdir(exist_ok=True)
    for name in ("python3", f"python3.{sys.version_info[1]}"):
        if not (folder / name).exists():
            (folder / name).symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    tools = project / "tools"
    if not tools.exists():
        tools.mkdir()
        for tool in (
            "bash",
            "cat",
            "cut",
            "date",
            "df",
            "dirname",
            "env",
            "flock",
            "mkdir",
            "rm",
            "sed",
            "sort",
            "tail",
            "tr",
            "touch",
            "sleep",
        ):
            (tools / tool).symlink_to(t.cast("str", shutil.which(tool)))
    given = {"PATH": f"{folder}{os.pathsep}{tools}", "HOME": str(project), **environment}
    return subprocess.Popen(
        words, cwd=project, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def run(project: Path, *words: str, **environment: str) -> str:
    with start(project, *(words or ("scripts/venv.sh", "test")), **environment) as command:
        output = command.communicate(timeout=900)[0]
    assert command.returncode == 0, output
    return output


def test_what_is_there_is_not_built_again_for_the_demo_either(project: Path) -> None:
    for words in ("test", "runtime"):
        assert run(project, "scripts/venv.sh", words) == ""
    assert (project / ".venv" / "mark").exists()


def test_the_demo_s_environment_grows_into_the_tests_own(empty: Path) -> None:
    run(empty, "scripts/venv.sh", "runtime")
    mark = empty / ".venv" / "mark"
    mark.touch()
    run(empty, "scripts/venv.sh", "test")
    assert mark.exists()
    assert (
        (empty / ".venv" / ".made-of")
        .read_text(encoding="utf-8")
        .endswith("runtime.txt lint.txt test.txt\n")
    )


def test_a_new_pin_builds_anew_and_never_from_the_environment_itself(project: Path) -> None:
    """``source .venv/bin/activate; make bench`` deleted the Python that it ran with."""
    pin(project, "black==1\n")
    activated = f"{project / '.venv' / 'bin'}{os.pathsep}{project / 'python'}{os.pathsep}{project / 'tools'}"
    assert "Python environment .venv " in run(
        project, PATH=activated, VIRTUAL_ENV=str(project / ".venv")
    )
    assert not (project / ".venv" / "mark").exists()
    assert "black==1" in (project / ".venv" / ".made-of").read_text(encoding="utf-8")
    home = re.search(
        r"^home = (.*)$",
        (project / ".venv" / "pyvenv.cfg").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert home is not None
    assert not Path(home.group(1)).is_relative_to(project / ".venv")
    assert run(project) == "", "with or without activating it is the same environment"


def test_a_command_that_uses_an_environment_keeps_it_until_it_ends(project: Path) -> None:
    mark = project / ".venv" / "mark"
    script = """
        source "$(dirname "$0")/lib.sh"
        hold_environments
        scripts/venv.sh test
        echo held
        read -r _word <wait
        [[ -e .venv/mark ]] && echo kept
    """
    (project / "scripts" / "use.sh").write_text(script, encoding="utf-8")
    os.mkfifo(project / "wait")
    with start(project, "bash", "scripts/use.sh") as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "held\n"
        assert run(project) == "", "whoever wants the same shares it"
        pin(project, "black==1\n")
        with start(project, "scripts/venv.sh", "test") as builder:
            assert builder.stdout is not None
            assert "another command uses it: waiting" in builder.stdout.readline()
            assert mark.exists()
            (project / "wait").write_text("\n", encoding="utf-8")
            assert user.stdout.readline() == "kept\n"
            assert "Python environment .venv " in builder.communicate(timeout=900)[0]
    assert not mark.exists()


def test_a_python_that_nothing_is_pinned_for_is_told(empty: Path) -> None:
    pin(empty, "this would stop pip\n", "# For Python 3.10\n")
    assert f"No versions are pinned for Python 3.{sys.version_info[1]}: the newest" in run(empty)
    assert "pinned/oldest.txt" not in (empty / ".venv" / ".made-of").read_text(encoding="utf-8")


def test_a_python_that_versions_are_pinned_for_goes_before_a_newer_one(empty: Path) -> None:
    stranger = empty / "python" / "python3.19"
    stranger.parent.mkdir()
    stranger.write_text(f'#!{empty}/tools/bash\necho 19 "$0"\n', encoding="utf-8")
    stranger.chmod(0o755)
    assert "No versions are pinned" not in run(empty, "scripts/venv.sh", "refresh")


def test_an_environment_that_holds_what_is_not_pinned_is_refused(empty: Path) -> None:
    shutil.copy(PROJECT / "scripts" / "pins.py", empty / "scripts")
    shutil.copytree(
        Path(importlib.metadata.distribution("packaging").locate_file("packaging")),
        empty / "scripts" / "packaging",
    )
    with start(empty, "scripts/venv.sh", "test") as command:
        output = command.communicate(timeout=900)[0]
    assert command.returncode == 1
    assert re.search(r"pip [\d.]+ is installed, and no version is pinned", output)
    assert not (empty / ".venv").exists()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_requirement_is_pinned_within_what_is_allowed(name: str) -> None:
    pinned = pins.parse((REQUIREMENTS / "pinned" / f"{name}.txt").read_text(encoding="utf-8"))
    for path in (
        *([PROJECT / CONTROLLER] if "runtime" in ENVIRONMENTS[name] else []),
        *(REQUIREMENTS / f"{part}.txt" for part in ENVIRONMENTS[name]),
    ):
        for line in path.read_text(encoding="utf-8").splitlines():
            word = line.partition("#")[0].strip()
            if not word or word.startswith("-"):
                continue
            wanted = Requirement(word)
            versions = [
                version
                for (other, _marker), version in pinned.items()
                if other == pins.plain(wanted.name)
            ]
            fit = [version for version in versions if wanted.specifier.contains(version)]
            assert fit, word
            assert fit == versions or wanted.marker, (word, versions)


def test_pins_name_neither_an_index_nor_a_path() -> None:
    for name in ENVIRONMENTS:
        text = (REQUIREMENTS / "pinned" / f"{name}.txt").read_text(encoding="utf-8")
        assert pins.parse(text)
        assert re.search("//|@|^-|file:", text, re.MULTILINE) is None


def test_both_environments_have_the_same_versions_but_for_the_core() -> None:
    """What differs between the two runs of the tests is Ansible, not a library."""
    oldest, newest = (
        pins.parse((REQUIREMENTS / "pinned" / f"{name}.txt").read_text(encoding="utf-8"))
        for name in ("oldest", "newest")
    )
    versions = {
        name: {version for (other, _marker), version in oldest.items() if other == name}
        for name, _marker in oldest
    }
    assert [
        name
        for (name, _marker), version in newest.items()
        if version not in versions.get(name, set())
    ] == []


def test_a_difference_is_told_old_to_new() -> None:
    old = pins.parse(
        "# For Python 3.11\npyyaml==6.0.3\ngone==1\nsame==2\nforked==1 ; python_full_version <"
        " '3.14'\n"
    )
    new = pins.parse("PyYAML==6.0.4\nsame==2\nforked==2 ; python_full_version < '3.14'\nadded==1\n")
    assert pins.difference(old, new) == [
        "added none -> 1",
        "forked 1 -> 2 (where python_full_version < '3.14')",
        "gone 1 -> none",
        "pyyaml 6.0.3 -> 6.0.4",
    ]
    with pytest.raises(ValueError, match="'pyyaml>=6' is no pin"):
        pins.parse("pyyaml>=6\n")


def test_markers_decide_what_this_python_gets() -> None:
    here = pins.wanted_here(
        pins.parse("a==1 ; python_version < '3'\na==2 ; python_version >= '3'\nb==1\n")
    )
    assert here == {"a": "2", "b": "1"}
    assert pins.strays(here, {"a": "1", "c": "9"}) == [
        "a 1 is installed, and 2 is pinned",
        "c 9 is installed, and no version is pinned",
    ]
