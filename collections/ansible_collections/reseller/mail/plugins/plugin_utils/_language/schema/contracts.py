# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of the file of contracts, which the playbook welcome reads.

PRIVATE to the collection. Data. The file is not part of an estate: the billing system writes it.
"""

from __future__ import annotations

from ..scalars import CURRENCY, DATE, MONEY, SLUG, TEXT, choice
from .kinds import PAGES, Many, Table, key

CYCLES = ("monthly", "quarterly", "half_yearly", "yearly")

CONTRACT = Table(
    "contract",
    {
        "tenant": key(
            SLUG,
            "The tenant, by the name of its folder.",
            "S0-20",
            PAGES,
            required=True,
        ),
        "client": key(
            TEXT,
            "The person or organisation that the letter is for. Without it: organisation of the"
            " account.",
            "S0-20",
            PAGES,
        ),
        "product": key(TEXT, "What the client has ordered.", "S0-20", PAGES),
        "amount": key(MONEY, "What one billing cycle costs.", "S0-20", PAGES),
        "currency": key(
            CURRENCY,
            "The currency of the amount. Without it: billing.currency of the estate.",
            "S0-20",
            PAGES,
        ),
        "cycle": key(choice(*CYCLES), "How often the client pays.", "S0-20", PAGES),
        "payment": key(TEXT, "How the client pays.", "S0-20", PAGES),
        "due": key(DATE, "When the next payment is due.", "S0-20", PAGES),
    },
)

CONTRACTS = Table(
    "contracts.yml",
    {
        "contracts": key(
            Many(CONTRACT), "The contracts, at most one for a tenant.", "S0-20", PAGES, ()
        )
    },
)
