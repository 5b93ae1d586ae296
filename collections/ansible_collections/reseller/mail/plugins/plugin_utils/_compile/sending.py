# SPDX-License-Identifier: GPL-3.0-or-later
"""Write how much each mailbox of a node may send.

PRIVATE to the collection. Pure.

``sending/mailboxes`` has one line for each mailbox: its tenant, and its limits with those of its
domain and tenant. A limit that does not exist is left out. A mailbox without any limit has a line,
too: what it sends is counted, so that a limit that is set later counts it.
"""

from __future__ import annotations

import typing as t

from ._text import table

if t.TYPE_CHECKING:
    from .._model.domain import Domain, Mailbox
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant
    from .._model.values import Limit


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return the limits of all mailboxes of the node, by path."""
    entries = {
        mailbox.address: _entry(tenant, domain, mailbox)
        for tenant, domain in estate.domains_on(node)
        if domain.type == "mail"
        for mailbox in domain.mailboxes
    }
    return {"sending/mailboxes": table(entries)}


def _entry(tenant: Tenant, domain: Domain, mailbox: Mailbox) -> str:
    """Return the limits that apply to a mailbox."""
    limits: dict[str, Limit] = {
        "recipients": mailbox.rate_limits.recipients_per_message,
        "mailbox": mailbox.rate_limits.messages_per_hour,
        "domain": tenant.messages_per_hour_of(domain),
        "tenant": tenant.sending_limits.messages_per_hour,
    }
    pairs = (f"{name}={limit}" for name, limit in limits.items() if limit is not None)
    return " ".join((tenant.name, *pairs))
