# SPDX-License-Identifier: GPL-3.0-or-later
"""Write lists and lookup tables as text.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import base64
import typing as t


def lines(items: t.Iterable[str]) -> str:
    """Return the items as lines, sorted, without duplicates."""
    return "".join(f"{item}\n" for item in sorted(set(items)))


def table(entries: t.Mapping[str, str]) -> str:
    """Return a lookup table: lines ``key<TAB>value``, sorted by key.

    postmap builds an lmdb file fastest from sorted keys.
    """
    # No character of a key sorts before the tab, so sorted lines have sorted keys.
    return "\n".join([*sorted(map("\t".join, entries.items())), ""])


_WORD_BYTES = 45
"""So many bytes of a text are in one encoded word. With base64 it then has 72 characters, and 75
are allowed (RFC 2047 section 2)."""


def encoded_words(text: str) -> str:
    """Return a text as encoded words (RFC 2047).

    They have a space between them, which readers leave out (section 6.2).
    """
    words, word = [], b""
    for letter in (character.encode() for character in text):
        if len(word) + len(letter) > _WORD_BYTES:
            words.append(word)
            word = b""
        word += letter
    return " ".join(f"=?utf-8?b?{base64.b64encode(one).decode()}?=" for one in (*words, word))
