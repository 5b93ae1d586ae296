# SPDX-License-Identifier: GPL-3.0-or-later
"""The model: what the estate's files say, as frozen values.

PRIVATE to the collection. Pure: no Ansible, no files, no clock, no randomness.

Conventions that hold everywhere:

* domain names are lower-case A-labels without a trailing dot;
* addresses are ``local@domain``, lower case, always complete (``to: [jo]`` in a file is ``jo@acme.example`` here);
* sizes are bytes (``5G`` in a file is binary, as in Dovecot);
* a limit or quota of ``None`` is *unlimited*, ``0`` allows none;
* tuples keep the order of the files; whoever prints something sorts it;
* what may stand at several levels is the effective value here; ``said`` is what the object's own table says, which
  ``_cascade.explain`` reads.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal

Limit = t.Optional[int]
"""A non-negative number, or None for unlimited."""

Said = t.Mapping[str, t.Any]
"""Keys that may stand at several levels, as one of the levels says them."""

PROTOCOLS = ("imap", "pop3", "submission", "sieve")
"""What a mailbox may be used with."""


class Marked(t.Protocol):
    """What the loader leaves in a position, so that a judge can point at one key or item of an object."""

    def mark(self, *path: t.Union[str, int]) -> tuple[int, int]:
        """Line and column of what stands at that path."""

    def has(self, name: str) -> bool:
        """Whether that key is written there."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the estate's files: path relative to the estate, line and column counted from 1."""

    file: str
    line: int
    column: int
    node: t.Optional[Marked] = field(default=None, compare=False, repr=False)

    def of(self, *path: t.Union[str, int]) -> Position:
        """The place of a key or item below this one: ``alias.at.of("to", 0)``. This place where there is no such thing."""
        return self if self.node is None else Position(self.file, *self.node.mark(*path))

    def says(self, name: str) -> bool:
        """Whether that key is written here, or has its default."""
        return self.node is not None and self.node.has(name)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Position("", 0, 0)
"""For values that stand in no file, such as defaults."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong in the files. Sorts by place."""

    position: Position
    id: str
    what: str
    allowed: str

    def order(self) -> tuple[str, int, int, str, str, str]:
        """What faults are sorted by, as one tuple: ten times as fast as comparing them field by field."""
        at = self.position
        return at.file, at.line, at.column, self.id, self.what, self.allowed

    def __str__(self) -> str:
        return f"{self.position}: {self.id}: {self.what}; allowed: {self.allowed}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that only its destination may read: a vaulted or plain password, or a supplied hash.

    ``text`` is what the file says (for a vaulted value the ciphertext envelope). It never shows in ``repr`` or diffs.
    """

    text: str = field(repr=False)
    vaulted: bool


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
class Admin:
    """An address that owns objects, with limits of its own. A tenant_admin manages all of the tenant, a domain_admin its ``domains``."""

    address: str
    limits: Limits
    at: Position = field(default=NOWHERE, compare=False)
    role: str = "tenant_admin"
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainLimits:
    """What the provider allows one domain, beside the tenant's own limits."""

    name: str
    mailboxes: Limit = None
    aliases: Limit = None
    storage: Limit = None
    mailbox_storage: Limit = None
    at: Position = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How much one mailbox may send; None: only what the platform allows."""

    messages_per_hour: Limit = None
    recipients_per_message: Limit = None


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a mailbox hands its mail on to, complete addresses; ``keep_copy`` keeps it here as well."""

    to: tuple[str, ...]
    keep_copy: bool = True
    skip_spam: bool = False


@dataclass(frozen=True, slots=True)
class Smime:
    """A user's certificate (PEM), and who brought it (S3-8, S3-9)."""

    certificate: str = field(repr=False)
    uploaded_by: str


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox with storage. ``quota`` is the effective one, bytes; None is unlimited. ``credentials`` are local, or external: then
    nobody logs in here. ``sieve`` are the scripts of all levels, outermost first, with their levels' names."""

    name: str
    domain: str
    quota: Limit
    owner: str
    display_name: str = ""
    state: str = "active"
    password: t.Optional[Secret] = None
    at: Position = field(default=NOWHERE, compare=False)
    credentials: str = "local"
    forward: t.Optional[Forward] = None
    addons: tuple[str, ...] = ()
    domain_admin: bool = False
    smime: t.Optional[Smime] = None
    hidden: bool = False
    locale: str = "en"
    protocols: tuple[str, ...] = PROTOCOLS
    rate_limits: RateLimits = RateLimits()
    sieve: tuple[tuple[str, str], ...] = ()
    said: Said = field(default_factory=dict, compare=False, repr=False)

    @property
    def address(self) -> str:
        return f"{self.name}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Alias:
    """An address that delivers to others. ``may_send`` lets its mailboxes within the tenant use it as From."""

    name: str
    domain: str
    to: tuple[str, ...]
    owner: str
    may_send: bool = False
    at: Position = field(default=NOWHERE, compare=False)
    internal_only: bool = False
    hidden: bool = False

    @property
    def address(self) -> str:
        return f"{self.name}@{self.domain}"


