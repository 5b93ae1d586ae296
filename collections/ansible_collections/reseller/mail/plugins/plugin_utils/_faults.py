# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that concern a few objects of a node: told at once, while the run goes on with everything else.

PRIVATE to the collection. Runs on the controller. A task with ``faults`` in its result has failed after it did all else; the roles let
the run go on, and the entry point ``outcome`` of the role base fails at its end.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal

MOST_TOLD = 20
"""As many are shown at once; the rest are counted."""
MOST_KEPT = 1000
"""As many are taken from a host."""


def some(faults: t.Sequence[str]) -> list[str]:
    """Return the first faults, and how many more there are."""
    more = [f"and {len(faults) - MOST_TOLD} more"] if len(faults) > MOST_TOLD else []
    return [*faults[:MOST_TOLD], *more]


def tell(result: dict[str, t.Any]) -> None:
    """Warn of what the result says of single objects, for a role may let the run go on and the end may not be reached. A host may
    have written it: what stays in the result is texts that can be printed."""
    faults = result.get("faults")
    if faults is None:
        return
    result["faults"] = (
        [_terminal.printed(str(fault)) for fault in faults[:MOST_KEPT]]
        if isinstance(faults, list)
        else []
    )
    for fault in some(result["faults"]):
        _terminal.warn(fault)
