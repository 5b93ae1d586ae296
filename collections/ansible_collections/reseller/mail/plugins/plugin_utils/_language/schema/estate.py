# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of estate.yml and plans.yml: what the provider runs, and what it sells.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ..._model.estate import BackupMx, DeletionGuard, Promotion, QuotaPolicy
from ..._model.mx import PRIORITY as NODE_PREFERENCE
from ..._model.values import PROTOCOLS
from ..scalars import (
    ADDRESS,
    COUNT,
    CURRENCY,
    DEBIAN,
    DOMAIN,
    EVIDENCE_DAYS,
    IP,
    LANGUAGE,
    LANGUAGES,
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
    USERNAME,
    choice,
)
from .kinds import (
    BILL,
    DNS,
    HOSTS,
    LEDGER,
    PAGES,
    PARTS,
    UNSET,
    VALIDATE,
    Many,
    Table,
    key,
)
from .policy import defaults
from .suspension import SUSPENSION_PROFILE

FEATURES = (
    "branding",
    "catch_all",
    "outbound_address",
    "relay_domains",
    "spam_lists",
    "spam_scores",
)
ROLES = ("super_admin", "operator", "tenant_admin", "domain_admin")

COUNTS = {
    "domains": key(
        LIMIT, "The largest number of mail domains and relay domains.", "S0-9 S1-7", LEDGER, UNSET
    ),
    "domain_aliases": key(
        LIMIT, "The largest number of domain aliases.", "S1-8 S2-23", LEDGER, UNSET
    ),
    "mailboxes": key(
        LIMIT, "The largest number of mailboxes, including suspended ones.", "S1-10", LEDGER, UNSET
    ),
    "aliases": key(
        LIMIT, "The largest number of aliases and sender addresses.", "S1-9", LEDGER, UNSET
    ),
    "storage": key(
        POOL,
        "The largest sum of the quotas of mailboxes, used or not.",
        "S1-11 S4-9",
        LEDGER,
        UNSET,
    ),
}
LIMITS = Table(
    "limits",
    {
        **COUNTS,
        "domain_admins": key(
            LIMIT, "The largest number of O(account.admins).", "S0-9 S0-11", LEDGER, UNSET
        ),
    },
)
SENDING_LIMITS = Table(
    "sending_limits",
    {
        "messages_per_hour": key(
            COUNT,
            "The largest number of messages that all mailboxes of a tenant together may send within"
            " 60 minutes.",
            "S2-3",
            HOSTS,
        ),
        "domain_messages_per_hour": key(
            COUNT,
            "The largest number of messages that all mailboxes of one domain together may send"
            " within 60 minutes. It counts for each domain of a tenant.",
            "S2-3",
            HOSTS,
        ),
    },
)

