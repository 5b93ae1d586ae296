# SPDX-License-Identifier: GPL-3.0-or-later
"""Find tenants whose mail is on another node than their files say, from what a host serves.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._host import generation

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node


def unmoved(
    estate: Estate,
    node: Node,
    serves: t.Collection[str],
    passes_on: t.Mapping[str, str],
    moving: str,
) -> str:
    """Return why a host cannot serve what the files say, for the first such tenant; or nothing.

    The host serves the tenants ``serves``, and passes on the mail of others to the hosts in
    ``passes_on``. ``moving`` is the tenant that is being moved.
    """
    for tenant in estate.tenants:
        if not tenant.served or tenant.name == moving:
            continue
        if tenant.placement == node.name:
            if tenant.name in passes_on and tenant.name not in serves:
                host = passes_on[tenant.name]
                return generation.unmoved(tenant.name, host, node.name)
        elif tenant.name in serves:
            return generation.unmoved(tenant.name, node.name, tenant.placement)
    return ""
