# SPDX-License-Identifier: GPL-3.0-or-later
"""The judges: each answers for one concern, returns faults and never raises.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._judge import (
    account,
    contact,
    dns,
    entitlement,
    features,
    limits,
    names,
    ownership,
    placement,
    promotions,
    roles,
    targets,
)
from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Holes, Index
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault

JUDGES = (
    names,
    account,
    roles,
    ownership,
    targets,
    contact,
    placement,
    features,
    entitlement,
    limits,
    promotions,
    dns,
)


def judge(estate: Estate, holes: Holes = frozenset()) -> list[Fault]:
    """Every fault of an estate, sorted by place. ``holes`` are what could not be read: what may be missing only for
    that is not held against others."""
    index = Index.of(estate, holes)
    return sorted((fault for judged in JUDGES for fault in judged.judge(index)), key=Fault.order)
