# SPDX-License-Identifier: GPL-3.0-or-later
"""Write lists and lookup tables as text.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

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
