# SPDX-License-Identifier: GPL-3.0-or-later
"""Which key may stand in which file, of what type, with which default: the one source, also of the reference page.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.reseller.mail.plugins.module_utils._scalars import (
    ADDRESS,
    DOMAIN,
    IP,
    LIMIT,
    LOCAL,
    MAIL_DOMAIN,
    MAX_AGE,
    PASSWORD,
    POOL,
    PORT,
    PUBLIC_KEY,
    QUOTA,
    RECIPIENT,
    SIZE,
    SLUG,
    TEXT,
    TRUTH,
    Scalar,
    choice,
)

FEATURES = ("branding", "catch_all", "relay_domains")
UNSAID: t.Final = object()
"""The default of a quota, for which None means something: unlimited."""
STATES = ("pending", "active", "suspended", "terminated")


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
                        "debian": Key(Scalar("12 or 13", lambda text: int(choice("12", "13").read(text))), "Debian release.", required=True),
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
                        "features": Key(Many(choice(*FEATURES)), "What tenants of the plan may use.", ()),
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
        "state": Key(choice(*STATES), "Pending tenants are on no host yet, terminated ones no more.", "pending"),
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
        "domains": Key(Many(MAIL_DOMAIN), "Mail domains, relay domains and domain aliases that the tenant may have; files for them may follow later.", ()),
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
        "managed_domains": Key(Many(MAIL_DOMAIN), "Those of O(domains) whose DNS the provider writes.", ()),
        "external_ids": Key(Table("external_ids", free=TEXT), "What other systems call this tenant.", {}),
    },
)

_OWNER = Key(ADDRESS, "The admin on whose account it goes; default: the domain's owner.")

DOMAIN_FILE = Table(
    "<domain>.yml",
    {
        "type": Key(choice("mail", "relay"), "Mailboxes here, or handed on after it was received here.", "mail"),
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
                        "state": Key(choice("active", "suspended"), "A suspended one receives, but nobody logs in.", "active"),
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
                    "stage": Key(choice("observe", "test", "quarantine", "reject"), "How strict receivers shall be.", "observe"),
                    "reports_to": Key(RECIPIENT, "Who gets the aggregate reports."),
                },
            ),
            "DMARC (RFC 9989).",
        ),
        "mta_sts": Key(
            Table(
                "mta_sts",
                {
                    "mode": Key(choice("none", "testing", "enforce"), "What senders do when TLS fails.", "testing"),
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
                    "hostname": Key(DOMAIN, "What mail programs connect to instead of the node; below one of the tenant's domains or domain aliases."),
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
