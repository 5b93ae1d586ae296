# SPDX-License-Identifier: GPL-3.0-or-later
"""A public key as openssl writes it.

PRIVATE to the collection. Pure; standard library only: it runs on the host.
"""

from __future__ import annotations

import base64
import binascii


def der(pem: str) -> bytes:
    """Return the SubjectPublicKeyInfo (RFC 5280 section 4.1) in a PEM text (RFC 7468 section 13).

    Raise ValueError when the text is no public key.
    """
    body = [line.strip() for line in pem.strip().splitlines()]
    if (
        len(body) < 3
        or body[0] != "-----BEGIN PUBLIC KEY-----"
        or body[-1] != "-----END PUBLIC KEY-----"
    ):
        raise ValueError("not a public key in PEM")
    try:
        return base64.b64decode("".join(body[1:-1]), validate=True)
    except binascii.Error as error:
        raise ValueError(f"not a public key in PEM: {error}") from error
