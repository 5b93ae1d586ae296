# SPDX-License-Identifier: GPL-3.0-or-later
"""The origins of values as data, and as a table for a terminal.

PRIVATE to the collection. Pure. The table needs rich, which is on the controller.
"""

from __future__ import annotations

import datetime
import typing as t

from .._language import schema
from .._language.cascade import Effective
from .._model.console import memory_console, written
from .._model.sizes import size

try:
    from rich.table import Table
    from rich.text import Text
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None

_MAILBOX, _ALIAS = (
    t.cast(schema.Table, t.cast(schema.Many, schema.DOMAIN_FILE.keys[name].type).of)
    for name in ("mailboxes", "aliases")
)
_KEYS = {
    **schema.ACCOUNT.keys,
    **schema.DOMAIN_FILE.keys,
    **_ALIAS.keys,
    **_MAILBOX.keys,
    **{name: cascade.key for name, cascade in schema.CASCADES.items()},
}
MIN_WIDTH = 110
_SIZES = ("quota", "limits.storage", "limits.mailbox_storage")
_UNLIMITED = ("quota", "limits.", "rate_limits.", "sending_limits.")
"""Keys for which None is a value: unlimited."""


def idle(found: Effective) -> bool:
    """Return whether the key has no effect yet."""
    name, _dot, sub = found.key.partition(".")
    key = _KEYS.get(name)
    if key is not None and sub and isinstance(key.type, schema.Table):
        key = key.type.keys.get(sub)
    return key is not None and key.acts == schema.NOT_YET


def as_data(values: t.Iterable[Effective]) -> list[dict[str, t.Any]]:
    """Return one entry for each key.

    File, line and column are null if the value is in no file.
    """
    return [
        {
            "key": found.key,
            "value": _plain(found.value),
            "level": found.level,
            "file": found.at.file or None,
            "line": found.at.line or None,
            "column": found.at.column or None,
            "acts": not idle(found),
        }
        for found in values
    ]


def as_table(
    subject: str, values: t.Sequence[Effective], width: int = 100, color: bool = False
) -> str:
    """Return the values as a table for a terminal, at least ``MIN_WIDTH`` wide.

    Values from files are in normal colour; defaults are dim. ImportError if rich is not there.
    """
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
    console = memory_console(max(width, MIN_WIDTH), color)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("key", "value", "from", "at"):
        # A terminal can open a place by a click only if the place is not wrapped.
        table.add_column(head, overflow="fold", no_wrap=head != "value")
    for found in values:
        mark = " *" if idle(found) and found.level != "default" else ""
        at = str(found.at) if found.at.file else ""
        table.add_row(
            f"{found.key}{mark}",
            Text(shown(found)),
            found.level,
            at,
            style="dim" if found.level == "default" else "",
        )
    console.print(Text(subject, style="bold"))
    console.print(table)
    if any(idle(found) and found.level != "default" for found in values):
        console.print("* validated, but hosts do not act on it yet")
    return written(console)


def shown(found: Effective) -> str:
    """Return the value as the files write it."""
    value = found.value
    if value is None:
        return "unlimited" if found.key.startswith(_UNLIMITED) else "-"
    if found.key in _SIZES:
        return size(value)
    if found.key == "sieve":
        return (
            ", then ".join(f"{level}'s ({text.count(chr(10))} lines)" for level, text in value)
            or "-"
        )
    if found.key in ("spam.allow", "spam.block"):
        return ", ".join(f"{one} ({level})" for level, those in value for one in those) or "-"
    if isinstance(value, tuple):
        return ", ".join(value) or "-"
    return str(value).lower() if isinstance(value, bool) else str(value) or "-"


def _plain(value: t.Any) -> t.Any:
    """Return the value in types that JSON has."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime.date) else value
