# SPDX-License-Identifier: GPL-3.0-or-later
"""How tables are written.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t


def lines(items: t.Iterable[str]) -> str:
    """Sorted lines, each once."""
    return "".join(f"{item}\n" for item in sorted(set(items)))


def table(entries: t.Mapping[str, str]) -> str:
    """A lookup table: ``key<TAB>value``, sorted by key, as postmap builds lmdb fastest."""
    return "".join(f"{key}\t{entries[key]}\n" for key in sorted(entries))
