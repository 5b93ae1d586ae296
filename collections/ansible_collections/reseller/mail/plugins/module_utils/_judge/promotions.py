# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of promotion: each stands once, and is one of its policy's.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Index, fault
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Step
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault
from ansible_collections.reseller.mail.plugins.module_utils._promotion import LADDERS


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in state/promoted_domains.json. A domain that left is none: the next promotion forgets it."""
    first: dict[tuple[str, str, str], Step] = {}
    for step in index.estate.steps:
        before = first.setdefault((step.tenant, step.domain, step.policy), step)
        if before is not step:
            what = (
                f"the step of {step.policy} of {step.domain} stands here and already at {before.at}"
            )
            yield fault(step.at, "name-twice", what, "each domain's policy once")
        ladder = LADDERS.get(step.policy, ())
        if step.step and ladder and step.step not in ladder:
            yield fault(
                step.at.of("step"),
                "unfit-value",
                f"{step.step} is no step of {step.policy}",
                ", ".join(ladder),
            )
