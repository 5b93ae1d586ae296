# SPDX-License-Identifier: GPL-3.0-or-later
"""One domain's DKIM key that cannot be used keeps no other domain from its generation.

PRIVATE to the collection. Runs on the host; standard library only.

OpenDKIM answers 451 to every message of a domain whose key file it cannot read. A domain that its tables do not name is not signed,
and its mail goes on its way; SPF still speaks for it.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
import zlib
from dataclasses import replace
from pathlib import Path

from .._dkim_check import Checker
from .store import FORMAT, Content, Run, Store

_KEYS = re.compile(r"(opendkim\w*)/key_table")


def with_usable_keys(
    store: Store, content: Content, run: Run, check_mode: bool
) -> tuple[Content, list[str]]:
    """Return the content without the keys that cannot be used, and for each of them what is wrong."""
    checker = Checker(store.root, run)
    files = dict(content.files)
    told = []
    for path, table in content.files.items():
        match = _KEYS.fullmatch(path)
        if not match:
            continue
        faults = {key: fault for key, file in _entries(table) if (fault := checker.fault(file))}
        if faults:
            signing = f"{match[1]}/signing_table"
            files[path] = _without(table, 0, faults)
            files[signing] = _without(content.files.get(signing, ""), 1, faults)
            told += [
                f"{key.partition('._domainkey.')[2]} is not signed with {key}: {fault}"
                for key, fault in faults.items()
            ]
    if not check_mode:
        checker.remember()
    return _packed(replace(content, files=files)) if told else content, told


def _entries(table: str) -> t.Iterator[tuple[str, Path]]:
    for line in table.splitlines():
        yield line.partition("\t")[0], Path(line.rpartition(":")[2])


def _without(table: str, column: int, names: t.Container[str]) -> str:
    """Return the lines in whose column none of the names stands."""
    return "".join(
        line
        for line in table.splitlines(keepends=True)
        if line.rstrip("\n").split("\t")[column] not in names
    )


def _packed(content: Content) -> Content:
    """Return the content as if it had been shipped so."""
    parts = {
        "format": FORMAT,
        "node": content.node,
        "debian": content.debian,
        "files": content.files,
    }
    data = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return replace(content, digest=hashlib.sha256(data).hexdigest(), packed=zlib.compress(data, 6))
