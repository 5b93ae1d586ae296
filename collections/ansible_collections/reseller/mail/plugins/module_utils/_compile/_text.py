# SPDX-License-Identifier: GPL-3.0-or-later
"""How values and tables are written.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

_UNITS = (("T", 2**40), ("G", 2**30), ("M", 2**20), ("K", 2**10))


def size(number: int) -> str:
    """Bytes in the largest unit that loses nothing; always with a unit, because Dovecot 2.3 reads a bare number as KiB
    and 2.4 as bytes."""
    for unit, factor in _UNITS:
        if number and number % factor == 0:
            return f"{number // factor}{unit}"
    return f"{number}B"


def lines(items: t.Iterable[str]) -> str:
    """Sorted lines, each once."""
    return "".join(f"{item}\n" for item in sorted(set(items)))


def table(entries: t.Mapping[str, str]) -> str:
    """A lookup table: ``key<TAB>value``, sorted by key, as postmap builds lmdb fastest."""
    return "".join(f"{key}\t{entries[key]}\n" for key in sorted(entries))
