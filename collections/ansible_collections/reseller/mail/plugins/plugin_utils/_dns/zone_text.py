# SPDX-License-Identifier: GPL-3.0-or-later
"""Write records as text, as zone files have them.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import types
import typing as t

if t.TYPE_CHECKING:
    from .record import Record

MOST = 255
"""Bytes of one character-string (RFC 1035 section 3.3)."""


def split_txt(value: str) -> list[bytes]:
    """Return a TXT value as character-strings of at most 255 bytes.

    Readers join them without a space. A character of several bytes is never split, because some
    tools decode each string separately.
    """
    raw, pieces = value.encode(), []
    while len(raw) > MOST:
        end = MOST
        while raw[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(raw[:end])
        raw = raw[end:]
    return [*pieces, raw]


def quoted(value: str) -> str:
    """Return a TXT value as a zone file has it: split, quoted and escaped."""
    return " ".join('"' + "".join(map(_escaped, piece)) + '"' for piece in split_txt(value))


def _escaped(byte: int) -> str:
    """Return a byte as a zone file has it within quotes (RFC 1035 section 5.1)."""
    if byte in b'"\\':
        return f"\\{chr(byte)}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03d}"


def rdata(rdtype: str, value: str) -> str:
    """Return a record's data as a zone file has it."""
    return quoted(value) if rdtype == "TXT" else value


def zone_line(record: Record) -> str:
    """Return one record as a line of a zone file, in a form that every name server accepts."""
    return f"{record.name}. {record.ttl} IN {record.type} {rdata(record.type, record.value)}"


def zone_fragments(
    records: t.Iterable[Record],
    missing: t.Mapping[str, t.Sequence[str]] = types.MappingProxyType({}),
) -> dict[str, str]:
    """Return the records of each domain as lines of a zone file: absolute names, sorted.

    ``missing`` has the sentences about records that cannot be written yet, by domain. They are
    comments above the records.
    """
    found: dict[str, list[str]] = {}
    for record in records:
        found.setdefault(record.domain, []).append(f"{zone_line(record)}\n")
    return {
        domain: "".join([*(f"; {each}\n" for each in missing.get(domain, ())), *sorted(lines)])
        for domain, lines in sorted(found.items())
    }
