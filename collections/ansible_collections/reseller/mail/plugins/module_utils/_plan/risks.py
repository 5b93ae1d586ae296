# SPDX-License-Identifier: GPL-3.0-or-later
"""What in a change is worth a second look: mail that stops, mail that is lost, receivers that become stricter.

PRIVATE to the collection. Pure. A table: what changes, when it is a risk, what it means.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._plan.things import (
    CHANGED,
    REMOVED,
    Change,
    KeyChange,
)

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.values import Position

_STAGES = ("observe", "test", "quarantine", "reject")
_MODES = ("none", "testing", "enforce")


@dataclass(frozen=True, slots=True, order=True)
class Risk:
    """One mark. ``id`` is for programs, ``what`` for people."""

    tenant: str
    id: str
    subject: str
    what: str
    at: Position


def _stricter(scale: tuple[str, ...]) -> t.Callable[[KeyChange], bool]:
    def test(change: KeyChange) -> bool:
        old, new = (
            scale.index(value) if value in scale else 0 for value in (change.before, change.after)
        )
        return new > old

    return test


def _becomes(*values: t.Any) -> t.Callable[[KeyChange], bool]:
    return lambda change: change.after in values


def _any(change: KeyChange) -> bool:
    return True


def _first(change: KeyChange) -> bool:
    return not change.before


def _had(change: KeyChange) -> bool:
    return bool(change.before)


LEAVES = {
    "tenant": "nothing of the tenant is served any more",
    "domain": "mail to it is no longer taken here",
    "domain alias": "mail to it is no longer taken here",
    "mailbox": "a mailbox with its mail leaves",
    "node": "what is placed there must be elsewhere",
}

KEYS: tuple[tuple[str, str, t.Callable[[KeyChange], bool], str, str], ...] = (
    ("tenant", "state", _becomes("suspended"), "suspension", "its people can no longer log in"),
    (
        "tenant",
        "state",
        _becomes("terminated"),
        "termination",
        "nothing of the tenant is served any more; its mail is kept for the retention time",
    ),
    ("tenant", "purge", _becomes(True), "purge", "its mail is deleted for good"),
    (
        "tenant",
        "retention",
        lambda change: change.after < change.before,
        "retention-shortens",
        "mail of terminated tenants goes sooner",
    ),
    ("tenant", "placement", _any, "placement-moves", "its mail must be moved to the other node"),
    ("domain", "state", _becomes("suspended"), "suspension", "its people can no longer log in"),
    (
        "domain",
        "dmarc.stage",
        _stricter(_STAGES),
        "dmarc-tightens",
        "receivers refuse more of what does not align",
    ),
    (
        "domain",
        "dmarc.subdomains",
        _stricter(_STAGES),
        "dmarc-tightens",
        "receivers refuse more of what does not align",
    ),
    (
        "domain",
        "dmarc.nonexistent",
        _stricter(_STAGES),
        "dmarc-tightens",
        "receivers refuse more of what does not align",
    ),
    (
        "domain",
        "dmarc.override",
        _first,
        "dmarc-tightens",
        "what the file wants is published at once, whatever the evidence says",
    ),
    (
        "domain",
        "mta_sts.mode",
        _stricter(_MODES),
        "mta-sts-tightens",
        "senders stop delivering where TLS fails",
    ),
    (
        "domain",
        "mta_sts.override",
        _first,
        "mta-sts-tightens",
        "what the file wants is published at once, whatever the evidence says",
    ),
    (
        "domain",
        "spf.tail",
        _becomes("-all"),
        "spf-tightens",
        "receivers refuse what comes from elsewhere",
    ),
    ("domain", "relay.host", _had, "relay-moves", "its mail is handed to another host"),
    ("domain", "type", _any, "type-changes", "its mail goes elsewhere than before"),
    (
        "domain",
        "branding.hostname",
        _had,
        "hostname-changes",
        "mail programs that use the old name must be set up anew",
    ),
    ("domain", "owner", _any, "owner-changes", "it goes on another account"),
    ("mailbox", "owner", _any, "owner-changes", "it goes on another account"),
    ("alias", "owner", _any, "owner-changes", "it goes on another account"),
    ("sender address", "owner", _any, "owner-changes", "it goes on another account"),
    ("mailbox", "state", _becomes("suspended"), "suspension", "its user can no longer log in"),
    (
        "mailbox",
        "password",
        _had,
        "password-changes",
        "the password that the file gives is another one",
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
    """Every mark, sorted."""
    return sorted(risk for change in changes for risk in _of(change))


def _of(change: Change) -> t.Iterator[Risk]:
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
    for kind, key, test, name, what in KEYS:
        for each in change.keys:
            if (kind, key) == (subject.kind, each.key) and test(each):
                yield Risk(subject.tenant, name, str(subject), f"{each}: {what}", change.at)
