# SPDX-License-Identifier: GPL-3.0-or-later
"""state/<node>.json: what a node reports. The one file that no person writes.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._scalars import MAIL_DOMAIN, PUBLIC_KEY, SLUG
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import DNS, PARTS, Many, Table, key

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
                        "selector": key(SLUG, "The selector.", "S3-14 S3-18", DNS, required=True),
                        "public": key(PUBLIC_KEY, "The public half.", "S3-7 S3-14 S3-17", DNS, required=True),
                    },
                )
            ),
            "DKIM keys.",
            "S2-28 S3-6",
            PARTS,
            (),
        ),
    },
)
