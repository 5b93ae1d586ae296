# SPDX-License-Identifier: GPL-3.0-or-later
"""The stamp of everything that decides what is in the files: this code, Python, and libraries.

PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import sys
import typing as t
from pathlib import Path

_PLUGINS = Path(__file__).parents[2]
_CODE: t.Final = (
    *(f"plugin_utils/{name}" for name in ("_cache", "_compile", "_dns", "_judge", "_language")),
    *("plugin_utils/_model", "plugin_utils/_load.py"),
    *("module_utils/_host/hashes.py", "module_utils/_host/keys/key_names.py"),
)
_LIBRARIES: t.Final = ("idna", "yaml")


@functools.cache
def stamp() -> bytes:
    """Return 16 bytes that differ if any of this differs."""
    found = hashlib.blake2b(repr((sys.version, _versions())).encode(), digest_size=16)
    for name in _CODE:
        place = _PLUGINS / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(f"\0{path.relative_to(_PLUGINS)}\0".encode())
            found.update(path.read_bytes())
    return found.digest()


def _versions() -> list[str]:
    """Return the versions of the libraries; empty for one that is missing."""
    found = []
    for name in _LIBRARIES:
        try:
            found.append(str(importlib.import_module(name).__version__))
        except ImportError:
            found.append("")
    return found
