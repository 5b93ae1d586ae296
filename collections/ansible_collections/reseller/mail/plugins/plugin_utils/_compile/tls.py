# SPDX-License-Identifier: GPL-3.0-or-later
"""List the names that a node needs certificates for, in addition to its own hostname.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._model import services
from .._model.names import nearest
from ._text import lines

if t.TYPE_CHECKING:
    from .._model.domain import Domain
    from .._model.estate import Estate, Node


def lookups(estate: Estate, node: Node) -> dict[str, str]:
    """Return the file with these names, one per line, by path."""
    return {"tls/names": lines(names(estate, node))}


def names(estate: Estate, node: Node) -> list[str]:
    """Return the names that need a certificate, sorted.

    These are ``mta-sts.<name>`` of domains with a policy, ``autoconfig.<name>`` and
    ``autodiscover.<name>`` of domains that have settings for mail programs, and branding hosts.
    """
    found: set[str] = set()
    for _tenant, domain in estate.domains_on(node):
        if domain.mta_sts:
            found.update(f"mta-sts.{name}" for name in domain.names)
        if services.finds_settings(domain):
            found.update(f"{label}.{name}" for name in domain.names for label in services.SETTINGS)
        if domain.branding.hostname:
            found.add(domain.branding.hostname)
    return sorted(found)


def names_in_managed_zones(estate: Estate, node: Node) -> list[str]:
    """Return those of ``names`` whose addresses the provider publishes itself, sorted."""
    is_managed = {
        zone: managed
        for _tenant, domain in estate.domains_on(node)
        for zone, managed in _zones(domain)
    }
    return [name for name in names(estate, node) if is_managed.get(nearest(name, is_managed) or "")]


def _zones(domain: Domain) -> t.Iterator[tuple[str, bool]]:
    """Yield each name of the domain, and whether the provider manages its DNS."""
    yield domain.name, domain.managed
    for alias in domain.domain_aliases:
        yield alias.name, alias.managed