@dataclass(frozen=True, slots=True)
class SenderAddress:
    """An extra From identity of a mailbox. It also receives into that mailbox, so that bounces and callouts work
    (RFC 5321 section 6.1 wants a reachable return path)."""

    name: str
    domain: str
    mailbox: str
    owner: str
    at: Position = field(default=NOWHERE, compare=False)

    @property
    def address(self) -> str:
        return f"{self.name}@{self.domain}"


@dataclass(frozen=True, slots=True)
class DomainAlias:
    """Another name for a domain: every address of the domain exists under this name too."""

    name: str
    owner: str
    managed: bool = False
    at: Position = field(default=NOWHERE, compare=False)
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Relay:
    """Where mail for a relay domain goes after it was received here, and which local parts exist there."""

    host: str
    port: int
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spf:
    """``mode`` delegated includes the provider's record, mx allows the MX hosts; ``include`` are other senders; ``tail`` -all or ~all."""

    mode: str = "delegated"
    include: tuple[str, ...] = ()
    tail: str = "-all"


@dataclass(frozen=True, slots=True)
class Dkim:
    """What signs (rsa, ed25519), and after how many days a new key takes over; None: never by itself."""

    algorithms: tuple[str, ...] = ("rsa",)
    rotate_days: t.Optional[int] = None


@dataclass(frozen=True, slots=True)
class Dmarc:
    """``stage`` is observe (p=none), test (t=y), quarantine or reject; RFC 9989. ``override`` is the reason to go ahead of the evidence;
    promotion counts evidence from ``since`` on. ``target`` are the settings that the files want in the end, where those are more than is
    published by now (``_promotion``)."""

    stage: str = "observe"
    reports_to: t.Optional[str] = None
    subdomains: t.Optional[str] = None
    nonexistent: t.Optional[str] = None
    since: t.Optional[datetime.date] = None
    override: t.Optional[str] = None
    target: t.Optional[Dmarc] = None


@dataclass(frozen=True, slots=True)
class MtaSts:
    """RFC 8461 policy: ``mode`` none, testing or enforce; ``max_age`` seconds. ``override`` is the reason to go ahead of the evidence;
    ``target`` as in Dmarc."""

    mode: str = "testing"
    max_age: int = 86400
    override: t.Optional[str] = None
    target: t.Optional[MtaSts] = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """What suspending means: ``inbound`` accept, defer, hold or reject; ``login`` and ``submission`` allow or refuse (S2-5)."""

    inbound: str = "accept"
    login: str = "refuse"
    submission: str = "refuse"


@dataclass(frozen=True, slots=True)
class Branding:
    """``hostname`` is the name clients use for IMAP, POP3 and submission instead of the node's."""

    hostname: t.Optional[str] = None
    name: t.Optional[str] = None
    support_url: t.Optional[str] = None
    logo: t.Optional[str] = None
    colour: t.Optional[str] = None


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain file. ``type`` is mail or relay. ``managed`` tells whether the provider writes its DNS, ``verified`` whether hosts
    know it. ``state`` is suspended when the tenant or the provider says so. ``dmarc`` and ``mta_sts`` are what is published by now."""

    name: str
    type: str
    owner: str
    mailboxes: tuple[Mailbox, ...] = ()
    aliases: tuple[Alias, ...] = ()
    sender_addresses: tuple[SenderAddress, ...] = ()
    domain_aliases: tuple[DomainAlias, ...] = ()
    catch_all: t.Optional[str] = None
    relay: t.Optional[Relay] = None
    managed: bool = False
    dmarc: Dmarc = Dmarc()
    mta_sts: t.Optional[MtaSts] = None
    tls_reports_to: t.Optional[str] = None
    branding: Branding = Branding()
    limits: DomainLimits = DomainLimits("")
    at: Position = field(default=NOWHERE, compare=False)
    state: str = "active"
    verified: bool = True
    spf: Spf = Spf()
    dkim: Dkim = Dkim()
    autodiscover: bool = True
    locale: str = "en"
    protocols: tuple[str, ...] = PROTOCOLS
    rate_limits: RateLimits = RateLimits()
    sieve: tuple[tuple[str, str], ...] = ()
    said: Said = field(default_factory=dict, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The domain and its aliases: every name that may stand behind an @."""
        return (self.name, *(alias.name for alias in self.domain_aliases))


@dataclass(frozen=True, slots=True)
class Intake:
    """What has to be known before a tenant becomes active (S3-10); None is not known yet."""

    expected_mailboxes: t.Optional[int] = None
    dns_contact: t.Optional[str] = None
    clients: t.Optional[str] = None
    smime: t.Optional[bool] = None


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
                yield domain if len(known) == len(domain.domain_aliases) else replace(domain, domain_aliases=known)


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
    """Who owns the estate. ``domain`` carries the SPF record that tenants include."""

    name: str
    domain: str
    support_url: t.Optional[str] = None
    status_url: t.Optional[str] = None


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
