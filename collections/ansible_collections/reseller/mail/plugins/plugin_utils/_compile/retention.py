# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what becomes of the mail of tenants and domains that end or leave the files.

PRIVATE to the collection. Pure.

The host reads it when a mailbox leaves: it has the rules of the previous generation then, too.
"""

from __future__ import annotations

import typing as t

from ._text import lines

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return the rules of the tenants that are placed on the node, in every state.

    A tenant has its days and whether its mail is deleted at once. A domain has its tenant, and
    whether the node ``serves`` it, or it ``waits`` in the files, or ``ends`` with its tenant.
    """
    here = [tenant for tenant in estate.tenants if tenant.placement == node.name]
    rows = {
        f"tenant {tenant.name}": f"{tenant.retention}\t{'purge' if tenant.purge else 'keep'}"
        for tenant in here
    }
    # A terminated tenant may have no file of a domain any more. Another tenant may have one now.
    in_files = {domain.name for tenant in estate.tenants for domain in tenant.domains}
    for tenant in here:
        served = {domain.name for domain in tenant.served_domains()}
        names = {domain.name for domain in tenant.domains}
        if tenant.state == "terminated":
            names.update(set(tenant.approved_domains) - in_files)
        rows.update(
            (f"domain {name}", f"{tenant.name}\t{_state(tenant, name in served)}") for name in names
        )
    return {"dovecot/retention": lines(f"{key}\t{rows[key]}" for key in sorted(rows))}


def _state(tenant: Tenant, served: bool) -> str:
    """Return the word for the state of a domain."""
    if served:
        return "serves"
    return "ends" if tenant.state == "terminated" else "waits"
