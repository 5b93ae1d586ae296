# SPDX-License-Identifier: GPL-3.0-or-later
"""state/<node>.json: what a node reports. state/promoted_domains.json: how far evidence has carried domains. No person writes them.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._dkim import ALGORITHMS, STATES
from ansible_collections.reseller.mail.plugins.module_utils._promotion import LADDERS
from ansible_collections.reseller.mail.plugins.module_utils._scalars import (
    DATE,
    DIGEST,
    DOMAIN,
    MAIL_DOMAIN,
    MOMENT,
    PUBLIC_KEY,
    SELECTOR,
    SLUG,
    choice,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import (
    DNS,
    HOSTS,
    PARTS,
    Many,
    Table,
    key,
)

STATE = Table(
    "state/<node>.json",
    {
        "node": key(SLUG, "The node that reported it.", "S3-6 S3-7", DNS),
        "dkim": key(
            Many(
                Table(
                    "key",
                    {
                        "domain": key(MAIL_DOMAIN, "Whose key.", "S3-7", DNS, required=True),
                        "selector": key(
                            SELECTOR, "The selector.", "S3-14 S3-18", DNS, required=True
                        ),
                        "public": key(
                            PUBLIC_KEY, "The public half.", "S3-7 S3-14 S3-17", DNS, required=True
                        ),
                        "algorithm": key(
                            choice(*ALGORITHMS), "What it signs with.", "S2-28 S3-14", DNS, "rsa"
                        ),
                        "state": key(
                            choice(*STATES),
                            "Where it is in its life; the active ones sign.",
                            "S2-28",
                            HOSTS,
                            "active",
                        ),
                        "since": key(MOMENT, "When it came into that state.", "S2-28", DNS, ""),
                    },
                )
            ),
            "DKIM keys.",
            "S2-28 S3-6",
            PARTS,
            (),
        ),
        "tls": key(
            Many(
                Table(
                    "tls key",
                    {
                        "name": key(
                            DOMAIN,
                            "The host name that the certificate is for.",
                            "S4-6",
                            DNS,
                            required=True,
                        ),
                        "current": key(DIGEST, "The key in service.", "S4-6", DNS, required=True),
                        "next": key(DIGEST, "The key that comes next.", "S4-6", DNS, ""),
                    },
                )
            ),
            "Keys of certificates, for TLSA records.",
            "S4-6",
            PARTS,
            (),
        ),
    },
)

PROMOTED = Table(
    "state/promoted_domains.json",
    {
        "promoted": key(
            Many(
                Table(
                    "step",
                    {
                        "domain": key(
                            MAIL_DOMAIN, "Whose policy.", "S3-16 S3-21", DNS, required=True
                        ),
                        "tenant": key(
                            SLUG,
                            "Whose domain it was; another's begins anew.",
                            "S3-16",
                            DNS,
                            required=True,
                        ),
                        "policy": key(
                            choice(*LADDERS),
                            "Which of its policies.",
                            "S3-16 S3-21",
                            DNS,
                            required=True,
                        ),
                        "step": key(
                            choice(
                                *dict.fromkeys(step for steps in LADDERS.values() for step in steps)
                            ),
                            "The highest step that evidence carries; the files' target may be lower, and then counts.",
                            "S3-16 S3-21",
                            DNS,
                            required=True,
                        ),
                        "since": key(
                            DATE,
                            "Evidence for the next step counts from the day after.",
                            "S3-16 S3-21",
                            DNS,
                            required=True,
                        ),
                    },
                )
            ),
            "Steps, as the playbook reseller.mail.promote wrote them.",
            "S3-16 S3-21",
            PARTS,
            (),
        ),
    },
)
