# SPDX-License-Identifier: GPL-3.0-or-later
"""Write documents as YAML as a person would: keys in the schema's order, defaults left out.

PRIVATE to the collection. Pure. Every value is written as it is, also a wrong one. When the files
are validated, a wrong value is a fault with a place, not an exception here.
"""

from __future__ import annotations

import json
import re
import typing as t

from .._language import schema
from .._language.scalars import DATE, IP, LINES, MONEY, RATIO, Scalar
from .document import SIZES, VAULT, Document, domain_of, is_default, shortened, table_of

WIDTH = 120
_FLOW_ITEM_KEYS = 3
"""Items with at most so many keys, such as sender addresses, are written in one line each."""

_PLAIN = re.compile(r"[^\W_](?:[\w .@/+=()&;!'$~-]|:(?=[^\s]))*(?<! )")
# Texts that YAML, or an editor, would read as something else than a text.
_LOOKS = re.compile(
    r"[-+]?[0-9][0-9_.,:eExXa-fA-F+-]*|true|false|yes|no|on|off|null|y|n|\.inf|\.nan", re.IGNORECASE
)
_NO_TEXT: tuple[Scalar, ...] = (*SIZES, DATE, IP, MONEY, RATIO)


def text(path: str, document: Document) -> str:
    """Return the text of the whole file."""
    table = table_of(path) or schema.Table("")
    lines = _block(document, table, domain_of(path))
    if not lines and domain_of(path):
        lines = ["type: mail"]  # a new domain without keys; an empty file looks like a mistake
    return "\n".join(lines) + "\n" if lines else "{}\n"


def item(value: t.Any, kind: schema.Type, domain: str, indent: str) -> list[str]:
    """Return the lines of one more item of a list."""
    return [indent + line if line else line for line in _item(value, kind, domain)]


def entry(name: str, value: t.Any, kind: t.Any, domain: str) -> list[str]:
    """Return the lines of one key and its value."""
    key = _scalar(name, None)
    if _is_lines(value, kind):
        first, *rest = _literal(value, kind, "  ")
        return [f"{key}: {first}", *rest]
    written = None if _is_list_of_tables(value, kind) else flow(value, kind, domain)
    if written is not None and (
        len(key) + 2 + len(written) <= WIDTH or not isinstance(value, (dict, list)) or not value
    ):
        return [f"{key}: {written}"]
    if isinstance(value, dict):
        return [f"{key}:", *_indented(_block(value, kind, domain))]
    of = kind.of if isinstance(kind, schema.Many) else None
    return [f"{key}:", *(line for one in value for line in _indented(_item(one, of, domain)))]


def _is_list_of_tables(value: t.Any, kind: t.Any) -> bool:
    """Return whether the value is a list with tables, which are written in lines of their own."""
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(kind, schema.Many)
        and isinstance(kind.of, schema.Table)
    )


def flow(value: t.Any, kind: t.Any, domain: str) -> t.Optional[str]:
    """Return a value in one line, or None if it needs more lines."""
    if isinstance(value, dict):
        parts = []
        for name, key_kind, inner in _entries(value, kind):
            written = flow(inner, key_kind, domain)
            if written is None:
                return None
            parts.append(f"{_scalar(name, None)}: {written}")
        return f"{{{', '.join(parts)}}}"
    if isinstance(value, list):
        of = kind.of if isinstance(kind, schema.Many) else None
        written_items = [flow(one, of, domain) for one in value]
        return (
            None if None in written_items else f"[{', '.join(t.cast('list[str]', written_items))}]"
        )
    return None if _is_lines(value, kind) else _scalar(shortened(value, kind, domain), kind)


def _entries(document: Document, kind: t.Any) -> t.Iterator[tuple[str, t.Any, t.Any]]:
    """Yield keys, types and values: in the schema's order, no defaults, unknown ones last."""
    keys = kind.keys if isinstance(kind, schema.Table) else {}
    free = kind.free if isinstance(kind, schema.Table) else None
    for name, key in keys.items():
        if name in document and not is_default(key, document[name]):
            yield name, key.type, document[name]
    for name, value in document.items():
        if name not in keys:
            yield name, free, value


def _block(document: Document, kind: t.Any, domain: str) -> list[str]:
    """Return the lines of a table."""
    return [
        line
        for name, key_kind, value in _entries(document, kind)
        for line in entry(name, value, key_kind, domain)
    ]


def _item(value: t.Any, kind: t.Any, domain: str) -> list[str]:
    """Return the lines of one item of a list."""
    if isinstance(value, dict) and value and not _fits_in_a_line(kind):
        lines = _block(value, kind, domain)
        if lines:
            return _behind_dash(lines)
    written = flow(value, kind, domain)
    if written is not None:
        return [f"- {written}"]
    if isinstance(value, dict):
        return _behind_dash(_block(value, kind, domain))
    return [f"- {json.dumps(value, ensure_ascii=False)}"]


def _behind_dash(lines: t.Sequence[str]) -> list[str]:
    """Return a table as an item of a list."""
    return [f"- {lines[0]}", *_indented(lines[1:])]


def _indented(lines: t.Iterable[str]) -> list[str]:
    """Return lines with two more spaces before them."""
    return [f"  {line}" if line else line for line in lines]


def _fits_in_a_line(kind: t.Any) -> bool:
    """Return whether an item of this type has so few keys that it is written in one line."""
    keys = kind.keys.values() if isinstance(kind, schema.Table) else ()
    return len(keys) <= _FLOW_ITEM_KEYS


def _is_lines(value: t.Any, kind: t.Any) -> bool:
    """Return whether a value is written as a block of lines."""
    if not isinstance(value, str) or not isinstance(kind, Scalar):
        return False
    return (kind.secret and value.startswith(VAULT)) or (
        kind in LINES and "\n" in value and "\r" not in value
    )


def _literal(value: str, kind: Scalar, indent: str) -> list[str]:
    """Return a block of lines. The first one is the sign behind the key, such as ``|``."""
    body = value.rstrip("\n")
    rest = len(value) - len(body)
    if not body or kind.secret:
        chomp, rest = ("|", 1) if kind.secret else ("|+", rest)
    else:
        chomp = ("|-", "|", "|+")[min(rest, 2)]
    # YAML would read the spaces of the first line as the indentation of the block.
    if not body or body[0] in " \n\t":
        chomp = f"|{len(indent)}{chomp[1:]}"
    tag = "!vault " if kind.secret else ""
    return [
        tag + chomp,
        *(indent + line if line else "" for line in body.split("\n")),
        *[""] * max(rest - 1, 0),
    ]


def _scalar(value: t.Any, kind: t.Optional[Scalar]) -> str:
    """Return a single value, in quotes if YAML needs them."""
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
