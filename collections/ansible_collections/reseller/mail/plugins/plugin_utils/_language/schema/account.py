# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of account.yml: what the provider decides about a tenant.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ..scalars import (
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
from .estate import COUNTS, LIMITS, SENDING_LIMITS
from .kinds import DNS, HOSTS, LEDGER, PARTS, UNSET, VALIDATE, Many, Table, key
from .policy import defaults
from .suspension import PROVIDER_SUSPENSION

STATES = ("pending", "active", "suspended", "terminated")
OWNER_LIMITS = Table("limits", COUNTS)

_ADMIN = Table(
    "admin",
    {
        "address": key(
            ADDRESS,
            "The address of the admin. What the admin owns is charged to it.",
            "S1-6 S3-25",
            LEDGER,
            required=True,
        ),
        "role": key(
            renamed(choice("tenant_admin", "domain_admin"), resellers="tenant_admin"),
            "V(tenant_admin): may edit all domains of the tenant. V(domain_admin): may edit those"
            " in O(domains) only. V(resellers) is another word for V(tenant_admin).",
            "S0-8 S1-17",
            VALIDATE,
            "tenant_admin",
        ),
        "domains": key(
            Many(MAIL_DOMAIN),
            "The domains that a V(domain_admin) may edit.",
            "S1-18 S4-11",
            VALIDATE,
            (),
        ),
        "limits": key(
            OWNER_LIMITS,
            "Limits for everything that this admin owns, in all domains of the tenant.",
            "S1-6 S1-13",
            PARTS,
            {},
        ),
    },
)
_DOMAIN_LIMIT = Table(
    "domain limit",
    {
        "name": key(
            MAIL_DOMAIN,
            "The domain that is limited. The tenant has a file for it.",
            "S4-12",
            LEDGER,
            required=True,
        ),
        "mailboxes": key(
            LIMIT, "The largest number of mailboxes in the domain.", "S4-12", LEDGER, UNSET
        ),
        "aliases": key(
            LIMIT,
            "The largest number of aliases and sender addresses in the domain.",
            "S4-12",
            LEDGER,
            UNSET,
        ),
        "storage": key(
            POOL, "The largest sum of the quotas of the domain's mailboxes.", "S4-12", LEDGER, UNSET
        ),
        "mailbox_storage": key(
            QUOTA,
            "The largest quota of one mailbox in the domain. If it is smaller than the plan's"
            " default, mailboxes without a quota get this one.",
            "S4-13",
            VALIDATE,
        ),
        "messages_per_hour": key(
            COUNT,
            "The largest number of messages that all mailboxes of the domain together may send"
            " within 60 minutes.",
            "S2-3",
            HOSTS,
        ),
    },
)
# None of them is required here. One fault of validate names all that an active tenant lacks.
INTAKE = Table(
    "intake",
    {
        "expected_mailboxes": key(
            COUNT, "How many mailboxes the client expects.", "S3-10 S3-23", VALIDATE
        ),
        "dns_contact": key(
            ADDRESS,
            "The address of the person who can change the DNS of the client's domains.",
            "S3-10 S3-2",
            VALIDATE,
        ),
        "clients": key(
            choice("local", "external"),
            "V(local): users read and send mail on the nodes. V(external): on other servers.",
            "S3-10 S3-26",
            VALIDATE,
        ),
        "smime": key(TRUTH, "Whether the client needs S/MIME.", "S3-10", VALIDATE),
    },
)