_PROVIDER = Table(
    "provider",
    {
        "name": key(
            TEXT,
            "The name of the provider, for clients. Mail programs and settings pages show it,"
            " unless branding gives another one.",
            "S0-20",
            HOSTS,
            required=True,
        ),
        "domain": key(
            DOMAIN,
            "The domain of the provider. Its SPF record lists all nodes, and the SPF records of"
            " tenants include it.",
            "S0-3 S1-4",
            DNS,
            required=True,
        ),
        "contact": key(
            ADDRESS,
            "The address that gets mail to root, postmaster, abuse and mailer-daemon of every"
            " node. If no tenant has O(estate.provider.domain) and this address is in another"
            " domain, it also gets mail to postmaster, abuse, hostmaster, noc and security of that"
            " domain.",
            "S4-1",
            HOSTS,
        ),
        "support_url": key(
            URL,
            "The link to help on settings pages, unless branding gives another one.",
            "S4-22",
            PAGES,
        ),
        "status_url": key(
            URL, "The link to the status page of the service, on settings pages.", "S0-25", PAGES
        ),
    },
)
_OUTBOUND_HOST = Table(
    "outbound host",
    {
        "hostname": key(
            DOMAIN,
            "The full name. The provider publishes its address records and its SPF record. The"
            " owner of the addresses sets the reverse records.",
            "S2-3",
            HOSTS,
            required=True,
        ),
        "addresses": key(
            Many(IP),
            "One IPv4 address, one IPv6 address, or one of each, all from O(outbound_addresses). A"
            " tenant that sends from one of them also sends from the other one.",
            "S2-3",
            HOSTS,
            required=True,
        ),
    },
)
_NODE = Table(
    "node",
    {
        "name": key(
            SLUG,
            "The name of the node in the inventory. It is also its first DKIM selector.",
            "S0-13 S3-18",
            HOSTS,
            required=True,
        ),
        "hostname": key(
            DOMAIN,
            "The full host name: in MX records, in EHLO and in the certificate.",
            "S0-13 S4-1",
            HOSTS,
            required=True,
        ),
        "debian": key(
            DEBIAN, "The Debian release of the host, by its number.", "S2-32", HOSTS, required=True
        ),
        "addresses": key(
            Many(IP),
            "The public IP addresses. They are in the records of the host name and in the SPF"
            " record of the provider.",
            "S0-13 S3-11",
            DNS,
            required=True,
        ),
        "lifecycle": key(
            choice("planned", "ready"),
            "V(planned): no active or suspended tenant may be placed on the node, and no MX record"
            " of the provider's domain names it. V(ready): it can serve tenants.",
            "S0-1 S1-2",
            VALIDATE,
            "ready",
        ),
        "compute": key(
            choice("dedicated", "shared"),
            "V(dedicated) or V(shared) hardware. No tenant may be placed on a V(shared) node.",
            "S1-1",
            VALIDATE,
            "dedicated",
        ),
        "resell": key(
            TRUTH, "Whether tenants may be placed on the node.", "S1-1", VALIDATE, default=True
        ),
        "capacity": key(
            SIZE,
            "How much mail the disk holds. The ledger compares it with what is allotted to the"
            " tenants of the node.",
            "S0-24 S1-21",
            LEDGER,
        ),
        "outbound_addresses": key(
            Many(IP),
            "Additional public addresses for outgoing mail. Tenants with one of them as"
            " O(account.outbound_address) send from it. The host must have the address itself. The"
            " SPF record of the provider lists it, and the records of the host name, unless"
            " O(outbound_hosts) give it another name.",
            "S2-3",
            HOSTS,
            (),
        ),
        "outbound_hosts": key(
            Many(_OUTBOUND_HOST),
            "Names of their own for O(outbound_addresses): in EHLO, and in address and reverse"
            " records. Without one, an address has the name of the node.",
            "S2-3",
            PARTS,
            (),
        ),
        "backup_priority": key(
            PRIORITY,
            "The node is the backup MX of all other nodes, with this preference in the MX records"
            f" of their tenants. It is higher than {NODE_PREFERENCE}, which the tenant's own node"
            " has. A node without tenants can have this as its only task. Without it, no MX record"
            " of other nodes' tenants names the node.",
            "S0-2 S1-3",
            HOSTS,
        ),
    },
)
_BACKUP_MX = Table(
    "backup MX",
    {
        "hostname": key(
            DOMAIN, "The host name, as MX records give it.", "S0-2 S1-3", DNS, required=True
        ),
        "addresses": key(
            Many(IP), "The public IP addresses of the host.", "S0-2", DNS, required=True
        ),
        "priority": key(
            PRIORITY,
            f"The preference in MX records. It is higher than {NODE_PREFERENCE}, which nodes have,"
            " so senders try the nodes first.",
            "S0-2",
            DNS,
            BackupMx("", ()).priority,
        ),
    },
)
_OUTGOING = {
    "host": key(
        DOMAIN,
        "The server that gets outgoing mail. Its certificate must be valid for this name.",
        "S0-5",
        HOSTS,
        required=True,
    ),
    "port": key(
        PORT,
        "The port of the server. TLS is always used: from the first byte on port 465, by STARTTLS"
        " on every other one.",
        "S0-5",
        HOSTS,
        587,
    ),
    "username": key(
        USERNAME,
        "The name with which nodes log in. The password is in the variable"
        " postfix_relay_passwords, from Ansible Vault. Without it, nodes do not log in.",
        "S0-5",
        HOSTS,
    ),
    "spf_include": key(
        OWNER_NAME,
        "The name of its SPF record. The SPF records of domains that use the relay include it.",
        "S0-4 S1-4",
        DNS,
        required=True,
    ),
}
_PREMIUM_RELAY = Table(
    "premium_relay",
    {
        **_OUTGOING,
    },
)
_RELAY = Table(
    "outgoing relay",
    {
        "name": key(
            SLUG,
            "The name by which O(levels.outgoing_relay) names it. V(premium) is taken by"
            " O(estate.premium_relay).",
            "S2-3",
            HOSTS,
            required=True,
        ),
        **_OUTGOING,
        "tenants": key(
            Many(SLUG),
            "The tenants that may use it. The file of a domain may name a relay only if its tenant"
            " is in this list. Without the list, every tenant may use it whose plan or account"
            " names it.",
            "S2-3",
            VALIDATE,
        ),
    },
)
_ROLE = Table(
    "role",
    {
        "identity": key(
            TEXT,
            "The name of a person at the forge. Write this or O(group).",
            "S3-1 S3-3",
            VALIDATE,
        ),
        "group": key(TEXT, "A group at the forge. Write this or O(identity).", "S3-1", VALIDATE),
        "role": key(
            choice(*ROLES),
            "What the person or group may edit: see docs/plan.md.",
            "S1-17 S3-1",
            VALIDATE,
            required=True,
        ),
        "tenant": key(
            SLUG,
            "The tenant that the person belongs to. Needed for V(tenant_admin) and"
            " V(domain_admin), and for these only.",
            "S1-17",
            VALIDATE,
        ),
        "address": key(
            ADDRESS,
            "The mail address of the person. For a person of a tenant it is one of"
            " O(account.admins).",
            "S1-17 S3-8",
            VALIDATE,
        ),
    },
)

