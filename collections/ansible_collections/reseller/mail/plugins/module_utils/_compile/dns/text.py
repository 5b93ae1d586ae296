# SPDX-License-Identifier: GPL-3.0-or-later
"""How a record is spelled in zone files and other texts.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .record import Record

MOST = 255
"""Bytes of one character-string (RFC 1035 section 3.3)."""


def split_txt(value: str) -> list[bytes]:
    """A TXT value as character-strings; readers join them without a space. No character of several bytes is torn apart,
    because some tools decode each string by itself."""
    raw, pieces = value.encode(), []
    while len(raw) > MOST:
        end = MOST
        while raw[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(raw[:end])
        raw = raw[end:]
    return [*pieces, raw]


def quoted(value: str) -> str:
    """A TXT value as a zone file has it."""
    return " ".join('"' + "".join(map(_escaped, piece)) + '"' for piece in split_txt(value))


def _escaped(byte: int) -> str:
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03d}"


def rdata(rdtype: str, value: str) -> str:
    """A record's data as a zone file has it."""
    return quoted(value) if rdtype == "TXT" else value


def zone_line(record: Record) -> str:
    """One record as a line of a zone file that any name server software takes."""
    return f"{record.name}. {record.ttl} IN {record.type} {rdata(record.type, record.value)}"


def zone_fragments(records: t.Iterable[Record]) -> dict[str, str]:
    """By domain, its records as lines of a BIND zone file: absolute names, sorted."""
    found: dict[str, list[str]] = {}
    for record in records:
        found.setdefault(record.domain, []).append(f"{zone_line(record)}\n")
    return {domain: "".join(sorted(lines)) for domain, lines in sorted(found.items())}
