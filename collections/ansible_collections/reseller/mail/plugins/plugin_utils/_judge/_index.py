# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate by name: what the modules of this package look things up in, made once.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._model.addresses import ROLES
from .._model.domain import Alias, Domain, Mailbox, SenderAddress
from .._model.estate import Estate, Node
from .._model.names import spoken, without_extension
from .._model.tenant import Plan, Tenant
from .._model.values import Fault, Position

Holes = t.AbstractSet[tuple[str, str]]
"""Parts of files that had faults when they were read: (file, key), or (file, "") for all of it."""

Thing = t.Union[Mailbox, Alias, SenderAddress]


@dataclass(frozen=True, slots=True)
class Index:
    """The estate by name.

    Attributes:
        holes: the parts of files that could not be read.
        homes: tenant and domain by every name that can be behind an @, domain aliases included.
        things: mailboxes, aliases and sender addresses by address.
    """

    estate: Estate
    holes: Holes
    plans: dict[str, Plan] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    homes: dict[str, tuple[Tenant, Domain]] = field(default_factory=dict)
    things: dict[str, Thing] = field(default_factory=dict)

    @classmethod
    def of(cls, estate: Estate, holes: Holes) -> Index:
        """Return the index of an estate.

        If two objects have one name, the first in the files is in the index. Domains come before
        domain aliases.
        """
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
        """Return whether something below one of the keys of a file could not be read."""
        return bool(self.holes) and any((file, key) in self.holes for key in ("", *keys))

    def approved(self, tenant: Tenant, name: str) -> bool:
        """Return whether the provider lets the tenant have the domain.

        Also true if the list of these domains could not be read.
        """
        return name in tenant.approved_domains or self.unsure(tenant.at.file, "domains")

    def primary(self, address: str) -> str:
        """Return the address as its domain's file has it.

        It has no extension, and the domain's own name instead of a domain alias.
        """
        local, _at, host = without_extension(address).rpartition("@")
        home = self.homes.get(host)
        return f"{local}@{home[1].name if home else host}"

    def lacks(self, tenant: Tenant, address: str) -> bool:
        """Return whether the address is in one of the tenant's own domains and does not exist.

        False for addresses in other tenants' domains. If one of them goes away, that is no fault
        of this tenant's files.
        """
        home = self.homes.get(address.rpartition("@")[2])
        if home is None or home[0] is not tenant:
            return False
        domain = home[1]
        primary = self.primary(address)
        local = primary.rpartition("@")[0]
        if primary in self.things or local in ROLES or domain.catch_all:
            return False
        if self.unsure(
            domain.at.file, "mailboxes", "aliases", "sender_addresses", "catch_all", "relay"
        ):
            return False
        return not (domain.relay and local in domain.relay.recipients)


def fault(at: Position, fault_id: str, what: str, allowed: str) -> Fault:
    """Return a fault at a position, without the position's YAML node.

    Names in A-labels are shown in U-labels, too.
    """
    return Fault(Position(at.file, at.line, at.column), fault_id, spoken(what), allowed)