ESTATE = Table(
    "estate.yml",
    {
        "language": key(
            LANGUAGE,
            "The version of this language that the files are written in. A version of reseller.mail"
            " that does not know it refuses the files.",
            "S0-12",
            VALIDATE,
            LANGUAGES[0],
        ),
        "provider": key(
            _PROVIDER, "The organisation that owns the estate.", "S0-3", PARTS, required=True
        ),
        "nodes": key(Many(_NODE), "The mail hosts of the estate.", "S0-13", PARTS, required=True),
        "backup_mx": key(
            Many(_BACKUP_MX),
            "Hosts that receive mail if no node can, and hand it on later. They are in MX records"
            " and MTA-STS policies. No role makes such a host: another provider runs it.",
            "S0-2 S1-3",
            PARTS,
            (),
        ),
        "premium_relay": key(
            _PREMIUM_RELAY,
            "The relay for outgoing mail of tenants whose plan or account sets"
            " V(premium_relay=true).",
            "S0-5",
            PARTS,
        ),
        "relays": key(
            Many(_RELAY),
            "More relays for outgoing mail, which O(levels.outgoing_relay) of a plan, an account or"
            " a domain names.",
            "S0-5 S2-3",
            PARTS,
            (),
        ),
        "approved_hosts": key(
            Many(DOMAIN), "The servers that relay domains may use.", "S3-4 S3-24", VALIDATE, ()
        ),
        "quota_policy": key(
            Table(
                "quota_policy",
                {
                    "oversell_ratio": key(
                        RATIO,
                        "How much storage may be allotted on a node, as a multiple of its"
                        " capacity. More is refused. Without it nothing is refused, and the ledger"
                        " shows the ratio.",
                        "S0-24",
                        LEDGER,
                    ),
                    "warn_at": key(
                        PERCENT,
                        "The percentage of a limit from which on the ledger marks it.",
                        "S0-24 S1-21",
                        LEDGER,
                        QuotaPolicy().warn_at,
                    ),
                },
            ),
            "When the ledger warns, and when validate refuses what is allotted.",
            "S0-24",
            PARTS,
            {},
        ),
        "deletion_guard": key(
            Table(
                "deletion_guard",
                {
                    "tenants": key(
                        PERCENT,
                        "How many percent of the tenants.",
                        "S2-31",
                        VALIDATE,
                        DeletionGuard().tenants,
                    ),
                    "domains": key(
                        PERCENT,
                        "How many percent of the domains.",
                        "S2-31",
                        VALIDATE,
                        DeletionGuard().domains,
                    ),
                    "mailboxes": key(
                        PERCENT,
                        "How many percent of the mailboxes.",
                        "S1-24",
                        VALIDATE,
                        DeletionGuard().mailboxes,
                    ),
                },
            ),
            "How many percent of what is served one change may remove. A larger change is refused"
            " until you accept its number of deletions. A few may always go (docs/plan.md).",
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
                        "On how many days verify must have found nothing wrong, since the last day"
                        " on which it did.",
                        "S3-16 S3-21",
                        DNS,
                        Promotion().days,
                    ),
                    "report_days": key(
                        EVIDENCE_DAYS,
                        "About how many days there must be reports of other servers.",
                        "S3-16 S3-21",
                        DNS,
                        Promotion().report_days,
                    ),
                    "messages": key(
                        COUNT,
                        "How many of our messages DMARC reports must have counted.",
                        "S3-16",
                        DNS,
                        Promotion().messages,
                    ),
                },
            ),
            "How much evidence each step towards O(dmarc.stage) and O(mta_sts.mode) needs.",
            "S3-16 S3-21",
            PARTS,
            {},
        ),
        "suspension_profiles": key(
            Many(SUSPENSION_PROFILE),
            "Named sets of what suspended tenants, domains and mailboxes can still do.",
            "S2-5",
            PARTS,
            (),
        ),
        "roles": key(
            Many(_ROLE),
            "The people who may edit the files, as the forge names them.",
            "S1-17 S3-1",
            PARTS,
            (),
        ),
        "billing": key(
            Table(
                "billing",
                {
                    "currency": key(
                        CURRENCY, "The currency of all prices.", "S2-11 S4-21", BILL, "EUR"
                    )
                },
            ),
            "Settings for bills.",
            "S2-11 S4-21",
            PARTS,
            {},
        ),
        "caa": key(
            Many(DOMAIN),
            "The certificate authorities that may issue certificates (CAA, RFC 8659) for host"
            " names and for names below domains that only the estate uses. Without it there are no"
            " CAA records.",
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
        "monthly": key(MONEY, "For the plan, a month.", "S2-11 S4-21", BILL),
        "mailbox": key(MONEY, "For each mailbox, a month.", "S4-18", BILL),
        "storage": key(
            Table(
                "storage price",
                {
                    "tranche": key(
                        SIZE,
                        "Allotted storage is billed in tranches of this size, at least one.",
                        "S2-11",
                        BILL,
                        required=True,
                    ),
                    "price": key(MONEY, "For each tranche, a month.", "S2-11", BILL, required=True),
                },
            ),
            "For the storage that is allotted.",
            "S2-11",
            PARTS,
        ),
    },
)
_MAILBOX_QUOTA = Table(
    "mailbox_quota",
    {
        "default": key(
            QUOTA, "The quota of mailboxes that set none.", "S4-9", HOSTS, required=True
        ),
        "min": key(SIZE, "The smallest quota that a mailbox may set.", "S4-9", VALIDATE, 2**20),
        "max": key(QUOTA, "The largest quota that a mailbox may set.", "S4-9", VALIDATE),
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
                            SLUG,
                            "The name of the plan. O(account.plan) refers to it.",
                            "S0-11",
                            VALIDATE,
                            required=True,
                        ),
                        "limits": key(
                            LIMITS,
                            "The limits of each tenant of the plan. What is not named is"
                            " unlimited.",
                            "S0-9 S0-11",
                            PARTS,
                            {},
                        ),
                        "sending_limits": key(
                            SENDING_LIMITS,
                            "How much each tenant of the plan may send, in addition to"
                            " O(levels.rate_limits) of each mailbox. What is not named is not"
                            " limited.",
                            "S2-3",
                            PARTS,
                            {},
                        ),
                        "features": key(
                            Many(choice(*FEATURES)),
                            "What tenants of the plan may use in their files.",
                            "S2-17 S4-23",
                            VALIDATE,
                            (),
                        ),
                        "protocols": key(
                            Many(choice(*PROTOCOLS)),
                            "The protocols that mailboxes of the plan may have.",
                            "S2-17",
                            VALIDATE,
                            PROTOCOLS,
                        ),
                        "addons": key(
                            Many(SLUG),
                            "The add-ons that mailboxes of the plan may have.",
                            "S2-12 S2-17",
                            VALIDATE,
                            (),
                        ),
                        "mailbox_quota": key(
                            _MAILBOX_QUOTA,
                            "The quotas of mailboxes.",
                            "S4-9",
                            PARTS,
                            required=True,
                        ),
                        "prices": key(
                            _PRICES,
                            "The monthly prices. Without them nothing is billed for the plan.",
                            "S2-11 S4-21",
                            PARTS,
                        ),
                        "defaults": defaults("plan", "all tenants of the plan"),
                    },
                )
            ),
            "The plans: named sets of limits, features and prices.",
            "S0-11",
            PARTS,
            required=True,
        ),
        "addons": key(
            Many(
                Table(
                    "add-on",
                    {
                        "name": key(
                            SLUG,
                            "The name of the add-on. Mailboxes and plans refer to it.",
                            "S2-12",
                            BILL,
                            required=True,
                        ),
                        "price": key(
                            MONEY,
                            "The price for each mailbox that has the add-on, a month. 0 is not"
                            " billed.",
                            "S2-12",
                            BILL,
                            required=True,
                        ),
                    },
                )
            ),
            "Services that are billed for single mailboxes.",
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
                            "The add-ons of the bundle, at least two.",
                            "S2-13",
                            BILL,
                            required=True,
                        ),
                        "price": key(
                            MONEY,
                            "The price a month for a mailbox that has all these add-ons. It"
                            " replaces their prices. With 0 they are billed one by one.",
                            "S2-13",
                            BILL,
                            required=True,
                        ),
                    },
                )
            ),
            "Common prices for several add-ons of one mailbox.",
            "S2-13",
            PARTS,
            (),
        ),
    },
)
