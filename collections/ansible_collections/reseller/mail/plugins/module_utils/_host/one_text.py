# SPDX-License-Identifier: GPL-3.0-or-later
"""Data on its way between the controller and a host, as one text of ASCII characters.

Ansible needs seconds for 100,000 entries among the options or in the result of a module.

PRIVATE to the collection. Runs on the host and on the controller; standard library only.
"""

from __future__ import annotations

import json
import typing as t
import zlib
from base64 import b64decode, b64encode

MAX_SIZE = 2**28
"""Bytes of unpacked data, at most. The quotas of 100,000 mailboxes have about 5 MB."""


def pack(data: t.Any) -> str:
    """Return data that JSON can hold as one compressed text."""
    return b64encode(zlib.compress(json.dumps(data).encode())).decode("ascii")


def unpack(text: str) -> t.Any:
    """Return the data of a text; raise ValueError if ``pack`` did not return it.

    More than ``MAX_SIZE`` bytes are cut off, so they are refused, too.
    """
    try:
        data = zlib.decompressobj().decompress(b64decode(text, validate=True), MAX_SIZE)
        return json.loads(data)
    except (zlib.error, RecursionError) as error:
        raise ValueError(str(error)) from error
