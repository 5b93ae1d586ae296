# SPDX-License-Identifier: GPL-3.0-or-later
"""The risks of a change: mail that stops, mail that is lost, receivers that become stricter.

PRIVATE to the collection. Pure. A table says what changes, when it is a risk, and what it means.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .objects import CHANGED, REMOVED, Change, KeyChange

if t.TYPE_CHECKING:
    from .._model.values import Position

_STAGES = ("observe", "test", "quarantine", "reject")
_MODES = ("none", "testing", "enforce")


@dataclass(frozen=True, slots=True, order=True)
class Risk:
    """One risk of a change. ``id`` is for programs, ``what`` is for people."""

    tenant: str
    id: str
    subject: str
    what: str
    at: Position


Test = t.Callable[[KeyChange], bool]
"""Returns whether a change of a key is a risk."""


def _becomes_stricter(scale: tuple[str, ...]) -> Test:
    """Return a test for a step up on the scale. A value that is not on it counts as the lowest."""

    def test(change: KeyChange) -> bool:
        """Return whether the new value is stricter than the old one."""
        old, new = (
            scale.index(value) if value in scale else 0 for value in (change.before, change.after)
        )
        return new > old

    return test


def _becomes(*values: t.Any) -> Test:
    """Return a test for a change to one of the values."""
    return lambda change: change.after in values


def _always(_change: KeyChange) -> bool:
    """Return true: every change of the key is a risk."""
    return True


def _was_empty(change: KeyChange) -> bool:
    """Return whether the key had no value before."""
    return not change.before


def _had_value(change: KeyChange) -> bool:
    """Return whether the key had a value before."""
    return bool(change.before)


LEAVES = {  # the kinds of objects whose removal is a risk
    "tenant": "the hosts no longer serve the tenant",
    "domain": "mail to it is no longer accepted here",
    "domain alias": "mail to it is no longer accepted here",
    "mailbox": "the mailbox and its mail are no longer served; the host keeps the mail for a time",
    "node": "its tenants must be placed on another node",
}

_FILTER = "scripts file, redirect, refuse or discard mail by other rules"
_SUSPENDED = "its suspension applies: by default no one can log in or send"

# kind, key, when it is a risk, id, what it means; docs/plan.md has this table
KEYS: tuple[tuple[str, str, Test, str, str], ...] = (
    ("tenant", "state", _becomes("suspended"), "suspension", _SUSPENDED),
    (
        "tenant",
        "state",
        _becomes("terminated"),
        "termination",
        "hosts no longer serve the tenant; they keep its mail for the days of retention",
    ),
    (
        "tenant",
        "purge",
        _becomes(True),
        "purge",
        "its mail and passwords are deleted at once, by a run that confirms the tenant's name",
    ),
    (
        "tenant",
        "retention",
        lambda change: change.after < change.before,
        "retention-shortens",
        "mail that leaves the files from now on is deleted sooner",
    ),
    ("tenant", "placement", _always, "placement-moves", "its mail must be moved to the other node"),
    ("domain", "state", _becomes("suspended"), "suspension", _SUSPENDED),
    (
        "domain",
        "dmarc.stage",
        _becomes_stricter(_STAGES),
        "dmarc-tightens",
        "receivers refuse more mail that does not pass DMARC",
    ),
    (
        "domain",
        "dmarc.subdomains",
        _becomes_stricter(_STAGES),
        "dmarc-tightens",
        "receivers refuse more mail that does not pass DMARC",
    ),
    (
        "domain",
        "dmarc.nonexistent",
        _becomes_stricter(_STAGES),
        "dmarc-tightens",
        "receivers refuse more mail that does not pass DMARC",
    ),
    (
        "domain",
        "dmarc.override",
        _was_empty,
        "dmarc-tightens",
        "the target is published at once, without evidence",
    ),
    (
        "domain",
        "mta_sts.mode",
        _becomes_stricter(_MODES),
        "mta-sts-tightens",
        "senders do not deliver if TLS fails",
    ),
    (
        "domain",
        "mta_sts.override",
        _was_empty,
        "mta-sts-tightens",
        "the target is published at once, without evidence",
    ),
    (
        "domain",
        "spf.tail",
        _becomes("-all"),
        "spf-tightens",
        "receivers refuse mail from other hosts",
    ),
    ("domain", "relay.host", _had_value, "relay-moves", "its mail is handed to another host"),
    (
        "domain",
        "type",
        _always,
        "type-changes",
        "its mail is delivered to another place than before",
    ),
    (
        "domain",
        "branding.hostname",
        _had_value,
        "hostname-changes",
        "mail programs that use the old name must be set up again",
    ),
    ("domain", "sieve", _always, "filter-changes", _FILTER),
    ("mailbox", "sieve", _always, "filter-changes", _FILTER),
    ("domain", "owner", _always, "owner-changes", "it is charged to another owner"),
    ("mailbox", "owner", _always, "owner-changes", "it is charged to another owner"),
    ("alias", "owner", _always, "owner-changes", "it is charged to another owner"),
    ("sender address", "owner", _always, "owner-changes", "it is charged to another owner"),
    ("mailbox", "state", _becomes("suspended"), "suspension", _SUSPENDED),
    (
        "mailbox",
        "password",
        _had_value,
        "password-changes",
        "the file sets another password",
    ),
    (
        "mailbox",
        "credentials",
        _becomes("external"),
        "login-leaves",
        "its user can no longer log in here",
    ),
    ("mailbox", "domain_admin", _becomes(True), "rights-grow", "its user may manage the domain"),
)


def risks(changes: t.Iterable[Change]) -> list[Risk]:
    """Return every risk of the changes, sorted by tenant and id."""
    return sorted(risk for change in changes for risk in _risks_of(change))


def _risks_of(change: Change) -> t.Iterator[Risk]:
    """Yield the risks of one change."""
    subject = change.subject
    if change.action == REMOVED and subject.kind in LEAVES:
        yield Risk(
            subject.tenant,
            f"{subject.kind.replace(' ', '-')}-leaves",
            str(subject),
            LEAVES[subject.kind],
            change.at,
        )
    if change.action != CHANGED:
        return
    for kind, key, is_risk, name, what in KEYS:
        for each in change.keys:
            if (kind, key) == (subject.kind, each.key) and is_risk(each):
                yield Risk(subject.tenant, name, str(subject), f"{each}: {what}", change.at)
