# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change means: two revisions of an estate compared, in the users' words.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import dataclasses
import gc
import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils import _deletions, _edits, _rights
from ansible_collections.reseller.mail.plugins.module_utils._load import build
from ansible_collections.reseller.mail.plugins.module_utils._plan.effects import Effects, effects
from ansible_collections.reseller.mail.plugins.module_utils._plan.risks import Risk, risks
from ansible_collections.reseller.mail.plugins.module_utils._plan.things import (
    Change,
    changes,
    things,
)

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
    from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault
    from ansible_collections.reseller.mail.plugins.module_utils._revision import Revision


@dataclass(frozen=True, slots=True)
class Section:
    """What happens to one tenant, or to the provider's own things where ``tenant`` is empty."""

    tenant: str
    organisation: str
    changes: tuple[Change, ...]
    effects: Effects


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of it. With ``faults`` the change is refused and nothing else is told."""

    before: str
    after: str
    faults: tuple[Fault, ...] = ()
    faults_before: tuple[Fault, ...] = ()
    sections: tuple[Section, ...] = ()
    risks: tuple[Risk, ...] = ()
    mute: tuple[str, ...] = ()
    actor: str = ""
    roles: tuple[str, ...] = ()
    refusals: tuple[Fault, ...] = ()
    deletions: str = ""

    @property
    def refused(self) -> bool:
        return bool(self.faults or self.refusals or self.deletions)

    def counts(self) -> dict[str, int]:
        """How many things are added, changed and removed."""
        actions = [change.action for section in self.sections for change in section.changes]
        return {action: actions.count(action) for action in ("added", "changed", "removed")}


@dataclass(frozen=True, slots=True)
class Who:
    """Who makes the change, as the forge knows them."""

    identity: str
    groups: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()


def compare(
    before: Revision, after: Revision, who: t.Optional[Who] = None, accepted: int = 0
) -> Plan:
    """The plan that leads from one revision to the other."""
    collecting = gc.isenabled()
    gc.disable()  # as in _load: many young objects and no circles
    try:
        return _compare(before, after, who, accepted)
    finally:
        if collecting:
            gc.enable()


def _compare(before: Revision, after: Revision, who: t.Optional[Who], accepted: int) -> Plan:
    old, faults_before = build(before.files, before.faults)
    new, faults = build(after.files, after.faults)
    plan = Plan(before.name, after.name, tuple(faults), tuple(faults_before))
    if faults:
        return plan
    edits = _edits.edits(before, after)
    known = _whole(old) if faults_before else old
    listed = changes(things(old), things(new))
    actor = _rights.actor(old, who.identity, who.groups, who.approvers) if who else None
    return dataclasses.replace(
        plan,
        sections=tuple(_sections(old, new, listed, effects(known, new))),
        risks=tuple(risks(listed)),
        mute=tuple(_mute(edits, listed)),
        actor=actor.name if actor else "",
        roles=tuple(dict.fromkeys(str(grant) for grant in actor.grants)) if actor else (),
        refusals=tuple(_rights.judge(actor, old, new, edits)) if actor else (),
        deletions=_deletions_refused(known, new, accepted),
    )


def _whole(estate: Estate) -> Estate:
    """What of a faulty estate can be reckoned with: tenants whose node and plan are known."""
    nodes, plans = {node.name for node in estate.nodes}, {plan.name for plan in estate.plans}
    return dataclasses.replace(
        estate,
        tenants=tuple(
            each for each in estate.tenants if each.placement in nodes and each.plan in plans
        ),
    )


def _sections(
    before: Estate, after: Estate, listed: t.Iterable[Change], found: dict[str, Effects]
) -> t.Iterator[Section]:
    names = {
        tenant.name: tenant.organisation for estate in (before, after) for tenant in estate.tenants
    }
    by_tenant: dict[str, list[Change]] = {}
    for change in listed:
        by_tenant.setdefault(change.subject.tenant, []).append(change)
    for tenant in sorted(by_tenant.keys() | found.keys()):
        yield Section(
            tenant,
            names.get(tenant, ""),
            tuple(by_tenant.get(tenant, ())),
            found.get(tenant, Effects()),
        )


def _mute(edits: t.Iterable[_edits.Edit], listed: t.Sequence[Change]) -> t.Iterator[str]:
    """Files whose change means nothing now: comments, notes, keys that a nearer one overrides."""
    files = dict.fromkeys((edit.file, edit.inside) for edit in edits)
    telling = {change.at.file for change in listed}
    by_file: dict[tuple[str, bool], list[str]] = {file: [] for file in files}
    for edit in edits:
        by_file[edit.file, edit.inside].append(
            edit.what if not edit.path else f"{edit.keys} {edit.what}"
        )
    for (file, inside), what in by_file.items():
        if file not in telling or not inside:
            place = file if inside else f"outside the estate: {file}"
            yield f"{place}: {', '.join(dict.fromkeys(what))}"


def _deletions_refused(before: Estate, after: Estate, accepted: int) -> str:
    """The guard's word on the estate and on each node, as each node will judge its own part. A change cannot loosen it."""
    shares, whole = _deletions.shares(before), _deletions.served(after)
    told = [_deletions.refusal(_deletions.served(before), whole, shares, accepted)]
    for node in before.nodes:
        told.append(
            _deletions.refusal(
                _deletions.served(before, node.name),
                whole,
                shares,
                accepted,
                f"on {node.name} this change",
            )
        )
    return next((each for each in told if each), "")
