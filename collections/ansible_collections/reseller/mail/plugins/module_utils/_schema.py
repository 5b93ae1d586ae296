# SPDX-License-Identifier: GPL-3.0-or-later
"""Which key may stand in which file, of what type, with which default: the one source, also of the reference page.

PRIVATE to the collection. Data, but for the readers of single values. A reader gets the text as written and returns
the value, or raises ValueError saying what is wrong; ``allowed`` completes the fault.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils import _names
from ansible_collections.reseller.mail.plugins.module_utils._model import Limit
from ansible_collections.reseller.mail.plugins.module_utils._nodes import shown

MAX_NUMBER = 2**63 - 1
UNITS = {"B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
FEATURES = ("branding", "catch_all", "relay_domains")
UNSAID: t.Final = object()
"""The default of a quota, for which None means something: unlimited."""
STATES = ("pending", "active", "suspended", "terminated")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. ``secret`` ones may be vaulted and are never shown."""

    allowed: str
    read: t.Callable[[str], t.Any]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """A list of single values or tables."""

    of: t.Union[Scalar, Table]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table."""

    type: Type
    doc: str
    default: t.Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with known keys. ``free`` ones take any key, with values of that type."""

    name: str
    keys: dict[str, Key] = field(default_factory=dict)
    free: t.Optional[Scalar] = None
    defaults: dict[str, t.Any] = field(init=False)
    required: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "defaults", {name: key.default for name, key in self.keys.items()})
        object.__setattr__(self, "required", tuple(name for name, key in self.keys.items() if key.required))


Type = t.Union[Scalar, Many, Table]


def _text(text: str) -> str:
    if not text.strip() or len(text) > 200 or not text.isprintable():
        raise ValueError(f"{shown(text)} cannot be used as a text")
    return text


def _number(text: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text) or int(text) > MAX_NUMBER:
        raise ValueError(f"{shown(text)} is not a whole number")
    return int(text)


def _limit(text: str) -> Limit:
    if text == "unlimited":
        return None
    if text in ("-1", "none"):
        raise ValueError(f"{shown(text)} is not how a missing limit is written here")
    return _number(text)


def _size(text: str) -> Limit:
    if text == "unlimited":
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,18})([BKMGT])", text)
    if text != "0" and not found:
        raise ValueError(f"{shown(text)} is not a size")
    size = int(found.group(1)) * UNITS[found.group(2)] if found else 0
    if size > MAX_NUMBER:
        raise ValueError(f"{shown(text)} is more than any disk holds")
    return size


def _one_size(text: str) -> int:
    size = _size(text)
    if not size:
        raise ValueError(f"{shown(text)} is not the size of a mailbox")
    return size


def _quota(text: str) -> Limit:
    if text == "0":  # Dovecot would take it for unlimited
        raise ValueError("a mailbox of size 0 could hold no mail")
    return _size(text)


def _port(text: str) -> int:
    port = _number(text)
    if not 1 <= port <= 65535:
        raise ValueError(f"{shown(text)} is not a port")
    return port


def _max_age(text: str) -> int:
    seconds = _number(text)
    if not 86400 <= seconds <= 31557600:
        raise ValueError(f"{shown(text)} is not a fit max_age")
    return seconds


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{shown(text)} is neither true nor false")
    return text == "true"


