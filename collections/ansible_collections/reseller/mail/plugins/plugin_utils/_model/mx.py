# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts take mail for a tenant and for the provider's own domain.

PRIVATE to the collection. Pure. MX records and MTA-STS policies must name the same hosts, so both
use this.
"""

from __future__ import annotations

import typing as t

from . import contact

if t.TYPE_CHECKING:
    from .estate import Estate, Node
    from .tenant import Tenant

PRIORITY = 10


def hosts(estate: Estate, tenant: Tenant) -> list[tuple[int, str]]:
    """Return (priority, host name) for a tenant, the node first.

    A backup MX has a larger number than the node; validation makes sure of that. It is a node, or
    a host that is not ours. A host that is the tenant's own node is not a backup.
    """
    node = estate.node_of(tenant).hostname
    backups = {(backup.priority, backup.hostname) for backup in estate.backup_mx}
    backups |= {
        (one.backup_priority, one.hostname)
        for one in estate.nodes
        if one.backup_priority is not None and one.is_backup_mx
    }
    return [(PRIORITY, node), *sorted(one for one in backups if one[1] != node)]


def provider_hosts(estate: Estate) -> list[tuple[int, str]]:
    """Return (priority, host name) for the provider's own domain; empty if nodes take none of it.

    Every node does the same for this domain and stores nothing. So all nodes in service have the
    same priority, and a sender tries the next one if one is down (RFC 5321 section 5.1). Backup MX
    are not among them: their operators decide what they take, which may not include this domain.
    """
    ready = sorted(node.hostname for node in estate.nodes if node.lifecycle == "ready")
    return [(PRIORITY, name) for name in ready] if contact.provider_domain(estate) else []


def names(estate: Estate, node: Node) -> list[str]:
    """Return the sorted names under which a node takes mail, which have TLSA records."""
    return sorted(
        {
            node.hostname,
            *(
                hosts(estate, tenant)[0][1]
                for tenant in estate.tenants
                if tenant.placement == node.name
            ),
        }
    )
