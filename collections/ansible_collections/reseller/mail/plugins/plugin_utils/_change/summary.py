# SPDX-License-Identifier: GPL-3.0-or-later
"""The change summary: two revisions of an estate compared, in the users' words.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import dataclasses
import gc
import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._host import deletion_guard

from .._load import Known, build
from . import edits as change_edits
from . import placement, rights
from .consequences import Consequences, consequences
from .objects import Change, changes, estate_objects
from .risks import Risk, risks

if t.TYPE_CHECKING:
    from .._model.estate import Estate
    from .._model.values import Fault
    from .revision import Revision


@dataclass(frozen=True, slots=True)
class Section:
    """The changes of one tenant, or of the provider's own objects if ``tenant`` is empty."""

    tenant: str
    organisation: str
    changes: tuple[Change, ...]
    consequences: Consequences


@dataclass(frozen=True, slots=True)
class ChangeSummary:
    """What a change means. With ``faults`` the change is refused, and the summary shows only them.

    Attributes:
        before, after: The names of the revisions.
        faults, faults_before: What is wrong in the files after and before the change.
        sections: One for each tenant that is touched, sorted by name.
        risks: What deserves a second look.
        without_effect: Files whose change has no effect now.
        actor, roles: Who makes the change, and the roles of this identity.
        refusals: The edits that the actor may not make.
        deletions: The message of the deletion guard, empty if it allows the change.
        unmoved: The tenants whose placement changes, but not their mail.
    """

    before: str
    after: str
    faults: tuple[Fault, ...] = ()
    faults_before: tuple[Fault, ...] = ()
    sections: tuple[Section, ...] = ()
    risks: tuple[Risk, ...] = ()
    without_effect: tuple[str, ...] = ()
    actor: str = ""
    roles: tuple[str, ...] = ()
    refusals: tuple[Fault, ...] = ()
    deletions: str = ""
    unmoved: tuple[Fault, ...] = ()

    @property
    def refused(self) -> bool:
        """Return whether the change is refused."""
        return bool(self.faults or self.refusals or self.deletions or self.unmoved)

    def counts(self) -> dict[str, int]:
        """Return how many objects are added, changed and removed."""
        actions = [change.action for section in self.sections for change in section.changes]
        return {action: actions.count(action) for action in ("added", "changed", "removed")}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes the change, as the forge knows this person, and who approved it."""

    identity: str
    groups: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()


def compare(
    before: Revision, after: Revision, who: t.Optional[Actor] = None, accepted: int = 0
) -> ChangeSummary:
    """Return the summary of the change from one revision to the other.

    Without ``who`` no rights are checked. ``accepted`` is how many deletions the operator allows.
    """
    collecting = gc.isenabled()
    gc.disable()  # as in _load: many young objects and no reference cycles
    try:
        return _compare(before, after, who, accepted)
    finally:
        if collecting:
            gc.enable()


def _compare(
    before: Revision, after: Revision, who: t.Optional[Actor], accepted: int
) -> ChangeSummary:
    """Do the work of ``compare``."""
    both: Known = {}  # most files are the same in both
    old, faults_before = build(before.files, before.faults, both)
    new, faults = build(after.files, after.faults, both)
    summary = ChangeSummary(before.name, after.name, tuple(faults), tuple(faults_before))
    if faults:
        return summary
    edits = change_edits.edits(before, after)
    known = _computable_part(old) if faults_before else old
    listed = changes(estate_objects(old), estate_objects(new))
    actor = rights.of_actor(old, who.identity, who.groups, who.approvers) if who else None
    return dataclasses.replace(
        summary,
        sections=tuple(_sections(old, new, listed, consequences(known, new))),
        risks=tuple(risks(listed)),
        without_effect=tuple(_without_effect(edits, listed)),
        actor=actor.name if actor else "",
        roles=tuple(dict.fromkeys(str(grant) for grant in actor.grants)) if actor else (),
        refusals=tuple(rights.refusals(actor, old, new, edits)) if actor else (),
        deletions=_refused_deletions(known, new, accepted),
        unmoved=tuple(placement.unmoved(old, new)),
    )


def _computable_part(estate: Estate) -> Estate:
    """Return an estate with faults without the tenants whose node or plan is unknown.

    Ledger, DNS and bill cannot be computed for those.
    """
    nodes, plans = {node.name for node in estate.nodes}, {plan.name for plan in estate.plans}
    return dataclasses.replace(
        estate,
        tenants=tuple(
            each for each in estate.tenants if each.placement in nodes and each.plan in plans
        ),
    )


def _sections(
    before: Estate, after: Estate, listed: t.Iterable[Change], found: dict[str, Consequences]
) -> t.Iterator[Section]:
    """Yield the sections, sorted by tenant."""
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
            found.get(tenant, Consequences()),
        )


def _without_effect(
    edits: t.Iterable[change_edits.Edit], listed: t.Sequence[Change]
) -> t.Iterator[str]:
    """Yield the files whose change has no effect, each with its edits.

    Such edits are comments, notes, and keys that a nearer level overrides.
    """
    with_effect = {change.at.file for change in listed}
    by_file: dict[tuple[str, bool], list[str]] = {}
    for edit in edits:
        by_file.setdefault((edit.file, edit.inside), []).append(
            f"{edit.keys} {edit.what}" if edit.path else edit.what
        )
    for (file, inside), what in by_file.items():
        if file not in with_effect or not inside:
            place = file if inside else f"outside the estate: {file}"
            yield f"{place}: {', '.join(dict.fromkeys(what))}"


def _refused_deletions(before: Estate, after: Estate, accepted: int) -> str:
    """Return the deletion guard's message, for the whole estate or else for the first node.

    Each node will apply the guard to its own part. The shares are those before the change, so a
    change cannot weaken its own guard.
    """
    shares = before.deletion_guard.shares()
    served_after = deletion_guard.Served(*after.served_names())
    served_before = deletion_guard.Served(*before.served_names())
    refusals = [deletion_guard.refusal(served_before, served_after, shares, accepted)]
    for node in before.nodes:
        part = deletion_guard.Served(*before.served_names(node.name))
        refusals.append(
            deletion_guard.refusal(
                part, served_after, shares, accepted, f"on {node.name} this change"
            )
        )
    return next((each for each in refusals if each), "")
