# SPDX-License-Identifier: GPL-3.0-or-later
"""Which protocols a mailbox may use with its login.

PRIVATE to the collection. Pure. Compilers, verify and diagnose must agree on this.
"""

from __future__ import annotations

import typing as t

from .suspension import in_effect

if t.TYPE_CHECKING:
    from .domain import Domain, Mailbox
    from .tenant import Tenant


def login_protocols(tenant: Tenant, domain: Domain, mailbox: Mailbox) -> tuple[str, ...]:
    """Return the protocols with which a login as the mailbox is allowed; empty if there are none.

    A suspension of tenant, domain or mailbox may refuse to read or to send mail (S1-19). A mailbox
    with external credentials never logs in (S3-26), even if the host still has a password from
    before. The protocols are those of the mailbox (S2-19); the cascade has made them from all
    levels.
    """
    if mailbox.credentials != "local":
        return ()
    found = in_effect(tenant, domain, mailbox)
    if found is None:
        return mailbox.protocols
    return tuple(
        protocol
        for protocol in mailbox.protocols
        if (found.submission if protocol == "submission" else found.login) == "allow"
    )


def may_log_in(tenant: Tenant, domain: Domain, mailbox: Mailbox) -> bool:
    """Return whether a login as the mailbox is allowed with at least one protocol."""
    return bool(login_protocols(tenant, domain, mailbox))


def may_submit(tenant: Tenant, domain: Domain, mailbox: Mailbox) -> bool:
    """Return whether the mailbox may send mail after a login."""
    return "submission" in login_protocols(tenant, domain, mailbox)
