# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate: the provider, its nodes and what they reported, and all tenants.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field
from decimal import Decimal

from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Dmarc, Domain
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import (
    AddOn,
    AddOnBundle,
    Plan,
    Tenant,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.values import (
    NOWHERE,
    Position,
    Said,
)


@dataclass(frozen=True, slots=True)
class Node:
    """A mail host. ``hostname`` is its FQDN (MX target, EHLO, certificate); ``debian`` its major release, which
    decides the dialect of what is compiled for it. ``capacity`` is bytes; None says nothing about it."""

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

    @property
    def dkim_selector(self) -> str:
        """One selector per node, so that private keys never travel between nodes."""
        return self.name


@dataclass(frozen=True, slots=True)
class DkimKey:
    """The public half of a key that a node reported: ``public`` is the base64 of the p= tag (RFC 6376). ``state`` is one of
    ``_dkim.STATES``, ``since`` (UTC, as 2026-11-21T14:00:00Z) when it came into it. A report that says neither is of a node whose
    keys have signed since before keys had states."""

    domain: str
    selector: str
    public: str
    algorithm: str = "rsa"
    state: str = "active"
    since: str = ""


@dataclass(frozen=True, slots=True)
class TlsKey:
    """A host's TLS keys as DANE knows them (RFC 6698): the SHA-256, in hex, of the public key in service and of the one that
    comes next; empty when there is none yet."""

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
    """How far evidence has carried a domain's ``policy`` (dmarc, mta_sts), from ``state/promoted_domains.json``. The tenant stands in it
    so that a domain's next owner begins anew."""

    domain: str
    tenant: str
    policy: str
    step: str
    since: datetime.date
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Promotion:
    """How much evidence a step needs: days on which verify found nothing wrong, days that others' reports are about, messages in them."""

    days: int = 14
    report_days: int = 7
    messages: int = 50


@dataclass(frozen=True, slots=True)
class Provider:
    """Who owns the estate. ``domain`` carries the SPF record that tenants include; ``contact`` is the address of the person who
    reads what is sent to the provider's own names."""

    name: str
    domain: str
    support_url: t.Optional[str] = None
    status_url: t.Optional[str] = None
    contact: t.Optional[str] = None


PROVIDER_DMARC = Dmarc("reject", None, subdomains="observe", nonexistent="reject")


@dataclass(frozen=True, slots=True)
class OwnNames:
    """What holds for names that are no tenant's. ``dmarc`` is that of the provider's domain, ``rotate_days`` is for the keys of nodes."""

    dmarc: Dmarc = PROVIDER_DMARC
    rotate_days: t.Optional[int] = None


@dataclass(frozen=True, slots=True)
class BackupMx:
    """A host that receives when no node does."""

    hostname: str
    addresses: tuple[str, ...]
    priority: int = 20
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class PremiumRelay:
    """Where the mail of tenants with ``premium_relay`` leaves by; ``spf_include`` is what its operator wants in SPF."""

    host: str
    port: int
    spf_include: str


@dataclass(frozen=True, slots=True)
class QuotaPolicy:
    """How much may be allotted of a node's capacity, and how full (percent) something is when it is marked. A ratio of
    None: overselling is reported only."""

    oversell_ratio: t.Optional[Decimal] = None
    warn_at: int = 80


@dataclass(frozen=True, slots=True)
class DeletionGuard:
    """The share, in percent, that one change may remove without being told so explicitly."""

    tenants: int = 10
    domains: int = 10
    mailboxes: int = 10


@dataclass(frozen=True, slots=True)
class Role:
    """Who is who to the forge: one of ``identity`` and ``group`` is set. ``address`` tells which admin of the tenant it is."""

    identity: t.Optional[str]
    group: t.Optional[str]
    role: str
    tenant: t.Optional[str] = None
    address: t.Optional[str] = None
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything one provider runs. ``files`` are the files' tables in the schema and their positions."""

    provider: Provider
    nodes: tuple[Node, ...]
    plans: tuple[Plan, ...]
    tenants: tuple[Tenant, ...]
    approved_hosts: tuple[str, ...] = ()
    states: tuple[NodeState, ...] = ()
    backup_mx: tuple[BackupMx, ...] = ()
    premium_relay: t.Optional[PremiumRelay] = None
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
    at: Position = field(default=NOWHERE, compare=False)
    files: tuple[tuple[str, Position], ...] = field(default=(), compare=False, repr=False)
    said: Said = field(default_factory=dict, compare=False, repr=False)

    def node(self, name: str) -> Node:
        """The node of that name; KeyError when there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def node_of(self, tenant: Tenant) -> Node:
        """The node a tenant is placed on."""
        return self.node(tenant.placement)

    def served_domains(self) -> t.Iterator[tuple[Tenant, Domain]]:
        """Every domain that hosts know, with its tenant."""
        for tenant in self.tenants:
            for domain in tenant.served_domains():
                yield tenant, domain

    def domains_on(self, node: Node) -> t.Iterator[tuple[Tenant, Domain]]:
        """The served domains whose tenant is placed on the node."""
        for tenant, domain in self.served_domains():
            if tenant.placement == node.name:
                yield tenant, domain
