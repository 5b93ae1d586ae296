# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the passwd-files of who may log in, one for each of Dovecot's services.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._model.access import login_protocols

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.tenant import Tenant

SERVICES = {"imap": "imap", "pop3": "pop3", "submission": "smtp", "sieve": "sieve"}
"""For each protocol, how Dovecot calls the service that asks. Postfix asks as ``smtp``."""

ANY = "doveadm"
"""The service of ``doveadm auth test``, which ``mail-passwd`` calls: any protocol will do."""


def by_service(
    domains: t.Iterable[tuple[Tenant, Domain]],
) -> dict[str, list[str]]:
    """Return for each service the addresses of the mailboxes that may log in with it."""
    found: dict[str, list[str]] = {name: [] for name in (*SERVICES.values(), ANY)}
    for tenant, domain in domains:
        for mailbox in domain.mailboxes:
            protocols = login_protocols(tenant, domain, mailbox)
            for protocol in protocols:
                found[SERVICES[protocol]].append(mailbox.address)
            if protocols:
                found[ANY].append(mailbox.address)
    return found
