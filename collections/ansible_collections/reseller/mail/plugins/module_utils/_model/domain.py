# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain and what is in it.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._model.values import (
    NOWHERE,
    PROTOCOLS,
    Limit,
    Position,
    Said,
    Secret,
)


@dataclass(frozen=True, slots=True)
class RateLimits:
    """How much one mailbox may send; None: only what the platform allows."""

    messages_per_hour: Limit = None
    recipients_per_message: Limit = None


@dataclass(frozen=True, slots=True)
class MailboxLimits:
    """How many messages and folders one mailbox may have. Each message is a file, each folder some ten files and directories: without an end
    one mailbox could use up the inodes of its node. ext4 has one for 16 KiB, 65,536 for each GiB; half a million messages is more than
    people keep in twenty years, and an eighth of what a disk of 64 GiB holds."""

    messages: int = 500_000
    folders: int = 1_000


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


class _Addressed:
    """What has an address."""

    __slots__ = ()
    name: str
    domain: str

    @property
    def address(self) -> str:
        return f"{self.name}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Mailbox(_Addressed):
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
    mailbox_limits: MailboxLimits = MailboxLimits()
    sieve: tuple[tuple[str, str], ...] = ()
    said: Said = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Alias(_Addressed):
    """An address that delivers to others. ``may_send`` lets its mailboxes within the tenant use it as From."""

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
    """An extra From identity of a mailbox. It also receives into that mailbox, so that bounces and callouts work
    (RFC 5321 section 6.1 wants a reachable return path)."""

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
class Branding:
    """``hostname`` is the name clients use for IMAP, POP3 and submission instead of the node's."""

    hostname: t.Optional[str] = None
    name: t.Optional[str] = None
    support_url: t.Optional[str] = None
    logo: t.Optional[str] = None
    colour: t.Optional[str] = None


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
    mailbox_limits: MailboxLimits = MailboxLimits()
    sieve: tuple[tuple[str, str], ...] = ()
    said: Said = field(default_factory=dict, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The domain and its aliases: every name that may stand behind an @."""
        return (self.name, *(alias.name for alias in self.domain_aliases))
