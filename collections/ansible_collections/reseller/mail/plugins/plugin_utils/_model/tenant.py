# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant and its plan.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal

from .domain import Domain, DomainLimits
from .suspension import DEFAULT, ProviderSuspension, Suspension
from .values import NOWHERE, PROTOCOLS, Limit, OwnSettings, Position


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each kind may be allotted; None is unlimited.

    Attributes:
        domains: mail and relay domains (S1-7).
        aliases: aliases and sender addresses (S1-9).
        storage: bytes allotted, not used (S1-11).
        unlimited: the counters that the files set to ``unlimited``.
    """

    domains: Limit = None
    domain_aliases: Limit = None
    mailboxes: Limit = None
    aliases: Limit = None
    storage: Limit = None
    domain_admins: Limit = None
    unlimited: tuple[str, ...] = field(default=(), compare=False, repr=False)


COUNTERS = tuple(each.name for each in fields(Limits) if each.compare)
"""The names of all counters. Each has the limit of the same name."""


@dataclass(frozen=True, slots=True)
class SendingLimits:
    """How many messages a tenant, and each of its domains, may send in an hour; None is unlimited.

    They are for all mailboxes of the tenant or domain together.
    """

    messages_per_hour: Limit = None
    domain_messages_per_hour: Limit = None


@dataclass(frozen=True, slots=True)
class Prices:
    """What a plan costs in a month.

    Storage is billed in steps of ``tranche`` bytes at ``tranche_price`` each, at least one step
    (S2-11).
    """

    monthly: t.Optional[Decimal] = None
    mailbox: t.Optional[Decimal] = None
    tranche: t.Optional[int] = None
    tranche_price: t.Optional[Decimal] = None


@dataclass(frozen=True, slots=True)
class AddOn:
    """A service that is billed for single mailboxes. A price of 0 is not billed (S2-12)."""

    name: str
    price: Decimal
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AddOnBundle:
    """A common price for several add-ons of one mailbox; 0 bills each add-on (S2-13)."""

    addons: tuple[str, ...]
    price: Decimal
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """A named set of limits, features and prices that a tenant gets.

    ``protocols`` and ``addons`` are those that its mailboxes may have.
    """

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
    sending_limits: SendingLimits = SendingLimits()
    own_settings: OwnSettings = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Admin:
    """An address that owns objects and can have its own limits.

    A tenant_admin manages the whole tenant, a domain_admin manages ``domains``.
    """

    address: str
    limits: Limits
    at: Position = field(default=NOWHERE, compare=False)
    role: str = "tenant_admin"
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """What must be known before a tenant becomes active (S3-10); None is not known yet."""

    expected_mailboxes: t.Optional[int] = None
    dns_contact: t.Optional[str] = None
    clients: t.Optional[str] = None
    smime: t.Optional[bool] = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer of the provider, with its account and domains.

    Attributes:
        state: pending, active, suspended or terminated.
        suspension: what a suspended tenant can still do; without meaning for other states.
        suspensions: what the provider suspends, with reasons.
        placement: the name of a node.
        limits: the effective limits: the tighter of plan and account.
        own_limits: the limits of the account.
        sending_limits: the effective limits of sending: the tighter of plan and account.
        own_sending_limits: those of the account.
        approved_domains: the names that the provider lets the tenant have. The tenant need not have
            a file for each.
    """

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
    suspensions: tuple[ProviderSuspension, ...] = ()
    requested_hosts: tuple[str, ...] = ()
    outbound_address: t.Optional[str] = None
    suspension: Suspension = DEFAULT
    retention: int = 30
    premium_relay: bool = False
    purge: bool = False
    own_limits: Limits = Limits()
    sending_limits: SendingLimits = SendingLimits()
    own_sending_limits: SendingLimits = SendingLimits()
    own_settings: OwnSettings = field(default_factory=dict, compare=False, repr=False)

    @property
    def served(self) -> bool:
        """Return whether the hosts serve this tenant (S0-18).

        They do not serve pending and terminated tenants.
        """
        return self.state in ("active", "suspended")

    def messages_per_hour_of(self, domain: Domain) -> Limit:
        """Return how many messages all mailboxes of a domain together may send in an hour.

        Of the domain's own limit and the one for each domain of the tenant, the smaller counts.
        """
        limits = (domain.limits.messages_per_hour, self.sending_limits.domain_messages_per_hour)
        return min((limit for limit in limits if limit is not None), default=None)

    def served_domains(self) -> t.Iterator[Domain]:
        """Yield the domains that hosts serve, with the domain aliases that they serve (S1-24).

        Domains and domain aliases that are not verified yet are left out.
        """
        for domain in self.domains if self.served else ():
            if domain.verified:
                known = tuple(alias for alias in domain.domain_aliases if alias.verified)
                yield (
                    domain
                    if len(known) == len(domain.domain_aliases)
                    else replace(domain, domain_aliases=known)
                )
