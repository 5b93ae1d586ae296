# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses a domain has, and who may send as them: what several compilers need to agree on.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._model.domain import Domain, Mailbox
    from .._model.estate import Estate
    from .._model.tenant import Tenant

ROLES = ("abuse", "postmaster")
"""RFC 2142: they exist in every domain, also where nobody wrote them down."""


def complete(address: str, domain: str) -> str:
    """The address, or a local part completed with its domain."""
    return address if "@" in address else f"{address}@{domain}"


def may_log_in(tenant: Tenant, domain: Domain, mailbox: Mailbox) -> bool:
    """Whether somebody may log in as the mailbox: the strictest of its tenant's, its domain's and its own state wins (S1-19), and nobody
    does whose credentials are kept elsewhere (S3-26), even where the host has a password from before."""
    return tenant.state == domain.state == mailbox.state == "active" and mailbox.credentials == "local"


def delivered(domain: Domain) -> frozenset[str]:
    """Local parts that end here or at the relay host, not in another address."""
    relayed = domain.relay.recipients if domain.relay else ()
    return frozenset([*(m.name for m in domain.mailboxes), *(r.partition("@")[0] for r in relayed)])


def redirected(tenant: Tenant, domain: Domain) -> dict[str, tuple[str, ...]]:
    """Local parts that stand for other addresses: aliases, sender addresses and the role addresses nobody wrote down."""
    found = {alias.name: tuple(complete(to, domain.name) for to in alias.to) for alias in domain.aliases}
    found.update({s.name: (complete(s.mailbox, domain.name),) for s in domain.sender_addresses})
    for role in ROLES:
        if role not in found and role not in delivered(domain):
            found[role] = (tenant.default_owner,)
    return found


def local_parts(tenant: Tenant, domain: Domain) -> frozenset[str]:
    """Every local part that exists in the domain; a catch-all's are without number and not among them."""
    return delivered(domain) | redirected(tenant, domain).keys()


def senders(estate: Estate) -> dict[str, frozenset[str]]:
    """Every address of the estate that somebody may send as, with the logins that may."""
    found: dict[str, frozenset[str]] = {}
    for tenant in estate.tenants:
        found.update(_senders_of(tenant))
    return found


def _senders_of(tenant: Tenant) -> t.Iterator[tuple[str, frozenset[str]]]:
    domains = tuple(tenant.served_domains())
    logins = {
        mailbox.address: frozenset((mailbox.address,) if may_log_in(tenant, domain, mailbox) else ()) for domain in domains for mailbox in domain.mailboxes
    }
    targets = {f"{local}@{domain.name}": to for domain in domains for local, to in redirected(tenant, domain).items()}
    home = {name: domain.name for domain in domains for name in domain.names}

    def reached(address: str, seen: frozenset[str]) -> frozenset[str]:
        """The tenant's own logins an address delivers to; other tenants' gain nothing by being a target."""
        local, _dummy, name = address.partition("@")
        address = f"{local}@{home.get(name, name)}"
        if address in logins:
            return logins[address]
        if address in seen:
            return frozenset()
        return frozenset().union(*(reached(to, seen | {address}) for to in targets.get(address, ())))

    for domain in domains:
        own = {mailbox.name for mailbox in domain.mailboxes}
        own |= {sender.name for sender in domain.sender_addresses}
        own |= {alias.name for alias in domain.aliases if alias.may_send}
        for local in own:
            may = reached(f"{local}@{domain.name}", frozenset())
            if may:
                for name in domain.names:
                    yield f"{local}@{name}", may
