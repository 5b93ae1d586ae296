# SPDX-License-Identifier: GPL-3.0-or-later
"""Leave DKIM keys that cannot be used out of a generation, so that all else can be installed.

PRIVATE to the collection. Runs on the host; standard library only.

OpenDKIM answers 451 to every message of a domain whose key file it cannot read. If its tables do
not name the domain, the mail is sent unsigned, and receivers can still verify it by SPF.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
import zlib
from dataclasses import replace
from pathlib import Path

from ..keys.dkim_check import Checker
from .store import FORMAT, Content, Run, Store

_KEYS = re.compile(r"(opendkim\w*)/key_table")


def with_usable_keys(
    store: Store, content: Content, run: Run, check_mode: bool
) -> tuple[Content, list[str]]:
    """Return the content without the keys that cannot be used, and what is wrong with each of
    them."""
    checker = Checker(store.root, run)
    files = dict(content.files)
    reasons = []
    for path, table in content.files.items():
        match = _KEYS.fullmatch(path)
        if not match:
            continue
        faults = {key: fault for key, file in _entries(table) if (fault := checker.fault(file))}
        if faults:
            signing = f"{match[1]}/signing_table"
            files[path] = _without(table, 0, faults)
            files[signing] = _without(content.files.get(signing, ""), 1, faults)
            reasons += [
                f"{key.partition('._domainkey.')[2]} is not signed with {key}: {fault}"
                for key, fault in faults.items()
            ]
    if not check_mode:
        checker.remember()
    return _packed(replace(content, files=files)) if reasons else content, reasons


def _entries(table: str) -> t.Iterator[tuple[str, Path]]:
    """Yield the name and the file of each key in a key table."""
    for line in table.splitlines():
        yield line.partition("\t")[0], Path(line.rpartition(":")[2])


def _without(table: str, column: int, names: t.Container[str]) -> str:
    """Return the lines of a table that have none of the names in a column."""
    return "".join(
        line
        for line in table.splitlines(keepends=True)
        if line.rstrip("\n").split("\t")[column] not in names
    )


def _packed(content: Content) -> Content:
    """Return the content with the digest and artefact that its files have now."""
    parts = {
        "format": FORMAT,
        "node": content.node,
        "debian": content.debian,
        "files": content.files,
    }
    data = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return replace(content, digest=hashlib.sha256(data).hexdigest(), packed=zlib.compress(data, 6))
