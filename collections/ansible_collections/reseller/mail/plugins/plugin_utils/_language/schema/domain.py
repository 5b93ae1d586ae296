# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of <domain>.yml: what the tenant decides about a domain.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ..scalars import (
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
from .kinds import BILL, HOSTS, LEDGER, NOT_YET, PARTS, UNSET, VALIDATE, Many, Table, key
from .policy import standing_at

_NAME = key(LOCAL, "The part of the address before the @.", "S2-19", HOSTS, required=True)
_OWNER = key(
    ADDRESS,
    "The admin to whom it is charged. Without it: the owner of the domain.",
    "S1-12 S1-13",
    LEDGER,
)
_HIDDEN = key(
    TRUTH, "Whether the tenant's address book leaves it out.", "S2-21", HOSTS, default=False
)

_FORWARD = Table(
    "forward",
    {
        "to": key(
            Many(RECIPIENT), "The addresses that get the mail.", "S2-22", HOSTS, required=True
        ),
        "keep_copy": key(TRUTH, "Whether the mailbox keeps a copy.", "S2-22", HOSTS, default=True),
        "skip_spam": key(
            TRUTH,
            "Whether spam stays in the folder Junk of the mailbox and is not forwarded. Other mail"
            " is forwarded after the scripts of O(sieve) and the other levels.",
            "S2-22",
            HOSTS,
            default=False,
        ),
    },
)
_SMIME = Table(
    "smime",
    {
        "certificate": key(
            CERTIFICATE,
            "The certificate of the user. Playbook diagnose examines it. Never write a private key"
            " into the files.",
            "S3-8 S3-30 S3-32",
            NOT_YET,
            required=True,
        ),
        "uploaded_by": key(
            ADDRESS,
            "The person who supplied the certificate: a super_admin for every user; a tenant_admin"
            " for itself and for users who are not admins.",
            "S3-8 S3-9",
            VALIDATE,
            required=True,
        ),
    },
)
_MAILBOX = Table(
    "mailbox",
    {
        "name": _NAME,
        "display_name": key(
            TEXT,
            "The name of the user. It is in the tenant's address book. A submission whose From has"
            " the address of the mailbox and no name gets it.",
            "S2-19",
            HOSTS,
            "",
        ),
        "quota": key(
            QUOTA,
            "The largest size of the mailbox. Dovecot refuses mail above it. Without it: the"
            " default of the plan, or mailbox_storage of the domain if that is smaller.",
            "S2-19 S4-9 S4-10",
            HOSTS,
            UNSET,
        ),
        "owner": _OWNER,
        "state": key(
            choice("active", "suspended"),
            "V(suspended): O(suspension) says what the mailbox can still do.",
            "S1-10 S1-19",
            HOSTS,
            "active",
        ),
        "password": key(
            PASSWORD,
            "The initial password: a vaulted password or a hash. It is used once, when the mailbox"
            " is created; later the node keeps the user's own. Without it the node generates one.",
            "S0-21 S2-8 S3-27",
            HOSTS,
        ),
        "credentials": key(
            choice("local", "external"),
            "V(local): the node keeps the password. V(external): the user has a login elsewhere and"
            " none on the node.",
            "S3-26",
            HOSTS,
            "local",
        ),
        "forward": key(
            _FORWARD,
            "Sends the mail of the mailbox on. The envelope sender of mail from elsewhere becomes"
            " an SRS address of the node, so SPF passes at the receiver (docs/outgoing.md). DKIM"
            " signatures stay valid.",
            "S2-22",
            PARTS,
        ),
        "addons": key(
            Many(SLUG),
            "The add-ons that are billed for the mailbox. The plan must offer them.",
            "S2-12",
            BILL,
            (),
        ),
        "domain_admin": key(
            TRUTH,
            "Whether the user may edit this domain, as a domain_admin of the tenant.",
            "S4-11",
            VALIDATE,
            default=False,
        ),
        "smime": key(_SMIME, "The S/MIME certificate of the user.", "S3-8 S3-9 S3-32", PARTS),
        "hidden": _HIDDEN,
        **standing_at("mailbox"),
    },
)
_ALIAS = Table(
    "alias",
    {
        "name": _NAME,
        "to": key(
            Many(RECIPIENT), "The addresses that get the mail.", "S2-21 S3-28", HOSTS, required=True
        ),
        "owner": _OWNER,
        "may_send": key(
            TRUTH,
            "Whether mailboxes of the tenant that get its mail may also send with its address.",
            "S2-21",
            HOSTS,
            default=False,
        ),
        "internal_only": key(
            TRUTH,
            "Whether only users of the tenant may write to it, after a login. Everybody else is"
            " refused. Only aliases of the tenant may have it as a target.",
            "S2-21",
            HOSTS,
            default=False,
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
            "The mailbox that may send with this address, and that gets the mail to it.",
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
            "The server that gets the mail: one of O(estate.approved_hosts).",
            "S3-4 S3-35",
            HOSTS,
            required=True,
        ),
        "port": key(PORT, "The port of the server.", "S3-4", HOSTS, 25),
        "recipients": key(
            Many(LOCAL),
            "The local parts that exist on the server. Mail to all others is refused.",
            "S1-7",
            HOSTS,
            required=True,
        ),
    },
)

DOMAIN_FILE = Table(
    "<domain>.yml",
    {
        "type": key(
            choice("mail", "relay"),
            "V(mail): the domain has its mailboxes on the node. V(relay): the node receives its"
            " mail and sends it to another server.",
            "S1-7",
            HOSTS,
            "mail",
        ),
        "state": key(
            choice("active", "suspended"),
            "V(suspended): O(suspension) says what all mailboxes of the domain can still do.",
            "S1-19 S2-5",
            HOSTS,
            "active",
        ),
        "owner": key(
            ADDRESS,
            "The admin to whom the domain is charged. Without it: default_owner of the account.",
            "S1-12 S1-14",
            LEDGER,
        ),
        "mailboxes": key(Many(_MAILBOX), "The mailboxes of the domain.", "S1-10 S2-19", PARTS, ()),
        "aliases": key(
            Many(_ALIAS),
            "Addresses without a mailbox, which deliver to other addresses.",
            "S2-21 S3-28",
            PARTS,
            (),
        ),
        "sender_addresses": key(
            Many(_SENDER_ADDRESS), "Additional From addresses of mailboxes.", "S1-9", PARTS, ()
        ),
        "domain_aliases": key(
            Many(MAIL_DOMAIN, placed=True),
            "Other names of the domain. Every address and every login of the domain works under"
            " them, too.",
            "S1-8 S2-23",
            HOSTS,
            (),
        ),
        "catch_all": key(
            RECIPIENT,
            "The address that gets mail to unknown addresses of the domain. Needs the plan's"
            " feature. Without it such mail is refused.",
            "S4-23",
            HOSTS,
        ),
        "relay": key(
            _RELAY,
            "The server that gets the mail of a domain with V(type=relay). Needs the plan's"
            " feature.",
            "S1-7 S3-4",
            PARTS,
        ),
        **standing_at("domain"),
    },
)
