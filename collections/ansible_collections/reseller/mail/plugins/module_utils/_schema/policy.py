# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys that may stand at several levels: estate → plan → account → domain → mailbox. Sub-keys resolve one by one.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.reseller.mail.plugins.module_utils._model.domain import MailboxLimits
from ansible_collections.reseller.mail.plugins.module_utils._model.values import PROTOCOLS
from ansible_collections.reseller.mail.plugins.module_utils._scalars import (
    COLOUR,
    COUNT,
    DATE,
    DAYS,
    DOMAIN,
    LOCALE,
    MAX_AGE,
    OWNER_NAME,
    RECIPIENT,
    SIEVE,
    TEXT,
    TRUTH,
    URL,
    choice,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import (
    DNS,
    HOSTS,
    NEAREST,
    NOT_YET,
    PAGES,
    PARTS,
    TIGHTER,
    TOGETHER,
    Key,
    Many,
    Table,
    key,
)

LEVELS = ("estate", "plan", "account", "domain", "mailbox")
_STAGE = choice("observe", "test", "quarantine", "reject")
_ALLOWED = choice("allow", "refuse")

_OVERRIDE = Table(
    "override",
    {"reason": key(TEXT, "Why; it stands in the reports.", "S3-16 S3-21", DNS, required=True)},
)

SPF = Table(
    "spf",
    {
        "mode": key(
            choice("delegated", "mx"),
            "V(delegated) includes the provider's record, V(mx) allows the domain's MX hosts.",
            "S0-3 S1-4 S3-13",
            DNS,
            "delegated",
            rule=NEAREST,
        ),
        "include": key(
            Many(OWNER_NAME),
            "Other services that send for the domain.",
            "S1-4 S2-25",
            DNS,
            (),
            rule=NEAREST,
        ),
        "tail": key(
            choice("-all", "~all"),
            "What receivers do with mail from elsewhere; V(-all) whenever the premium relay is on.",
            "S0-4 S3-13",
            DNS,
            "-all",
            rule=NEAREST,
        ),
    },
)
DKIM = Table(
    "dkim",
    {
        "algorithms": key(
            Many(choice("rsa", "ed25519")),
            "What signs: one signature each.",
            "S2-28 S3-14",
            HOSTS,
            ("rsa",),
            rule=NEAREST,
        ),
        "rotate_days": key(
            DAYS,
            "Days after which a new key takes over; default: never by itself.",
            "S2-28",
            HOSTS,
            rule=NEAREST,
        ),
    },
)
DMARC = Table(
    "dmarc",
    {
        "stage": key(
            _STAGE,
            "How strict receivers shall be in the end; published is the highest step that evidence carries (docs/promotion.md).",
            "S3-15 S3-16",
            DNS,
            "observe",
            rule=NEAREST,
        ),
        "reports_to": key(
            RECIPIENT, "Who gets the aggregate reports.", "S3-15 S2-27", DNS, rule=NEAREST
        ),
        "subdomains": key(
            _STAGE, "For subdomains (sp=); default: as the domain.", "S3-16", DNS, rule=NEAREST
        ),
        "nonexistent": key(
            _STAGE,
            "For subdomains that do not exist (np=); default: as the subdomains.",
            "S3-16",
            DNS,
            rule=NEAREST,
        ),
        "since": key(
            DATE,
            "Evidence from before does not count: when senders last changed, say.",
            "S3-16",
            DNS,
            rule=NEAREST,
        ),
        "override": key(
            _OVERRIDE,
            "Publishes the stage at once, whatever the evidence.",
            "S3-16",
            PARTS,
            rule=NEAREST,
        ),
    },
)
MTA_STS = Table(
    "mta_sts",
    {
        "mode": key(
            choice("none", "testing", "enforce"),
            "What senders do in the end when TLS fails; V(enforce) is published once evidence carries it.",
            "S3-19 S3-21",
            HOSTS,
            "testing",
            rule=NEAREST,
        ),
        "max_age": key(MAX_AGE, "How long they remember it.", "S3-19", HOSTS, 86400, rule=NEAREST),
        "override": key(
            _OVERRIDE,
            "Publishes the mode at once, whatever the evidence.",
            "S3-21",
            PARTS,
            rule=NEAREST,
        ),
    },
)
TLS_RPT = Table(
    "tls_rpt",
    {
        "reports_to": key(
            RECIPIENT, "Who gets the reports.", "S3-22", DNS, rule=NEAREST, required=True
        )
    },
)
_FACE = {
    "name": key(TEXT, "What clients see.", "S4-2 S4-8", HOSTS, rule=NEAREST),
    "support_url": key(URL, "Where clients find help.", "S4-22", PAGES, rule=NEAREST),
    "logo": key(URL, "A picture for pages and letters.", "S4-8", NOT_YET, rule=NEAREST),
    "colour": key(COLOUR, "The main colour of pages and letters.", "S4-8", PAGES, rule=NEAREST),
}
BRANDING = Table("branding", _FACE)
BRANDING_OF_DOMAIN = Table(
    "branding",
    {
        "hostname": key(
            DOMAIN,
            "What mail programs connect to instead of the node; below one of the tenant's domains or domain aliases.",
            "S4-2 S4-4 S4-6",
            HOSTS,
        ),
        **_FACE,
    },
)
SUSPENSION = Table(
    "suspension",
    {
        "inbound": key(
            choice("accept", "defer", "hold", "reject"),
            "What becomes of mail that arrives.",
            "S2-5",
            NOT_YET,
            "accept",
            rule=NEAREST,
        ),
        "login": key(
            _ALLOWED, "Whether users read their mail.", "S2-5", NOT_YET, "refuse", rule=NEAREST
        ),
        "submission": key(_ALLOWED, "Whether users send.", "S2-5", NOT_YET, "refuse", rule=NEAREST),
    },
)
RATE_LIMITS = Table(
    "rate_limits",
    {
        "messages_per_hour": key(
            COUNT, "Messages that one mailbox may send in an hour.", "S2-3", NOT_YET, rule=TIGHTER
        ),
        "recipients_per_message": key(
            COUNT, "Recipients that one message may have.", "S2-3", NOT_YET, rule=TIGHTER
        ),
    },
)

MAILBOX_LIMITS = Table(
    "mailbox_limits",
    {
        "messages": key(
            COUNT,
            "Messages in all of its folders.",
            "S2-19 S4-9",
            HOSTS,
            MailboxLimits().messages,
            rule=TIGHTER,
        ),
        "folders": key(
            COUNT,
            "Folders, INBOX counted. Not held on Debian 12, whose Dovecot has no such limit.",
            "S2-19 S4-9",
            HOSTS,
            MailboxLimits().folders,
            rule=TIGHTER,
        ),
    },
)


@dataclass(frozen=True, slots=True)
class Cascade:
    """A key and the levels that it may stand at."""

    key: Key
    levels: tuple[str, ...]


def _table(table: Table, doc: str, rows: str, levels: tuple[str, ...]) -> Cascade:
    rules = {sub.rule for sub in table.keys.values() if sub.rule}
    return Cascade(key(table, doc, rows, PARTS, rule=rules.pop()), levels)


_TO_DOMAIN = LEVELS[:4]
_TO_ACCOUNT = LEVELS[:3]

CASCADES: dict[str, Cascade] = {
    "locale": Cascade(
        key(LOCALE, "The language of pages and letters.", "S2-34", PAGES, "en", rule=NEAREST),
        LEVELS,
    ),
    "protocols": Cascade(
        key(
            Many(choice(*PROTOCOLS)),
            "What mailboxes may be used with, within the plan's protocols; default: those.",
            "S2-17 S2-19",
            NOT_YET,
            rule=NEAREST,
        ),
        LEVELS,
    ),
    "rate_limits": _table(
        RATE_LIMITS,
        "How much a mailbox may send; what nobody limits only the platform does.",
        "S2-3",
        LEVELS,
    ),
    "mailbox_limits": _table(
        MAILBOX_LIMITS,
        "How much a mailbox may hold besides its quota's bytes.",
        "S2-19 S4-9",
        LEVELS,
    ),
    "sieve": Cascade(
        key(
            SIEVE,
            "A Sieve script that filters what arrives; scripts of all levels run one after the other.",
            "S4-19",
            NOT_YET,
            rule=TOGETHER,
        ),
        ("estate", "account", "domain", "mailbox"),
    ),
    "spf": _table(SPF, "SPF (RFC 7208).", "S0-3 S3-13", _TO_DOMAIN),
    "dkim": _table(DKIM, "DKIM (RFC 6376).", "S2-28", _TO_DOMAIN),
    "dmarc": _table(DMARC, "DMARC (RFC 9989).", "S3-15 S3-16", _TO_DOMAIN),
    "mta_sts": _table(
        MTA_STS,
        "MTA-STS (RFC 8461); where no level has it no policy is published.",
        "S3-19",
        _TO_DOMAIN,
    ),
    "tls_rpt": _table(
        TLS_RPT,
        "TLS reports (RFC 8460); where no level has it none are asked for.",
        "S3-22",
        _TO_DOMAIN,
    ),
    "autodiscover": Cascade(
        key(
            TRUTH,
            "Whether mail programs find their settings by the domain.",
            "S2-26",
            HOSTS,
            default=True,
            rule=NEAREST,
        ),
        _TO_DOMAIN,
    ),
    "branding": _table(
        BRANDING,
        "The tenant's own face; in a domain's file it needs the plan's feature.",
        "S4-2",
        _TO_DOMAIN,
    ),
    "suspension": _table(SUSPENSION, "What suspending means.", "S2-5 S2-6", _TO_ACCOUNT),
    "retention": Cascade(
        key(
            DAYS,
            "Days for which a terminated tenant's data is kept.",
            "S1-24 S2-7",
            NOT_YET,
            30,
            rule=NEAREST,
        ),
        _TO_ACCOUNT,
    ),
    "premium_relay": Cascade(
        key(
            TRUTH,
            "Whether outgoing mail leaves by the estate's premium relay.",
            "S0-4 S0-5",
            NOT_YET,
            default=False,
            rule=NEAREST,
        ),
        ("plan", "account"),
    ),
}


def standing_at(level: str) -> dict[str, Key]:
    """The cascading keys that may stand at a level."""
    found = {name: cascade.key for name, cascade in CASCADES.items() if level in cascade.levels}
    if level == "domain":
        found["branding"] = key(
            BRANDING_OF_DOMAIN, found["branding"].doc, "S4-2 S4-4", PARTS, rule=NEAREST
        )
    return found


def defaults(level: str, whose: str) -> t.Any:
    """The key ``defaults`` of a level."""
    return key(
        Table("defaults", standing_at(level)),
        f"What holds for {whose}, where nothing nearer says otherwise.",
        "S1-19 S4-2",
        PARTS,
    )
