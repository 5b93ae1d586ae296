# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages say, one file a language, all with the same keys.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from . import de, en, fr

LANGUAGES: t.Final = {"de": de.TEXTS, "en": en.TEXTS, "fr": fr.TEXTS}


def language(locale: str) -> str:
    """The language of pages for a locale: fr for fr-CH, en where there is none of its own."""
    plain = locale.partition("-")[0].lower()
    return plain if plain in LANGUAGES else "en"
