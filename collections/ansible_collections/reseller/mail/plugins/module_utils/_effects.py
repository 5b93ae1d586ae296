# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys an estate uses that nothing acts on yet, so that no key is silently without effect.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _schema
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.module_utils._nodes import LIST, MAPPING, Node


def without_effect(estate: Estate) -> list[tuple[str, int]]:
    """The keys (``account.yml: defaults.retention``) that stand in the estate's files and are judged only, with how often; sorted."""
    count: collections.Counter[str] = collections.Counter()
    for name, at in estate.files:
        if isinstance(at.node, Node):
            count.update(f"{name}: {path}" for path in _idle(at.node, _schema.FILES[name], ""))
    return sorted(count.items())


def _idle(node: Node, table: _schema.Table, above: str) -> t.Iterator[str]:
    if node.kind != MAPPING:
        return
    for name, kind in _watched(table):
        entry = node.value.get(name)
        if entry is None:
            continue
        if kind is None:
            yield f"{above}{name}"
            continue
        below = entry[2]
        for item in below.value if below.kind == LIST else (below,):
            yield from _idle(item, kind, f"{above}{name}.")


_WATCHED: dict[int, list[tuple[str, t.Optional[_schema.Table]]]] = {}


def _watched(table: _schema.Table) -> list[tuple[str, t.Optional[_schema.Table]]]:
    """A table's keys that nothing acts on, and those whose own tables have such keys."""
    known = _WATCHED.get(id(table))  # tables live as long as the schema does
    if known is None:
        known = _WATCHED[id(table)] = []
        for name, key in table.keys.items():
            kind = key.type.of if isinstance(key.type, _schema.Many) else key.type
            if key.acts == _schema.NOT_YET:
                known.append((name, None))
            elif isinstance(kind, _schema.Table) and _watched(kind):
                known.append((name, kind))
    return known
