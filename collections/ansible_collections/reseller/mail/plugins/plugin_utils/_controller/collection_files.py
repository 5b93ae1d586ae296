# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what the installed collection gives to a new repository.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import json
import re
import typing as t
from importlib import metadata
from pathlib import Path

from ansible.errors import AnsibleActionFail

from .._starter.layout import Collection

ROOT = Path(__file__).parents[3]


def shipped() -> Collection:
    """Return what a new repository takes from the collection and its Python environment.

    Raise AnsibleActionFail if the collection was installed without one of these files.
    """
    lines = _text("requirements.txt").splitlines()
    requirements = tuple(line for line in lines if line and not line.startswith("#"))
    names = ["ansible-core", *(re.split(r"[^\w.-]", line)[0] for line in requirements)]
    folder = ROOT / "docs" / "pipelines"
    pipelines = sorted(folder.glob("*.y*ml"))
    if not pipelines:
        raise _incomplete(folder)
    return Collection(
        version(),
        requirements,
        {name: found for name in names if (found := _installed(name))},
        {path.name: _text(f"docs/pipelines/{path.name}") for path in pipelines},
    )


def version() -> str:
    """Return the version of the collection: of its manifest, or of its source."""
    manifest = ROOT / "MANIFEST.json"
    if manifest.is_file():
        return str(json.loads(_text("MANIFEST.json"))["collection_info"]["version"])
    found = re.search(r"^version: *(\S+)", _text("galaxy.yml"), re.MULTILINE)
    return found[1] if found else "0.0.0"


def _installed(name: str) -> t.Optional[str]:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _text(path: str) -> str:
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except OSError:
        raise _incomplete(ROOT / path) from None


def _incomplete(path: Path) -> AnsibleActionFail:
    return AnsibleActionFail(
        f"the collection is not complete: {path} is missing; install it again with"
        " ansible-galaxy collection install --force reseller.mail"
    )
