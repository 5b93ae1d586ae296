# SPDX-License-Identifier: GPL-3.0-or-later
"""The one builder of estates for tests: values of the model with defaults that are always valid."""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Domain, Mailbox
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    Estate,
    Node,
    Provider,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import (
    Admin,
    Limits,
    Tenant,
)

GIB = 2**30
PROVIDER = Provider("Example Hosting", "hosting.example")
MX1 = Node("mx1", "mx1.hosting.example", 12, ("192.0.2.1",))
MX2 = Node("mx2", "mx2.hosting.example", 13, ("192.0.2.2",))


def mailbox(address: str, quota: t.Optional[int] = GIB, owner: str = "", **more: t.Any) -> Mailbox:
    """Return a mailbox; its owner is ``it`` of its domain."""
    name, _at, domain = address.rpartition("@")
    return Mailbox(name, domain, quota, owner=owner or f"it@{domain}", **more)


def tenant(
    name: str,
    *domains: Domain,
    owner: str = "",
    admins: t.Sequence[Admin] = (),
    limits: Limits = Limits(),
    plan: str = "business",
    state: str = "active",
    placement: str = "mx1",
    organisation: str = "",
    **more: t.Any,
) -> Tenant:
    """Return an active tenant of mx1; its owner is that of its first domain."""
    default_owner = owner or next((domain.owner for domain in domains), f"it@{name}.example")
    return Tenant(
        name,
        organisation or name.title(),
        plan,
        state,
        placement,
        default_owner,
        tuple(admins),
        limits,
        domains,
        **more,
    )


def estate(*tenants: Tenant, nodes: t.Sequence[Node] = (MX1,), **more: t.Any) -> Estate:
    """Return an estate of these tenants, on mx1 unless ``nodes`` are given."""
    return Estate(PROVIDER, tuple(nodes), more.pop("plans", ()), tenants, **more)
