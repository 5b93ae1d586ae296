# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents as YAML that a person would have written: keys in the schema's order, defaults left out, short things in one line.

PRIVATE to the collection. Pure. The judge reads what is written here as it reads everything, so whatever a document
holds is written down as it is: a word that does not belong there becomes a fault with a place, not an exception.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _schema
from ansible_collections.reseller.mail.plugins.module_utils._exchange.document import (
    SIZES,
    VAULT,
    Document,
    domain_of,
    is_default,
    shortened,
    table_of,
)
from ansible_collections.reseller.mail.plugins.module_utils._scalars import (
    DATE,
    IP,
    LINES,
    MONEY,
    RATIO,
    Scalar,
)

WIDTH = 120
_FLOW_ITEM_KEYS = 3
"""Tables of so few single values stand in one line each, as sender addresses do."""

_PLAIN = re.compile(r"[^\W_](?:[\w .@/+=()&;!'$~-]|:(?=[^\s]))*(?<! )")
# What an editor, or YAML itself, would take for something else than text.
_LOOKS = re.compile(
    r"[-+]?[0-9][0-9_.,:eExXa-fA-F+-]*|true|false|yes|no|on|off|null|y|n|\.inf|\.nan", re.IGNORECASE
)
_NO_TEXT: tuple[Scalar, ...] = (*SIZES, DATE, IP, MONEY, RATIO)


def text(path: str, document: Document) -> str:
    """The whole file."""
    table = table_of(path) or _schema.Table("")
    lines = _block(document, table, domain_of(path))
    if not lines and domain_of(path):
        lines = ["type: mail"]  # a domain that has nothing yet; an empty file looks like a mistake
    return "\n".join(lines) + "\n" if lines else "{}\n"


def item(value: t.Any, kind: _schema.Type, domain: str, indent: str) -> list[str]:
    """One more item of a list that is there already, in lines."""
    return [indent + line if line else line for line in _item(value, kind, domain)]


def entry(name: str, value: t.Any, kind: t.Any, domain: str) -> list[str]:
    """One key with its value, in lines."""
    return _entry(name, value, kind, domain)


def flow(value: t.Any, kind: t.Any, domain: str) -> t.Optional[str]:
    """A value in one line, or None when it needs more."""
    if isinstance(value, dict):
        parts = []
        for name, key_kind, inner in _entries(value, kind):
            written = flow(inner, key_kind, domain)
            if written is None:
                return None
            parts.append(f"{_scalar(name, None)}: {written}")
        return f"{{{', '.join(parts)}}}"
    if isinstance(value, list):
        of = kind.of if isinstance(kind, _schema.Many) else None
        written_items = [flow(one, of, domain) for one in value]
        return (
            None if None in written_items else f"[{', '.join(t.cast('list[str]', written_items))}]"
        )
    return None if _is_lines(value, kind) else _scalar(shortened(value, kind, domain), kind)


def _entries(document: Document, kind: t.Any) -> t.Iterator[tuple[str, t.Any, t.Any]]:
    """Keys in the schema's order without defaults, then what it does not know."""
    keys = kind.keys if isinstance(kind, _schema.Table) else {}
    free = kind.free if isinstance(kind, _schema.Table) else None
    for name, key in keys.items():
        if name in document and not is_default(key, document[name]):
            yield name, key.type, document[name]
    for name, value in document.items():
        if name not in keys:
            yield name, free, value


def _block(document: Document, kind: t.Any, domain: str) -> list[str]:
    return [
        line
        for name, key_kind, value in _entries(document, kind)
        for line in _entry(name, value, key_kind, domain)
    ]


def _entry(name: str, value: t.Any, kind: t.Any, domain: str) -> list[str]:
    key = _scalar(name, None)
    if _is_lines(value, kind):
        return [
            f"{key}: {head}" if not line_number else head
            for line_number, head in enumerate(_literal(value, kind, "  "))
        ]
    stands_in_lines = (
        isinstance(value, list)
        and bool(value)
        and isinstance(kind, _schema.Many)
        and isinstance(kind.of, _schema.Table)
    )
    written = None if stands_in_lines else flow(value, kind, domain)
    if written is not None and (
        len(key) + 2 + len(written) <= WIDTH or not isinstance(value, (dict, list)) or not value
    ):
        return [f"{key}: {written}"]
    if isinstance(value, dict):
        return [f"{key}:", *(f"  {line}" if line else line for line in _block(value, kind, domain))]
    of = kind.of if isinstance(kind, _schema.Many) else None
    return [
        f"{key}:",
        *(f"  {line}" if line else line for one in value for line in _item(one, of, domain)),
    ]


def _item(value: t.Any, kind: t.Any, domain: str) -> list[str]:
    if isinstance(value, dict) and value and not _fits_a_line(kind):
        lines = _block(value, kind, domain)
        if lines:
            return [f"- {lines[0]}", *(f"  {line}" if line else line for line in lines[1:])]
    written = flow(value, kind, domain)
    if written is not None:
        return [f"- {written}"]
    if isinstance(value, dict):
        lines = _block(value, kind, domain)
        return [f"- {lines[0]}", *(f"  {line}" if line else line for line in lines[1:])]
    return [f"- {json.dumps(value, ensure_ascii=False)}"]


def _fits_a_line(kind: t.Any) -> bool:
    keys = kind.keys.values() if isinstance(kind, _schema.Table) else ()
    return len(keys) <= _FLOW_ITEM_KEYS


def _is_lines(value: t.Any, kind: t.Any) -> bool:
    if not isinstance(value, str) or not isinstance(kind, Scalar):
        return False
    return (kind.secret and value.startswith(VAULT)) or (
        kind in LINES and "\n" in value and "\r" not in value
    )


def _literal(value: str, kind: Scalar, indent: str) -> list[str]:
    """A block of lines; the first is what stands behind the key."""
    body = value.rstrip("\n")
    rest = len(value) - len(body)
    if not body or kind.secret:
        chomp, rest = ("|", 1) if kind.secret else ("|+", rest)
    else:
        chomp = ("|-", "|", "|+")[min(rest, 2)]
    # A first line that is empty or indented would be taken for the block's own indentation.
    if not body or body[0] in " \n\t":
        chomp = f"|{len(indent)}{chomp[1:]}"
    tag = "!vault " if kind.secret else ""
    return [
        tag + chomp,
        *(indent + line if line else "" for line in body.split("\n")),
        *[""] * max(rest - 1, 0),
    ]


def _scalar(value: t.Any, kind: t.Optional[Scalar]) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if (
        kind in _NO_TEXT
        and re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z.:-]*", value)
        and not value.endswith(":")
    ):
        return value
    if _PLAIN.fullmatch(value) and not _LOOKS.fullmatch(value) and value.isprintable():
        return value
    return json.dumps(value, ensure_ascii=False)
