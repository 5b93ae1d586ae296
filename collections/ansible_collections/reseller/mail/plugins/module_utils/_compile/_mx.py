# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts take a tenant's mail: one answer for the MX records and for the MTA-STS policy that has to name the same hosts.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant

PRIORITY = 10


def hosts(estate: Estate, tenant: Tenant) -> list[tuple[int, str]]:
    """(priority, host name), the node first. A backup MX is weaker than the node (the judge sees to it); one that is the
    tenant's own node is no backup."""
    node = estate.node_of(tenant).hostname
    backups = sorted((backup.priority, backup.hostname) for backup in estate.backup_mx if backup.hostname != node)
    return [(PRIORITY, node), *backups]


def names(estate: Estate, node: Node) -> list[str]:
    """The names under which senders know a node, whose keys TLSA records tell of; sorted."""
    return sorted({node.hostname, *(hosts(estate, tenant)[0][1] for tenant in estate.tenants if tenant.placement == node.name)})
