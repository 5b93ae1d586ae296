# SPDX-License-Identifier: GPL-3.0-or-later
"""The names a node needs certificates for, besides its own hostname.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._names import nearest
from . import _services
from ._text import lines

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Estate, Node


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """The list of names, one a line."""
    return {"tls/names": lines(names(estate, node))}


def names(estate: Estate, node: Node) -> list[str]:
    """``mta-sts.<name>`` where there is a policy, the hosts that mail programs ask for settings, and the names under which they know their
    server; sorted."""
    found: set[str] = set()
    for _tenant, domain in estate.domains_on(node):
        if domain.mta_sts:
            found.update(f"mta-sts.{name}" for name in domain.names)
        if _services.finds_settings(domain):
            found.update(f"{label}.{name}" for name in domain.names for label in _services.SETTINGS)
        if domain.branding.hostname:
            found.add(domain.branding.hostname)
    return sorted(found)


def managed(estate: Estate, node: Node) -> list[str]:
    """Those whose addresses the provider publishes itself; sorted."""
    zones = {
        name: ours for _tenant, domain in estate.domains_on(node) for name, ours in _zones(domain)
    }
    return [name for name in names(estate, node) if zones.get(nearest(name, zones) or "")]


def _zones(domain: Domain) -> t.Iterator[tuple[str, bool]]:
    yield domain.name, domain.managed
    for alias in domain.domain_aliases:
        yield alias.name, alias.managed
