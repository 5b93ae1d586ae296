# SPDX-License-Identifier: GPL-3.0-or-later
"""Where values come from, as data and as a person reads it in a terminal.

PRIVATE to the collection. Pure. The table needs rich, which is on the controller.
"""

from __future__ import annotations

import datetime
import io
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _schema
from ansible_collections.reseller.mail.plugins.module_utils._cascade import Effective
from ansible_collections.reseller.mail.plugins.module_utils._sizes import size

try:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
except ImportError as exc:
    RICH_IMPORT_ERROR: t.Optional[ImportError] = exc
else:
    RICH_IMPORT_ERROR = None

_MAILBOX = t.cast(
    _schema.Table, t.cast(_schema.Many, _schema.DOMAIN_FILE.keys["mailboxes"].type).of
)
_KEYS = {
    **_schema.ACCOUNT.keys,
    **_schema.DOMAIN_FILE.keys,
    **_MAILBOX.keys,
    **{name: cascade.key for name, cascade in _schema.CASCADES.items()},
}
MIN_WIDTH = 110
_SIZES = ("quota", "limits.storage", "limits.mailbox_storage")
_UNLIMITED = ("quota", "limits.", "rate_limits.")
"""Keys for which None is a value, not the lack of one."""


def idle(found: Effective) -> bool:
    """Whether nothing acts on the key yet."""
    name, _dot, sub = found.key.partition(".")
    key = _KEYS.get(name)
    if key is not None and sub and isinstance(key.type, _schema.Table):
        key = key.type.keys.get(sub)
    return key is not None and key.acts == _schema.NOT_YET


def as_data(values: t.Iterable[Effective]) -> list[dict[str, t.Any]]:
    """One entry a key; file, line and column are null where the value stands in no file."""
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
    """What is said somewhere stands out; defaults are there, and stay in the background."""
    if RICH_IMPORT_ERROR is not None:
        raise RICH_IMPORT_ERROR
    console = Console(
        file=io.StringIO(),
        width=max(width, MIN_WIDTH),
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("key", "value", "from", "at"):
        table.add_column(
            head, overflow="fold", no_wrap=head != "value"
        )  # a place that is broken in two cannot be clicked
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
        console.print("* judged, but nothing acts on it yet")
    text = t.cast(io.StringIO, console.file).getvalue()
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n"))


def shown(found: Effective) -> str:
    """The value as the files write it."""
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
    if isinstance(value, tuple):
        return ", ".join(value) or "-"
    return str(value).lower() if isinstance(value, bool) else str(value) or "-"


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime.date) else value
