# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider's contact: an address that exists and that a host serves.

PRIVATE to the collection. Pure. ``targets`` finds loops through the contact, with all others.
"""

from __future__ import annotations

import typing as t

from .._model.contact import NODE_ROLES
from .._model.values import Fault
from ._index import Index, fault

_ALLOWED = (
    "an existing mailbox or alias of a tenant that the hosts serve, or an address outside the"
    " estate"
)


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield a fault if mail to ``provider.contact`` would reach no one."""
    contact = index.estate.provider.contact
    why = _why_unreachable(index, contact) if contact else ""
    if why:
        yield fault(index.estate.at.of("provider", "contact"), "unknown-address", why, _ALLOWED)


def _why_unreachable(index: Index, contact: str) -> str:
    """Return why no one gets mail for the contact; empty if somebody does."""
    local, _at, host = index.primary(contact).rpartition("@")
    home = index.homes.get(host)
    if any(host == node.hostname for node in index.estate.nodes) and local not in NODE_ROLES:
        return f"the address {contact} does not exist: {host} is a node"
    if home and index.lacks(home[0], contact):
        return f"the address {contact} does not exist"
    if home and not _is_served(index, host):
        tenant = home[0].name
        return f"no one gets mail for {contact}: no host serves {host} of tenant {tenant} now"
    return ""


def _is_served(index: Index, name: str) -> bool:
    """Return whether a host serves the domain or domain alias, or may serve it.

    True where the keys that decide it could not be read.
    """
    tenant, domain = index.homes[name]
    if index.unsure(tenant.at.file, "state", "unverified_domains") or index.unsure(
        domain.at.file, "verified"
    ):
        return True
    return any(name in one.names for one in tenant.served_domains())
