# SPDX-License-Identifier: GPL-3.0-or-later
"""<domain>.yml: what the tenant decides about a domain.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._scalars import (
    ADDRESS,
    CERTIFICATE,
    DOMAIN,
    LOCAL,
    MAIL_DOMAIN,
    PASSWORD,
    PORT,
    QUOTA,
    RECIPIENT,
    SLUG,
    TEXT,
    TRUTH,
    choice,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import (
    BILL,
    HOSTS,
    JUDGE,
    LEDGER,
    NOT_YET,
    PARTS,
    UNSAID,
    Many,
    Table,
    key,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.policy import standing_at

_NAME = key(LOCAL, "What stands before the @.", "S2-19", HOSTS, required=True)
_OWNER = key(
    ADDRESS,
    "The admin on whose account it goes; default: the domain's owner.",
    "S1-12 S1-13",
    LEDGER,
)
_HIDDEN = key(TRUTH, "Whether address books leave it out.", "S2-21", NOT_YET, default=False)

_FORWARD = Table(
    "forward",
    {
        "to": key(Many(RECIPIENT), "Who gets the mail.", "S2-22", HOSTS, required=True),
        "keep_copy": key(TRUTH, "Whether the mailbox gets it too.", "S2-22", HOSTS, default=True),
        "skip_spam": key(TRUTH, "Whether spam stays behind.", "S2-22", NOT_YET, default=False),
    },
)
_SMIME = Table(
    "smime",
    {
        "certificate": key(
            CERTIFICATE,
            "The user's certificate, PEM. Private keys have no place in the files.",
            "S3-8 S3-30 S3-32",
            NOT_YET,
            required=True,
        ),
        "uploaded_by": key(
            ADDRESS,
            "Who brought it; a judge says who may for whom.",
            "S3-8 S3-9",
            JUDGE,
            required=True,
        ),
    },
)
_MAILBOX = Table(
    "mailbox",
    {
        "name": _NAME,
        "display_name": key(TEXT, "The person's name.", "S2-19", NOT_YET, ""),
        "quota": key(
            QUOTA,
            "Its size; default: the plan's, or the domain's mailbox_storage where smaller.",
            "S2-19 S4-9 S4-10",
            HOSTS,
            UNSAID,
        ),
        "owner": _OWNER,
        "state": key(
            choice("active", "suspended"),
            "A suspended one receives, but nobody logs in.",
            "S1-10 S1-19",
            HOSTS,
            "active",
        ),
        "password": key(
            PASSWORD,
            "Used once, when the mailbox is made; default: a generated one.",
            "S0-21 S2-8 S3-27",
            HOSTS,
        ),
        "credentials": key(
            choice("local", "external"),
            "Whether passwords are kept here; V(external) ones never log in here.",
            "S3-26",
            HOSTS,
            "local",
        ),
        "forward": key(
            _FORWARD,
            "Hands its mail on. The sender stays the sender, so SPF may fail where it arrives; DKIM does not.",
            "S2-22",
            PARTS,
        ),
        "addons": key(
            Many(SLUG), "Its add-ons; the plan says which it may have.", "S2-12", BILL, ()
        ),
        "domain_admin": key(
            TRUTH,
            "Whether its user manages this domain; an admin of the account then.",
            "S4-11",
            JUDGE,
            default=False,
        ),
        "smime": key(_SMIME, "Its S/MIME certificate.", "S3-8 S3-9 S3-32", PARTS),
        "hidden": _HIDDEN,
        **standing_at("mailbox"),
    },
)
_ALIAS = Table(
    "alias",
    {
        "name": _NAME,
        "to": key(Many(RECIPIENT), "Who gets its mail.", "S2-21 S3-28", HOSTS, required=True),
        "owner": _OWNER,
        "may_send": key(
            TRUTH,
            "Whether the tenant's mailboxes behind it may send as it.",
            "S2-21",
            HOSTS,
            default=False,
        ),
        "internal_only": key(
            TRUTH, "Whether only the tenant's own users reach it.", "S2-21", NOT_YET, default=False
        ),
        "hidden": _HIDDEN,
    },
)
_SENDER_ADDRESS = Table(
    "sender address",
    {
        "name": _NAME,
        "mailbox": key(
            RECIPIENT,
            "The mailbox that may send as it, and gets what it receives.",
            "S1-9",
            HOSTS,
            required=True,
        ),
        "owner": _OWNER,
    },
)
_RELAY = Table(
    "relay",
    {
        "host": key(
            DOMAIN,
            "Where the mail goes; one of the estate's approved_hosts.",
            "S3-4 S3-35",
            HOSTS,
            required=True,
        ),
        "port": key(PORT, "Its port.", "S3-4", HOSTS, 25),
        "recipients": key(
            Many(LOCAL), "Who exists there; all others are refused.", "S1-7", HOSTS, required=True
        ),
    },
)

DOMAIN_FILE = Table(
    "<domain>.yml",
    {
        "type": key(
            choice("mail", "relay"),
            "Mailboxes here, or handed on after it was received here.",
            "S1-7",
            HOSTS,
            "mail",
        ),
        "state": key(
            choice("active", "suspended"),
            "Suspending it suspends its mailboxes.",
            "S1-19 S2-5",
            HOSTS,
            "active",
        ),
        "owner": key(
            ADDRESS,
            "The admin on whose account the domain goes; default: the account's default_owner.",
            "S1-12 S1-14",
            LEDGER,
        ),
        "mailboxes": key(Many(_MAILBOX), "Mailboxes.", "S1-10 S2-19", PARTS, ()),
        "aliases": key(Many(_ALIAS), "Addresses that deliver to others.", "S2-21 S3-28", PARTS, ()),
        "sender_addresses": key(
            Many(_SENDER_ADDRESS), "Extra From identities of mailboxes.", "S1-9", PARTS, ()
        ),
        "domain_aliases": key(
            Many(MAIL_DOMAIN),
            "Other names under which every address and login of the domain exists.",
            "S1-8 S2-23",
            HOSTS,
            (),
        ),
        "catch_all": key(
            RECIPIENT,
            "Gets what is addressed to nobody known; needs the plan's feature.",
            "S4-23",
            HOSTS,
        ),
        "relay": key(_RELAY, "For V(type=relay); needs the plan's feature.", "S1-7 S3-4", PARTS),
        **standing_at("domain"),
    },
)
