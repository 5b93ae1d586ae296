# SPDX-License-Identifier: GPL-3.0-or-later
"""Compilers: the model in, text out. One service, one file.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
import zlib
from dataclasses import dataclass

from . import autoconfig, dovecot, mta_sts, opendkim, postfix, tls
from .describe import describe

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node

FORMAT = 1
ROOT = "/var/lib/reseller-mail"


@dataclass(frozen=True, slots=True)
class Artefact:
    """Everything a node's lookups are, as one value: ``files`` maps paths within a generation to their text."""

    node: str
    debian: int
    files: dict[str, str]

    def canonical(self) -> bytes:
        """The same bytes for the same content, whatever order it was computed in."""
        content = {"format": FORMAT, "node": self.node, "debian": self.debian, "files": self.files}
        return json.dumps(
            content, ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).encode()

    @property
    def digest(self) -> str:
        """Of the content, not of the compressed form, which depends on zlib's version."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def pack(self) -> bytes:
        """What is shipped to the host."""
        return zlib.compress(self.canonical(), 6)


def artefact(estate: Estate, node: Node, root: str = ROOT) -> Artefact:
    """Compiles all of the node's lookups; ``root`` is the host's folder, which key tables have to name."""
    files = {
        **postfix.lookups(estate, node),
        **dovecot.lookups(estate, node),
        **opendkim.lookups(estate, node, root),
        **mta_sts.lookups(estate, node),
        **autoconfig.lookups(estate, node),
        **tls.lookups(estate, node),
        "model.txt": "".join(f"{line}\n" for line in describe(estate, node)),
    }
    return Artefact(node=node.name, debian=node.debian, files=files)
