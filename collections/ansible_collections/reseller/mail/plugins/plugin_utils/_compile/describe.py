# SPDX-License-Identifier: GPL-3.0-or-later
"""Describe what a node serves in the users' words, one line per object. Diffs show these lines.

PRIVATE to the collection. Pure.

The lines contain only what the host acts on, and no secret.
"""

from __future__ import annotations

import typing as t

from .._model import contact, services
from .._model.addresses import ROLES, complete, delivered
from .._model.sizes import size
from . import outgoing, sieve, spam

if t.TYPE_CHECKING:
    from .._model.domain import Domain, Mailbox, MailboxLimits
    from .._model.estate import Estate, Node, Provider
    from .._model.tenant import Tenant


def describe(estate: Estate, node: Node) -> list[str]:
    """Return what the node serves, as sorted lines."""
    own = (node.hostname, contact.provider_domain(estate))
    found = {
        f"role address {one.local}@{domain} to {', '.join(one.to)}"
        for domain, one in contact.redirects(estate)
        if domain in own
    }
    for tenant in estate.tenants:
        if tenant.served and tenant.placement == node.name:
            found.add(f"tenant {tenant.name}{_unless_active(tenant)}")
            for domain in tenant.served_domains():
                found.update(_kind(domain))
                found.update(_mailboxes(domain))
                found.update(_addresses(tenant, domain))
                found.update(outgoing.describe(estate, node, tenant, domain))
                found.update(_names(estate.provider, domain))
    found.update(sieve.described(estate, node))
    found.update(spam.described(estate, node))
    return sorted(found)


def _kind(domain: Domain) -> t.Iterator[str]:
    """Yield the domain, and for a relay domain the recipients that it takes."""
    if domain.relay:
        yield f"relay domain {domain.name} via {domain.relay.host}:{domain.relay.port}"
        yield from (f"relay recipient {local}@{domain.name}" for local in delivered(domain))
    else:
        yield f"domain {domain.name}{_unless_active(domain)}"


def _mailboxes(domain: Domain) -> t.Iterator[str]:
    """Yield the mailboxes and their forwards."""
    for mailbox in domain.mailboxes:
        credentials = "" if mailbox.credentials == "local" else ", credentials elsewhere"
        yield (
            f"mailbox {mailbox.address} quota"
            f" {size(mailbox.quota)}{_unless_default(mailbox.mailbox_limits)}"
            f"{_unless_active(mailbox)}{credentials}"
        )
        if mailbox.display_name:
            yield f"name of {mailbox.address}: {mailbox.display_name}"
        if mailbox.hidden:
            yield f"hidden {mailbox.address}"
        if mailbox.forward:
            kept = ", and keeps a copy" if mailbox.forward.keep_copy else ""
            spam = ", without spam" if mailbox.forward.skip_spam else ""
            yield f"forward of {mailbox.address} to {', '.join(mailbox.forward.to)}{kept}{spam}"


def _addresses(tenant: Tenant, domain: Domain) -> t.Iterator[str]:
    """Yield aliases, sender addresses, the role addresses that nothing else has, the catch-all."""
    name = domain.name
    for alias in domain.aliases:
        targets = ", ".join(complete(to, name) for to in alias.to)
        internal = ", from its tenant only" if alias.internal_only else ""
        yield (
            f"alias {alias.address} to {targets}{', may send' if alias.may_send else ''}{internal}"
        )
        if alias.hidden:
            yield f"hidden {alias.address}"
    for sender in domain.sender_addresses:
        yield f"sender address {sender.address} of {complete(sender.mailbox, name)}"
    written = {
        *(alias.name for alias in domain.aliases),
        *(sender.name for sender in domain.sender_addresses),
        *delivered(domain),
    }
    for role in ROLES:
        if role not in written:
            yield f"role address {role}@{name} to {tenant.default_owner}"
    if domain.catch_all:
        yield f"catch-all {name} to {domain.catch_all}"


def _names(provider: Provider, domain: Domain) -> t.Iterator[str]:
    """Yield domain aliases, and what the node serves under other names of the domain."""
    name = domain.name
    yield from (f"domain alias {alias.name} of {name}" for alias in domain.domain_aliases)
    if domain.mta_sts:
        yield f"mta-sts {name} {domain.mta_sts.mode} max_age {domain.mta_sts.max_age}"
    if services.finds_settings(domain):
        yield (
            f"settings of {name} as {services.brand(provider, domain)}:"
            f" {', '.join(domain.protocols)}"
        )
    if domain.branding.hostname:
        yield f"branding {domain.branding.hostname} of {name}"


def _unless_default(limits: MailboxLimits) -> str:
    """Return the limits of messages and folders; nothing where they are the default."""
    return (
        ""
        if limits == type(limits)()
        else f", {limits.messages} messages, {limits.folders} folders"
    )


def _unless_active(one: t.Union[Tenant, Domain, Mailbox]) -> str:
    """Return the state of a tenant, domain or mailbox with what it can still do; nothing for
    ``active``."""
    if one.state == "active":
        return ""
    cells = one.suspension
    text = f", text {cells.text}" if cells.text else ""
    return (
        f" {one.state}, inbound {cells.inbound}, login {cells.login}, submission"
        f" {cells.submission}, queued {cells.queued}{text}"
    )
