# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what suspensions mean for Postfix: who is refused, what is held, who may not send.

PRIVATE to the collection. Pure.

An address is refused or deferred only if every mailbox behind it is: an alias with another target
still gets mail, and the suspended mailbox stores its copy. So no mail that was accepted bounces.
The role addresses (RFC 2142) always work.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._model.addresses import (
    ROLES,
    complete,
    delivered,
    redirected,
    redirects,
)
from .._model.suspension import INBOUND, Suspension, in_effect, may_send

if t.TYPE_CHECKING:
    from .._model.domain import Domain, Mailbox
    from .._model.estate import Estate
    from .._model.tenant import Tenant

HOLD = "hold:[127.0.0.1]:10589"
"""The transport to the listener that holds mail. The role postfix has the same port."""

DELIVER = "lmtp:unix:private/dovecot-lmtp"
"""The transport of mailboxes, as virtual_transport of the role postfix has it."""

MAY_NOT_SEND = "421 4.7.0 This mailbox may not send mail"
"""The answer to a login that lost the right to send. Postfix ends the session after a 421."""

_REPLIES = {"reject": "550 5.7.1", "defer": "450 4.7.1"}
_TEXTS = {
    "reject": "This address does not accept mail",
    "defer": "This address does not accept mail at present",
}

Tables = t.Dict[str, t.Dict[str, str]]


def without_forwards(tenant: Tenant, domain: Domain) -> Domain:
    """Return a domain without the forwards of mailboxes that may not send.

    Their mail stays in the mailbox.
    """
    if not any(
        box.forward and not may_send(tenant, domain, box) for box in domain.mailboxes
    ):  # true nearly always
        return domain
    boxes = (
        box
        if not box.forward or may_send(tenant, domain, box)
        else dataclasses.replace(box, forward=None)
        for box in domain.mailboxes
    )
    return dataclasses.replace(domain, mailboxes=tuple(boxes))


class Closed:
    """The mailboxes and recipients of relay domains whose mail is refused, deferred or held."""

    def __init__(self, estate: Estate) -> None:
        self._found: dict[str, Suspension] = {}
        self._own_name: dict[str, str] = {}
        self._targets: dict[str, tuple[str, ...]] = {}
        for tenant, domain in estate.served_domains():
            self._found.update(_not_accepting(tenant, domain))
        if self._found:
            for tenant, domain in estate.served_domains():
                self._note_ways(tenant, without_forwards(tenant, domain))

    def _note_ways(self, tenant: Tenant, domain: Domain) -> None:
        """Note where mail to the addresses of a domain goes."""
        self._own_name.update(dict.fromkeys(domain.names, domain.name))
        for local, one in redirects(tenant, domain).items():
            address = f"{local}@{domain.name}"
            self._targets[address] = (*((address,) if one.keeps else ()), *one.to)

    def held(self, address: str) -> bool:
        """Return whether the mail of a mailbox is held."""
        found = self._found.get(address)
        return found is not None and found.inbound == "hold"

    def __bool__(self) -> bool:
        """Return whether there is such a mailbox or recipient at all."""
        return bool(self._found)

    def reply(self, address: str) -> t.Optional[str]:
        """Return the reply that refuses an address in SMTP; None if mail to it is accepted."""
        if address.partition("@")[0] in ROLES:
            return None
        mildest = self._mildest(address, frozenset())
        if mildest is None or mildest.inbound not in _REPLIES:
            return None
        text = mildest.text or _TEXTS[mildest.inbound]
        return f"{_REPLIES[mildest.inbound]} {text}"

    def _mildest(self, address: str, seen: frozenset[str]) -> t.Optional[Suspension]:
        """Return the mildest suspension of the mailboxes behind an address.

        None means that at least one target takes mail. ``seen`` are the addresses on the way.
        """
        local, _at, name = address.partition("@")
        address = f"{local}@{self._own_name.get(name, name)}"
        to = self._targets.get(address, (address,))
        found: list[Suspension] = []
        for one in to:
            if one == address or one in seen:
                behind = self._found.get(one)
            else:
                behind = self._mildest(one, seen | {address})
            if behind is None:
                return None
            found.append(behind)
        return min(found, key=lambda each: INBOUND.index(each.inbound), default=None)


def _not_accepting(tenant: Tenant, domain: Domain) -> t.Iterator[tuple[str, Suspension]]:
    """Yield the recipients of a domain whose suspension does not accept mail, without roles."""
    boxes: dict[str, t.Optional[Mailbox]] = {box.name: box for box in domain.mailboxes}
    for local in delivered(domain):
        found = in_effect(tenant, domain, boxes.get(local))
        if found is not None and found.inbound != "accept" and local not in ROLES:
            yield f"{local}@{domain.name}", found


def add_refusals(tables: Tables, closed: Closed, tenant: Tenant, domain: Domain) -> None:
    """Add the replies for the addresses of a domain, under all its names.

    Nodes that only relay the mail refuse it, too.
    """
    domain = without_forwards(tenant, domain)
    for local in {*delivered(domain), *redirected(tenant, domain)}:
        reply = closed.reply(f"{local}@{domain.name}")
        if reply is not None:
            for name in domain.names:
                tables["recipient_access"][f"{local}@{name}"] = reply


def add_holds(tables: Tables, closed: Closed, tenant: Tenant, domain: Domain) -> None:
    """Add the mailboxes of a domain of this node whose mail is held, and the way around for roles.

    The role addresses of a domain go on to their mailbox with the role as extension, which has its
    own transport.
    """
    transport = tables["transport_maps"].get(domain.name, DELIVER)
    for local in delivered(domain):
        address = f"{local}@{domain.name}"
        if closed.held(address):
            tables["transport_maps"][address] = HOLD
            tables["held_recipients"][address] = "HOLD"
            for role in ROLES:
                tables["transport_maps"][f"{local}+{role}@{domain.name}"] = transport


def around_holds(closed: Closed, local: str, to: t.Iterable[str]) -> tuple[str, ...]:
    """Return the targets of an address; those of a role address are never held."""
    if local not in ROLES:
        return tuple(to)
    return tuple(one.replace("@", f"+{local}@") if closed.held(one) else one for one in to)


def add_senders(tables: Tables, tenant: Tenant, domain: Domain) -> None:
    """Add the logins of a domain that may not send, and the senders whose queued mail is held."""
    for box in domain.mailboxes:
        if may_send(tenant, domain, box):
            continue
        tables["submission_access"][box.address] = MAY_NOT_SEND
        found = in_effect(tenant, domain, box)
        if found is not None and found.queued == "hold":
            for address in _senders_of(domain, box):
                tables["held_senders"][address] = box.address


def _senders_of(domain: Domain, box: Mailbox) -> t.Iterator[str]:
    """Yield the addresses of a domain from which a mailbox may have sent."""
    locals_ = [box.name]
    locals_ += [
        one.name
        for one in domain.sender_addresses
        if complete(one.mailbox, domain.name) == box.address
    ]
    locals_ += [
        one.name
        for one in domain.aliases
        if one.may_send and box.address in [complete(to, domain.name) for to in one.to]
    ]
    for local in locals_:
        yield from (f"{local}@{name}" for name in domain.names)
