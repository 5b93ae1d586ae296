# SPDX-License-Identifier: GPL-3.0-or-later
"""state/<node>.json: what a node reports. The one file that no person writes.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._dkim import ALGORITHMS, STATES
from ansible_collections.reseller.mail.plugins.module_utils._scalars import DIGEST, DOMAIN, MAIL_DOMAIN, MOMENT, PUBLIC_KEY, SELECTOR, SLUG, choice
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import DNS, HOSTS, PARTS, Many, Table, key

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
                        "selector": key(SELECTOR, "The selector.", "S3-14 S3-18", DNS, required=True),
                        "public": key(PUBLIC_KEY, "The public half.", "S3-7 S3-14 S3-17", DNS, required=True),
                        "algorithm": key(choice(*ALGORITHMS), "What it signs with.", "S2-28 S3-14", DNS, "rsa"),
                        "state": key(choice(*STATES), "Where it is in its life; the active ones sign.", "S2-28", HOSTS, "active"),
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
                        "name": key(DOMAIN, "The host name that the certificate is for.", "S4-6", DNS, required=True),
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
