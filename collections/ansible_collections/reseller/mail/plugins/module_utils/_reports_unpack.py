# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of reports out of what they come in: mails, gzip and zip files. Everything is measured before it is unpacked, for
anybody may send reports.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import email
import email.policy
import io
import re
import typing as t
import zipfile
import zlib

MAX_PACKED = 4 * 2**20
"""Of a file as it comes, a mail with its attachments."""

MAX_TEXT = 8 * 2**20
"""Of a report as text. Large receivers split theirs long before."""

_MAX_PARTS = 30
_MAX_BOUNDARIES = 20
_MAX_MEMBERS = 10
_MAX_GZIP_MEMBERS = 100
"""Each member copies what is left of the file."""

_MAX_BLANK = 1000
_GZIP = b"\x1f\x8b"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DECLARED = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s{0,100}<\?xml[^>]{0,100}?encoding\s{0,9}=\s{0,9}["']([\w.-]{1,40})["']"""
)
_OTHER_ENCODINGS = frozenset(("iso-8859-1", "iso-8859-15", "windows-1252", "us-ascii"))


class Unfit(ValueError):
    """This is no report, or none that is looked at."""


def texts(content: bytes) -> list[str]:
    """Every text that may be a report: of a mail all its attachments, of a zip file all its members."""
    if len(content) > MAX_PACKED:
        raise Unfit(f"it has more than {MAX_PACKED:,} bytes")
    if _is_packed(content) or _is_report(content):
        return _unpacked(content)
    return _of_mail(content)


def _is_packed(content: bytes) -> bool:
    return content.startswith((_GZIP, b"PK\x03\x04"))


def _is_report(content: bytes) -> bool:
    start = content[:_MAX_BLANK]
    return start.startswith(_UTF_16_MARKS) or start.replace(b"\0", b"").lstrip(
        b"\xef\xbb\xbf \t\r\n"
    )[:1] in (b"<", b"{")


def _decoded(content: bytes) -> str:
    """Return the text. XML may be UTF-16 (XML 1.0 section 2.2), with or without a mark, or say what else it is."""
    encoding = "utf-8"
    if content.startswith(_UTF_16_MARKS):
        encoding = "utf-16"
    elif content[:2] in (b"<\0", b"{\0"):
        encoding = "utf-16-le"
    elif content[:2] in (b"\0<", b"\0{"):
        encoding = "utf-16-be"
    else:
        said = _DECLARED.match(content)
        if said and said[1].decode().lower() in _OTHER_ENCODINGS:
            encoding = said[1].decode()
    return content.decode(encoding, "replace").lstrip("\ufeff")


def _unpacked(content: bytes) -> list[str]:
    if content.startswith(_GZIP):
        plain = [_gunzip(content)]
    elif content.startswith(b"PK\x03\x04"):
        plain = list(_unzip(content))
    else:
        plain = [content]
    found = [_decoded(one) for one in plain if _is_report(one) and len(one) <= MAX_TEXT]
    if not found:
        raise Unfit("it holds neither XML nor JSON")
    return found


def _gunzip(content: bytes) -> bytes:
    """Return what all members hold (RFC 1952 section 2.2). What begins no member, behind the last one, is no part of it."""
    plain: list[bytes] = []
    left = MAX_TEXT
    while content.startswith(_GZIP):
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            plain.append(unpacker.decompress(content, left + 1))
        except zlib.error as error:
            raise Unfit(f"it is no gzip file: {error}") from error
        left -= len(plain[-1])
        if left < 0:
            raise Unfit(f"it unpacks to more than {MAX_TEXT:,} bytes")
        if not unpacker.eof:
            raise Unfit("its end is missing")
        if len(plain) > _MAX_GZIP_MEMBERS:
            raise Unfit(f"it has more than {_MAX_GZIP_MEMBERS} members")
        content = unpacker.unused_data
    return b"".join(plain)


def _unzip(content: bytes) -> t.Iterator[bytes]:
    left = MAX_TEXT
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > _MAX_MEMBERS:
                raise Unfit(f"it has more than {_MAX_MEMBERS} files")
            for member in members:
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise Unfit(
                        "it is packed in a way that no reporter uses"
                    )  # LZMA says by itself how much memory it wants
                with archive.open(member) as file:  # how large it says it is may be a lie
                    plain = file.read(left + 1)
                if len(plain) > left:
                    raise Unfit(f"it unpacks to more than {MAX_TEXT:,} bytes")
                left -= len(plain)
                yield plain
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
    ) as error:
        raise (
            error
            if isinstance(error, Unfit)
            else Unfit(f"it is no zip file that can be read: {error}")
        ) from error


def _of_mail(content: bytes) -> list[str]:
    if (
        content.lower().count(b"boundary") > _MAX_BOUNDARIES
    ):  # the parser looks for each of them in every line
        raise Unfit(f"it is a mail with more than {_MAX_BOUNDARIES} nested parts")
    try:
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        parts = [
            part
            for part, _number in zip(message.walk(), range(_MAX_PARTS), strict=False)
            if not part.is_multipart()
        ]
    except (RecursionError, ValueError, LookupError) as error:
        raise Unfit("it is no mail that can be read") from error
    found: list[str] = []
    wrong: list[Unfit] = []
    for part in parts:
        payload = part.get_payload(decode=True)
        if (
            isinstance(payload, bytes)
            and part.get_content_type() != "text/html"
            and (_is_packed(payload) or _is_report(payload))
        ):
            try:
                found.extend(_unpacked(payload))
            except Unfit as error:
                wrong.append(error)
    if not found:
        raise wrong[0] if wrong else Unfit("it is neither a report nor a mail with one")
    return found
