# SPDX-License-Identifier: GPL-3.0-or-later
"""Compile the model into the lookup tables of one node. Each service has one file.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import functools
import hashlib
import json
import typing as t
import zlib
from dataclasses import dataclass

from . import (
    address_book,
    autoconfig,
    dovecot,
    forwards,
    mta_sts,
    opendkim,
    postfix,
    quota_warnings,
    retention,
    sending,
    sieve,
    spam,
    tls,
)
from .describe import describe

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node

FORMAT = 1
"""Version of the artefact's format. Hosts refuse a version that they do not know."""
ROOT = "/var/lib/reseller-mail"
"""The collection's folder on hosts, unless a role sets another one."""


@dataclass(frozen=True)
class Artefact:
    """All lookup tables of one node: what is shipped to it as one file.

    Attributes:
        node: The node's name in the estate.
        debian: The node's Debian release. Dovecot's files depend on it.
        files: The text of each file, by its path within a generation.
    """

    node: str
    debian: int
    files: dict[str, str]

    @functools.cached_property
    def canonical(self) -> bytes:
        """Return the content as JSON: the same content gives the same bytes in any order."""
        content = {"format": FORMAT, "node": self.node, "debian": self.debian, "files": self.files}
        return json.dumps(
            content, ensure_ascii=False, sort_keys=True, separators=(",", ":")
        ).encode()

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content in hexadecimal.

        The compressed form is not hashed, because its bytes depend on the version of zlib.
        """
        return hashlib.sha256(self.canonical).hexdigest()

    def pack(self) -> bytes:
        """Return the compressed bytes that are shipped to the host.

        The lowest level is a third larger than the usual one, and takes a quarter of its time.
        """
        return zlib.compress(self.canonical, 1)


def artefact(estate: Estate, node: Node, root: str = ROOT) -> Artefact:
    """Return all lookup tables of the node.

    ``root`` is the collection's folder on the host. The key tables of OpenDKIM contain its path.
    """
    files = {
        **postfix.lookups(estate, node),
        **sending.lookups(estate, node),
        **dovecot.lookups(estate, node),
        **retention.lookups(estate, node),
        **sieve.lookups(estate, node),
        **forwards.lookups(estate, node),
        **spam.lookups(estate, node),
        **opendkim.lookups(estate, node, root),
        **mta_sts.lookups(estate, node),
        **quota_warnings.lookups(estate, node),
        **autoconfig.lookups(estate, node),
        **tls.lookups(estate, node),
        **address_book.lookups(estate, node),
        "model.txt": "".join(f"{line}\n" for line in describe(estate, node)),
    }
    return Artefact(node=node.name, debian=node.debian, files=files)
