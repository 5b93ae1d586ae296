# SPDX-License-Identifier: GPL-3.0-or-later
"""Which key may stand in which file, of what type, with which default, for which requirement, with what effect: the one
source, also of the reference page and of the editors' schema. One file of the estate, one file here; ``policy`` has what
may stand at several levels.

PRIVATE to the collection. Data.
"""

from __future__ import annotations

from ansible_collections.reseller.mail.plugins.module_utils._model.values import PROTOCOLS
from ansible_collections.reseller.mail.plugins.module_utils._schema.account import ACCOUNT, STATES
from ansible_collections.reseller.mail.plugins.module_utils._schema.domain import DOMAIN_FILE
from ansible_collections.reseller.mail.plugins.module_utils._schema.estate import (
    ESTATE,
    FEATURES,
    PLANS,
    ROLES,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.kinds import (
    ACTS,
    NOT_YET,
    PARTS,
    UNSAID,
    Key,
    Many,
    Table,
    Type,
)
from ansible_collections.reseller.mail.plugins.module_utils._schema.policy import CASCADES, LEVELS
from ansible_collections.reseller.mail.plugins.module_utils._schema.state import PROMOTED, STATE

__all__ = (
    "ACCOUNT", "ACTS", "CASCADES", "DOMAIN_FILE", "ESTATE", "FEATURES", "FILES", "LEVELS", "NOT_YET", "PARTS", "PLANS", "PROMOTED", "PROTOCOLS", "ROLES",
    "STATE", "STATES", "UNSAID", "Key", "Many", "Table", "Type",
)  # fmt: skip

FILES = {
    "estate.yml": ESTATE,
    "plans.yml": PLANS,
    "account.yml": ACCOUNT,
    "<domain>.yml": DOMAIN_FILE,
    "state/<node>.json": STATE,
    "state/promoted_domains.json": PROMOTED,
}
