# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a few objects of a node: reported at once, while the run goes on with all others.

PRIVATE to the collection. Runs on the controller. A task with ``faults`` in its result has failed
after it did all else; the roles let the run go on, and the entry point ``outcome`` of the role base
fails at its end.
"""

from __future__ import annotations

import typing as t

from . import terminal

MOST_SHOWN = 20
"""The largest number that is shown; the others are counted."""
MOST_KEPT = 1000
"""The largest number that is accepted from a host."""


def some(faults: t.Sequence[str]) -> list[str]:
    """Return the first faults, and a last line with the number of the others."""
    more = [f"and {len(faults) - MOST_SHOWN} more"] if len(faults) > MOST_SHOWN else []
    return [*faults[:MOST_SHOWN], *more]


def tell(result: dict[str, t.Any]) -> None:
    """Print a warning for each of the first ``faults`` of a result.

    A role may let the run go on, and the end of the run may not be reached. A host can have written
    the faults: the result keeps only texts that are fit for a terminal.
    """
    faults = result.get("faults")
    if faults is None:
        return
    result["faults"] = (
        [terminal.printed(str(fault)) for fault in faults[:MOST_KEPT]]
        if isinstance(faults, list)
        else []
    )
    for fault in some(result["faults"]):
        terminal.warn(fault)
