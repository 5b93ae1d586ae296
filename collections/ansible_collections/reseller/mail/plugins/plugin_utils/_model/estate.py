# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate: the provider, its nodes with their reports, and all tenants.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field
from decimal import Decimal

from .domain import Dmarc, Domain
from .spam import DEFAULT, Spam
from .suspension import Suspension
from .tenant import AddOn, AddOnBundle, Plan, Tenant
from .values import NOWHERE, OwnSettings, Position


@dataclass(frozen=True, slots=True)
class OutboundHost:
    """A name for addresses from which a node sends mail of single tenants.

    Mail leaves from the one that the receiving host can reach: at most one IPv4 and one IPv6
    address.
    """

    hostname: str
    addresses: tuple[str, ...]
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Node:
    """A mail host.

    Attributes:
        hostname: its FQDN, which is MX target, EHLO name and name of the certificate.
        debian: its major release, which decides the syntax of what is compiled for it.
        capacity: in bytes; None if it is not known.
        backup_priority: its preference in the MX records of other nodes' tenants; None if it is not
            their backup MX.
    """

    name: str
    hostname: str
    debian: int
    addresses: tuple[str, ...]
    at: Position = field(default=NOWHERE, compare=False)
    lifecycle: str = "ready"
    compute: str = "dedicated"
    resell: bool = True
    capacity: t.Optional[int] = None
    outbound_addresses: tuple[str, ...] = ()
    outbound_hosts: tuple[OutboundHost, ...] = ()
    backup_priority: t.Optional[int] = None

    @property
    def is_backup_mx(self) -> bool:
        """Return whether the node is the backup MX of other nodes."""
        return self.backup_priority is not None and self.lifecycle == "ready"

    @property
    def dkim_selector(self) -> str:
        """Return the node's DKIM selector. Each has its own, so that no private key moves."""
        return self.name


@dataclass(frozen=True, slots=True)
class DkimKey:
    """The public half of a DKIM key that a node reported.

    A report without state and since is from before keys had states. Such keys sign.

    Attributes:
        public: the base64 of the p= tag (RFC 6376).
        state: one of ``STATES`` of ``_host/keys/key_names.py``.
        since: when the key came into that state, in UTC, as 2026-11-21T14:00:00Z.
    """

    domain: str
    selector: str
    public: str
    algorithm: str = "rsa"
    state: str = "active"
    since: str = ""


@dataclass(frozen=True, slots=True)
class TlsKey:
    """The TLS keys of a host name as DANE uses them (RFC 6698).

    ``current`` and ``next`` are the SHA-256 in hex of the public key in service and of the next
    one. They are empty if there is no such key yet.
    """

    name: str
    current: str
    next: str = ""


