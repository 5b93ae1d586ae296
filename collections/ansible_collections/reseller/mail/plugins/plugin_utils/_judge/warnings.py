# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what is allowed in the files, and probably not meant.

PRIVATE to the collection. Pure. A warning has the form of a fault, and refuses nothing.
"""

from __future__ import annotations

import functools
import typing as t

from .._language.cascade import chain_of, find
from .._model.addresses import ROLES, written_redirects
from .._model.domain import Domain
from .._model.estate import Estate
from .._model.tenant import Tenant
from .._model.values import Fault, Position
from .._model.words import meant
from ._index import Index, fault

_SUGGESTED = 20
"""So many warnings name the address that is nearest. A search takes long in a large domain."""
_TARGET = "a mailbox or alias of the domain, or the address that the catch-all names"


def warnings(estate: Estate) -> list[Fault]:
    """Return the warnings about an estate without faults, sorted by place."""
    index = Index.of(estate, frozenset())
    found: list[Fault] = []
    for tenant in estate.tenants:
        for domain in tenant.domains:
            for place, who, target in _named_addresses(estate, tenant, domain):
                catch_all = _catch_all_for(index, tenant, target)
                if catch_all:
                    nearest = _nearest(index, target) if len(found) < _SUGGESTED else ""
                    what = (
                        f"{who} to {target}, which is no mailbox or alias: the catch-all"
                        f" {catch_all} takes its mail{nearest}"
                    )
                    found.append(fault(place(), "target-by-catch-all", what, _TARGET))
    return sorted(found, key=Fault.order)


def _named_addresses(
    estate: Estate, tenant: Tenant, domain: Domain
) -> t.Iterator[tuple[t.Callable[[], Position], str, str]]:
    """Yield the addresses to which a domain's mail or reports go: place, who names it, address.

    The place is a function, because few addresses need it and it is looked up in the file.
    """
    for redirect in written_redirects(domain):
        for nth, target in enumerate(redirect.to):
            yield functools.partial(redirect.place, nth), f"{redirect.who} delivers", target
    for key, address in (("dmarc", domain.dmarc.reports_to), ("tls_rpt", domain.tls_reports_to)):
        if address:
            place = functools.partial(_place_of_reports_to, estate, tenant, domain, key)
            yield place, f"{key}.reports_to of {domain.name} sends", address


def _place_of_reports_to(estate: Estate, tenant: Tenant, domain: Domain, key: str) -> Position:
    return find(chain_of(estate, tenant, domain), key, "reports_to").at


def _catch_all_for(index: Index, tenant: Tenant, target: str) -> str:
    """Return the catch-all of the tenant to which an address belongs; empty if it exists itself."""
    home = index.homes.get(target.rpartition("@")[2])
    if home is None or home[0] is not tenant or not home[1].catch_all:
        return ""
    primary = index.primary(target)
    is_known = primary in index.things or primary.rpartition("@")[0] in ROLES
    return "" if is_known else home[1].catch_all


def _nearest(index: Index, target: str) -> str:
    """Return the words that name the nearest address of the domain; empty if none is near."""
    primary = index.primary(target)
    domain = primary.rpartition("@")[2]
    alike = [
        name
        for name in index.things
        if name.endswith(f"@{domain}") and abs(len(name) - len(primary)) <= 3
    ]
    # Without the domain, which all of them have: it would make every two names similar.
    return meant(primary.rpartition("@")[0], [name.rpartition("@")[0] for name in alike])
