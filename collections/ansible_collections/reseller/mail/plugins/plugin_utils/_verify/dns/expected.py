# SPDX-License-Identifier: GPL-3.0-or-later
"""What the estate expects of each subject, computed once for all.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._compile import dns as compile_dns
from ..._compile import mta_sts
from ..._model import outgoing, services
from .questions import Question, of_estate

if t.TYPE_CHECKING:
    from ..._model.domain import Domain
    from ..._model.estate import Estate, Node, Provider
    from ..._model.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Sending:
    """The hosts that send a domain's mail: their addresses, and the name that the SPF record must
    include for the domain's relay, or ""."""

    addresses: tuple[str, ...]
    relay: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the estate expects, by the names that are asked about.

    Attributes:
        provider: The provider's domain.
        subjects: The questions about each name.
        sending: The hosts that send the mail of each name.
        policies: The text of the MTA-STS policy of each name with one.
        settings: What the settings of mail programs are made of, for each name with them.
        unsigned: For each name the algorithms without a key in service, as (node, algorithm,
            whether the node has reported a key).
        addresses: All addresses that receive mail on our nodes.
        served: All served names.
        catch_all: The names in which every address receives mail.
        grants: The names of records that allow DMARC reports about other domains.
    """

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

    def is_unknown(self, address: str) -> bool:
        """Return whether an address is in a served domain and does not exist there."""
        domain = address.rpartition("@")[2]
        return (
            domain in self.served and domain not in self.catch_all and address not in self.addresses
        )


def learn(estate: Estate) -> Known:
    """Return what the estate expects."""
    subjects = of_estate(estate)
    sending: dict[str, Sending] = {}
    policies: dict[str, str] = {}
    settings: dict[str, tuple[Provider, Domain, Node]] = {}
    addresses: set[str] = set()
    catch_all: set[str] = set()
    for tenant, domain in estate.served_domains():
        hosts = _sending(estate, tenant, domain)
        locals_ = set(_locals(domain))
        for name in domain.names:
            sending[name] = hosts
            addresses.update(f"{local}@{name}" for local in locals_)
            if domain.catch_all:
                catch_all.add(name)
            if services.finds_settings(domain):
                settings[name] = estate.provider, domain, estate.node_of(tenant)
            if any(one.group == "dns.mta_sts" for one in subjects.get(name, ())):
                policies.update(_policies(estate, tenant, domain, name))
    unsigned: dict[str, list[tuple[str, str, bool]]] = {}
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


def _sending(estate: Estate, tenant: Tenant, domain: Domain) -> Sending:
    """Return the hosts that send a domain's mail."""
    own = (
        *estate.node_of(tenant).addresses,
        *outgoing.outbound_addresses_of(estate, tenant),
    )
    relay = outgoing.relay_of(estate, tenant, domain)
    return Sending(own, relay.spf_include if relay else "")


def _policies(
    estate: Estate, tenant: Tenant, domain: Domain, name: str
) -> t.Iterator[tuple[str, str]]:
    """Yield the name with the text of the domain's MTA-STS policy, if it has one."""
    if domain.mta_sts:
        yield name, mta_sts.policy(domain.mta_sts, mta_sts.hosts(estate, tenant))


def _locals(domain: Domain) -> t.Iterator[str]:
    """Yield the local part of every address in the domain's files."""
    for group in (domain.mailboxes, domain.aliases, domain.sender_addresses):
        yield from (one.name for one in group)
    if domain.relay:
        yield from domain.relay.recipients
