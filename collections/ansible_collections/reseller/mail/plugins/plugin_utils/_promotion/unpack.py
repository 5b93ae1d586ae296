# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of reports, unpacked from mails, gzip files and zip files.

Anybody can send reports, so each size is limited before something is unpacked.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import email
import email.message
import email.policy
import io
import re
import typing as t
import zipfile
import zlib

MAX_PACKED = 4 * 2**20
"""Bytes of a file as it arrives, such as a mail with its attachments."""

MAX_TEXT = 8 * 2**20
"""Bytes of a report after unpacking. Large receivers split much smaller reports."""

_MAX_PARTS = 30
_MAX_BOUNDARIES = 20
_MAX_MEMBERS = 10
_MAX_GZIP_MEMBERS = 100
"""zlib copies the rest of the file for each member, so many members take long."""

_MAX_BLANK = 1000
"""Bytes in which the first character of a report must be."""
_GZIP = b"\x1f\x8b"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_DECLARED = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s{0,100}<\?xml[^>]{0,100}?encoding\s{0,9}=\s{0,9}["']([\w.-]{1,40})["']"""
)
_OTHER_ENCODINGS = frozenset(("iso-8859-1", "iso-8859-15", "windows-1252", "us-ascii"))


class Unfit(ValueError):
    """The error for a file that is no report, or that is beyond a limit."""


def texts(content: bytes) -> list[str]:
    """Return every text that may be a report: all attachments of a mail, all members of a zip file.

    Raises Unfit if there is none.
    """
    if len(content) > MAX_PACKED:
        raise Unfit(f"it has more than {MAX_PACKED:,} bytes")
    if _is_packed(content) or _is_report(content):
        return _unpacked(content)
    return _attachments(content)


def _is_packed(content: bytes) -> bool:
    """Return whether it is a gzip or zip file, by its first bytes."""
    return content.startswith((_GZIP, b"PK\x03\x04"))


def _is_report(content: bytes) -> bool:
    """Return whether it begins like XML or JSON, in UTF-8 or UTF-16."""
    start = content[:_MAX_BLANK]
    return start.startswith(_UTF_16_MARKS) or start.replace(b"\0", b"").lstrip(
        b"\xef\xbb\xbf \t\r\n"
    )[:1] in (b"<", b"{")


def _decoded(content: bytes) -> str:
    """Return the text.

    XML may be UTF-16, with or without a byte order mark, or declare another encoding (XML 1.0
    sections 2.2 and 4.3.3).
    """
    encoding = "utf-8"
    if content.startswith(_UTF_16_MARKS):
        encoding = "utf-16"
    elif content[:2] in (b"<\0", b"{\0"):
        encoding = "utf-16-le"
    elif content[:2] in (b"\0<", b"\0{"):
        encoding = "utf-16-be"
    else:
        declared = _DECLARED.match(content)
        if declared and declared[1].decode().lower() in _OTHER_ENCODINGS:
            encoding = declared[1].decode()
    return content.decode(encoding, "replace").lstrip("\ufeff")


def _unpacked(content: bytes) -> list[str]:
    """Return the texts of a gzip, zip or plain file. Raises Unfit if there is none."""
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
    """Return the content of all members (RFC 1952 section 2.2). Later bytes are ignored."""
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
    """Yield the content of each member. Raises Unfit beyond a limit, and if it cannot be read."""
    left = MAX_TEXT
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > _MAX_MEMBERS:
                raise Unfit(f"it has more than {_MAX_MEMBERS} files")
            for member in members:
                # The file decides how much memory LZMA needs, so only these two are unpacked.
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise Unfit("a member has another compression; allowed: stored or deflated")
                with archive.open(member) as file:
                    plain = file.read(left + 1)  # the size in the directory may be wrong
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


def _attachments(content: bytes) -> list[str]:
    """Return the texts of a mail's attachments. Raises Unfit if no attachment is a report."""
    found: list[str] = []
    wrong: list[Unfit] = []
    for part in _parts(content):
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


def _parts(content: bytes) -> list[email.message.Message]:
    """Return the first parts of a mail that are not multipart. Raises Unfit if it is no mail."""
    # The parser looks for each boundary in every line.
    if content.lower().count(b"boundary") > _MAX_BOUNDARIES:
        raise Unfit(f"it is a mail with more than {_MAX_BOUNDARIES} nested parts")
    try:
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        parts = zip(message.walk(), range(_MAX_PARTS), strict=False)
        return [part for part, _number in parts if not part.is_multipart()]
    except (RecursionError, ValueError, LookupError) as error:
        raise Unfit("it is no mail that can be read") from error
