# SPDX-License-Identifier: GPL-3.0-or-later
"""The built collection: Galaxy's importer accepts it, execution environments get what it needs.

``make package`` runs this with the environment .venv-package.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

COLLECTION = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LINKS = ("repository", "documentation", "homepage", "issues")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command, which succeeds; return what it printed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(name="artefact", scope="module")
def _artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file that is uploaded to Galaxy."""
    folder = tmp_path_factory.mktemp("dist")
    run("ansible-galaxy", "collection", "build", COLLECTION, cwd=folder)
    (file,) = folder.glob("reseller-mail-*.tar.gz")
    return file


@pytest.fixture(name="collections", scope="module")
def _collections(artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which the collection was installed."""
    folder = tmp_path_factory.mktemp("installed")
    run(
        *("ansible-galaxy", "collection", "install", "--offline", artefact, "-p", folder),
        cwd=folder,
    )
    return folder


def test_galaxy_s_importer_accepts_the_collection_without_a_warning(
    artefact: Path, tmp_path: Path
) -> None:
    """ansible-lint has its own check, with the stricter profile ``production``."""
    output = run(
        *(sys.executable, "-m", "galaxy_importer.main", artefact),
        cwd=tmp_path,
        GALAXY_IMPORTER_RUN_ANSIBLE_LINT="false",
        GALAXY_IMPORTER_CHECK_REQUIRED_TAGS="true",
    )
    assert "Importer processing completed successfully" in output
    assert re.findall(r"^.*(?:WARNING|ERROR|not found|failed).*$", output, re.MULTILINE) == []
    imported = json.loads((tmp_path / "importer_result.json").read_text(encoding="utf-8"))
    assert [name for name in LINKS if not imported["metadata"][name]] == []
    assert len(imported["contents"]) > 80, "modules, plugins, roles"


def test_an_execution_environment_gets_all_that_the_collection_needs(collections: Path) -> None:
    output = run("ansible-builder", "introspect", collections, cwd=collections)
    needed = yaml.safe_load(output)
    lines = (COLLECTION / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert [line.partition("  # ")[0] for line in needed["python"]] == wanted
    assert [line.split()[0] for line in needed["system"]] == [
        *("git", "openssh-client", "openssh-clients")
    ]


def test_the_version_is_in_the_changelog() -> None:
    """``make changelog`` writes it."""
    version = yaml.safe_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    text = (COLLECTION / "CHANGELOG.rst").read_text(encoding="utf-8")
    assert f"\nv{version}\n=" in text
    released = yaml.safe_load((COLLECTION / "changelogs/changelog.yaml").read_text("utf-8"))
    assert released["releases"][version]["release_date"]
    assert re.findall(r"(?<!\w)[CMVO]\([\w.]+\)", text) == [], "markup of ansible-doc"


def test_the_artefact_has_what_users_need_and_no_tests(artefact: Path) -> None:
    with tarfile.open(artefact) as file:
        names = file.getnames()
    assert {
        "CHANGELOG.rst",
        "changelogs/changelog.yaml",
        "bindep.txt",
        "meta/execution-environment.yml",
    } <= set(names)
    assert [name for name in names if name.startswith(("tests", "changelogs/fragments"))] == []
