# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain, and its mailboxes, aliases, sender addresses and policies.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field

from .spam import DEFAULT as DEFAULT_SPAM
from .spam import Spam
from .suspension import DEFAULT, Suspension
from .values import NOWHERE, PROTOCOLS, Limit, OwnSettings, Position, Secret


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How much one mailbox may send. With None only the limits of the platform apply."""

    messages_per_hour: Limit = None
    recipients_per_message: Limit = None


@dataclass(frozen=True, slots=True)
class MailboxLimits:
    """How many messages and folders one mailbox may have.

    Each message is a file, and each folder has about ten files and directories. Without a limit one
    mailbox could use up the inodes of its node. ext4 has one inode for 16 KiB, so 65,536 for each
    GiB. Half a million messages is more than people keep in twenty years, and an eighth of the
    inodes of a disk of 64 GiB.
    """

    messages: int = 500_000
    folders: int = 1_000


@dataclass(frozen=True, slots=True)
class Forward:
    """The complete addresses to which a mailbox forwards; ``keep_copy`` also stores the mail."""

    to: tuple[str, ...]
    keep_copy: bool = True
    skip_spam: bool = False


@dataclass(frozen=True, slots=True)
class Smime:
    """A user's certificate (PEM), and the address of the person who uploaded it (S3-8, S3-9)."""

    certificate: str = field(repr=False)
    uploaded_by: str


class _Addressed:
    """An object with an address."""

    __slots__ = ()
    name: str
    domain: str

    @property
    def address(self) -> str:
        """Return the complete address."""
        return f"{self.name}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Mailbox(_Addressed):
    """A mailbox with storage.

    Attributes:
        quota: the effective quota in bytes; None is unlimited.
        state: suspended if the file or the provider suspends it.
        suspension: what a suspended mailbox can still do.
        credentials: local, or external. With external credentials no login is possible here.
        sieve: the scripts of all levels with the names of the levels, outermost first.
    """

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
    mailbox_limits: MailboxLimits = MailboxLimits()
    spam: Spam = DEFAULT_SPAM
    sieve: tuple[tuple[str, str], ...] = ()
    suspension: Suspension = DEFAULT
    own_settings: OwnSettings = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Alias(_Addressed):
    """An address that delivers to others.

    ``may_send`` lets its mailboxes within the tenant use it as From.
    """

    name: str
    domain: str
    to: tuple[str, ...]
    owner: str
    may_send: bool = False
    at: Position = field(default=NOWHERE, compare=False)
    internal_only: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class SenderAddress(_Addressed):
    """An additional From address of a mailbox.

    It also receives into that mailbox, so that bounces and callouts work: RFC 5321 section 6.1
    wants a return path that can be reached.
    """

    name: str
    domain: str
    mailbox: str
    owner: str
    at: Position = field(default=NOWHERE, compare=False)


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
    """The host that gets the mail of a relay domain, and the local parts that exist there."""

    host: str
    port: int
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spf:
    """The SPF policy of a domain.

    Attributes:
        mode: delegated includes the provider's record; mx allows the MX hosts.
        include: records of other senders.
        tail: -all or ~all.
    """

    mode: str = "delegated"
    include: tuple[str, ...] = ()
    tail: str = "-all"


@dataclass(frozen=True, slots=True)
class Dkim:
    """The DKIM settings of a domain.

    Attributes:
        algorithms: rsa, ed25519 or both.
        rotate_days: after how many days a new key takes over; None rotates no key automatically.
    """

    algorithms: tuple[str, ...] = ("rsa",)
    rotate_days: t.Optional[int] = None


@dataclass(frozen=True, slots=True)
class Dmarc:
    """The DMARC policy of a domain (RFC 9989).

    Attributes:
        stage: observe (p=none), test (t=y), quarantine or reject.
        since: promotion counts evidence from this day on.
        override: the reason to publish the target without evidence.
        target: the settings in the files, if they are stricter than what is published now
            (``_language/ladders.py``).
    """

    stage: str = "observe"
    reports_to: t.Optional[str] = None
    subdomains: t.Optional[str] = None
    nonexistent: t.Optional[str] = None
    since: t.Optional[datetime.date] = None
    override: t.Optional[str] = None
    target: t.Optional[Dmarc] = None


@dataclass(frozen=True, slots=True)
class MtaSts:
    """The MTA-STS policy of a domain (RFC 8461).

    Attributes:
        mode: none, testing or enforce.
        max_age: in seconds.
        override, target: as in ``Dmarc``.
    """

    mode: str = "testing"
    max_age: int = 86400
    override: t.Optional[str] = None
    target: t.Optional[MtaSts] = None


@dataclass(frozen=True, slots=True)
class Branding:
    """The look of a domain's pages.

    ``hostname`` is the name that mail programs use for IMAP, POP3 and submission, instead of that
    of the node.
    """

    hostname: t.Optional[str] = None
    name: t.Optional[str] = None
    support_url: t.Optional[str] = None
    logo: t.Optional[str] = None
    colour: t.Optional[str] = None


@dataclass(frozen=True, slots=True)
class DomainLimits:
    """The provider's limits for one domain, in addition to those of the tenant.

    ``unlimited`` are the counters that the files set to ``unlimited``.
    """

    name: str
    mailboxes: Limit = None
    aliases: Limit = None
    storage: Limit = None
    mailbox_storage: Limit = None
    at: Position = field(default=NOWHERE, compare=False)
    unlimited: tuple[str, ...] = field(default=(), compare=False, repr=False)
    messages_per_hour: Limit = None


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain file.

    Attributes:
        type: mail or relay.
        managed: whether the provider writes its DNS.
        verified: whether the hosts know it.
        state: suspended if the file or the provider suspends it.
        suspension: what a suspended domain can still do.
        dmarc, mta_sts: the policies that are published now.
    """

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
    mailbox_limits: MailboxLimits = MailboxLimits()
    spam: Spam = DEFAULT_SPAM
    sieve: tuple[tuple[str, str], ...] = ()
    outgoing_relay: t.Optional[str] = None
    suspension: Suspension = DEFAULT
    own_settings: OwnSettings = field(default_factory=dict, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the domain and its domain aliases: every name that can be behind an @."""
        return (self.name, *(alias.name for alias in self.domain_aliases))
