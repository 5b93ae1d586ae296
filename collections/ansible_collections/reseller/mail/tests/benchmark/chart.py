# SPDX-License-Identifier: GPL-3.0-or-later
"""Cost against size, as an SVG with two logarithmic axes. Pure."""

from __future__ import annotations

import math
import typing as t
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 250, 48, 56
"""Margins, in pixels. The right one holds the names of the lines."""
LABEL = 16
"""The smallest distance between two names."""
COLOURS = ("#0b5cad", "#b3261e", "#2e7d32", "#8a5a00", "#6a1b9a", "#455a64")
DASHES = ("", "6 3", "2 3", "10 3 2 3", "12 4", "4 6")
Points = t.Sequence[t.Tuple[float, float]]


class Axis(t.NamedTuple):
    """A logarithmic axis: whole powers of ten from ``low`` to ``high``, between two pixels."""

    low: int
    high: int
    begin: float
    end: float

    def place(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[int]:
        """Return the powers of ten that are marked."""
        return list(range(self.low, self.high + 1))


def axis(values: t.Iterable[float], begin: float, end: float) -> Axis:
    """Return the axis on which all values are; they are greater than 0."""
    found = list(values)
    low, high = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
    return Axis(low, max(high, low + 1), begin, end)


def svg(series: t.Mapping[str, Points], title: str, across: str, up: str) -> str:
    """Return the text of an SVG file.

    Args:
        series: The points of each line, by its name. Each line has at least one point.
        title: What the picture shows.
        across: The words at the horizontal axis.
        up: The words at the vertical axis.
    """
    x = axis((point[0] for line in series.values() for point in line), LEFT, WIDTH - RIGHT)
    y = axis((point[1] for line in series.values() for point in line), HEIGHT - BOTTOM, TOP)
    names = _label_places({name: y.place(points[-1][1]) for name, points in series.items()})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="sans-serif" font-size="13" fill="#222">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="16">{escape(title)}</text>',
        *_grid(x, y),
        _text((x.begin + x.end) / 2, HEIGHT - 14, across, "middle"),
        f'<text transform="translate(20 {(y.begin + y.end) / 2:.0f}) rotate(-90)"'
        f' text-anchor="middle">{escape(up)}</text>',
    ]
    for number, (name, points) in enumerate(series.items()):
        parts += _line(name, [(x.place(a), y.place(b)) for a, b in points], names[name], number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _grid(x: Axis, y: Axis) -> t.Iterator[str]:
    for power in x.ticks():
        place = x.place(10.0**power)
        yield _stroke(place, y.begin, place, y.end)
        yield _text(place, y.begin + 18, f"{10.0**power:,.10g}", "middle")
    for power in y.ticks():
        place = y.place(10.0**power)
        yield _stroke(x.begin, place, x.end, place)
        yield _text(x.begin - 8, place + 4, f"{10.0**power:,.10g}", "end")


def _line(
    name: str, places: t.Sequence[tuple[float, float]], label: float, number: int
) -> t.Iterator[str]:
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
    yield (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"'
        f' stroke-dasharray="{dash}"/>'
    )
    for a, b in places:
        yield f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>'
    a, b = places[-1]
    yield f'<path d="M{a + 6:.1f} {b:.1f} L{WIDTH - RIGHT + 24} {label:.1f}" stroke="{colour}" stroke-opacity="0.4"/>'
    yield _text(WIDTH - RIGHT + 30, label + 4, name, "start", colour)


def _label_places(wanted: t.Mapping[str, float]) -> dict[str, float]:
    """Return the heights of the names: as wanted, but never on top of each other."""
    found: dict[str, float] = {}
    lowest = -math.inf
    for name, place in sorted(wanted.items(), key=lambda pair: pair[1]):
        lowest = found[name] = max(place, lowest + LABEL)
    return found


def _stroke(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f} L{x2:.1f} {y2:.1f}" stroke="#ddd"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
