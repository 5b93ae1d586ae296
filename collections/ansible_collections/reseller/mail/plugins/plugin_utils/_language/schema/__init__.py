# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of the estate's files: each key, its type, default, requirements and effect.

PRIVATE to the collection. Data. It is the one source of validation, of docs/language.md and of the
editors' schemas. Each file of the estate has one file here. ``policy`` has the keys that several
levels can set.
"""

from __future__ import annotations

from ..._model.values import PROTOCOLS
from .account import ACCOUNT, STATES
from .contracts import CONTRACTS, CYCLES
from .domain import DOMAIN_FILE
from .estate import ESTATE, FEATURES, PLANS, ROLES
from .kinds import ACTS, NOT_YET, PARTS, UNSET, Key, Many, Table, Type, item_type
from .policy import CASCADES, LEVELS
from .state import PROMOTED, STATE

__all__ = (
    "ACCOUNT", "ACTS", "CASCADES", "CONTRACTS", "CYCLES", "DOMAIN_FILE", "ESTATE", "FEATURES",
    "FILES", "LEVELS",
    "NOT_YET", "PARTS", "PLANS", "PROMOTED", "PROTOCOLS", "ROLES",
    "STATE", "STATES", "UNSET", "Key", "Many", "Table", "Type", "item_type",
)  # fmt: skip

FILES = {
    "estate.yml": ESTATE,
    "plans.yml": PLANS,
    "account.yml": ACCOUNT,
    "<domain>.yml": DOMAIN_FILE,
    "state/<node>.json": STATE,
    "state/promoted_domains.json": PROMOTED,
}
"""Kind of file → its table."""
