# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider's contact: a person who gets what is sent there. Circles are found with all others, in ``targets``.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._compile._contact import NODE_ROLES
from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Index, fault
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault

_ALLOWED = "an existing mailbox or alias of a tenant that hosts serve, or an address elsewhere"


def judge(index: Index) -> t.Iterator[Fault]:
    """Whether somebody has the address."""
    contact = index.estate.provider.contact
    if not contact:
        return
    at = index.estate.at.of("provider", "contact")
    local, _at, host = index.primary(contact).rpartition("@")
    home = index.homes.get(host)
    if any(host == node.hostname for node in index.estate.nodes) and local not in NODE_ROLES:
        yield fault(
            at, "unknown-address", f"nobody has the address {contact}: {host} is a node", _ALLOWED
        )
    elif home and index.lacks(home[0], contact):
        yield fault(at, "unknown-address", f"nobody has the address {contact}", _ALLOWED)
    elif home and not _is_served(index, host):
        yield fault(
            at,
            "unknown-address",
            f"nobody gets mail for {contact}: no host serves {host} of tenant {home[0].name} now",
            _ALLOWED,
        )


def _is_served(index: Index, name: str) -> bool:
    tenant, domain = index.homes[name]
    if index.unsure(tenant.at.file, "state", "unverified_domains") or index.unsure(
        domain.at.file, "verified"
    ):
        return True
    return any(name in one.names for one in tenant.served_domains())
