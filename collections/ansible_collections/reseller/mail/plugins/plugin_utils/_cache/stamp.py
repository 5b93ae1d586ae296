# SPDX-License-Identifier: GPL-3.0-or-later
"""The stamp of everything that decides what is in the files: this code, Python, and libraries.

PRIVATE to the collection.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import typing as t
from pathlib import Path

import yaml

_PLUGINS = Path(__file__).parents[2]
_CODE: t.Final = (
    *(f"plugin_utils/{name}" for name in ("_cache", "_compile", "_dns", "_judge", "_language")),
    *("plugin_utils/_model", "plugin_utils/_load.py"),
    *("module_utils/_host/hashes.py", "module_utils/_host/keys/key_names.py"),
)


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


def _versions() -> tuple[str, str]:
    """Return the versions of PyYAML and of idna; empty for idna if it is missing."""
    try:
        from idna import __version__ as idna_version
    except ImportError:
        idna_version = ""
    return str(yaml.__version__), idna_version
