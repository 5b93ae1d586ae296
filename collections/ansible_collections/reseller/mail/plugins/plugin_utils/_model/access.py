# SPDX-License-Identifier: GPL-3.0-or-later
"""Which protocols a mailbox may use with its login.

PRIVATE to the collection. Pure. Compilers, verify and diagnose must agree on this.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .domain import Domain, Mailbox
    from .tenant import Tenant


def login_protocols(tenant: Tenant, domain: Domain, mailbox: Mailbox) -> tuple[str, ...]:
    """Return the protocols with which a login as the mailbox is allowed; empty if there are none.

    The states of tenant, domain and mailbox must all be active (S1-19). A mailbox with external
    credentials never logs in (S3-26), even if the host still has a password from before. The
    protocols are those of the mailbox (S2-19); the cascade has made them from all levels.
    """
    if not tenant.state == domain.state == mailbox.state == "active":
        return ()
    return mailbox.protocols if mailbox.credentials == "local" else ()


def may_log_in(tenant: Tenant, domain: Domain, mailbox: Mailbox) -> bool:
    """Return whether a login as the mailbox is allowed with at least one protocol."""
    return bool(login_protocols(tenant, domain, mailbox))
