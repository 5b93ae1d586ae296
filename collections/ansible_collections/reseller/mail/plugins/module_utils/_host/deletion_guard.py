# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard against a change that removes much at once, such as a truncated folder of tenants.

PRIVATE to the collection. Pure, standard library only: it guards plans on the controller and
generations on hosts.

It counts the tenants, domains and mailboxes that are served now and would not be served any more.
A change is refused when more of one kind goes than ``FLOOR`` allows *and* more than the estate's
share of that kind, and whenever the last tenant goes. The operator can accept it by a number: the
most that may go, all kinds together.

Deletions that were accepted once are not counted again while the run that makes them fails. So many
small deletions do not add up on a host that cannot leave its generation.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

KINDS = ("tenants", "domains", "mailboxes")

FLOOR = {"tenants": 1, "domains": 3, "mailboxes": 10}
"""How many may always go: in a small estate every tenant is a large share."""

SHARE = 10
"""The share that may go where the estate sets none, in percent."""

SHOWN = 3
"""How many of the names that go a message lists."""


@dataclass(frozen=True, slots=True)
class Served:
    """The names of the tenants, domains and mailboxes that are served."""

    tenants: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()

    def without(self, other: Served) -> Served:
        """Return the names that are here and not in the other."""
        return Served(
            self.tenants - other.tenants,
            self.domains - other.domains,
            self.mailboxes - other.mailboxes,
        )

    def of(self, kind: str) -> frozenset[str]:
        """Return the names of one kind."""
        return t.cast("frozenset[str]", getattr(self, kind))

    def common(self, other: Served) -> Served:
        """Return the names that are in both."""
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
    """Return why a change must be accepted by its number of deletions first, or None.

    ``after`` is all that is served then, on any node. ``shares`` are the estate's, in percent.
    ``accepted`` is how many deletions the operator accepted. ``where`` begins the message.
    ``passed`` is what an earlier change was allowed to remove and did not, because its run failed.
    """
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
    allowed = ", ".join(f"{shares.get(kind, SHARE)} % of {kind}" for kind in tripped)
    rule = f"deletion_guard allows {allowed}" if tripped else "no tenant would be left"
    so_far = f"; {accepted} were accepted" if accepted else ""
    return (
        f"{where} removes {_summary(gone, before)}; {rule}{so_far}. "
        f"If this is intended, accept it with -e mail_deletions_accepted={len(gone)}"
    )


def _summary(gone: Served, before: Served) -> str:
    """Return how many of each kind go, and the first names of the first kind."""
    kinds = [kind for kind in KINDS if gone.of(kind)]
    counts = ", ".join(f"{len(gone.of(kind))} of {len(before.of(kind))} {kind}" for kind in kinds)
    names = sorted(gone.of(kinds[0]))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{counts} ({', '.join(names[:SHOWN])}{more})"


def _trips(gone: int, before: int, share: int, floor: int) -> bool:
    """Return whether more goes than is always allowed and than the share of what was there."""
    return gone > floor and gone * 100 > share * before


_LINES = {
    "tenant": "tenants",
    "domain": "domains",
    "relay domain": "domains",
    "mailbox": "mailboxes",
}


def here(model: t.Iterable[str]) -> Served:
    """Return what a node serves itself, from the lines of its generation's model."""
    found: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for line in model:
        words = line.split(" ")
        number = 2 if line.startswith("relay domain ") else 1
        kind = _LINES.get(" ".join(words[:number]))
        if kind and len(words) > number:
            found[kind].add(words[number])
    return Served(*(frozenset(found[kind]) for kind in KINDS))


def known(files: t.Mapping[str, str]) -> Served:
    """Return what a node serves itself or relays to the node that serves it.

    So a tenant that moves to another node does not count as removed.
    """
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
    """Return the entries of a table with tabs between key and value."""
    entries = (line.partition("\t") for line in text.splitlines())
    return {key: value for key, _tab, value in entries}
