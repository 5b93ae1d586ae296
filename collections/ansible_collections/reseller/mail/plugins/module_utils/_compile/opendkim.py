# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenDKIM's tables, for ``file:`` with exact domain keys (``refile:`` is a linear scan).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ._text import table

if t.TYPE_CHECKING:
    from .._model import Estate, Node


def lookups(estate: Estate, node: Node, root: str) -> dict[str, str]:
    """One key a domain name that sends from this node; the key files lie in the host's folder ``root``."""
    keys: dict[str, str] = {}
    signing: dict[str, str] = {}
    selector = node.dkim_selector
    for name in names(estate, node):
        keys[f"{selector}._domainkey.{name}"] = f"{name}:{selector}:{root}/dkim/{name}/{selector}.private"
        signing[name] = f"{selector}._domainkey.{name}"
    return {"opendkim/key_table": table(keys), "opendkim/signing_table": table(signing)}


def names(estate: Estate, node: Node) -> list[str]:
    """The domain names that need a key on the node, sorted: those of mail domains placed there and their aliases."""
    return sorted(name for _tenant, domain in estate.domains_on(node) if domain.type == "mail" for name in domain.names)
