# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of DMARC and MTA-STS, and what is published at a step.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._model.domain import Dmarc, MtaSts
from .._model.estate import Step

LADDERS: t.Final = {
    "dmarc": ("observe", "test", "quarantine", "reject"),
    "mta_sts": ("none", "testing", "enforce"),
}
FIRST: t.Final = {"dmarc": "observe", "mta_sts": "testing"}
"""The step that needs no evidence: it asks receivers for reports, and harms no mail."""
Steps = t.Mapping[tuple[str, str, str], Step]
"""The steps that were made, by tenant, domain and policy."""
StepsOfTenant = t.Mapping[tuple[str, str], str]
"""The step by domain and policy."""


def by_domain(steps: t.Iterable[Step]) -> Steps:
    """Return steps by tenant, domain and policy."""
    return {(step.tenant, step.domain, step.policy): step for step in steps}


def by_tenant(steps: Steps) -> dict[str, StepsOfTenant]:
    """Return the steps that were made, of each tenant."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for (owner, domain, policy), step in steps.items():
        found.setdefault(owner, {})[domain, policy] = step.step
    return t.cast("dict[str, StepsOfTenant]", found)


def lower(policy: str, one: str, other: str) -> str:
    """Return the looser of two steps."""
    return min(one, other, key=LADDERS[policy].index)


def reached_step(policy: str, step: t.Optional[str]) -> str:
    """Return how far a policy is: the step that was made, but at least the first one.

    A step that the policy does not have is ignored. Only a wrong state file has one.
    """
    ladder = LADDERS[policy]
    known = step if step in ladder else FIRST[policy]
    return max(known, FIRST[policy], key=ladder.index)


def published_dmarc(wanted: Dmarc, step: t.Optional[str]) -> Dmarc:
    """Return the settings that are published: those of the file, but no stricter than the step.

    One step applies to the domain and its subdomains, because the same reports are about them.
    """
    target, reached = strictest(wanted), reached_step("dmarc", step)
    if wanted.override or lower("dmarc", target, reached) == target:
        return wanted
    stage, subdomains, nonexistent = (
        lower("dmarc", one, reached) if one else None
        for one in (wanted.stage, wanted.subdomains, wanted.nonexistent)
    )
    return replace(
        wanted,
        stage=stage or reached,
        subdomains=subdomains,
        nonexistent=nonexistent,
        target=wanted,
    )


def published_mta_sts(wanted: MtaSts, step: t.Optional[str]) -> MtaSts:
    """Return the policy that is published: that of the file, but no stricter than the step."""
    mode = lower("mta_sts", wanted.mode, reached_step("mta_sts", step))
    return (
        wanted
        if wanted.override or mode == wanted.mode
        else replace(wanted, mode=mode, target=wanted)
    )


def strictest(settings: Dmarc) -> str:
    """Return the strictest stage of the settings, which is the target of the promotion."""
    return max(
        (stage for stage in (settings.stage, settings.subdomains, settings.nonexistent) if stage),
        key=LADDERS["dmarc"].index,
    )
