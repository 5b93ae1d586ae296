# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant, and the plan that it is on.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal

from ansible_collections.reseller.mail.plugins.module_utils._model.domain import (
    Domain,
    DomainLimits,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.values import (
    NOWHERE,
    PROTOCOLS,
    Limit,
    Position,
    Said,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each thing may be allotted. ``aliases`` counts aliases and sender addresses (S1-9),
    ``domains`` counts mail and relay domains (S1-7), ``storage`` is bytes allotted, not used (S1-11)."""

    domains: Limit = None
    domain_aliases: Limit = None
    mailboxes: Limit = None
    aliases: Limit = None
    storage: Limit = None
    domain_admins: Limit = None


COUNTERS = tuple(each.name for each in fields(Limits))
"""What is counted, each against the limit of its name."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a plan costs a month. Storage is billed in steps of ``tranche`` bytes, ``tranche_price`` each, at least one (S2-11)."""

    monthly: t.Optional[Decimal] = None
    mailbox: t.Optional[Decimal] = None
    tranche: t.Optional[int] = None
    tranche_price: t.Optional[Decimal] = None


@dataclass(frozen=True, slots=True)
class AddOn:
    """Something that is billed for single mailboxes; a price of 0 is not billed (S2-12)."""

    name: str
    price: Decimal
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AddOnBundle:
    """One price for add-ons that stand on one mailbox together; 0 bills each of them (S2-13)."""

    addons: tuple[str, ...]
    price: Decimal
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """A named set of limits and features that a tenant gets. ``protocols`` and ``addons`` are those its mailboxes may have."""

    name: str
    limits: Limits
    features: frozenset[str]
    mailbox_quota_default: Limit
    mailbox_quota_min: int
    mailbox_quota_max: Limit
    at: Position = field(default=NOWHERE, compare=False)
    protocols: tuple[str, ...] = PROTOCOLS
    addons: tuple[str, ...] = ()
    prices: Prices = Prices()
    said: Said = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Admin:
    """An address that owns objects, with limits of its own. A tenant_admin manages all of the tenant, a domain_admin its ``domains``."""

    address: str
    limits: Limits
    at: Position = field(default=NOWHERE, compare=False)
    role: str = "tenant_admin"
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """What has to be known before a tenant becomes active (S3-10); None is not known yet."""

    expected_mailboxes: t.Optional[int] = None
    dns_contact: t.Optional[str] = None
    clients: t.Optional[str] = None
    smime: t.Optional[bool] = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """What suspending means: ``inbound`` accept, defer, hold or reject; ``login`` and ``submission`` allow or refuse (S2-5)."""

    inbound: str = "accept"
    login: str = "refuse"
    submission: str = "refuse"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A client account. ``state`` is pending, active, suspended or terminated; ``placement`` a node's name.
    ``limits`` are the effective ones: of the plan's and the account's (``own_limits``), the tighter. ``approved_domains`` are the names
    that the provider lets the tenant have, whether or not the tenant's files have them yet."""

    name: str
    organisation: str
    plan: str
    state: str
    placement: str
    default_owner: str
    admins: tuple[Admin, ...]
    limits: Limits
    domains: tuple[Domain, ...]
    external_ids: tuple[tuple[str, str], ...] = ()
    domain_limits: tuple[DomainLimits, ...] = ()
    approved_domains: tuple[str, ...] = ()
    managed_domains: tuple[str, ...] = ()
    at: Position = field(default=NOWHERE, compare=False)
    intake: Intake = Intake()
    unverified_domains: tuple[str, ...] = ()
    suspended_domains: tuple[str, ...] = ()
    requested_hosts: tuple[str, ...] = ()
    outbound_address: t.Optional[str] = None
    suspension: Suspension = Suspension()
    retention: int = 30
    premium_relay: bool = False
    purge: bool = False
    own_limits: Limits = Limits()
    said: Said = field(default_factory=dict, compare=False, repr=False)

    @property
    def served(self) -> bool:
        """Whether hosts know this tenant at all: pending ones render nothing yet, terminated ones no more (S0-18)."""
        return self.state in ("active", "suspended")

    def served_domains(self) -> t.Iterator[Domain]:
        """Its domains and their aliases, as hosts know them: without those that nobody verified yet (S1-24)."""
        for domain in self.domains if self.served else ():
            if domain.verified:
                known = tuple(alias for alias in domain.domain_aliases if alias.verified)
                yield (
                    domain
                    if len(known) == len(domain.domain_aliases)
                    else replace(domain, domain_aliases=known)
                )