def _ip(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not an IP address") from None
    if getattr(address, "scope_id", None):
        raise ValueError(f"{shown(text)} is an address of one link only")
    return str(address)


def _hash(text: str) -> str:
    if not re.fullmatch(r"\{(ARGON2ID?|BLF-CRYPT|SHA512-CRYPT)\}[!-9;-~]{20,500}", text):  # everything printable but ':'
        raise ValueError("this is neither vaulted nor a hash")
    return text


def _public_key(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        text = ""
    if not 40 <= len(text) <= 4000:
        raise ValueError("this is not a public key")
    return text


def _choice(*words: str) -> Scalar:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{shown(text)} is not known here")
        return text

    return Scalar(", ".join(words), read)


TEXT = Scalar("1 to 200 printable characters in one line", _text)
SLUG = Scalar("1 to 32 of a-z, 0-9 and hyphens, neither first nor last a hyphen", _names.slug)
DOMAIN = Scalar("a domain name such as acme.example", _names.domain)
MAIL_DOMAIN = Scalar(f"a domain name such as acme.example, at most {_names.MAX_MAIL_DOMAIN} characters", _names.mail_domain)
LOCAL = Scalar("1 to 64 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter or digit", _names.local_part)
ADDRESS = Scalar("an address such as jo@acme.example", _names.address)
RECIPIENT = Scalar("an address such as jo@acme.example, or jo for one in the same domain", _names.recipient)
LIMIT = Scalar("a whole number (0 allows none) or unlimited", _limit)
POOL = Scalar("a size such as 500M or 20G (units B, K, M, G, T; 1K is 1024B), 0 or unlimited", _size)
QUOTA = Scalar("a size such as 500M or 20G (units B, K, M, G, T; 1K is 1024B) or unlimited", _quota)
SIZE = Scalar("a size such as 500M or 20G (units B, K, M, G, T; 1K is 1024B)", _one_size)
IP = Scalar("an IPv4 or IPv6 address", _ip)
TRUTH = Scalar("true or false", _truth)
PORT = Scalar("1 to 65535", _port)
MAX_AGE = Scalar("86400 to 31557600 seconds (RFC 8461 section 3.2)", _max_age)
PASSWORD = Scalar("a value encrypted with ansible-vault (!vault), or a hash beginning {ARGON2ID} or {BLF-CRYPT}", _hash, secret=True)
PUBLIC_KEY = Scalar("base64, as in the p= tag of RFC 6376", _public_key)

_COUNTS = {
    "domains": Key(LIMIT, "Mail and relay domains together."),
    "domain_aliases": Key(LIMIT, "Domain aliases."),
    "mailboxes": Key(LIMIT, "Mailboxes, suspended ones too."),
    "aliases": Key(LIMIT, "Aliases and sender addresses together."),
    "storage": Key(POOL, "The sum of what is allotted to mailboxes, used or not."),
}
OWNER_LIMITS = Table("limits", _COUNTS)
LIMITS = Table("limits", {**_COUNTS, "domain_admins": Key(LIMIT, "Domain admins.")})

ESTATE = Table(
    "estate.yml",
    {
        "provider": Key(
            Table(
                "provider",
                {
                    "name": Key(TEXT, "The provider's name, as clients read it.", required=True),
                    "domain": Key(DOMAIN, "Carries the SPF record that tenants include.", required=True),
                },
            ),
            "Who owns the estate.",
            required=True,
        ),
        "nodes": Key(
            Many(
                Table(
                    "node",
                    {
                        "name": Key(SLUG, "The host's name in the inventory, and its DKIM selector.", required=True),
                        "hostname": Key(DOMAIN, "MX target, EHLO name and name in the certificate.", required=True),
                        "debian": Key(Scalar("12 or 13", lambda text: int(_choice("12", "13").read(text))), "Debian release.", required=True),
                        "addresses": Key(Many(IP), "Public addresses.", required=True),
                    },
                )
            ),
            "The mail hosts.",
            required=True,
        ),
        "approved_hosts": Key(Many(DOMAIN), "Where relay domains may be handed to.", ()),
    },
)

PLANS = Table(
    "plans.yml",
    {
        "plans": Key(
            Many(
                Table(
                    "plan",
                    {
                        "name": Key(SLUG, "What O(account.plan) names.", required=True),
                        "limits": Key(LIMITS, "What is not named is unlimited.", {}),
                        "features": Key(Many(_choice(*FEATURES)), "What tenants of the plan may use.", ()),
                        "mailbox_quota": Key(
                            Table(
                                "mailbox_quota",
                                {
                                    "default": Key(QUOTA, "For mailboxes that say none.", required=True),
                                    "min": Key(SIZE, "The smallest allowed.", 2**20),
                                    "max": Key(QUOTA, "The largest allowed."),
                                },
                            ),
                            "Sizes of mailboxes.",
                            required=True,
                        ),
                    },
                )
            ),
            "Named sets of limits and features.",
            required=True,
        ),
    },
)

ACCOUNT = Table(
    "account.yml",
    {
        "organisation": Key(TEXT, "The tenant's name, as people write it.", required=True),
        "plan": Key(SLUG, "One of the plans.", required=True),
        "state": Key(_choice(*STATES), "Pending tenants are on no host yet, terminated ones no more.", "pending"),
        "placement": Key(SLUG, "The node that serves the tenant.", required=True),
        "default_owner": Key(ADDRESS, "Owns what names no owner; one of the admins.", required=True),
        "admins": Key(
            Many(
                Table(
                    "admin",
                    {
                        "address": Key(ADDRESS, "The domain admin.", required=True),
                        "limits": Key(OWNER_LIMITS, "Tighter limits for what this admin owns.", {}),
                    },
                )
            ),
            "Who may own and manage the tenant's objects.",
            required=True,
        ),
        "limits": Key(LIMITS, "Where tighter than the plan's.", {}),
        "domain_limits": Key(
            Many(
                Table(
                    "domain limit",
                    {
                        "name": Key(MAIL_DOMAIN, "One of the tenant's domains.", required=True),
                        "mailboxes": Key(LIMIT, "Mailboxes in it."),
                        "aliases": Key(LIMIT, "Aliases and sender addresses in it."),
                        "storage": Key(POOL, "The sum of what is allotted to its mailboxes."),
                        "mailbox_storage": Key(QUOTA, "The largest single mailbox."),
                    },
                )
            ),
            "Limits for single domains.",
            (),
        ),
        "managed_domains": Key(Many(MAIL_DOMAIN), "Domains and domain aliases whose DNS the provider writes.", ()),
        "external_ids": Key(Table("external_ids", free=TEXT), "What other systems call this tenant.", {}),
    },
)

_OWNER = Key(ADDRESS, "The admin on whose account it goes; default: the domain's owner.")

DOMAIN_FILE = Table(
    "<domain>.yml",
    {
        "type": Key(_choice("mail", "relay"), "Mailboxes here, or handed on after it was received here.", "mail"),
        "owner": Key(ADDRESS, "The admin on whose account the domain goes; default: the account's default_owner."),
        "mailboxes": Key(
            Many(
                Table(
                    "mailbox",
                    {
                        "name": Key(LOCAL, "What stands before the @.", required=True),
                        "display_name": Key(TEXT, "The person's name.", ""),
                        "quota": Key(QUOTA, "Its size; default: the plan's, or the domain's mailbox_storage where smaller.", UNSAID),
                        "owner": _OWNER,
                        "state": Key(_choice("active", "suspended"), "A suspended one receives, but nobody logs in.", "active"),
                        "password": Key(PASSWORD, "Used once, when the mailbox is made; default: a generated one."),
                    },
                )
            ),
            "Mailboxes.",
            (),
        ),
        "aliases": Key(
            Many(
                Table(
                    "alias",
                    {
                        "name": Key(LOCAL, "What stands before the @.", required=True),
                        "to": Key(Many(RECIPIENT), "Who gets its mail.", required=True),
                        "owner": _OWNER,
                        "may_send": Key(TRUTH, "Whether the tenant's mailboxes behind it may send as it.", False),
                    },
                )
            ),
            "Addresses that deliver to others.",
            (),
        ),
        "sender_addresses": Key(
            Many(
                Table(
                    "sender address",
                    {
                        "name": Key(LOCAL, "What stands before the @.", required=True),
                        "mailbox": Key(RECIPIENT, "The mailbox that may send as it, and gets what it receives.", required=True),
                        "owner": _OWNER,
                    },
                )
            ),
            "Extra From identities of mailboxes.",
            (),
        ),
        "domain_aliases": Key(Many(MAIL_DOMAIN), "Other names under which every address of the domain exists.", ()),
        "catch_all": Key(RECIPIENT, "Gets what is addressed to nobody known; needs the plan's feature."),
        "relay": Key(
            Table(
                "relay",
                {
                    "host": Key(DOMAIN, "Where the mail goes; one of the estate's approved_hosts.", required=True),
                    "port": Key(PORT, "Its port.", 25),
                    "recipients": Key(Many(LOCAL), "Who exists there; all others are refused.", required=True),
                },
            ),
            "For V(type=relay); needs the plan's feature.",
        ),
        "dmarc": Key(
            Table(
                "dmarc",
                {
                    "stage": Key(_choice("observe", "test", "quarantine", "reject"), "How strict receivers shall be.", "observe"),
                    "reports_to": Key(RECIPIENT, "Who gets the aggregate reports."),
                },
            ),
            "DMARC (RFC 9989).",
        ),
        "mta_sts": Key(
            Table(
                "mta_sts",
                {
                    "mode": Key(_choice("none", "testing", "enforce"), "What senders do when TLS fails.", "testing"),
                    "max_age": Key(MAX_AGE, "How long they remember it.", 86400),
                },
            ),
            "MTA-STS (RFC 8461); without it no policy is published.",
        ),
        "tls_rpt": Key(Table("tls_rpt", {"reports_to": Key(RECIPIENT, "Who gets the reports.", required=True)}), "TLS reports (RFC 8460)."),
        "branding": Key(
            Table(
                "branding",
                {
                    "hostname": Key(DOMAIN, "What mail programs connect to instead of the node; in one of the tenant's domains."),
                    "name": Key(TEXT, "What clients see."),
                },
            ),
            "The tenant's own face; needs the plan's feature.",
        ),
    },
)

STATE = Table(
    "state/<node>.json",
    {
        "node": Key(SLUG, "The node that reported it."),
        "dkim": Key(
            Many(
                Table(
                    "key",
                    {
                        "domain": Key(MAIL_DOMAIN, "Whose key.", required=True),
                        "selector": Key(SLUG, "The selector.", required=True),
                        "public": Key(PUBLIC_KEY, "The public half.", required=True),
                    },
                )
            ),
            "DKIM keys.",
            (),
        ),
    },
)

FILES = {"estate.yml": ESTATE, "plans.yml": PLANS, "account.yml": ACCOUNT, "<domain>.yml": DOMAIN_FILE, "state/<node>.json": STATE}
