# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of promotion: each policy of a domain has one step, and it is a step of that policy.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._language.ladders import LADDERS
from .._model.estate import Step
from .._model.values import Fault
from ._index import Index, fault


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in ``state/promoted_domains.json``.

    A domain that is no longer in the estate is no fault: the next promotion removes it.
    """
    first: dict[tuple[str, str, str], Step] = {}
    for step in index.estate.steps:
        before = first.setdefault((step.tenant, step.domain, step.policy), step)
        if before is not step:
            what = f"the step of {step.policy} of {step.domain} is already at {before.at}"
            yield fault(step.at, "duplicate-name", what, "one step for each policy of a domain")
        ladder = LADDERS.get(step.policy, ())
        if step.step and ladder and step.step not in ladder:
            yield fault(
                step.at.of("step"),
                "unfit-value",
                f"{step.step} is not a step of {step.policy}",
                ", ".join(ladder),
            )
