# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the public half of a private RSA key without a process for each key.

A host with ten thousand domains has ten thousand keys.

PRIVATE to the collection. Pure; standard library only: it runs on the host. The only
calculation with a key is the one that shows that it is undamaged.
"""

from __future__ import annotations

import base64
import binascii
import typing as t

_HEAD, _FOOT = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")
"""AlgorithmIdentifier: rsaEncryption, without parameters (RFC 8017 appendix A.1)."""
_INTEGER, _BITS, _OCTETS, _SEQUENCE = 0x02, 0x03, 0x04, 0x30


def public_half(pem: str) -> t.Optional[str]:
    """Return the p= tag (RFC 6376 section 3.6.1) of a private RSA key in PKCS #8 (RFC 5958).

    Return None for another form or algorithm: openssl has to read it. Raise ValueError when the key
    is damaged.
    """
    lines = pem.split()
    head, foot = _HEAD.split(), _FOOT.split()
    if lines[:3] != head or lines[-3:] != foot:
        return None
    try:
        raw = base64.b64decode("".join(lines[3:-3]), validate=True)
    except binascii.Error as error:
        raise ValueError(f"not a private key: {error}") from error
    version, algorithm, wrapped, *_attributes = _parts(_only(raw, _SEQUENCE))
    if algorithm != _RSA:
        return None
    numbers = _parts(_only(_only(wrapped, _OCTETS), _SEQUENCE))
    if version != b"\x02\x01\x00" or len(numbers) != 9:
        raise ValueError("not a private key: its parts are not those of an RSA key")
    if not _fits(*(int.from_bytes(_only(number, _INTEGER), "big") for number in numbers)):
        raise ValueError("not a private key: its numbers do not fit together")
    return base64.b64encode(
        _made(_SEQUENCE, _RSA + _made(_BITS, b"\0" + _made(_SEQUENCE, numbers[1] + numbers[2])))
    ).decode()


def _fits(
    version: int, n: int, e: int, d: int, p: int, q: int, dp: int, dq: int, qinv: int
) -> bool:
    """Return whether the numbers fit together (RFC 8017 section 3.2, with its letters).

    It does not test whether p and q are primes.
    """
    if version or min(p, q) < 3 or p * q != n:
        return False
    return (
        e * dp % (p - 1) == 1 == e * dq % (q - 1)
        and (dp, dq) == (d % (p - 1), d % (q - 1))
        and q * qinv % p == 1
    )


def _only(data: bytes, tag: int) -> bytes:
    """Return the content of data that is one element with this tag, or raise ValueError."""
    found, content, end = _element(data, 0)
    if found != tag or end != len(data):
        raise ValueError("not a private key: its elements are not those of a private key")
    return content


def _parts(content: bytes) -> list[bytes]:
    """Return the elements that follow one another, each with its tag and length."""
    found, at = [], 0
    while at < len(content):
        _tag, _content, end = _element(content, at)
        found.append(content[at:end])
        at = end
    if len(found) < 3:
        raise ValueError("not a private key: parts are missing")
    return found


def _element(data: bytes, at: int) -> tuple[int, bytes, int]:
    """Return tag, content and end of the DER element at an offset (ITU-T X.690 section 8.1)."""
    if len(data) < at + 2:
        raise ValueError("not a private key: it is cut off")
    start, length = at + 2, data[at + 1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[at + 2 : start], "big")
    if len(data) < start + length:
        raise ValueError("not a private key: it is cut off")
    return data[at], data[start : start + length], start + length


def _made(tag: int, content: bytes) -> bytes:
    """Return the DER element with a tag and content."""
    size = len(content)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return (
        bytes((tag, size)) + content
        if size < 0x80
        else bytes((tag, 0x80 | len(length))) + length + content
    )
