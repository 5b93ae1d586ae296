# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the files in state/, which playbooks write: node reports and the steps of promotion.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._host.keys.key_names import (
    ALGORITHMS,
    STATES,
)

from ..ladders import LADDERS
from ..scalars import (
    DATE,
    DIGEST,
    DOMAIN,
    MAIL_DOMAIN,
    PUBLIC_KEY,
    SELECTOR,
    SLUG,
    TIMESTAMP,
    choice,
)
from .kinds import DNS, HOSTS, PARTS, Many, Table, key

STATE = Table(
    "state/<node>.json",
    {
        "node": key(SLUG, "The node that the report is from.", "S3-6 S3-7", DNS),
        "dkim": key(
            Many(
                Table(
                    "key",
                    {
                        "domain": key(
                            MAIL_DOMAIN,
                            "The domain that the key signs for.",
                            "S3-7",
                            DNS,
                            required=True,
                        ),
                        "selector": key(
                            SELECTOR, "The selector of the key.", "S3-14 S3-18", DNS, required=True
                        ),
                        "public": key(
                            PUBLIC_KEY,
                            "The public key, as DNS publishes it.",
                            "S3-7 S3-14 S3-17",
                            DNS,
                            required=True,
                        ),
                        "algorithm": key(
                            choice(*ALGORITHMS),
                            "The algorithm of the key.",
                            "S2-28 S3-14",
                            DNS,
                            "rsa",
                        ),
                        "state": key(
                            choice(*STATES),
                            "The state of the key, from generated to removed (docs/dkim.md). Only"
                            " V(active) keys sign.",
                            "S2-28",
                            HOSTS,
                            "active",
                        ),
                        "since": key(
                            TIMESTAMP,
                            "Since when the key has this state, in UTC.",
                            "S2-28",
                            DNS,
                            "",
                        ),
                    },
                )
            ),
            "The DKIM keys of the node.",
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
                            "The host name in the certificate.",
                            "S4-6",
                            DNS,
                            required=True,
                        ),
                        "current": key(
                            DIGEST,
                            "The key that the certificate has now.",
                            "S4-6",
                            DNS,
                            required=True,
                        ),
                        "next": key(
                            DIGEST, "The key that the next certificate gets.", "S4-6", DNS, ""
                        ),
                    },
                )
            ),
            "The TLS keys of the node, from which TLSA records are made.",
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
                            MAIL_DOMAIN,
                            "The domain with the policy.",
                            "S3-16 S3-21",
                            DNS,
                            required=True,
                        ),
                        "tenant": key(
                            SLUG,
                            "The tenant that had the domain. If another tenant gets the domain, it"
                            " begins with the first step.",
                            "S3-16",
                            DNS,
                            required=True,
                        ),
                        "policy": key(
                            choice(*LADDERS),
                            "Which policy the step is of: DMARC or MTA-STS.",
                            "S3-16 S3-21",
                            DNS,
                            required=True,
                        ),
                        "step": key(
                            choice(
                                *dict.fromkeys(step for steps in LADDERS.values() for step in steps)
                            ),
                            "The highest step for which there was enough evidence. A lower target"
                            " in the files is published instead.",
                            "S3-16 S3-21",
                            DNS,
                            required=True,
                        ),
                        "since": key(
                            DATE,
                            "The day of the step. Evidence for the next step counts from the day"
                            " after.",
                            "S3-16 S3-21",
                            DNS,
                            required=True,
                        ),
                    },
                )
            ),
            "The steps that the playbook reseller.mail.promote made.",
            "S3-16 S3-21",
            PARTS,
            (),
        ),
    },
)
