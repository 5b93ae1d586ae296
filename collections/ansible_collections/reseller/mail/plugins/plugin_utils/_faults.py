# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that concern a few objects of a node: told at once, while the run goes on with everything else.

PRIVATE to the collection. Runs on the controller. A task with ``faults`` in its result has failed after it did all else; the roles let
the run go on, and the entry point ``outcome`` of the role base fails at its end.
"""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

MOST_TOLD = 20
"""As many are shown at once; the rest are counted."""


def some(faults: t.Sequence[str]) -> list[str]:
    """Return the first faults, and how many more there are."""
    more = [f"and {len(faults) - MOST_TOLD} more"] if len(faults) > MOST_TOLD else []
    return [*faults[:MOST_TOLD], *more]


def warn_of(result: t.Mapping[str, t.Any]) -> None:
    """Show what the result says of single objects: a role may let the run go on, and the end may not be reached."""
    faults = result.get("faults")
    if isinstance(faults, list):
        for fault in some([str(fault) for fault in faults]):
            # A host may have written it.
            Display().warning("".join(letter if letter.isprintable() else "?" for letter in fault), formatted=True)
