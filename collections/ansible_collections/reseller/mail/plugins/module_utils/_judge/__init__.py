# SPDX-License-Identifier: GPL-3.0-or-later
"""The judges: each answers for one concern, returns faults and never raises.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._model import Estate, Fault


def judge(estate: Estate, unsure: frozenset[str] = frozenset()) -> list[Fault]:
    """Every fault of an estate, sorted by place. ``unsure`` are files that have faults already: what they lack is not
    held against others."""
    return []
