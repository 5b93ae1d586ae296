# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the faults of an estate: one module for each concern, and the ledger.

PRIVATE to the collection. Pure. Each module yields its faults and never raises.
"""

from __future__ import annotations

from .._model.estate import Estate
from .._model.values import Fault
from . import (
    account,
    contact,
    dns,
    entitlement,
    features,
    internal,
    limits,
    names,
    outgoing,
    ownership,
    placement,
    promotions,
    roles,
    sieve,
    spam,
    suspensions,
    targets,
)
from ._index import Holes, Index

JUDGES = (
    names,
    account,
    suspensions,
    roles,
    ownership,
    targets,
    internal,
    contact,
    placement,
    features,
    entitlement,
    limits,
    sieve,
    spam,
    promotions,
    outgoing,
    dns,
)


def judge(estate: Estate, holes: Holes = frozenset()) -> list[Fault]:
    """Return every fault of an estate, sorted by place.

    ``holes`` are the parts of files that could not be read. If something may be missing only
    because of a hole, that is no fault of others.
    """
    index = Index.of(estate, holes)
    return sorted((fault for judged in JUDGES for fault in judged.judge(index)), key=Fault.order)
