# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plugins import is what requirements.txt says, so that an installed collection runs."""

from __future__ import annotations

import ast
import re
import sys
import typing as t
from importlib.metadata import packages_distributions
from pathlib import Path

COLLECTION = Path(__file__).parents[2]
# octodns is whoever's who runs octoDNS. jinja2 and yaml come with ansible-core.
_OTHERS = {"ansible", "ansible_collections", "jinja2", "octodns", "yaml"}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported() -> set[str]:
    """Return the packages that the plugins import, but for the standard library."""
    found: set[str] = set()
    for path in (COLLECTION / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(str(node.module).partition(".")[0])
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
                found.add(ast.literal_eval(node.args[0]).partition(".")[0])
    return found - set(sys.stdlib_module_names) - _OTHERS


def _required() -> set[str]:
    lines: t.Iterable[str] = (COLLECTION / "requirements.txt").read_text("utf-8").splitlines()
    return {_plain(re.split(r"[\[<>=]", line)[0]) for line in lines if not line.startswith("#")}


def test_what_plugins_import_is_required_and_nothing_else() -> None:
    distributions = packages_distributions()
    providers = {_plain(distributions[name][0]) for name in _imported()}
    # PyNaCl is what dkimpy verifies Ed25519 with, and comes with dkimpy[ed25519].
    assert providers - {"pynacl"} == _required()
