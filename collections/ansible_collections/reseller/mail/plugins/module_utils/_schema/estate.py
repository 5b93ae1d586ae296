# SPDX-License-Identifier: GPL-3.0-or-later
"""estate.yml and plans.yml: what the provider runs, and what it sells.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._model.values import PROTOCOLS
from ansible_collections.reseller.mail.plugins.module_utils._scalars import (
    ADDRESS,
    COUNT,
    CURRENCY,
    DEBIAN,
    DOMAIN,
    EVIDENCE_DAYS,
    IP,
    LIMIT,
    MONEY,
    OWNER_NAME,
    PERCENT,
    POOL,
    PORT,
    PRIORITY,
    QUOTA,
    RATIO,
    SIZE,
    SLUG,
    TEXT,
    TRUTH,
    URL,
    choice,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import (
    BILL,
    DNS,
    HOSTS,
    JUDGE,
    LEDGER,
    NOT_YET,
    PAGES,
    PARTS,
    Many,
    Table,
    key,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.policy import defaults

FEATURES = ("branding", "catch_all", "outbound_address", "relay_domains")
ROLES = ("super_admin", "operator", "tenant_admin", "domain_admin")

COUNTS = {
    "domains": key(LIMIT, "Mail and relay domains together.", "S0-9 S1-7", LEDGER),
    "domain_aliases": key(LIMIT, "Domain aliases.", "S1-8 S2-23", LEDGER),
    "mailboxes": key(LIMIT, "Mailboxes, suspended ones too.", "S1-10", LEDGER),
    "aliases": key(LIMIT, "Aliases and sender addresses together.", "S1-9", LEDGER),
    "storage": key(
        POOL, "The sum of what is allotted to mailboxes, used or not.", "S1-11 S4-9", LEDGER
    ),
}
LIMITS = Table(
    "limits", {**COUNTS, "domain_admins": key(LIMIT, "Domain admins.", "S0-9 S0-11", LEDGER)}
)

_PROVIDER = Table(
    "provider",
    {
        "name": key(
            TEXT, "The provider's name, as clients read it.", "S0-20", NOT_YET, required=True
        ),
        "domain": key(
            DOMAIN, "Carries the SPF record that tenants include.", "S0-3 S1-4", DNS, required=True
        ),
        "contact": key(
            ADDRESS,
            "Who reads mail for root, postmaster, abuse and mailer-daemon of every node, and for postmaster, abuse, hostmaster, noc and security of "
            "O(estate.provider.domain) where no tenant has that domain and this address is in another one.",
            "S4-1",
            HOSTS,
        ),
        "support_url": key(
            URL, "Where clients find help, unless their branding says otherwise.", "S4-22", PAGES
        ),
        "status_url": key(URL, "Where clients see whether all is well.", "S0-25", PAGES),
    },
)
_NODE = Table(
    "node",
    {
        "name": key(
            SLUG,
            "The host's name in the inventory, and its DKIM selector.",
            "S0-13 S3-18",
            HOSTS,
            required=True,
        ),
        "hostname": key(
            DOMAIN,
            "MX target, EHLO name and name in the certificate.",
            "S0-13 S4-1",
            HOSTS,
            required=True,
        ),
        "debian": key(DEBIAN, "Debian release.", "S2-32", HOSTS, required=True),
        "addresses": key(Many(IP), "Public addresses.", "S0-13 S3-11", DNS, required=True),
        "lifecycle": key(
            choice("planned", "ready"),
            "No tenant is served on a planned node.",
            "S0-1 S1-2",
            JUDGE,
            "ready",
        ),
        "compute": key(
            choice("dedicated", "shared"),
            "Shared compute is not resold.",
            "S1-1",
            JUDGE,
            "dedicated",
        ),
        "resell": key(
            TRUTH, "Whether tenants may be placed here at all.", "S1-1", JUDGE, default=True
        ),
        "capacity": key(
            SIZE,
            "How much mail its disk holds; what overselling is measured against.",
            "S0-24 S1-21",
            LEDGER,
        ),
        "outbound_addresses": key(
            Many(IP), "Further addresses that tenants may send from.", "S2-3", NOT_YET, ()
        ),
    },
)
_BACKUP_MX = Table(
    "backup MX",
    {
        "hostname": key(DOMAIN, "Its name in the MX record.", "S0-2 S1-3", DNS, required=True),
        "addresses": key(Many(IP), "Its public addresses.", "S0-2", DNS, required=True),
        "priority": key(
            PRIORITY, "Its preference in the MX record; higher than the nodes' 10.", "S0-2", DNS, 20
        ),
    },
)
_PREMIUM_RELAY = Table(
    "premium_relay",
    {
        "host": key(DOMAIN, "Where outgoing mail is handed to.", "S0-5", NOT_YET, required=True),
        "port": key(PORT, "Its port; TLS is always used.", "S0-5", NOT_YET, 587),
        "spf_include": key(
            OWNER_NAME, "What its operator wants included in SPF.", "S0-4 S1-4", DNS, required=True
        ),
    },
)
_ROLE = Table(
    "role",
    {
        "identity": key(TEXT, "Who it is to the forge; this or O(group).", "S3-1 S3-3", JUDGE),
        "group": key(TEXT, "A group of the forge; this or O(identity).", "S3-1", JUDGE),
        "role": key(choice(*ROLES), "What the person is.", "S1-17 S3-1", JUDGE, required=True),
        "tenant": key(
            SLUG, "Whose admin; for V(tenant_admin) and V(domain_admin).", "S1-17", JUDGE
        ),
        "address": key(
            ADDRESS, "The person's address: which admin of the tenant it is.", "S1-17 S3-8", JUDGE
        ),
    },
)

ESTATE = Table(
    "estate.yml",
    {
        "provider": key(_PROVIDER, "Who owns the estate.", "S0-3", PARTS, required=True),
        "nodes": key(Many(_NODE), "The mail hosts.", "S0-13", PARTS, required=True),
        "backup_mx": key(
            Many(_BACKUP_MX), "Hosts that receive when no node does.", "S0-2 S1-3", PARTS, ()
        ),
        "premium_relay": key(
            _PREMIUM_RELAY,
            "The relay for tenants whose plan or account says V(premium_relay=true).",
            "S0-5",
            PARTS,
        ),
        "approved_hosts": key(
            Many(DOMAIN), "Where relay domains may be handed to.", "S3-4 S3-24", JUDGE, ()
        ),
        "quota_policy": key(
            Table(
                "quota_policy",
                {
                    "oversell_ratio": key(
                        RATIO,
                        "How much of each node's capacity may be allotted; default: it is reported only.",
                        "S0-24",
                        LEDGER,
                    ),
                    "warn_at": key(
                        PERCENT,
                        "How full, in percent, something is when the ledger marks it.",
                        "S0-24 S1-21",
                        LEDGER,
                        80,
                    ),
                },
            ),
            "When what is allotted becomes too much.",
            "S0-24",
            PARTS,
            {},
        ),
        "deletion_guard": key(
            Table(
                "deletion_guard",
                {
                    "tenants": key(PERCENT, "Of all tenants.", "S2-31", JUDGE, 10),
                    "domains": key(PERCENT, "Of all domains.", "S2-31", JUDGE, 10),
                    "mailboxes": key(PERCENT, "Of all mailboxes.", "S1-24", JUDGE, 10),
                },
            ),
            "The share, in percent, that one change may remove without being told so explicitly.",
            "S1-24",
            PARTS,
            {},
        ),
        "promotion": key(
            Table(
                "promotion",
                {
                    "days": key(
                        EVIDENCE_DAYS,
                        "Days on which verify found nothing wrong, after the last on which it did.",
                        "S3-16 S3-21",
                        DNS,
                        14,
                    ),
                    "report_days": key(
                        EVIDENCE_DAYS, "Days that others' reports are about.", "S3-16 S3-21", DNS, 7
                    ),
                    "messages": key(
                        COUNT, "Messages of our own in DMARC reports.", "S3-16", DNS, 50
                    ),
                },
            ),
            "The evidence that a step of O(dmarc.stage) and O(mta_sts.mode) needs.",
            "S3-16 S3-21",
            PARTS,
            {},
        ),
        "roles": key(
            Many(_ROLE),
            "Who is who to the forge that the files are kept in.",
            "S1-17 S3-1",
            PARTS,
            (),
        ),
        "billing": key(
            Table(
                "billing", {"currency": key(CURRENCY, "Of all prices.", "S2-11 S4-21", BILL, "EUR")}
            ),
            "How prices are meant.",
            "S2-11 S4-21",
            PARTS,
            {},
        ),
        "caa": key(
            Many(DOMAIN),
            "The certificate authorities (RFC 8659) of hosts and of the names below domains that are ours alone.",
            "S4-7",
            DNS,
            (),
        ),
        "defaults": defaults("estate", "all tenants"),
    },
)

_PRICES = Table(
    "prices",
    {
        "monthly": key(MONEY, "For the plan itself.", "S2-11 S4-21", BILL),
        "mailbox": key(MONEY, "For each mailbox.", "S4-18", BILL),
        "storage": key(
            Table(
                "storage price",
                {
                    "tranche": key(
                        SIZE,
                        "Storage is billed in steps of this size, at least one.",
                        "S2-11",
                        BILL,
                        required=True,
                    ),
                    "price": key(MONEY, "For each step.", "S2-11", BILL, required=True),
                },
            ),
            "For storage.",
            "S2-11",
            PARTS,
        ),
    },
)
_MAILBOX_QUOTA = Table(
    "mailbox_quota",
    {
        "default": key(QUOTA, "For mailboxes that say none.", "S4-9", HOSTS, required=True),
        "min": key(SIZE, "The smallest allowed.", "S4-9", JUDGE, 2**20),
        "max": key(QUOTA, "The largest allowed.", "S4-9", JUDGE),
    },
)

PLANS = Table(
    "plans.yml",
    {
        "plans": key(
            Many(
                Table(
                    "plan",
                    {
                        "name": key(
                            SLUG, "What O(account.plan) names.", "S0-11", JUDGE, required=True
                        ),
                        "limits": key(
                            LIMITS, "What is not named is unlimited.", "S0-9 S0-11", PARTS, {}
                        ),
                        "features": key(
                            Many(choice(*FEATURES)),
                            "What tenants of the plan may use.",
                            "S2-17 S4-23",
                            JUDGE,
                            (),
                        ),
                        "protocols": key(
                            Many(choice(*PROTOCOLS)),
                            "What mailboxes of the plan may be used with.",
                            "S2-17",
                            JUDGE,
                            PROTOCOLS,
                        ),
                        "addons": key(
                            Many(SLUG),
                            "The add-ons that mailboxes of the plan may have.",
                            "S2-12 S2-17",
                            JUDGE,
                            (),
                        ),
                        "mailbox_quota": key(
                            _MAILBOX_QUOTA, "Sizes of mailboxes.", "S4-9", PARTS, required=True
                        ),
                        "prices": key(_PRICES, "What it costs a month.", "S2-11 S4-21", PARTS),
                        "defaults": defaults("plan", "tenants of the plan"),
                    },
                )
            ),
            "Named sets of limits and features.",
            "S0-11",
            PARTS,
            required=True,
        ),
        "addons": key(
            Many(
                Table(
                    "add-on",
                    {
                        "name": key(SLUG, "What mailboxes name.", "S2-12", BILL, required=True),
                        "price": key(
                            MONEY,
                            "A month and mailbox; 0 is not billed.",
                            "S2-12",
                            BILL,
                            required=True,
                        ),
                    },
                )
            ),
            "What is billed for single mailboxes.",
            "S2-12",
            PARTS,
            (),
        ),
        "addon_bundles": key(
            Many(
                Table(
                    "add-on bundle",
                    {
                        "addons": key(
                            Many(SLUG),
                            "The add-ons that have one price together.",
                            "S2-13",
                            BILL,
                            required=True,
                        ),
                        "price": key(
                            MONEY,
                            "Replaces their prices where a mailbox has them all; 0 does not.",
                            "S2-13",
                            BILL,
                            required=True,
                        ),
                    },
                )
            ),
            "Prices for add-ons that stand together.",
            "S2-13",
            PARTS,
            (),
        ),
    },
)
