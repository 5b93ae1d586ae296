# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the MTA-STS policies of domains (RFC 8461).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import hashlib
import typing as t

from .._model import mx

if t.TYPE_CHECKING:
    from .._model.domain import MtaSts
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return one policy for each name of each domain that has MTA-STS, by path."""
    return {
        f"mta_sts/{name}.txt": policy(domain.mta_sts, hosts(estate, tenant))
        for tenant, domain in estate.domains_on(node)
        if domain.mta_sts
        for name in domain.names
    }


def hosts(estate: Estate, tenant: Tenant) -> list[str]:
    """Return the hosts that the tenant's policies allow: the hosts of its MX records.

    The backup MX are among them. Otherwise senders would not hand mail to a backup MX.
    """
    return [host for _priority, host in mx.hosts(estate, tenant)]


def policy(settings: MtaSts, hosts: t.Iterable[str]) -> str:
    """Return the text of the policy. Its lines end with CRLF (RFC 8461 section 3.2)."""
    fields = (
        "version: STSv1",
        f"mode: {settings.mode}",
        *(f"mx: {host}" for host in hosts),
        f"max_age: {settings.max_age}",
    )
    return "".join(f"{field}\r\n" for field in fields)


def policy_id(text: str) -> str:
    """Return the ``id`` for the ``_mta-sts`` record, which changes exactly when the policy does.

    It has 20 hexadecimal digits; RFC 8461 section 3.1 allows 32 letters and digits.
    """
    return hashlib.sha256(text.encode()).hexdigest()[:20]
