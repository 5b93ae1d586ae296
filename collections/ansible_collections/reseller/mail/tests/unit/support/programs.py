# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads the programs that roles install on hosts, which are no part of a package."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import typing as t
from pathlib import Path

ROLES = Path(__file__).parents[3] / "roles"


def program(path: str) -> t.Any:
    """Return a program as a module; ``path`` is below the folder of all roles."""
    name = f"program_{Path(path).stem.replace('-', '_')}"
    loader = importlib.machinery.SourceFileLoader(name, str(ROLES / path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look for their module there
    loader.exec_module(module)
    return module
