# SPDX-License-Identifier: GPL-3.0-or-later
"""The colour of a brand, changed until text in it is readable (WCAG 2.1, 1.4.3).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

DEFAULT = "#2f5d8c"
LIGHT, DARK = ("#ffffff", "#eef1f4"), ("#14181d", "#232a32")
"""The backgrounds of the light and of the dark page: ``--paper`` and ``--shade`` of guide.css."""
ENOUGH = 4.5
"""The smallest contrast of readable text (WCAG 2.1, 1.4.3)."""

_Channels = t.Tuple[float, float, float]


def _channels(colour: str) -> _Channels:
    """Return red, green and blue of ``#rrggbb``, from 0 to 1."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, from 0 to 1 (WCAG 2.1)."""
    red, green, blue = (
        (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
        for part in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.1)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable(colour: str, on: t.Sequence[str]) -> str:
    """Return the colour, mixed with as little black or white as makes it readable.

    ``on`` are the backgrounds of the text.
    """
    towards = 0.0 if luminance(on[0]) > 0.5 else 1.0
    for step in range(51):
        share = step / 50
        mixed = "#" + "".join(
            f"{round(255 * (part * (1 - share) + towards * share)):02x}"
            for part in _channels(colour)
        )
        if all(contrast(mixed, one) >= ENOUGH for one in on):
            break
    return mixed


def palette(css: str) -> str:
    """Return the beginning of guide.css: its colours and fonts, and no rule for an element."""
    return css.partition("*, ::before")[0]


def style(colour: t.Optional[str]) -> str:
    """Return the style sheet with the brand's colour for the light and the dark page."""
    light, dark = (readable(colour or DEFAULT, on) for on in (LIGHT, DARK))
    return (
        f":root {{ --brand: {light}; }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{"
        f" --brand: {dark}; }} }}\n"
    )
