# SPDX-License-Identifier: GPL-3.0-or-later
"""A figure of the page, its target, and how both are computed from results.

Pure. A target is a sum of other measurements of the same part, so both sides of a ratio come from
the same run of the benchmark.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .measurement import Part, Quantity, Results


@dataclass(frozen=True)
class Term:
    """A factor times a measurement of the same part. Without a name it is the factor alone."""

    factor: float
    name: str = ""
    size: int = 0


@dataclass(frozen=True)
class Figure:
    """One line of the page.

    Attributes:
        id: The heading in docs/benchmarks/reasons.md, if the target is missed.
        value: A sum of terms: what is shown.
        target: The largest value that meets the target, as a sum of terms. Empty if there is none.
    """

    id: str
    part: str
    text: str
    value: tuple[Term, ...]
    target: tuple[Term, ...] = ()
    quantity: Quantity = "seconds"


@dataclass(frozen=True)
class Line:
    """A figure and what was measured. What is not measured yet is None.

    Attributes:
        memory: The peak in MB, if the figure is the time of one command on the controller.
    """

    figure: Figure
    value: t.Optional[float]
    limit: t.Optional[float]
    memory: t.Optional[float] = None

    @property
    def result(self) -> str:
        """Return ``met``, ``missed``, ``not measured yet``, or ``no target``."""
        if self.value is None or (self.figure.target and self.limit is None):
            return "not measured yet"
        if self.limit is None:
            return "no target"
        return "met" if self.value <= self.limit else "missed"


def total(terms: t.Iterable[Term], part: t.Optional[Part], quantity: Quantity) -> t.Optional[float]:
    """Return the sum of terms, or None if one of their measurements was not made."""
    found = 0.0
    for term in terms:
        value = part.median(term.name, term.size, quantity) if part and term.name else None
        if term.name and value is None:
            return None
        found += term.factor * (1 if value is None else value)
    return found


def lines(results: Results, figures: t.Iterable[Figure]) -> list[Line]:
    """Return each figure with what was measured."""
    found = []
    for figure in figures:
        part = results.get(figure.part)
        value = total(figure.value, part, figure.quantity)
        limit = total(figure.target, part, figure.quantity) if figure.target else None
        timed = figure.quantity == "seconds" and len(figure.value) == 1
        memory = total(figure.value, part, "memory_mb") if timed else None
        found.append(Line(figure, value, limit, memory))
    return found


def formula(terms: t.Iterable[Term], unit: str) -> str:
    """Return a target in words: ``4 × ping + validate, cold``."""
    return " + ".join(
        f"{term.factor:,.4g} {unit}"
        if not term.name
        else f"{'' if term.factor == 1 else f'{term.factor:.3g} × '}{_named(term)}"
        for term in terms
    )


def _named(term: Term) -> str:
    return f"{term.name} ({term.size:,})" if term.size else term.name