@dataclass(frozen=True, slots=True)
class NodeState:
    """What a node reported, from ``state/<node>.json``: public halves only."""

    node: str
    dkim: tuple[DkimKey, ...] = ()
    tls: tuple[TlsKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """The step that a policy of a domain has reached, from ``state/promoted_domains.json``.

    ``policy`` is dmarc or mta_sts. ``tenant`` is part of it, so that a domain begins again at the
    first step when it moves to another tenant.
    """

    domain: str
    tenant: str
    policy: str
    step: str
    since: datetime.date
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Promotion:
    """How much evidence a step needs.

    Attributes:
        days: days on which verify found nothing wrong.
        report_days: days for which there are reports of others.
        messages: messages in these reports.
    """

    days: int = 14
    report_days: int = 7
    messages: int = 50


@dataclass(frozen=True, slots=True)
class Provider:
    """The owner of the estate.

    Attributes:
        domain: the domain of the SPF record that tenants include.
        contact: the address of the person who reads mail to the provider's own names.
    """

    name: str
    domain: str
    support_url: t.Optional[str] = None
    status_url: t.Optional[str] = None
    contact: t.Optional[str] = None


PROVIDER_DMARC = Dmarc("reject", None, subdomains="observe", nonexistent="reject")


@dataclass(frozen=True, slots=True)
class OwnNames:
    """Settings for names that no tenant has.

    ``dmarc`` is for the provider's domain, ``rotate_days`` for the keys of nodes.
    """

    dmarc: Dmarc = PROVIDER_DMARC
    rotate_days: t.Optional[int] = None


@dataclass(frozen=True, slots=True)
class BackupMx:
    """A host that receives mail when no node can."""

    hostname: str
    addresses: tuple[str, ...]
    priority: int = 20
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class PremiumRelay:
    """The host through which mail of tenants with ``premium_relay`` leaves.

    ``spf_include`` is the record that its operator wants in SPF. Without ``username`` the nodes do
    not log in.
    """

    host: str
    port: int
    spf_include: str
    username: t.Optional[str] = None


@dataclass(frozen=True, slots=True)
class OutgoingRelay:
    """A relay for outgoing mail that plans, accounts and domains use by its name.

    ``tenants`` are those that may use it; with None every tenant may whose plan or account names
    it.
    """

    name: str
    host: str
    port: int
    spf_include: str
    username: t.Optional[str] = None
    tenants: t.Optional[tuple[str, ...]] = None
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class QuotaPolicy:
    """How much storage may be allotted on a node, and from when on a limit is near.

    Attributes:
        oversell_ratio: the largest ratio of allotted storage to capacity. With None overselling is
            reported, but is no fault.
        warn_at: percent of a limit from which on the ledger marks it.
    """

    oversell_ratio: t.Optional[Decimal] = None
    warn_at: int = 80


@dataclass(frozen=True, slots=True)
class DeletionGuard:
    """The share in percent that one change may remove without an explicit permission."""

    tenants: int = 10
    domains: int = 10
    mailboxes: int = 10

    def shares(self) -> dict[str, int]:
        """Return the shares by kind, in percent."""
        return {"tenants": self.tenants, "domains": self.domains, "mailboxes": self.mailboxes}


@dataclass(frozen=True, slots=True)
class SuspensionProfile:
    """A profile of suspensions that the estate adds or replaces."""

    name: str
    suspension: Suspension
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Role:
    """The role of a person or group of the forge.

    Either ``identity`` or ``group`` is set. ``address`` names an admin of the tenant.
    """

    identity: t.Optional[str]
    group: t.Optional[str]
    role: str
    tenant: t.Optional[str] = None
    address: t.Optional[str] = None
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything that one provider runs.

    ``spam`` is what counts where no tenant sets anything.
    ``unused_keys`` are the keys in use that hosts do not act on yet, sorted, each with its number
    of uses. A key is written as ``estate.yml: defaults.branding.logo``.
    """

    provider: Provider
    nodes: tuple[Node, ...]
    plans: tuple[Plan, ...]
    tenants: tuple[Tenant, ...]
    approved_hosts: tuple[str, ...] = ()
    states: tuple[NodeState, ...] = ()
    backup_mx: tuple[BackupMx, ...] = ()
    premium_relay: t.Optional[PremiumRelay] = None
    relays: tuple[OutgoingRelay, ...] = ()
    quota_policy: QuotaPolicy = QuotaPolicy()
    deletion_guard: DeletionGuard = DeletionGuard()
    roles: tuple[Role, ...] = ()
    currency: str = "EUR"
    caa: tuple[str, ...] = ()
    addons: tuple[AddOn, ...] = ()
    addon_bundles: tuple[AddOnBundle, ...] = ()
    promotion: Promotion = Promotion()
    steps: tuple[Step, ...] = ()
    own_names: OwnNames = OwnNames()
    suspension_profiles: tuple[SuspensionProfile, ...] = ()
    spam: Spam = DEFAULT
    at: Position = field(default=NOWHERE, compare=False)
    unused_keys: tuple[tuple[str, int], ...] = field(default=(), compare=False, repr=False)
    own_settings: OwnSettings = field(default_factory=dict, compare=False, repr=False)

    def node(self, name: str) -> Node:
        """Return the node of that name; raise KeyError if there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def node_of(self, tenant: Tenant) -> Node:
        """Return the node on which a tenant is placed."""
        return self.node(tenant.placement)

    def served_domains(self) -> t.Iterator[tuple[Tenant, Domain]]:
        """Yield every domain that hosts serve, with its tenant."""
        for tenant in self.tenants:
            for domain in tenant.served_domains():
                yield tenant, domain

    def domains_on(self, node: Node) -> t.Iterator[tuple[Tenant, Domain]]:
        """Yield the served domains of the tenants on a node, with the tenants."""
        for tenant, domain in self.served_domains():
            if tenant.placement == node.name:
                yield tenant, domain

    def served_names(
        self, node: t.Optional[str] = None
    ) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Return the names of the tenants, domains and mailboxes that all nodes serve, or that one
        node serves."""
        found = [
            (tenant, domain)
            for tenant, domain in self.served_domains()
            if node in (None, tenant.placement)
        ]
        return (
            frozenset(
                tenant.name
                for tenant in self.tenants
                if tenant.served and node in (None, tenant.placement)
            ),
            frozenset(domain.name for _tenant, domain in found),
            frozenset(mailbox.address for _tenant, domain in found for mailbox in domain.mailboxes),
        )
