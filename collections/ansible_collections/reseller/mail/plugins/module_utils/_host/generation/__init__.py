# SPDX-License-Identifier: GPL-3.0-or-later
"""Generations on a host: what is installed, how it is replaced, and how far files differ from it.

PRIVATE to the collection. Runs on the host; standard library only. This file only names what others
use.
"""

from __future__ import annotations

from ..retained.rules import Known
from .drift import Drift, drift
from .install import Outcome, apply, plan_rollback, previous, roll_back
from .retention import Retention, known, refuse_unmoved, unmoved
from .signing import with_usable_keys
from .store import Content, GenerationError, Store, unpack
from .transition import Transition, plan

__all__ = [
    "Content",
    "Drift",
    "GenerationError",
    "Known",
    "Outcome",
    "Retention",
    "Store",
    "Transition",
    "apply",
    "drift",
    "known",
    "plan",
    "plan_rollback",
    "previous",
    "refuse_unmoved",
    "roll_back",
    "unmoved",
    "unpack",
    "with_usable_keys",
]
