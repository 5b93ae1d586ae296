# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses a domain has, and who may send as them.

PRIVATE to the collection. Pure. Several compilers must agree on this.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .access import may_submit

if t.TYPE_CHECKING:
    from .domain import Domain
    from .estate import Estate
    from .tenant import Tenant
    from .values import Position

ROLES = ("abuse", "postmaster")
"""RFC 2142: these addresses exist in every domain, even if its file does not have them."""


def complete(address: str, domain: str) -> str:
    """Return an address unchanged, and a local part completed with the domain."""
    return address if "@" in address else f"{address}@{domain}"


def delivered(domain: Domain) -> frozenset[str]:
    """Return the local parts that end in a mailbox or at the relay host, not in another address."""
    relayed = domain.relay.recipients if domain.relay else ()
    return frozenset([*(m.name for m in domain.mailboxes), *(r.partition("@")[0] for r in relayed)])


@dataclass(frozen=True, slots=True)
class Redirect:
    """An address that delivers to others: one line of virtual_alias_maps, or a script of Dovecot.

    Attributes:
        local: the local part; empty for a catch-all.
        to: the complete target addresses.
        who: the address for messages, such as "the alias sales@acme.example".
        at, path: where the files name the targets.
        keeps: the address is a mailbox, too, and a copy of the mail stays there.
        skips_spam: Dovecot sends the mail on, after it has filed spam in the mailbox.
    """

    local: str
    to: tuple[str, ...]
    who: str
    at: Position
    path: tuple[str, ...] = ()
    keeps: bool = False
    skips_spam: bool = False

    def place(self, *nth: int) -> Position:
        """Return the place of the list of targets, or of the nth target."""
        return self.at.of(*self.path, *nth)


def written_redirects(domain: Domain) -> t.Iterator[Redirect]:
    """Yield the redirects with targets in the domain's file: aliases, then forwards."""
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
                box.forward.skip_spam,
            )


def _sender_redirects(domain: Domain) -> t.Iterator[Redirect]:
    """Yield the redirects of the sender addresses, each to its mailbox."""
    for sender in domain.sender_addresses:
        to = (complete(sender.mailbox, domain.name),)
        yield Redirect(
            sender.name, to, f"the sender address {sender.address}", sender.at, ("mailbox",)
        )


def redirects(tenant: Tenant, domain: Domain) -> dict[str, Redirect]:
    """Return all lines of virtual_alias_maps for a domain, by local part, and the forwards of
    Dovecot.

    The tables are made from this, and validation follows it.
    """
    found = {one.local: one for one in written_redirects(domain)}
    if domain.catch_all:
        for box in domain.mailboxes:
            # Postfix reads virtual(5) before the mailboxes. Without this line the catch-all would
            # take their mail, too.
            if not box.forward:
                found[box.name] = Redirect(
                    box.name, (), f"the mailbox {box.address}", box.at, keeps=True
                )
    found |= {one.local: one for one in _sender_redirects(domain)}
    own = delivered(domain)
    for role in ROLES:
        if role not in found and role not in own:
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
    """Return the targets of the local parts that deliver to other addresses.

    These are aliases, sender addresses, and role addresses that the file does not have.
    """
    own = delivered(domain)
    # Not from ``redirects``: with a catch-all that has a line for each mailbox.
    found: dict[str, tuple[str, ...]] = dict.fromkeys(ROLES, (tenant.default_owner,))
    found |= {one.local: one.to for one in written_redirects(domain)}
    found |= {one.local: one.to for one in _sender_redirects(domain)}
    return {local: to for local, to in found.items() if local not in own}


def local_parts(tenant: Tenant, domain: Domain) -> frozenset[str]:
    """Return every local part that exists in the domain, without those of a catch-all."""
    return delivered(domain) | redirected(tenant, domain).keys()


def senders(estate: Estate) -> dict[str, frozenset[str]]:
    """Return every address of the estate that a login may send as, with these logins."""
    found: dict[str, frozenset[str]] = {}
    for tenant in estate.tenants:
        found.update(_senders_of(tenant))
    return found


def _senders_of(tenant: Tenant) -> t.Iterator[tuple[str, frozenset[str]]]:
    """Yield a tenant's addresses under all names of their domains, with the logins that may."""
    ways = _Ways(tenant)
    for domain in tenant.served_domains():
        for local in _may_be_sender(domain):
            logins = ways.logins_of(f"{local}@{domain.name}")
            if logins:
                for name in domain.names:
                    yield f"{local}@{name}", logins


def _may_be_sender(domain: Domain) -> set[str]:
    """Return the local parts that a login of the tenant may use in From."""
    return {
        *(mailbox.name for mailbox in domain.mailboxes),
        *(sender.name for sender in domain.sender_addresses),
        *(alias.name for alias in domain.aliases if alias.may_send),
    }


class _Ways:
    """The ways from a tenant's addresses to its logins."""

    def __init__(self, tenant: Tenant) -> None:
        self._logins: dict[str, frozenset[str]] = {}
        self._targets: dict[str, tuple[str, ...]] = {}
        self._own_name: dict[str, str] = {}
        for domain in tenant.served_domains():
            self._own_name.update(dict.fromkeys(domain.names, domain.name))
            for mailbox in domain.mailboxes:
                own = (mailbox.address,) if may_submit(tenant, domain, mailbox) else ()
                self._logins[mailbox.address] = frozenset(own)
            for local, to in redirected(tenant, domain).items():
                self._targets[f"{local}@{domain.name}"] = to

    def logins_of(self, address: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """Return the tenant's own logins to which an address delivers.

        Logins of other tenants get no right by being a target. ``seen`` are the addresses on the
        way to this one.
        """
        if address not in self._logins:
            local, _at, name = address.partition("@")
            address = f"{local}@{self._own_name.get(name, name)}"
        if address in self._logins:
            return self._logins[address]
        if address in seen:
            return frozenset()
        return frozenset().union(
            *(self.logins_of(to, seen | {address}) for to in self._targets.get(address, ()))
        )
