# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard against a change that removes much at once: a truncated folder, a branch that lost its tenants.

PRIVATE to the collection. Pure, standard library only: judges plans on the controller and generations on hosts.

The rule: of what is served now, count the tenants, domains and mailboxes that nobody would serve any more. A kind trips
when more of it goes than ``FLOOR`` says *and* more than the estate's share of it; and whenever the last tenant goes. Then
the change is refused until somebody names how many: one number, all kinds together, which is the most that may go.

What was let pass once is not counted again while the run that does it fails: many small deletions must not add up against
the generation that a host cannot leave.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate

KINDS = ("tenants", "domains", "mailboxes")

FLOOR = {"tenants": 1, "domains": 3, "mailboxes": 10}
"""So many may always go: in a small estate every tenant is a large share."""

SHARE = 10
"""Percent, where the estate does not say."""

SHOWN = 3
"""How many of those that go are named."""


@dataclass(frozen=True, slots=True)
class Served:
    """Names of what is served."""

    tenants: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()

    def without(self, other: Served) -> Served:
        """What is here and not there."""
        return Served(
            self.tenants - other.tenants,
            self.domains - other.domains,
            self.mailboxes - other.mailboxes,
        )

    def of(self, kind: str) -> frozenset[str]:
        return t.cast("frozenset[str]", getattr(self, kind))

    def common(self, other: Served) -> Served:
        """Return what is here and there."""
        return Served(
            self.tenants & other.tenants,
            self.domains & other.domains,
            self.mailboxes & other.mailboxes,
        )

    def as_data(self) -> dict[str, list[str]]:
        """Return plain values."""
        return {kind: sorted(self.of(kind)) for kind in KINDS}

    def __len__(self) -> int:
        return sum(len(self.of(kind)) for kind in KINDS)


def from_data(data: t.Mapping[str, t.Iterable[str]]) -> Served:
    """Return what ``as_data`` made plain values of."""
    return Served(*(frozenset(data[kind]) for kind in KINDS))


def refusal(
    before: Served,
    after: Served,
    shares: t.Mapping[str, int],
    accepted: int = 0,
    where: str = "this change",
    passed: Served = Served(),
) -> t.Optional[str]:
    """Why the change may not be made without a word, or None. ``after`` is all that is served then, by whomever; ``passed`` is what an earlier
    change was allowed to remove and did not, because its run failed."""
    before = before.without(passed.common(before.without(after)))
    gone = before.without(after)
    tripped = [
        kind
        for kind in KINDS
        if _trips(len(gone.of(kind)), len(before.of(kind)), shares.get(kind, SHARE), FLOOR[kind])
    ]
    last = bool(before.tenants) and before.tenants == gone.tenants
    if not (tripped or last) or accepted >= len(gone):
        return None
    counts = ", ".join(
        f"{len(gone.of(kind))} of {len(before.of(kind))} {kind}" for kind in KINDS if gone.of(kind)
    )
    if tripped:
        rule = f"deletion_guard allows {', '.join(f'{shares.get(kind, SHARE)} % of {kind}' for kind in tripped)}"
    else:
        rule = "no tenant would be left"
    names = sorted(gone.of(next(kind for kind in KINDS if gone.of(kind))))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    told = f"; {accepted} were accepted" if accepted else ""
    return (
        f"{where} removes {counts} ({', '.join(names[:SHOWN])}{more}); {rule}{told}. "
        f"If that is meant, say so with -e mail_deletions_accepted={len(gone)}"
    )


def _trips(gone: int, before: int, share: int, floor: int) -> bool:
    return gone > floor and gone * 100 > share * before


def shares(estate: Estate) -> dict[str, int]:
    """The estate's own shares in percent."""
    return {kind: getattr(estate.deletion_guard, kind) for kind in KINDS}


def served(estate: Estate, node: t.Optional[str] = None) -> Served:
    """What an estate, or one node of it, serves."""
    found = [
        (tenant, domain)
        for tenant, domain in estate.served_domains()
        if node in (None, tenant.placement)
    ]
    return Served(
        frozenset(
            tenant.name
            for tenant in estate.tenants
            if tenant.served and node in (None, tenant.placement)
        ),
        frozenset(domain.name for _tenant, domain in found),
        frozenset(mailbox.address for _tenant, domain in found for mailbox in domain.mailboxes),
    )


_LINES = {
    "tenant": "tenants",
    "domain": "domains",
    "relay domain": "domains",
    "mailbox": "mailboxes",
}


def here(model: t.Iterable[str]) -> Served:
    """What a node serves itself, from the lines of its generation's model."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for line in model:
        words = line.split(" ")
        number = 2 if line.startswith("relay domain ") else 1
        kind = _LINES.get(" ".join(words[:number]))
        if kind and len(words) > number:
            found[kind].add(words[number])
    return Served(*(frozenset(found[kind]) for kind in KINDS))


def known(files: t.Mapping[str, str]) -> Served:
    """What a node serves itself or hands to the node that does: a tenant that moves is not removed."""
    domains = _table(files.get("postfix/relay_domains", ""))
    recipients = _table(files.get("postfix/relay_recipient_maps", "")) | _table(
        files.get("postfix/recipient_access", "")
    )
    own = here(files.get("model.txt", "").splitlines())
    return Served(
        own.tenants | frozenset(domains.values()),
        own.domains | domains.keys(),
        own.mailboxes | recipients.keys(),
    )


def _table(text: str) -> dict[str, str]:
    entries = (line.partition("\t") for line in text.splitlines())
    return {key: value for key, _tab, value in entries}
