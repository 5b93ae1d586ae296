# SPDX-License-Identifier: GPL-3.0-or-later
"""The model in the users' words, one line an object: what diffs are made of. Shows nothing that a host does not act on,
and no secret.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._sizes import size
from . import _contact, _services
from ._addresses import ROLES, complete, delivered

if t.TYPE_CHECKING:
    from .._model.domain import Domain, MailboxLimits
    from .._model.estate import Estate, Node, Provider
    from .._model.tenant import Tenant


def describe(estate: Estate, node: Node) -> list[str]:
    """What the node serves, sorted."""
    own = (node.hostname, _contact.provider_domain(estate))
    found = {
        f"role address {one.local}@{domain} to {', '.join(one.to)}"
        for domain, one in _contact.redirects(estate)
        if domain in own
    }
    for tenant in estate.tenants:
        if tenant.served and tenant.placement == node.name:
            found.add(f"tenant {tenant.name}{_mark(tenant.state)}")
            for domain in tenant.served_domains():
                found.update(_domain(estate.provider, tenant, domain))
    return sorted(found)


def _domain(provider: Provider, tenant: Tenant, domain: Domain) -> t.Iterator[str]:
    name = domain.name
    if domain.relay:
        yield f"relay domain {name} via {domain.relay.host}:{domain.relay.port}"
        yield from (f"relay recipient {local}@{name}" for local in delivered(domain))
    else:
        yield f"domain {name}{_mark(domain.state)}"
    for mailbox in domain.mailboxes:
        credentials = "" if mailbox.credentials == "local" else ", credentials elsewhere"
        yield f"mailbox {mailbox.address} quota {size(mailbox.quota)}{_counts(mailbox.mailbox_limits)}{_mark(mailbox.state)}{credentials}"
        if mailbox.forward:
            kept = ", and keeps a copy" if mailbox.forward.keep_copy else ""
            yield f"forward of {mailbox.address} to {', '.join(mailbox.forward.to)}{kept}"
    for alias in domain.aliases:
        targets = ", ".join(complete(to, name) for to in alias.to)
        yield f"alias {alias.address} to {targets}{', may send' if alias.may_send else ''}"
    for sender in domain.sender_addresses:
        yield f"sender address {sender.address} of {complete(sender.mailbox, name)}"
    written = (
        {alias.name for alias in domain.aliases}
        | {s.name for s in domain.sender_addresses}
        | delivered(domain)
    )
    yield from (
        f"role address {role}@{name} to {tenant.default_owner}"
        for role in ROLES
        if role not in written
    )
    yield from (f"domain alias {alias.name} of {name}" for alias in domain.domain_aliases)
    if domain.catch_all:
        yield f"catch-all {name} to {domain.catch_all}"
    if domain.mta_sts:
        yield f"mta-sts {name} {domain.mta_sts.mode} max_age {domain.mta_sts.max_age}"
    if _services.finds_settings(domain):
        yield f"settings of {name} as {_services.brand(provider, domain)}: {', '.join(domain.protocols)}"
    if domain.branding.hostname:
        yield f"branding {domain.branding.hostname} of {name}"


def _counts(limits: MailboxLimits) -> str:
    """Unless they are what they are for everybody."""
    return (
        ""
        if limits == type(limits)()
        else f", {limits.messages} messages, {limits.folders} folders"
    )


def _mark(state: str) -> str:
    return "" if state == "active" else f" {state}"
