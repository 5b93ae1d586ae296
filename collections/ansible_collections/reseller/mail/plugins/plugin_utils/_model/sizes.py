# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes and their units, as the estate's files and Dovecot write them.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .values import Limit

UNITS = {"T": 2**40, "G": 2**30, "M": 2**20, "K": 2**10, "B": 1}


def size(number: Limit) -> str:
    """Return bytes in the largest unit that is exact; "unlimited" for None.

    There is always a unit, except for 0, because Dovecot 2.3 reads a number without unit as KiB and
    2.4 reads it as bytes.
    """
    if not number:
        return "unlimited" if number is None else "0"
    unit = next(unit for unit, factor in UNITS.items() if number % factor == 0)
    return f"{number // UNITS[unit]}{unit}"


def rounded(number: int) -> str:
    """Return bytes for people: in the largest unit that they fill, with one decimal."""
    unit = next((unit for unit, factor in UNITS.items() if number >= factor), "B")
    return f"{number / UNITS[unit]:.1f}".removesuffix(".0") + unit if number else "0"
