# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys that several levels can set: estate → plan → account → domain → mailbox.

Each key of a table is looked up on its own.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._model.domain import Dkim, MailboxLimits, MtaSts, Spf
from ..._model.spam import DEFAULT
from ..._model.values import PROTOCOLS
from ..ladders import LADDERS
from ..scalars import (
    COLOUR,
    COUNT,
    DATE,
    DAYS,
    DOMAIN,
    LOCALE,
    MAX_AGE,
    OWNER_NAME,
    RECIPIENT,
    SCORE,
    SENDER,
    SENDER_OR_NETWORK,
    SIEVE,
    SLUG,
    TEXT,
    TRUTH,
    URL,
    Scalar,
    choice,
)
from .kinds import (
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
from .suspension import SUSPENSION

LEVELS = ("estate", "plan", "account", "domain", "mailbox")
_STAGE = choice(*LADDERS["dmarc"])

_OVERRIDE = Table(
    "override",
    {
        "reason": key(
            TEXT,
            "Why the target is published without evidence. The reports of verify show it.",
            "S3-16 S3-21",
            DNS,
            required=True,
        )
    },
)

SPF = Table(
    "spf",
    {
        "mode": key(
            choice("delegated", "mx"),
            "V(delegated): the SPF record includes that of the provider. V(mx): it lists the MX"
            " hosts of the domain.",
            "S0-3 S1-4 S3-13",
            DNS,
            Spf().mode,
            rule=NEAREST,
        ),
        "include": key(
            Many(OWNER_NAME),
            "Names of other services whose SPF records are included, because they send for the"
            " domain.",
            "S1-4 S2-25",
            DNS,
            (),
            rule=NEAREST,
        ),
        "tail": key(
            choice("-all", "~all"),
            "The end of the SPF record. V(-all): receivers refuse mail from other hosts. V(~all):"
            " they only suspect it. With the premium relay it is always V(-all).",
            "S0-4 S3-13",
            DNS,
            Spf().tail,
            rule=NEAREST,
        ),
    },
)
DKIM = Table(
    "dkim",
    {
        "algorithms": key(
            Many(choice("rsa", "ed25519")),
            "The kinds of keys that sign the mail, one signature each. V(rsa) must be among them.",
            "S2-28 S3-14",
            HOSTS,
            Dkim().algorithms,
            rule=NEAREST,
        ),
        "rotate_days": key(
            DAYS,
            "The age of a key, in days, after which a new one replaces it. Without it keys are not"
            " replaced by age.",
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
            "The target: how strict the policy becomes. It is published step by step, each step"
            " when there is enough evidence (docs/promotion.md).",
            "S3-15 S3-16",
            DNS,
            "observe",
            rule=NEAREST,
        ),
        "reports_to": key(
            RECIPIENT,
            "The address that gets the aggregate reports (rua). Without it the record asks for"
            " none.",
            "S3-15 S2-27",
            DNS,
            rule=NEAREST,
        ),
        "subdomains": key(
            _STAGE,
            "The target for subdomains (sp). Without it: as for the domain.",
            "S3-16",
            DNS,
            rule=NEAREST,
        ),
        "nonexistent": key(
            _STAGE,
            "The target for subdomains that do not exist (np). Without it: as for subdomains.",
            "S3-16",
            DNS,
            rule=NEAREST,
        ),
        "since": key(
            DATE,
            "Evidence before this day does not count. Set it to the day on which the senders of the"
            " domain last changed.",
            "S3-16",
            DNS,
            rule=NEAREST,
        ),
        "override": key(
            _OVERRIDE,
            "Publishes the target at once, without evidence.",
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
            choice(*LADDERS["mta_sts"]),
            "The target: what senders do if TLS fails. V(testing): they deliver and report it."
            " V(enforce): they do not deliver; this is published when there is enough evidence."
            " V(none): the policy asks for nothing, which ends an earlier one.",
            "S3-19 S3-21",
            HOSTS,
            MtaSts().mode,
            rule=NEAREST,
        ),
        "max_age": key(
            MAX_AGE,
            "How long senders keep the policy, in seconds.",
            "S3-19",
            HOSTS,
            MtaSts().max_age,
            rule=NEAREST,
        ),
        "override": key(
            _OVERRIDE,
            "Publishes the target at once, without evidence.",
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
            RECIPIENT,
            "The address that gets the TLS reports.",
            "S3-22",
            DNS,
            rule=NEAREST,
            required=True,
        )
    },
)
_FACE = {
    "name": key(
        TEXT,
        "The name of the service that mail programs and settings pages show. Without it: the name"
        " of the provider.",
        "S4-2 S4-8",
        HOSTS,
        rule=NEAREST,
    ),
    "support_url": key(
        URL,
        "The link to help on settings pages. Without it: support_url of the provider.",
        "S4-22",
        PAGES,
        rule=NEAREST,
    ),
    "logo": key(
        URL,
        "The address of a logo. It is never fetched; settings pages show a file of the provider.",
        "S4-8",
        NOT_YET,
        rule=NEAREST,
    ),
    "colour": key(COLOUR, "The main colour of settings pages.", "S4-8", PAGES, rule=NEAREST),
}
BRANDING = Table("branding", _FACE)
BRANDING_OF_DOMAIN = Table(
    "branding",
    {
        "hostname": key(
            DOMAIN,
            "The name that mail programs connect to instead of the name of the node. It is below a"
            " domain or domain alias of the tenant, and gets DNS records and a certificate.",
            "S4-2 S4-4 S4-6",
            HOSTS,
        ),
        **_FACE,
    },
)
RATE_LIMITS = Table(
    "rate_limits",
    {
        "messages_per_hour": key(
            COUNT,
            "The largest number of messages that one mailbox may send within 60 minutes. A message"
            " counts once, however many recipients it has and wherever they are. See"
            " docs/sending_limits.md.",
            "S2-3",
            HOSTS,
            rule=TIGHTER,
        ),
        "recipients_per_message": key(
            COUNT,
            "The largest number of recipients of one message that a user submits.",
            "S2-3",
            HOSTS,
            rule=TIGHTER,
        ),
    },
)

MAILBOX_LIMITS = Table(
    "mailbox_limits",
    {
        "messages": key(
            COUNT,
            "The largest number of messages in all folders of a mailbox together.",
            "S2-19 S4-9",
            HOSTS,
            MailboxLimits().messages,
            rule=TIGHTER,
        ),
        "folders": key(
            COUNT,
            "The largest number of folders of a mailbox, including INBOX. Debian 12 does not"
            " enforce it, because its Dovecot has no such limit.",
            "S2-19 S4-9",
            HOSTS,
            MailboxLimits().folders,
            rule=TIGHTER,
        ),
    },
)


def _spam(sender: Scalar) -> Table:
    """Return the keys of ``spam``. ``sender`` is the kind of the entries of its lists."""
    return Table(
        "spam",
        {
            "junk": key(
                SCORE,
                "From this score on, mail is filed into the folder Junk. V(never): no score does"
                " that.",
                "X-1",
                HOSTS,
                DEFAULT.junk,
                rule=NEAREST,
            ),
            "reject": key(
                SCORE,
                "From this score on, mail is refused while it is received, if all its recipients"
                " refuse it. V(never): no score does that.",
                "X-1",
                HOSTS,
                DEFAULT.reject,
                rule=NEAREST,
            ),
            "greylist": key(
                SCORE,
                "From this score on, mail of an unknown sender is refused until the sender tries"
                " again some minutes later, as mail servers do and many spammers do not. V(never):"
                " no score does that.",
                "X-1",
                HOSTS,
                DEFAULT.greylist,
                rule=NEAREST,
            ),
            "allow": key(
                Many(sender),
                "Senders whose mail is neither refused nor filed into Junk. They count only if SPF"
                " or DKIM proves them. In estate.yml also networks. Of all levels whose lists have"
                " the sender, the nearest decides.",
                "X-1",
                HOSTS,
                (),
                rule=TOGETHER,
            ),
            "block": key(
                Many(sender),
                "Senders whose mail is refused, or filed into Junk if other recipients of the"
                " message do not block them. In estate.yml also networks. Of all levels whose lists"
                " have the sender, the nearest decides.",
                "X-1",
                HOSTS,
                (),
                rule=TOGETHER,
            ),
        },
    )


SPAM = _spam(SENDER)
SPAM_OF_ESTATE = _spam(SENDER_OR_NETWORK)


@dataclass(frozen=True, slots=True)
class Cascade:
    """One key and the levels that can set it."""

    key: Key
    levels: tuple[str, ...]


def _table(table: Table, doc: str, rows: str, levels: tuple[str, ...]) -> Cascade:
    """Return a cascading key with a table. Its rule is that of the first key of the table."""
    rule = next(sub.rule for sub in table.keys.values() if sub.rule)
    return Cascade(key(table, doc, rows, PARTS, rule=rule), levels)


_TO_DOMAIN = LEVELS[:4]
_TO_ACCOUNT = LEVELS[:3]

CASCADES: dict[str, Cascade] = {
    "locale": Cascade(
        key(
            LOCALE,
            "The language that settings pages show first.",
            "S2-34",
            PAGES,
            "en",
            rule=NEAREST,
        ),
        LEVELS,
    ),
    "protocols": Cascade(
        key(
            Many(choice(*PROTOCOLS)),
            "The protocols with which users may log in, among those of the plan. Hosts refuse the"
            " others like a wrong password. SRV records, settings for mail programs and settings"
            " pages list those of the domain. Without it: all protocols of the plan.",
            "S2-17 S2-19",
            HOSTS,
            rule=NEAREST,
        ),
        LEVELS,
    ),
    "rate_limits": _table(
        RATE_LIMITS,
        "How much a mailbox may send. What no level sets is limited by the platform only.",
        "S2-3",
        LEVELS,
    ),
    "mailbox_limits": _table(
        MAILBOX_LIMITS,
        "How much a mailbox may hold, in addition to its quota.",
        "S2-19 S4-9",
        LEVELS,
    ),
    "spam": _table(
        SPAM,
        "From which score on mail is spam, and senders that are allowed or blocked, on nodes with"
        " the spam filter. See docs/spam.md. In the file of a domain it needs the plan's features"
        " spam_scores and spam_lists.",
        "X-1",
        LEVELS,
    ),
    "sieve": Cascade(
        key(
            SIEVE,
            "A Sieve script (RFC 5228) that filters mail as it arrives. The scripts of all levels"
            " run one after the other, before the user's own.",
            "S4-19",
            HOSTS,
            rule=TOGETHER,
        ),
        ("estate", "account", "domain", "mailbox"),
    ),
    "spf": _table(
        SPF,
        "SPF (RFC 7208): the record that lists who may send for the domain.",
        "S0-3 S3-13",
        _TO_DOMAIN,
    ),
    "dkim": _table(DKIM, "DKIM (RFC 6376): the keys that sign outgoing mail.", "S2-28", _TO_DOMAIN),
    "dmarc": _table(
        DMARC,
        "DMARC (RFC 9989): what receivers do with mail that passes neither SPF nor DKIM for the"
        " domain in From.",
        "S3-15 S3-16",
        _TO_DOMAIN,
    ),
    "mta_sts": _table(
        MTA_STS,
        "MTA-STS (RFC 8461): a policy that makes senders use verified TLS. If no level sets it, no"
        " policy is published.",
        "S3-19",
        _TO_DOMAIN,
    ),
    "tls_rpt": _table(
        TLS_RPT,
        "TLS reports (RFC 8460): other servers report whether TLS to the domain worked. If no level"
        " sets it, no record asks for them.",
        "S3-22",
        _TO_DOMAIN,
    ),
    "autodiscover": Cascade(
        key(
            TRUTH,
            "Whether mail programs find their settings by the domain: the names autoconfig and"
            " autodiscover, their certificates and the answers there.",
            "S2-26",
            HOSTS,
            default=True,
            rule=NEAREST,
        ),
        _TO_DOMAIN,
    ),
    "branding": _table(
        BRANDING,
        "The name, colour and links that clients see instead of the provider's. In the file of a"
        " domain it needs the plan's feature.",
        "S4-2",
        _TO_DOMAIN,
    ),
    "suspension": _table(
        SUSPENSION,
        "What suspended tenants, domains and mailboxes can still do. A level that names a profile"
        " leaves nothing of the levels above it. If several of tenant, domain and mailbox are"
        " suspended, the strictest value of each key applies: see docs/suspension.md.",
        "S2-5 S2-6",
        LEVELS,
    ),
    "retention": Cascade(
        key(
            DAYS,
            "For how many days mail and passwords are kept when the tenant is terminated, or when a"
            " mailbox, a domain or the tenant leaves the files. The value of that day counts. Then"
            " they are deleted: see docs/termination.md.",
            "S1-24 S2-7",
            HOSTS,
            30,
            rule=NEAREST,
        ),
        _TO_ACCOUNT,
    ),
    "premium_relay": Cascade(
        key(
            TRUTH,
            "Whether the tenant's outgoing mail leaves through the premium relay of the estate. SPF"
            " records name the relay. O(levels.outgoing_relay) of any level wins.",
            "S0-4 S0-5",
            HOSTS,
            default=False,
            rule=NEAREST,
        ),
        ("plan", "account"),
    ),
    "outgoing_relay": Cascade(
        key(
            SLUG,
            "The relay through which outgoing mail leaves: one of O(estate.relays), or V(premium)."
            " SPF records name the relay. Mail between domains of the estate does not use it.",
            "S0-5 S2-3",
            HOSTS,
            rule=NEAREST,
        ),
        ("plan", "account", "domain"),
    ),
}


def standing_at(level: str) -> dict[str, Key]:
    """Return the cascading keys that a level can set, by name."""
    found = {name: cascade.key for name, cascade in CASCADES.items() if level in cascade.levels}
    if level == "domain":
        found["branding"] = key(
            BRANDING_OF_DOMAIN, found["branding"].doc, "S4-2 S4-4", PARTS, rule=NEAREST
        )
    if level == "estate":
        found["spam"] = key(SPAM_OF_ESTATE, found["spam"].doc, "X-1", PARTS, rule=NEAREST)
    return found


def defaults(level: str, whose: str) -> t.Any:
    """Return the key ``defaults`` of a level. ``whose`` names the things that it applies to."""
    return key(
        Table("defaults", standing_at(level)),
        f"Values for {whose}. A nearer level can set others: see keys of several levels.",
        "S1-19 S4-2",
        PARTS,
    )
