# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of an estate that hosts do not act on yet: validate lists them.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import collections
import typing as t

from .._model.estate import Estate
from . import schema
from .yaml_nodes import LIST, MAPPING, YamlNode


def without_effect(estate: Estate) -> list[tuple[str, int]]:
    """Return the keys in use that are only validated, sorted, each with its number of uses.

    A key is written as ``account.yml: defaults.retention``.
    """
    count: collections.Counter[str] = collections.Counter()
    for name, at in estate.files:
        if isinstance(at.node, YamlNode):
            paths = _unused_paths(at.node, schema.FILES[name], "")
            count.update(f"{name}: {path}" for path in paths)
    return sorted(count.items())


def _unused_paths(node: YamlNode, table: schema.Table, above: str) -> t.Iterator[str]:
    """Yield the path of each use of an unused key below a node. ``above`` is put before it."""
    if node.kind != MAPPING:
        return
    for name, kind in _unused_keys(table):
        entry = node.value.get(name)
        if entry is None:
            continue
        if kind is None:
            yield f"{above}{name}"
            continue
        below = entry[2]
        for item in below.value if below.kind == LIST else (below,):
            yield from _unused_paths(item, kind, f"{above}{name}.")


_UNUSED_KEYS: dict[int, list[tuple[str, t.Optional[schema.Table]]]] = {}
"""The results of _unused_keys, by id() of the table. Tables exist as long as the schema does."""


def _unused_keys(table: schema.Table) -> list[tuple[str, t.Optional[schema.Table]]]:
    """Return a table's unused keys, with None, and the keys whose own table has unused keys."""
    known = _UNUSED_KEYS.get(id(table))
    if known is None:
        known = _UNUSED_KEYS[id(table)] = []
        for name, key in table.keys.items():
            kind = schema.item_type(key.type)
            if key.acts == schema.NOT_YET:
                known.append((name, None))
            elif isinstance(kind, schema.Table) and _unused_keys(kind):
                known.append((name, kind))
    return known
