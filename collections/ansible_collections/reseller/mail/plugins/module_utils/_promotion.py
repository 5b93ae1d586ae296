# SPDX-License-Identifier: GPL-3.0-or-later
"""Staged promotion: the files say how strict DMARC and MTA-STS shall be in the end; what is published climbs towards it one
step at a time, when the world's evidence carries the step. Loosening is always at once, and so is an override.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import datetime
import json
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.reseller.mail.plugins.module_utils._model.domain import (
    Dmarc,
    Domain,
    MtaSts,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import (
    Estate,
    Promotion,
    Step,
)

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._evidence import Day

LADDERS: t.Final = {
    "dmarc": ("observe", "test", "quarantine", "reject"),
    "mta_sts": ("none", "testing", "enforce"),
}
FIRST: t.Final = {"dmarc": "observe", "mta_sts": "testing"}
"""What needs no evidence: it asks the world for reports, and harms no mail."""

STALE: t.Final = 7
"""Days after which verify has to look again before anything becomes stricter."""

Steps = t.Mapping[tuple[str, str, str], Step]
"""By tenant, domain and policy."""


def by_domain(steps: t.Iterable[Step]) -> Steps:
    """Steps, to be looked up."""
    return {(step.tenant, step.domain, step.policy): step for step in steps}


def lower(policy: str, one: str, other: str) -> str:
    """The looser of two steps."""
    return min(one, other, key=LADDERS[policy].index)


def carried(policy: str, step: t.Optional[str]) -> str:
    """How far evidence reaches. What an odd state file says of another policy's steps counts as nothing."""
    ladder = LADDERS[policy]
    known = step if step in ladder else FIRST[policy]
    return max(known, FIRST[policy], key=ladder.index)


def published_dmarc(wanted: Dmarc, step: t.Optional[str]) -> Dmarc:
    """The settings that are published. One step holds for the domain and its subdomains: the reports about them are the same ones."""
    target, reached = strictest(wanted), carried("dmarc", step)
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
    """The policy that is served and announced."""
    mode = lower("mta_sts", wanted.mode, carried("mta_sts", step))
    return (
        wanted
        if wanted.override or mode == wanted.mode
        else replace(wanted, mode=mode, target=wanted)
    )


def strictest(settings: Dmarc) -> str:
    """The step of the ladder that the settings need."""
    return max(
        (stage for stage in (settings.stage, settings.subdomains, settings.nonexistent) if stage),
        key=LADDERS["dmarc"].index,
    )


