# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts that the guide does not have: one file for each language, all with the same keys.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ..._guide.texts import typeset
from . import de, en, fr

LANGUAGES: t.Final = {
    name: typeset(source.TEXTS, name) for name, source in (("de", de), ("en", en), ("fr", fr))
}
