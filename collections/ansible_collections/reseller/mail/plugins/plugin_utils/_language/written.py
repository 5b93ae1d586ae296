# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written in a file without a fault, as plain data, and typed values from it.

PRIVATE to the collection. Pure. Plain data has no defaults, and places are pairs of line and
column. So it can be kept, and it does not depend on the path of the file.
"""

from __future__ import annotations

import typing as t

from .._model.values import Position
from . import schema
from .source import Source
from .typed_values import Values

Written = tuple[dict[str, t.Any], list[str]]
"""The written values of a file, with the place of each table as ``at``, and the path of each use
of a key that hosts do not act on yet."""


def filled(own: dict[str, t.Any], table: schema.Table, file: str, source: Source) -> Values:
    """Return the typed values of a table, with the defaults of the keys that are not written."""
    line, column = own["at"]
    values = {**table.defaults, **own}
    values["at"] = Position(file, line, column, source)
    if not table.placed.isdisjoint(own):
        for name in own:
            if name in table.placed:
                values[name] = _filled_value(own[name], table.keys[name].type, file, source)
    return values


def _filled_value(value: t.Any, kind: schema.Type, file: str, source: Source) -> t.Any:
    """Return the value of a key that is a table, or a list of tables or of values with places."""
    if isinstance(kind, schema.Table):
        return filled(value, kind, file, source)
    if isinstance(kind, schema.Many) and isinstance(kind.of, schema.Table):
        return tuple([filled(item, kind.of, file, source) for item in value])
    return tuple([(item, Position(file, *at)) for item, at in value])


def stripped(values: Values, table: schema.Table) -> dict[str, t.Any]:
    """Return the plain data of typed values: the reverse of ``filled``."""
    own = {
        name: _stripped_value(value, table.keys[name].type) if name in table.placed else value
        for name, value in values.items()
        if name != "at" and value is not table.defaults[name]
    }
    at = values["at"]
    return {**own, "at": (at.line, at.column)}


def _stripped_value(value: t.Any, kind: schema.Type) -> t.Any:
    """Return the plain data of a value of ``_filled_value``."""
    if isinstance(kind, schema.Table):
        return stripped(value, kind)
    if isinstance(kind, schema.Many) and isinstance(kind.of, schema.Table):
        return tuple(stripped(item, kind.of) for item in value)
    return tuple((item, (at.line, at.column)) for item, at in value)
