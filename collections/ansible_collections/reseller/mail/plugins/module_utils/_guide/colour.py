# SPDX-License-Identifier: GPL-3.0-or-later
"""A brand's colour, made readable (WCAG 2.1, 1.4.3).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

DEFAULT = "#2f5d8c"
LIGHT, DARK = ("#ffffff", "#eef1f4"), ("#14181d", "#232a32")
"""What the colour stands on in a light and in a dark page: ``--paper`` and ``--shade`` of guide.css."""
ENOUGH = 4.5

_Channels = t.Tuple[float, float, float]


def _channels(colour: str) -> _Channels:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``."""
    red, green, blue = (
        (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
        for part in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable(colour: str, on: t.Sequence[str]) -> str:
    """The colour, mixed with just as much black or white as text in it needs on these backgrounds."""
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


def style(colour: t.Optional[str]) -> str:
    """The style sheet that brings a brand's colour to a page."""
    light, dark = (readable(colour or DEFAULT, on) for on in (LIGHT, DARK))
    return f":root {{ --brand: {light}; }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ --brand: {dark}; }} }}\n"
