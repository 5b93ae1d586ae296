# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS policies (RFC 8461).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import hashlib
import typing as t

from . import _mx

if t.TYPE_CHECKING:
    from .._model.domain import MtaSts
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """One policy for each name of a domain that has MTA-STS."""
    return {
        f"mta_sts/{name}.txt": policy(domain.mta_sts, hosts(estate, tenant))
        for tenant, domain in estate.domains_on(node)
        if domain.mta_sts
        for name in domain.names
    }


def hosts(estate: Estate, tenant: Tenant) -> list[str]:
    """The hosts that the tenant's policies allow: its MX, the backups too, or mail to them would be refused by its senders."""
    return [host for _priority, host in _mx.hosts(estate, tenant)]


def policy(settings: MtaSts, hosts: t.Iterable[str]) -> str:
    """The policy file; RFC 8461 section 3.2 ends its lines with CRLF."""
    fields = (
        "version: STSv1",
        f"mode: {settings.mode}",
        *(f"mx: {host}" for host in hosts),
        f"max_age: {settings.max_age}",
    )
    return "".join(f"{field}\r\n" for field in fields)


def policy_id(text: str) -> str:
    """The id in ``_mta-sts``: changes exactly when the policy does (at most 32 letters and digits, section 3.1)."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]
