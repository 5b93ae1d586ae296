# SPDX-License-Identifier: GPL-3.0-or-later
"""The contents of files on their way from the controller to the host, as one text.

PRIVATE to the collection. Runs on the host and on the controller; standard library only.
"""

from __future__ import annotations

import base64
import json
import typing as t
import zlib


def pack(contents: t.Mapping[str, bytes]) -> str:
    """Return files by path as one text of ASCII characters."""
    texts = {path: base64.b64encode(content).decode() for path, content in contents.items()}
    return base64.b64encode(zlib.compress(json.dumps(texts).encode())).decode()


def unpack(packed: str) -> dict[str, bytes]:
    """Return the files by path. Raise ValueError for a text that ``pack`` did not return."""
    try:
        texts = json.loads(zlib.decompress(base64.b64decode(packed, validate=True)))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return {path: base64.b64decode(text) for path, text in texts.items()}
