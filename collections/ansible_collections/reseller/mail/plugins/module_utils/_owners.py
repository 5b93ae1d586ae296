# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change puts on whose account: new things, and things that get another owner.

PRIVATE to the collection. Pure. An inherited owner is told once, at the domain that hands it down.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._transfer import owned

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
    from ansible_collections.reseller.mail.plugins.module_utils._model.values import Position


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that goes onto an account. ``before`` is the account it was on, None when it is new."""

    at: Position
    what: str
    before: t.Optional[str]
    after: str

    @property
    def parties(self) -> frozenset[str]:
        """Who has to agree."""
        return frozenset(owner for owner in (self.before, self.after) if owner)


def owner_moves(before: Estate, after: Estate) -> t.Iterator[Move]:
    """Every move, in the order of the files."""
    old = {
        (kind, name): owner
        for tenant in before.tenants
        for domain in tenant.domains
        for kind, name, owner, _at in owned(domain)
    }
    for tenant in after.tenants:
        for domain in tenant.domains:
            handed_down = (old.get(("domain", domain.name)), domain.owner)
            for kind, name, owner, at in owned(domain):
                was = old.get((kind, name))
                if was != owner and (kind == "domain" or (was, owner) != handed_down):
                    yield Move(at.of("owner"), f"{kind} {name}", was, owner)
