# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change charges to whom: new objects, and objects that get another owner.

PRIVATE to the collection. Pure. An inherited owner is listed once, at the domain that passes it on.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .transfer import owned

if t.TYPE_CHECKING:
    from .._model.estate import Estate
    from .._model.values import Position


@dataclass(frozen=True, slots=True)
class Move:
    """One object that gets an owner. ``before`` is the owner until now, None if it is new."""

    at: Position
    what: str
    before: t.Optional[str]
    after: str

    @property
    def parties(self) -> frozenset[str]:
        """Return the owners who have to agree."""
        return frozenset(owner for owner in (self.before, self.after) if owner)


def owner_moves(before: Estate, after: Estate) -> t.Iterator[Move]:
    """Yield every move, in the order of the files."""
    old = {
        (kind, name): owner
        for tenant in before.tenants
        for domain in tenant.domains
        for kind, name, owner, _at in owned(domain)
    }
    for tenant in after.tenants:
        for domain in tenant.domains:
            move_of_domain = (old.get(("domain", domain.name)), domain.owner)
            for kind, name, owner, at in owned(domain):
                was = old.get((kind, name))
                if was != owner and (kind == "domain" or (was, owner) != move_of_domain):
                    yield Move(at.of("owner"), f"{kind} {name}", was, owner)
