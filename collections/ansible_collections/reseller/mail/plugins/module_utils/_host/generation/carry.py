# SPDX-License-Identifier: GPL-3.0-or-later
"""What the next generation takes over from the current one, as hard links.

A file is taken over when it has the wanted bytes, and when the same checks and the same postmap
have accepted these bytes before. So the work grows with what changed, not with the node.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import hashlib
import shutil
import typing as t
from pathlib import Path

from . import check, sieve
from .layout import built_from
from .store import Content, GenerationError, Run, Store

_PACKAGES = ("postfix", "postfix-lmdb", "liblmdb0", "dovecot-sieve")
"""Debian's packages that decide what postmap and sievec write and what they accept."""


def carried(
    store: Store, content: Content, altered: t.Container[str], checked_by: str
) -> frozenset[str]:
    """Return the files of the current generation that the next one takes over.

    ``altered`` has the files of the current generation that are not as wanted. ``checked_by`` is
    what ``checkers`` returns now.
    """
    current = store.current()
    if current is None:
        return frozenset()
    try:
        manifest = store.manifest(current)
    except GenerationError:
        return frozenset()
    if manifest.get("checked_by") != checked_by:
        return frozenset()
    # The manifest decides too: a text that was edited by hand to what is wanted was never checked.
    texts = {
        path
        for path, checksum in content.checksums.items()
        if path not in altered and manifest["files"].get(path) == checksum
    }
    # The binary of a script has the name of the generation in it: ``stage`` makes a new one.
    built = {
        path
        for path, text in built_from(content.files).items()
        if text in texts and path not in altered and not sieve.is_script(text)
    }
    return frozenset(texts | built)


def checkers(run: Run, debian: int) -> str:
    """Return a checksum of what checks a generation and builds its tables.

    It differs when the version of the checks, the Debian release, the program postmap or one of its
    packages differs. The source of the checks cannot be read on every host: mitogen does not give
    it.
    """
    program = shutil.which("postmap")
    _code, packages, _errors = run(
        ["dpkg-query", "--show", "--showformat=${Package} ${Version}\n", *_PACKAGES]
    )
    parts = (
        str(check.VERSION).encode(),
        str(debian).encode(),
        Path(program).read_bytes() if program else b"",
        packages.encode(),
    )
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
