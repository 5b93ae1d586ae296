# SPDX-License-Identifier: GPL-3.0-or-later
"""account.yml: what the provider decides about a tenant.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._scalars import (
    ADDRESS,
    COUNT,
    DOMAIN,
    IP,
    LIMIT,
    MAIL_DOMAIN,
    POOL,
    QUOTA,
    SLUG,
    TEXT,
    TRUTH,
    choice,
    renamed,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.estate import COUNTS, LIMITS
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import (
    DNS,
    HOSTS,
    JUDGE,
    LEDGER,
    NOT_YET,
    PARTS,
    Many,
    Table,
    key,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.policy import defaults

STATES = ("pending", "active", "suspended", "terminated")
OWNER_LIMITS = Table("limits", COUNTS)

_ADMIN = Table(
    "admin",
    {
        "address": key(ADDRESS, "Who it is.", "S1-6 S3-25", LEDGER, required=True),
        "role": key(
            renamed(choice("tenant_admin", "domain_admin"), resellers="tenant_admin"),
            "Whether all of the tenant or some domains are theirs; V(resellers) is another word for V(tenant_admin).",
            "S0-8 S1-17",
            JUDGE,
            "tenant_admin",
        ),
        "domains": key(
            Many(MAIL_DOMAIN),
            "The domains that a V(domain_admin) manages.",
            "S1-18 S4-11",
            JUDGE,
            (),
        ),
        "limits": key(
            OWNER_LIMITS, "Tighter limits for what this admin owns.", "S1-6 S1-13", PARTS, {}
        ),
    },
)
_DOMAIN_LIMIT = Table(
    "domain limit",
    {
        "name": key(MAIL_DOMAIN, "One of the tenant's domains.", "S4-12", LEDGER, required=True),
        "mailboxes": key(LIMIT, "Mailboxes in it.", "S4-12", LEDGER),
        "aliases": key(LIMIT, "Aliases and sender addresses in it.", "S4-12", LEDGER),
        "storage": key(POOL, "The sum of what is allotted to its mailboxes.", "S4-12", LEDGER),
        "mailbox_storage": key(QUOTA, "The largest single mailbox.", "S4-13", JUDGE),
    },
)
# None of them is required here: a judge names all that an active tenant still lacks, in one fault.
INTAKE = Table(
    "intake",
    {
        "expected_mailboxes": key(
            COUNT, "How many mailboxes the client expects.", "S3-10 S3-23", JUDGE
        ),
        "dns_contact": key(ADDRESS, "Who can change the domain's DNS.", "S3-10 S3-2", JUDGE),
        "clients": key(
            choice("local", "external"),
            "Whether mailboxes live here, or IMAP and SMTP are someone else's.",
            "S3-10 S3-26",
            JUDGE,
        ),
        "smime": key(TRUTH, "Whether the client needs S/MIME.", "S3-10", JUDGE),
    },
)

ACCOUNT = Table(
    "account.yml",
    {
        "organisation": key(
            TEXT, "The tenant's name, as people write it.", "S3-23", LEDGER, required=True
        ),
        "plan": key(SLUG, "One of the plans.", "S0-11", LEDGER, required=True),
        "state": key(
            choice(*STATES),
            "Pending tenants are on no host yet, terminated ones no more.",
            "S0-18 S2-5 S2-7",
            HOSTS,
            "pending",
        ),
        "purge": key(
            TRUTH,
            "With V(state=terminated): the data is not kept for the days of O(retention).",
            "S1-24 S2-7",
            NOT_YET,
            default=False,
        ),
        "placement": key(SLUG, "The node that serves the tenant.", "S0-16", HOSTS, required=True),
        "default_owner": key(
            ADDRESS, "Owns what names no owner; one of the admins.", "S1-12", LEDGER, required=True
        ),
        "admins": key(
            Many(_ADMIN),
            "Who may own and manage the tenant's objects.",
            "S1-6 S1-18 S3-25",
            PARTS,
            required=True,
        ),
        "intake": key(
            INTAKE, "What has to be known before a tenant becomes active.", "S3-10", PARTS, {}
        ),
        "domains": key(
            Many(MAIL_DOMAIN),
            "Mail domains, relay domains and domain aliases that the tenant may have; files for them may follow later.",
            "S1-24 S2-1 S3-1",
            JUDGE,
            (),
        ),
        "unverified_domains": key(
            Many(MAIL_DOMAIN),
            "Those of O(domains) that are judged and counted but not served yet.",
            "S1-24 S3-1",
            HOSTS,
            (),
        ),
        "suspended_domains": key(
            Many(MAIL_DOMAIN),
            "Those of O(domains) whose mailboxes are suspended.",
            "S1-19 S2-5",
            HOSTS,
            (),
        ),
        "managed_domains": key(
            Many(MAIL_DOMAIN), "Those of O(domains) whose DNS the provider writes.", "S3-2", DNS, ()
        ),
        "requested_hosts": key(
            Many(DOMAIN),
            "Hosts that the estate shall approve for relay domains.",
            "S3-4",
            JUDGE,
            (),
        ),
        "limits": key(LIMITS, "Where tighter than the plan's.", "S0-9 S0-11", PARTS, {}),
        "domain_limits": key(
            Many(_DOMAIN_LIMIT), "Limits for single domains.", "S4-12 S4-13", PARTS, ()
        ),
        "outbound_address": key(
            IP,
            "What the tenant's mail leaves from: one of the node's outbound_addresses; needs the plan's feature.",
            "S2-3",
            NOT_YET,
        ),
        "external_ids": key(
            Table("external_ids", free=TEXT),
            "What other systems call this tenant.",
            "S0-19",
            JUDGE,
            {},
        ),
        "defaults": defaults("account", "the tenant's domains"),
    },
)
