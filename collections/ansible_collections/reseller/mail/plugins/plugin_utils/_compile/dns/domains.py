# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect the records of every domain, and of the provider and its hosts.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import operator
import typing as t
from dataclasses import dataclass

from ..._dns.record import TTL, Record, Row
from ..._model import services
from ..._model.names import nearest
from .. import opendkim
from . import clients, provider, receivers, senders

if t.TYPE_CHECKING:
    from ..._model.domain import Domain
    from ..._model.estate import DkimKey, Estate
    from ..._model.tenant import Tenant

_ORDER = operator.attrgetter("domain", "name", "type", "ttl", "value", "managed")
"""The order of records. One tuple for each is five times as fast as comparing field by field."""


def records(estate: Estate, ttl: int = TTL) -> list[Record]:
    """Return all records of the estate, sorted. ``ttl`` is in seconds.

    A DKIM key or TLS key that no node has reported yet has no record. ``unreported.py`` lists
    these keys.
    """
    served = list(estate.served_domains())
    names = {name for _tenant, domain in served for name in domain.names}
    zones = _managed_names(estate, served)
    found = {
        Record(host, name, kind, ttl, value, _is_managed(host, zones), purpose)
        for host, (name, kind, value, purpose) in provider.records(estate, names)
    }
    keys = opendkim.published(estate)
    own: dict[str, set[str]] = {}
    for tenant, domain in served:
        own.setdefault(tenant.name, set()).update(domain.names)
    for tenant, domain in served:
        around = _Surroundings(zones, keys, own[tenant.name])
        found.update(_records_of_domain(estate, tenant, domain, around, ttl))
    return sorted(found, key=_ORDER)


def records_of(estate: Estate, tenant: Tenant, domain: Domain, ttl: int = TTL) -> list[Record]:
    """Return one domain's records, sorted, also if no host serves it yet.

    Its owner can prepare them. ``ttl`` is in seconds.
    """
    zones = _managed_names(estate, [(tenant, domain)])
    around = _Surroundings(zones, opendkim.published(estate), set(domain.names))
    return sorted(set(_records_of_domain(estate, tenant, domain, around, ttl)), key=_ORDER)


def _managed_names(estate: Estate, served: t.Iterable[tuple[Tenant, Domain]]) -> dict[str, bool]:
    """Return, for the provider's domain and every served name, whether the provider writes it."""
    found = {estate.provider.domain: True}
    for _tenant, domain in served:
        found[domain.name] = domain.managed
        found.update((alias.name, alias.managed) for alias in domain.domain_aliases)
    return found


def _is_managed(name: str, zones: t.Mapping[str, bool]) -> bool:
    """Return whether the provider writes the zone that the name is in."""
    zone = name if name in zones else nearest(name, zones)
    return zone is not None and zones[zone]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a domain's records depend on, in addition to its own file.

    Attributes:
        zones: Whether the provider writes each zone, by the zone's name.
        keys: The reported DKIM keys to publish, by name.
        own: The names of the tenant's domains.
    """

    zones: t.Mapping[str, bool]
    keys: t.Mapping[str, list[DkimKey]]
    own: t.Container[str]


def _records_of_domain(
    estate: Estate, tenant: Tenant, domain: Domain, around: _Surroundings, ttl: int
) -> t.Iterator[Record]:
    """Yield the records of a domain under all its names, and what it needs in other zones."""
    zones = around.zones
    for name in domain.names:
        keys = around.keys.get(name, [])
        for owner, kind, value, purpose in _rows_of_name(estate, tenant, domain, name, keys):
            yield Record(name, owner, kind, ttl, value, zones[name], purpose)
    branded = domain.branding.hostname
    zone = nearest(branded, zones) if branded else None
    if branded and zone:
        for owner, kind, value, purpose in _rows_of_branding(estate, tenant, branded, zones):
            yield Record(zone, owner, kind, ttl, value, zones[zone], purpose)
    for owner, kind, value, purpose in senders.report_permissions(estate, around.own, domain):
        receiver = owner.partition("._report._dmarc.")[2]
        zone = receiver if receiver in zones else nearest(receiver, zones)
        if zone:
            yield Record(zone, owner, kind, ttl, value, zones[zone], purpose)


def _rows_of_name(
    estate: Estate, tenant: Tenant, domain: Domain, name: str, keys: t.Sequence[DkimKey]
) -> t.Iterator[Row]:
    """Yield the records of one name of a domain: the domain's own, or a domain alias."""
    yield from senders.dkim(name, keys)
    yield name, "TXT", *_spf(estate, tenant, domain, name)
    if services.is_parked(domain):
        yield name, "MX", receivers.NULL_MX, "null_mx"
        yield f"_dmarc.{name}", "TXT", senders.parked_dmarc(domain.dmarc), "dmarc"
        return
    yield from receivers.mx(estate, tenant, name)
    yield f"_dmarc.{name}", "TXT", senders.dmarc(domain.dmarc), "dmarc"
    yield from receivers.transport_security(estate, tenant, domain, name)
    if domain.mta_sts:
        yield from clients.caa(f"mta-sts.{name}", estate.caa)
    if domain.type == "mail":
        yield from clients.services(domain, estate.node_of(tenant), name)
        yield from clients.settings(estate, domain, estate.node_of(tenant), name)


def _spf(estate: Estate, tenant: Tenant, domain: Domain, name: str) -> tuple[str, str]:
    """Return the value and the purpose of a name's one SPF record.

    The provider's domain may also be a tenant's mail domain. Then its record serves both.
    """
    if name == estate.provider.domain:
        return senders.spf_as_provider(estate, tenant, domain), "provider_spf"
    if services.is_parked(domain):
        return senders.NULL_SPF, "null_spf"
    return senders.spf(estate, tenant, domain), "spf"


def _rows_of_branding(
    estate: Estate, tenant: Tenant, host: str, zones: t.Container[str]
) -> t.Iterator[Row]:
    """Yield the records of a branding host, the name that mail programs connect to.

    Without an MX record, senders would deliver mail to its address (RFC 5321 section 5.1). So its
    records say that it takes and sends no mail, unless it is also a domain or a mail host.
    """
    yield from receivers.addresses(host, estate.node_of(tenant).addresses, "client_address")
    if host not in zones and host not in provider.hosts(estate):
        yield host, "MX", receivers.NULL_MX, "null_mx"
        yield host, "TXT", senders.NULL_SPF, "null_spf"
        yield from clients.caa(host, estate.caa)
