# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision how strict DMARC and MTA-STS of each domain are published (docs/promotion.md).

The files set a target. The published policy becomes stricter one step at a time, when there is
enough evidence for the step. A weaker target and an override are published at once.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.
"""

from __future__ import annotations

import datetime
import json
import typing as t
from dataclasses import dataclass

from .._language.ladders import LADDERS, reached_step, strictest
from .._model.domain import Domain
from .._model.estate import Estate, Promotion, Step

if t.TYPE_CHECKING:
    from .evidence import Day, Failure


STALE: t.Final = 7
"""Days after which the last green day of verify is too old for a step."""
SHOWN_FAILURES: t.Final = 3
"""The newest failures that are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Track:
    """One policy of one domain: its target in the files, and what is published now.

    ``override`` is the reason to publish the target without evidence. ``reports_to`` is the address
    that gets reports. ``since`` is the first day whose evidence may count.
    """

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
    """The step that the evidence is enough for.

    ``before`` is the step until now, ``step`` the step from now on, and ``since`` its first day.
    ``next`` is the step after that, and ``missing`` has the reasons why it is not made yet; both
    are empty at the target.
    """

    track: Track
    before: str
    step: str
    since: t.Optional[datetime.date]
    next: str = ""
    missing: tuple[str, ...] = ()

    @property
    def promoted(self) -> bool:
        """Return whether the step is stricter than the one before."""
        ladder = LADDERS[self.track.policy]
        return ladder.index(self.step) > ladder.index(self.before)


def tracks(estate: Estate) -> list[Track]:
    """Return every policy of every domain with mail that hosts serve, by tenants and domains.

    A domain without mail needs no evidence: it publishes the strictest policies from the beginning.
    """
    found: list[Track] = []
    for tenant, domain in estate.served_domains():
        if (
            domain.type == "relay"
            or domain.mailboxes
            or domain.aliases
            or domain.sender_addresses
            or domain.catch_all
        ):
            found.extend(_tracks_of(tenant.name, domain))
    return found


def _tracks_of(tenant: str, domain: Domain) -> t.Iterator[Track]:
    """Yield the tracks of one domain: DMARC, and MTA-STS if the domain has it."""
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
    """Return the decision about a policy, from its last step and its days of evidence.

    A policy goes down to its target at once. It goes up by one step at most, if no evidence is
    missing. An override changes only what is published, not the decision: evidence is still
    counted, so that the override can be removed later.
    """
    ladder = LADDERS[track.policy]
    before = reached_step(track.policy, step.step if step else None)
    since = step.since if step else None
    target = reached_step(track.policy, track.target)
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
    missing = tuple(_missing_evidence(track, counted, rules, today))
    if missing:
        return Decision(track, before, before, since, following, missing)
    return Decision(
        track,
        before,
        following,
        today,
        ladder[ladder.index(following) + 1] if following != target else "",
    )


def _missing_evidence(
    track: Track, days: t.Sequence[Day], rules: Promotion, today: datetime.date
) -> t.Iterator[str]:
    """Yield a message for each condition of the next step that is not met."""
    yield from _missing_green_days(track.policy, days, rules.days, today)
    if not track.reports_to:
        key = "dmarc.reports_to" if track.policy == "dmarc" else "tls_rpt.reports_to"
        yield f"no reports are requested: set {key}"
        return
    yield from _missing_reports(track.policy, days, rules)
    yield from _recent_failures(track.policy, days, rules.days, today)


def _missing_green_days(
    policy: str, days: t.Sequence[Day], wanted: int, today: datetime.date
) -> t.Iterator[str]:
    """Yield a message if verify was green on too few days after its last red day, or long ago."""
    checked = sorted((day for day in days if policy in day.verified), key=lambda day: day.day)
    red = [day for day in checked if day.verified[policy]]
    green = [
        day for day in checked if not day.verified[policy] and (not red or day.day > red[-1].day)
    ]
    if len(green) < wanted:
        why = f" since verify failed on {red[-1].day} ({red[-1].verified[policy]})" if red else ""
        yield f"verify green on {len(green)} of {wanted} days{why}"
    elif (today - green[-1].day).days > STALE:
        yield f"verify was last green on {green[-1].day}: run it again"


def _missing_reports(policy: str, days: t.Sequence[Day], rules: Promotion) -> t.Iterator[str]:
    """Yield a message if reports count too few messages (DMARC only), or are about too few days."""
    if policy == "dmarc":
        name, passed = "DMARC", [day.passed for day in days]
        if sum(passed) < rules.messages:
            yield f"DMARC reports about {sum(passed)} of {rules.messages} messages of ours"
    else:
        name, passed = "TLS", [day.tls_passed for day in days]
    reported = sum(1 for number in passed if number)
    if reported < rules.report_days:
        yield f"{name} reports about {reported} of {rules.report_days} days"


def _recent_failures(
    policy: str, days: t.Sequence[Day], wanted: int, today: datetime.date
) -> t.Iterator[str]:
    """Yield the newest failures of the last ``wanted`` days, and the number of the others."""
    failures: list[tuple[datetime.date, Failure]] = []
    for day in days:
        if (today - day.day).days <= wanted:
            blocking = (
                [one for one in day.failed if one.blocks] if policy == "dmarc" else day.tls_failed
            )
            failures += [(day.day, one) for one in blocking]
    for date, failure in failures[-SHOWN_FAILURES:]:
        yield f"{failure.words} on {date}"
    if len(failures) > SHOWN_FAILURES:
        yield f"and {len(failures) - SHOWN_FAILURES} more such failures in {wanted} days"


def steps_made(decisions: t.Iterable[Decision]) -> list[Step]:
    """Return every step that was made, up or down, to be written into the estate.

    A domain that left the estate has no decision, so its steps are no longer written.
    """
    return [
        Step(one.track.domain, one.track.tenant, one.track.policy, one.step, one.since)
        for one in decisions
        if one.since
    ]


def text(steps: t.Iterable[Step]) -> str:
    """Return the content of ``state/promoted_domains.json``.

    It is sorted and has one step on each line, so that a commit shows only what changed.
    """
    rows = sorted(
        (step.domain, step.tenant, step.policy, step.step, step.since.isoformat()) for step in steps
    )
    lines = ",\n".join(
        "    "
        + json.dumps(dict(zip(("domain", "tenant", "policy", "step", "since"), row, strict=True)))
        for row in rows
    )
    return '{\n  "promoted": [' + (f"\n{lines}\n  " if rows else "") + "]\n}\n"