@dataclass(frozen=True, slots=True)
class Track:
    """One policy of one domain: where it shall be, and where it is."""

    tenant: str
    domain: str
    policy: str
    target: str
    published: str
    override: t.Optional[str]
    reports_to: t.Optional[str]
    since: t.Optional[datetime.date] = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What evidence says about a track. ``step`` is how far it carries, ``since`` since when; ``next`` is what would come after that and
    ``missing`` why it does not yet, both empty at the target."""

    track: Track
    before: str
    step: str
    since: t.Optional[datetime.date]
    next: str = ""
    missing: tuple[str, ...] = ()

    @property
    def promoted(self) -> bool:
        ladder = LADDERS[self.track.policy]
        return ladder.index(self.step) > ladder.index(self.before)


def tracks(estate: Estate) -> list[Track]:
    """Every policy of every domain that hosts know, in the order of tenants and domains. Domains without mail need no evidence: they
    say so by the strictest policies anyway."""
    found: list[Track] = []
    for tenant, domain in estate.served_domains():
        if (
            domain.type == "relay"
            or domain.mailboxes
            or domain.aliases
            or domain.sender_addresses
            or domain.catch_all
        ):
            found.extend(_of_domain(tenant.name, domain))
    return found


def _of_domain(tenant: str, domain: Domain) -> t.Iterator[Track]:
    dmarc, sts = domain.dmarc, domain.mta_sts
    yield Track(
        tenant,
        domain.name,
        "dmarc",
        strictest(dmarc.target or dmarc),
        strictest(dmarc),
        dmarc.override,
        dmarc.reports_to,
        dmarc.since,
    )
    if sts:
        yield Track(
            tenant,
            domain.name,
            "mta_sts",
            (sts.target or sts).mode,
            sts.mode,
            sts.override,
            domain.tls_reports_to,
        )


def decide(
    track: Track,
    step: t.Optional[Step],
    days: t.Iterable[Day],
    rules: Promotion,
    today: datetime.date,
) -> Decision:
    """How far the evidence carries a policy: down to the target at once, up one step at most, and only when nothing is missing. An
    override changes what is published and nothing here, so that it can be taken away once the evidence has caught up."""
    ladder = LADDERS[track.policy]
    before = carried(track.policy, step.step if step else None)
    since = step.since if step else None
    target = carried(track.policy, track.target)
    if ladder.index(target) < ladder.index(before):
        return Decision(track, before, target, today)
    if target == before:
        return Decision(track, before, before, since)
    following = ladder[ladder.index(before) + 1]
    counted = [
        day
        for day in days
        if (since is None or day.day > since)
        and (track.since is None or day.day >= track.since)
        and day.day <= today
    ]
    missing = tuple(_missing(track, counted, rules, today))
    if missing:
        return Decision(track, before, before, since, following, missing)
    return Decision(
        track,
        before,
        following,
        today,
        ladder[ladder.index(following) + 1] if following != target else "",
    )


def _missing(
    track: Track, days: t.Sequence[Day], rules: Promotion, today: datetime.date
) -> t.Iterator[str]:
    """What stands between a policy and its next step, in words; nothing when it may go on."""
    checked = sorted((day for day in days if track.policy in day.verified), key=lambda day: day.day)
    red = [day for day in checked if day.verified[track.policy]]
    green = [
        day
        for day in checked
        if not day.verified[track.policy] and (not red or day.day > red[-1].day)
    ]
    if len(green) < rules.days:
        why = (
            f" since verify failed on {red[-1].day} ({red[-1].verified[track.policy]})"
            if red
            else ""
        )
        yield f"verify green on {len(green)} of {rules.days} days{why}"
    elif (today - green[-1].day).days > STALE:
        yield f"verify was green last on {green[-1].day}; run it again"
    lately = [day for day in days if (today - day.day).days <= rules.days]
    if not track.reports_to:
        yield f"nobody is asked for reports: set {'dmarc' if track.policy == 'dmarc' else 'tls_rpt'}.reports_to"
        return
    if track.policy == "dmarc":
        messages, reported = sum(day.passed for day in days), sum(1 for day in days if day.passed)
        if messages < rules.messages:
            yield f"DMARC reports about {messages} of {rules.messages} messages of ours"
        failures = [(day.day, one) for day in lately for one in day.failed if one.blocks]
    else:
        reported = sum(1 for day in days if day.tls_passed)
        failures = [(day.day, one) for day in lately for one in day.tls_failed]
    if reported < rules.report_days:
        yield f"{'DMARC' if track.policy == 'dmarc' else 'TLS'} reports about {reported} of {rules.report_days} days"
    for day, failure in failures[-3:]:
        yield f"{failure.words} on {day}"
    if len(failures) > 3:
        yield f"and {len(failures) - 3} more such failures in {rules.days} days"


def recorded(decisions: t.Iterable[Decision]) -> list[Step]:
    """What is written down: every step that was made, up or down. Domains that left are not among the decisions, and go."""
    return [
        Step(one.track.domain, one.track.tenant, one.track.policy, one.step, one.since)
        for one in decisions
        if one.since
    ]


def text(steps: t.Iterable[Step]) -> str:
    """``state/promoted_domains.json``: sorted, one step a line, so that a commit shows what changed and nothing else."""
    rows = sorted(
        (step.domain, step.tenant, step.policy, step.step, step.since.isoformat()) for step in steps
    )
    lines = ",\n".join(
        "    "
        + json.dumps(dict(zip(("domain", "tenant", "policy", "step", "since"), row, strict=True)))
        for row in rows
    )
    return '{\n  "promoted": [' + (f"\n{lines}\n  " if rows else "") + "]\n}\n"