ACCOUNT = Table(
    "account.yml",
    {
        "organisation": key(
            TEXT,
            "The name of the tenant, for people. The ledger shows it.",
            "S3-23",
            LEDGER,
            required=True,
        ),
        "plan": key(
            SLUG,
            "The plan of the tenant, by its name in plans.yml. It sets limits, features and"
            " prices.",
            "S0-11",
            LEDGER,
            required=True,
        ),
        "state": key(
            choice(*STATES),
            "V(pending): hosts and DNS do not know the tenant yet. V(active): hosts serve it."
            " V(suspended): O(suspension) says what it can still do. V(terminated): hosts no longer"
            " serve it, and keep its mail for the days of O(retention).",
            "S0-18 S2-5 S2-7",
            HOSTS,
            "pending",
        ),
        "purge": key(
            TRUTH,
            "Only with V(state=terminated). V(true): mail and passwords of the tenant are deleted"
            " at once, and not kept for the days of O(retention). A run does so only if it confirms"
            " the name of the tenant: see docs/termination.md.",
            "S1-24 S2-7",
            HOSTS,
            default=False,
        ),
        "placement": key(
            SLUG,
            "The node that serves the tenant. Its mailboxes are there, and the MX records of its"
            " domains name it.",
            "S0-16",
            HOSTS,
            required=True,
        ),
        "default_owner": key(
            ADDRESS,
            "The admin who owns everything that names no owner. Mail to postmaster and abuse of the"
            " tenant's domains goes to this address, unless a domain has these addresses.",
            "S1-12",
            LEDGER,
            required=True,
        ),
        "admins": key(
            Many(_ADMIN),
            "The people who may own and edit things of the tenant.",
            "S1-6 S1-18 S3-25",
            PARTS,
            required=True,
        ),
        "intake": key(
            INTAKE,
            "Facts that a provider must know before it serves a client. Required while O(state) is"
            " V(active), with all four keys. While one is unknown, the tenant is V(pending).",
            "S3-10",
            PARTS,
            {},
        ),
        "domains": key(
            Many(MAIL_DOMAIN),
            "The names that the tenant may use as mail domains, relay domains and domain aliases."
            " A name can be listed before it has a file.",
            "S1-24 S2-1 S3-1",
            VALIDATE,
            (),
        ),
        "unverified_domains": key(
            Many(MAIL_DOMAIN),
            "Those of O(domains) of which the provider does not know yet that they belong to the"
            " tenant. They are validated and counted. Hosts do not serve them, and no records are"
            " published.",
            "S1-24 S3-1",
            HOSTS,
            (),
        ),
        "suspended_domains": key(
            Many(MAIL_DOMAIN),
            "Those of O(domains) that the provider suspends. O(suspension) says what they can still"
            " do.",
            "S1-19 S2-5",
            HOSTS,
            (),
        ),
        "suspensions": key(
            Many(PROVIDER_SUSPENSION),
            "What the provider suspends: the tenant, domains, mailboxes, each with its own profile"
            " and reason. The tenant cannot undo it. The playbooks suspend and resume edit"
            " this list.",
            "S1-19 S2-5 S2-6",
            PARTS,
            (),
        ),
        "managed_domains": key(
            Many(MAIL_DOMAIN),
            "Those of O(domains) whose DNS records the provider publishes. For all others the"
            " tenant gets the records and publishes them.",
            "S3-2",
            DNS,
            (),
        ),
        "requested_hosts": key(
            Many(DOMAIN),
            "Hosts that the tenant wants to use for relay domains. This approves nothing: add a"
            " host to O(estate.approved_hosts) to approve it.",
            "S3-4",
            VALIDATE,
            (),
        ),
        "limits": key(
            LIMITS,
            "Limits of this tenant that are tighter than those of its plan. What is not named has"
            " the plan's limit.",
            "S0-9 S0-11",
            PARTS,
            {},
        ),
        "sending_limits": key(
            SENDING_LIMITS,
            "How much the tenant may send. Of this and the limits of its plan the tightest counts.",
            "S2-3",
            PARTS,
            {},
        ),
        "domain_limits": key(
            Many(_DOMAIN_LIMIT),
            "Limits for single domains, for all owners together.",
            "S4-12 S4-13",
            PARTS,
            (),
        ),
        "outbound_address": key(
            IP,
            "The address that the tenant's mail leaves from: one of the node's outbound_addresses."
            " Needs the plan's feature. Mail to hosts without an address of its family leaves from"
            " the other address of the same O(estate.nodes.outbound_hosts), or is not delivered."
            " Mail that leaves through a relay does not use it.",
            "S2-3",
            HOSTS,
        ),
        "external_ids": key(
            Table("external_ids", free=TEXT),
            "Names of the tenant in other systems, such as a customer number. No two tenants have"
            " the same value of one key.",
            "S0-19",
            VALIDATE,
            {},
        ),
        "defaults": defaults("account", "all domains of the tenant"),
    },
)
