# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of the pages: one file for each language, all with the same keys.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re
import typing as t

from . import de, en, fr

QUOTES: t.Final = {
    "de": ("\N{DOUBLE LOW-9 QUOTATION MARK}", "\N{LEFT DOUBLE QUOTATION MARK}"),
    "en": ("\N{LEFT DOUBLE QUOTATION MARK}", "\N{RIGHT DOUBLE QUOTATION MARK}"),
    "fr": ("«\N{NO-BREAK SPACE}", "\N{NO-BREAK SPACE}»"),
}
"""The opening and the closing quotation mark of each language."""


def typeset(texts: t.Mapping[str, str], language_: str) -> t.Mapping[str, str]:
    """Return the texts with the quotation marks of their language.

    Their sources have the plain marks of a keyboard, as ansible-test requires of all code.
    """
    opening, closing = QUOTES[language_]
    apostrophe = "\N{RIGHT SINGLE QUOTATION MARK}"
    return {
        key: re.sub('"([^"]*)"', rf"{opening}\1{closing}", text).replace("'", apostrophe)
        for key, text in texts.items()
    }


LANGUAGES: t.Final = {
    name: typeset(source.TEXTS, name) for name, source in (("de", de), ("en", en), ("fr", fr))
}


def language(locale: str) -> str:
    """Return the language of the pages for a locale: fr for fr-CH, en if there are no texts."""
    plain = locale.partition("-")[0].lower()
    return plain if plain in LANGUAGES else "en"
