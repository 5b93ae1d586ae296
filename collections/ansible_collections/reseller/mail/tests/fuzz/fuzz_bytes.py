# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes for the parser and the loader, led by what they make the code do (atheris).
``scripts/fuzz.sh`` calls it."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parent)]

with atheris.instrument_imports(include=["ansible_collections.reseller.mail.plugins.plugin_utils"]):
    import fuzz
    import invariants
    from ansible_collections.reseller.mail.plugins.plugin_utils._language.yaml_nodes import parse

PATHS = (
    "tenants/acme/acme.example.yml",
    "tenants/acme/account.yml",
    "plans.yml",
    "estate.yml",
    "state/mx1.json",
)
ONE_TENANT = {
    path: content
    for path, content in fuzz.SOUND[0].items()
    if not path.startswith(("tenants/globex", "tenants/initech"))
}


def one(data: bytes) -> None:
    """The first byte chooses which file of the small estate the rest becomes."""
    if len(data) < 2:
        return
    content = data[1:]
    if len(content) < 300:  # the Python parser takes thirty times as long
        assert all(str(fault).isprintable() for fault in parse("x.yml", content, pure=True)[1])
    invariants.check(ONE_TENANT | {PATHS[data[0] % len(PATHS)]: content})


def corpus(folder: Path) -> None:
    """The files of the small estate and nasty words, where the last run left nothing better."""
    for nth, path in enumerate(PATHS):
        for begin in fuzz.SOUND:
            if path in begin:
                (folder / f"{nth}-{len(begin)}").write_bytes(bytes([nth]) + begin[path][:4000])
    for nth, word in enumerate(fuzz.mutations.NASTY):
        (folder / f"word-{nth}").write_bytes(b"\x00mailboxes:\n  - name: " + word.encode()[:2000])


if __name__ == "__main__":
    if not sys.argv[-1].startswith("-"):
        corpus(Path(sys.argv[-1]))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
