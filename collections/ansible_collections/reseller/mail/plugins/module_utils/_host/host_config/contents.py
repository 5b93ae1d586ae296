# SPDX-License-Identifier: GPL-3.0-or-later
"""The contents of files on their way from the controller to the host, as one text.

PRIVATE to the collection. Runs on the host and on the controller; standard library only.
"""

from __future__ import annotations

import typing as t
from base64 import b64decode, b64encode

from .. import one_text


def pack(contents: t.Mapping[str, bytes]) -> str:
    """Return files by path as one text."""
    return one_text.pack({path: b64encode(content).decode() for path, content in contents.items()})


def unpack(packed: str) -> dict[str, bytes]:
    """Return the files by path. Raise ValueError for a text that ``pack`` did not return."""
    return {path: b64decode(text) for path, text in one_text.unpack(packed).items()}
