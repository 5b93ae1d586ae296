# SPDX-License-Identifier: GPL-3.0-or-later
"""Words for messages: the nearest known word, a quoted text, a list of names.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import difflib
import typing as t


def meant(text: str, known: t.Iterable[str], alike: float = 0.7) -> str:
    """Return "; did you mean …?" with the known word that is nearest to a text.

    Empty if no word is similar enough; ``alike`` is the least similarity, from 0 to 1.
    """
    near = difflib.get_close_matches(text[:40], known, n=1, cutoff=alike)
    return f"; did you mean {near[0]}?" if near else ""


def shown(text: str) -> str:
    """Return a text from a file for a message: quoted, at most 60 characters, and printable."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def listed(names: t.Iterable[str], nothing: str = "none") -> str:
    """Return the first twelve names in order, for the allowed part of a fault.

    ``nothing`` is returned if there are no names.
    """
    ordered = sorted(names)
    more = f" and {len(ordered) - 12} more" if len(ordered) > 12 else ""
    return (", ".join(ordered[:12]) + more) or nothing
