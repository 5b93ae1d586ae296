# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts take mail, a tenant's and the provider's own: one answer for the MX records and for the MTA-STS policy that has to name the same hosts.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from . import _contact

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant

PRIORITY = 10


def hosts(estate: Estate, tenant: Tenant) -> list[tuple[int, str]]:
    """(priority, host name), the node first. A backup MX is weaker than the node (the judge sees to it); one that is the
    tenant's own node is no backup."""
    node = estate.node_of(tenant).hostname
    backups = sorted(
        (backup.priority, backup.hostname) for backup in estate.backup_mx if backup.hostname != node
    )
    return [(PRIORITY, node), *backups]


def provider_hosts(estate: Estate) -> list[tuple[int, str]]:
    """(priority, host name) for the provider's own domain; nothing where its mail is not the nodes'.

    Every node does the same for it and keeps nothing, so all in service are equal, and a sender tries the next where one is away
    (RFC 5321 section 5.1). A backup MX is told by its own operator what to take, which need not be this domain.
    """
    ready = sorted(node.hostname for node in estate.nodes if node.lifecycle == "ready")
    return [(PRIORITY, name) for name in ready] if _contact.provider_domain(estate) else []


def names(estate: Estate, node: Node) -> list[str]:
    """The names under which senders know a node, whose keys TLSA records tell of; sorted."""
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
