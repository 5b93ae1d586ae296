# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses a domain has, and who may send as them: what several compilers need to agree on.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from .._model.domain import Domain, Mailbox
    from .._model.estate import Estate
    from .._model.tenant import Tenant
    from .._model.values import Position

ROLES = ("abuse", "postmaster")
"""RFC 2142: they exist in every domain, also where nobody wrote them down."""


def complete(address: str, domain: str) -> str:
    """The address, or a local part completed with its domain."""
    return address if "@" in address else f"{address}@{domain}"


def may_log_in(tenant: Tenant, domain: Domain, mailbox: Mailbox) -> bool:
    """Whether somebody may log in as the mailbox: the strictest of its tenant's, its domain's and its own state wins (S1-19), and nobody
    does whose credentials are kept elsewhere (S3-26), even where the host has a password from before."""
    return (
        tenant.state == domain.state == mailbox.state == "active" and mailbox.credentials == "local"
    )


def delivered(domain: Domain) -> frozenset[str]:
    """Local parts that end here or at the relay host, not in another address."""
    relayed = domain.relay.recipients if domain.relay else ()
    return frozenset([*(m.name for m in domain.mailboxes), *(r.partition("@")[0] for r in relayed)])


@dataclass(frozen=True, slots=True)
class Redirect:
    """An address that stands for others: one line of virtual_alias_maps. ``local`` is empty for what is addressed to nobody known.
    ``keeps``: it is a mailbox too, and the mail also stays there. ``at`` and ``path`` tell where the files name the targets."""

    local: str
    to: tuple[str, ...]
    who: str
    at: Position
    path: tuple[str, ...] = ()
    keeps: bool = False

    def place(self, *nth: int) -> Position:
        """Where the targets stand, or the nth of them."""
        return self.at.of(*self.path, *nth)


def written_redirects(domain: Domain) -> t.Iterator[Redirect]:
    """Those that a domain's file lists targets of: aliases, then forwards."""
    for alias in domain.aliases:
        to = tuple(complete(one, domain.name) for one in alias.to)
        yield Redirect(alias.name, to, f"the alias {alias.address}", alias.at, ("to",))
    for box in domain.mailboxes:
        if box.forward:
            yield Redirect(
                box.name,
                box.forward.to,
                f"the mailbox {box.address}",
                box.at,
                ("forward", "to"),
                box.forward.keep_copy,
            )


def redirects(tenant: Tenant, domain: Domain) -> dict[str, Redirect]:
    """All that virtual_alias_maps says of a domain, by local part: tables are made of this, and judges follow it."""
    found = {one.local: one for one in written_redirects(domain)}
    if domain.catch_all:
        for box in domain.mailboxes:
            # virtual(5) is asked before the mailboxes are: without this the catch-all would take their mail too.
            if not box.forward:
                found[box.name] = Redirect(
                    box.name, (), f"the mailbox {box.address}", box.at, keeps=True
                )
    for sender in domain.sender_addresses:
        to = (complete(sender.mailbox, domain.name),)
        found[sender.name] = Redirect(
            sender.name, to, f"the sender address {sender.address}", sender.at, ("mailbox",)
        )
    for role in ROLES:
        if role not in found and role not in delivered(domain):
            found[role] = Redirect(
                role,
                (tenant.default_owner,),
                f"the role address {role}@{domain.name}",
                tenant.at,
                ("default_owner",),
            )
    if domain.catch_all:
        found[""] = Redirect(
            "", (domain.catch_all,), f"the catch-all of {domain.name}", domain.at, ("catch_all",)
        )
    return found


def redirected(tenant: Tenant, domain: Domain) -> dict[str, tuple[str, ...]]:
    """Local parts that stand for other addresses: aliases, sender addresses and the role addresses nobody wrote down."""
    own = delivered(domain)
    return {
        local: one.to
        for local, one in redirects(tenant, domain).items()
        if local and local not in own
    }


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
        mailbox.address: frozenset(
            (mailbox.address,) if may_log_in(tenant, domain, mailbox) else ()
        )
        for domain in domains
        for mailbox in domain.mailboxes
    }
    targets = {
        f"{local}@{domain.name}": to
        for domain in domains
        for local, to in redirected(tenant, domain).items()
    }
    home = {name: domain.name for domain in domains for name in domain.names}

    def reached(address: str, seen: frozenset[str]) -> frozenset[str]:
        """The tenant's own logins an address delivers to; other tenants' gain nothing by being a target."""
        local, _dummy, name = address.partition("@")
        address = f"{local}@{home.get(name, name)}"
        if address in logins:
            return logins[address]
        if address in seen:
            return frozenset()
        return frozenset().union(
            *(reached(to, seen | {address}) for to in targets.get(address, ()))
        )

    for domain in domains:
        own = {mailbox.name for mailbox in domain.mailboxes}
        own |= {sender.name for sender in domain.sender_addresses}
        own |= {alias.name for alias in domain.aliases if alias.may_send}
        for local in own:
            may = reached(f"{local}@{domain.name}", frozenset())
            if may:
                for name in domain.names:
                    yield f"{local}@{name}", may
