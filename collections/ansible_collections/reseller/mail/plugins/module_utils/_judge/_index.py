# SPDX-License-Identifier: GPL-3.0-or-later
"""What judges look things up in, made once.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._model.domain import (
    Alias,
    Domain,
    Mailbox,
    SenderAddress,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate, Node
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Plan, Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Position
from ansible_collections.reseller.mail.plugins.module_utils._names import spoken, without_extension

ROLE_NAMES = frozenset(("abuse", "postmaster"))
"""They exist in every domain (RFC 2142), by the account's default_owner where nothing else says so."""

Holes = t.AbstractSet[tuple[str, str]]
"""Parts of files that had faults when they were read: (file, key), or (file, "") for the whole of it."""

Thing = t.Union[Mailbox, Alias, SenderAddress]


@dataclass(frozen=True, slots=True)
class Index:
    """The estate by name."""

    estate: Estate
    holes: Holes
    plans: dict[str, Plan] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    homes: dict[str, tuple[Tenant, Domain]] = field(default_factory=dict)
    """Every name that may stand behind an @, aliases of domains too."""
    things: dict[str, Thing] = field(default_factory=dict)
    """Mailboxes, aliases and sender addresses by address."""

    @classmethod
    def of(cls, estate: Estate, holes: Holes) -> Index:
        """The index of an estate; where two claim one name, the first in the files has it, and domains before their aliases."""
        index = cls(estate, holes)
        for plan in estate.plans:
            index.plans.setdefault(plan.name, plan)
        for node in estate.nodes:
            index.nodes.setdefault(node.name, node)
        for tenant in estate.tenants:
            for domain in tenant.domains:
                index.homes.setdefault(domain.name, (tenant, domain))
                for kind in (domain.mailboxes, domain.aliases, domain.sender_addresses):
                    for thing in kind:
                        index.things.setdefault(thing.address, thing)
        for tenant in estate.tenants:
            for domain in tenant.domains:
                for alias in domain.domain_aliases:
                    index.homes.setdefault(alias.name, (tenant, domain))
        return index

    def unsure(self, file: str, *keys: str) -> bool:
        """Whether something below one of the keys of a file could not be read."""
        return bool(self.holes) and any((file, key) in self.holes for key in ("", *keys))

    def approved(self, tenant: Tenant, name: str) -> bool:
        """Whether the provider lets the tenant have that domain, or the list of those could not be read."""
        return name in tenant.approved_domains or self.unsure(tenant.at.file, "domains")

    def primary(self, address: str) -> str:
        """The address as it is written in its domain's file: without extension, under the domain's own name."""
        local, _at, host = without_extension(address).rpartition("@")
        home = self.homes.get(host)
        return f"{local}@{home[1].name if home else host}"

    def lacks(self, tenant: Tenant, address: str) -> bool:
        """Whether the address lies in one of the tenant's own domains and nobody is there.

        Other tenants' addresses are other people's: if they go away, that is no fault of this tenant's files.
        """
        home = self.homes.get(address.rpartition("@")[2])
        if home is None or home[0] is not tenant:
            return False
        domain = home[1]
        primary = self.primary(address)
        local = primary.rpartition("@")[0]
        if primary in self.things or local in ROLE_NAMES or domain.catch_all:
            return False
        if self.unsure(
            domain.at.file, "mailboxes", "aliases", "sender_addresses", "catch_all", "relay"
        ):
            return False
        return not (domain.relay and local in domain.relay.recipients)


def fault(at: Position, fault_id: str, what: str, allowed: str) -> Fault:
    """A fault at a position, which is stripped of its node; names in A-labels are told in U-labels too."""
    return Fault(Position(at.file, at.line, at.column), fault_id, spoken(what), allowed)


def listed(names: t.Iterable[str], nothing: str = "none") -> str:
    """Names for the allowed part of a fault: sorted, not endless."""
    ordered = sorted(names)
    more = f" and {len(ordered) - 12} more" if len(ordered) > 12 else ""
    return (", ".join(ordered[:12]) + more) or nothing
