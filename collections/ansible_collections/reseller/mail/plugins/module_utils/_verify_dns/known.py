# SPDX-License-Identifier: GPL-3.0-or-later
"""What judging one subject needs to know of the estate; worked out once.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._compile import _services, mta_sts
from .._compile import dns as compile_dns
from .questions import Question, of_estate

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Estate, Node, Provider
    from .._model.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Sending:
    """Where a domain's mail leaves from; ``relay`` is what the premium relay's operator wants included, where it leaves by that too."""

    addresses: tuple[str, ...]
    relay: str


@dataclass(frozen=True, slots=True)
class Known:
    """``addresses`` are all that take mail here; of the domains in ``catch_all`` every one does. ``settings`` has the names under which mail
    programs find theirs. ``unsigned`` are (node, algorithm, whether a key is reported), by name, where no key of an algorithm signs yet."""

    provider: str
    subjects: dict[str, list[Question]]
    sending: dict[str, Sending]
    policies: dict[str, str]
    settings: dict[str, tuple[Provider, Domain, Node]]
    unsigned: dict[str, list[tuple[str, str, bool]]]
    addresses: frozenset[str]
    served: frozenset[str]
    catch_all: frozenset[str]
    grants: frozenset[str]

    def is_nobody(self, address: str) -> bool:
        """Whether an address is in a domain of ours and yet nobody's."""
        domain = address.rpartition("@")[2]
        return (
            domain in self.served and domain not in self.catch_all and address not in self.addresses
        )


def learn(estate: Estate) -> Known:
    """Everything from the model."""
    subjects = of_estate(estate)
    sending, policies, catch_all = {}, {}, set()
    settings: dict[str, tuple[Provider, Domain, Node]] = {}
    unsigned: dict[str, list[tuple[str, str, bool]]] = {}
    addresses: set[str] = set()
    for tenant, domain in estate.served_domains():
        own = (
            *estate.node_of(tenant).addresses,
            *([tenant.outbound_address] if tenant.outbound_address else ()),
        )
        relay = (
            estate.premium_relay.spf_include
            if tenant.premium_relay and estate.premium_relay
            else ""
        )
        locals_ = set(_locals(domain))
        for name in domain.names:
            sending[name] = Sending(own, relay)
            addresses.update(f"{local}@{name}" for local in locals_)
            if domain.catch_all:
                catch_all.add(name)
            if _services.finds_settings(domain):
                settings[name] = estate.provider, domain, estate.node_of(tenant)
            if (
                domain.mta_sts
                and name in subjects
                and any(one.group == "dns.mta_sts" for one in subjects[name])
            ):
                policies[name] = _policy(estate, tenant, domain)
    for name, node, algorithm, reported in compile_dns.unsigned(estate):
        unsigned.setdefault(name, []).append((node, algorithm, reported))
    grants = {
        one.name for asked in subjects.values() for one in asked if one.group == "dns.dmarc_grant"
    }
    return Known(
        estate.provider.domain,
        subjects,
        sending,
        policies,
        settings,
        unsigned,
        frozenset(addresses),
        frozenset(sending),
        frozenset(catch_all),
        frozenset(grants),
    )


def _policy(estate: Estate, tenant: Tenant, domain: Domain) -> str:
    return mta_sts.policy(domain.mta_sts, mta_sts.hosts(estate, tenant)) if domain.mta_sts else ""


def _locals(domain: Domain) -> t.Iterator[str]:
    for group in (domain.mailboxes, domain.aliases, domain.sender_addresses):
        yield from (one.name for one in group)
    if domain.relay:
        yield from domain.relay.recipients
