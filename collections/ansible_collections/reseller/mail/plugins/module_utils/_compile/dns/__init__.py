# SPDX-License-Identifier: GPL-3.0-or-later
"""Every DNS record that the estate's domains need.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._names import nearest
from .. import _mx, _services, opendkim
from . import clients, provider, receivers, senders
from .provider import wishes
from .record import PURPOSES, TTL, Purpose, Record, Row
from .text import zone_fragments, zone_line

if t.TYPE_CHECKING:
    from ..._model.domain import Domain
    from ..._model.estate import DkimKey, Estate
    from ..._model.tenant import Tenant

__all__ = [
    "PURPOSES",
    "TTL",
    "Purpose",
    "Record",
    "pending",
    "records",
    "records_of",
    "unsigned",
    "wishes",
    "zone_fragments",
    "zone_line",
]


def records(estate: Estate, ttl: int = TTL) -> list[Record]:
    """All records, sorted. A DKIM key or TLS key that no node has reported yet has none; ``pending`` and
    ``pending_tls`` list those."""
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
        found.update(
            _domain(estate, tenant, domain, _Surroundings(zones, keys, own[tenant.name]), ttl)
        )
    return sorted(found)


def records_of(estate: Estate, tenant: Tenant, domain: Domain, ttl: int = TTL) -> list[Record]:
    """One domain's records, sorted, also when hosts do not serve it yet: what its owner can prepare."""
    zones = _managed_names(estate, [(tenant, domain)])
    return sorted(
        set(
            _domain(
                estate,
                tenant,
                domain,
                _Surroundings(zones, opendkim.published(estate), set(domain.names)),
                ttl,
            )
        )
    )


def pending(estate: Estate) -> list[tuple[str, str]]:
    """(domain name, selector) where a node has reported no key at all of a name that sends from it, sorted."""
    parked = _parked(estate)
    return [
        (name, estate.node(node).dkim_selector)
        for name, node in opendkim.pending(estate)
        if name not in parked
    ]


def unsigned(estate: Estate) -> list[tuple[str, str, str, bool]]:
    """Return (domain name, node's name, algorithm, whether a key is reported) where a name that sends is not signed with an algorithm."""
    parked = _parked(estate)
    return [row for row in opendkim.unsigned(estate) if row[0] not in parked]


def _parked(estate: Estate) -> set[str]:
    return {
        name
        for _tenant, domain in estate.served_domains()
        if _services.is_parked(domain)
        for name in domain.names
    }


def pending_tls(estate: Estate) -> list[str]:
    """Names of mail hosts that have not reported the key they use for TLS, sorted."""
    reported = {key.name for state in estate.states for key in state.tls}
    return sorted(
        name for node in estate.nodes for name in _mx.names(estate, node) if name not in reported
    )


def _managed_names(estate: Estate, served: t.Iterable[tuple[Tenant, Domain]]) -> dict[str, bool]:
    """Every name whose zone is the estate's, and whether the provider writes it."""
    found = {estate.provider.domain: True}
    for _tenant, domain in served:
        found[domain.name] = domain.managed
        found.update((alias.name, alias.managed) for alias in domain.domain_aliases)
    return found


def _is_managed(name: str, zones: t.Mapping[str, bool]) -> bool:
    zone = name if name in zones else nearest(name, zones)
    return zone is not None and zones[zone]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a domain's records depend on besides its own file: who writes which zone, the reported keys, the tenant's names."""

    zones: t.Mapping[str, bool]
    keys: t.Mapping[str, list[DkimKey]]
    own: t.Container[str]


def _domain(
    estate: Estate, tenant: Tenant, domain: Domain, around: _Surroundings, ttl: int
) -> t.Iterator[Record]:
    zones = around.zones
    for name in domain.names:
        for owner, kind, value, purpose in _name(
            estate, tenant, domain, name, around.keys.get(name, [])
        ):
            yield Record(name, owner, kind, ttl, value, zones[name], purpose)
    branded = domain.branding.hostname
    zone = nearest(branded, zones) if branded else None
    if branded and zone:
        for owner, kind, value, purpose in _branded(estate, tenant, branded, zones):
            yield Record(zone, owner, kind, ttl, value, zones[zone], purpose)
    for owner, kind, value, purpose in senders.grants(estate, around.own, domain):
        receiver = owner.partition("._report._dmarc.")[2]
        zone = receiver if receiver in zones else nearest(receiver, zones)
        if zone:
            yield Record(zone, owner, kind, ttl, value, zones[zone], purpose)


def _name(
    estate: Estate, tenant: Tenant, domain: Domain, name: str, keys: t.Sequence[DkimKey]
) -> t.Iterator[Row]:
    """The records of one name of a domain."""
    yield from senders.dkim(name, keys)
    if _services.is_parked(domain):
        yield name, "MX", receivers.NULL_MX, "null_mx"
        yield (
            name,
            "TXT",
            *(
                _spf_of_provider(estate, tenant, domain)
                if name == estate.provider.domain
                else (senders.NOBODY, "null_spf")
            ),
        )
        yield f"_dmarc.{name}", "TXT", senders.parked_dmarc(domain.dmarc), "dmarc"
        return
    yield from receivers.mx(estate, tenant, name)
    yield (
        name,
        "TXT",
        *(
            _spf_of_provider(estate, tenant, domain)
            if name == estate.provider.domain
            else (senders.spf(estate, tenant, domain), "spf")
        ),
    )
    yield f"_dmarc.{name}", "TXT", senders.dmarc(domain.dmarc), "dmarc"
    yield from receivers.transport_security(estate, tenant, domain, name)
    if domain.mta_sts:
        yield from clients.caa(f"mta-sts.{name}", estate.caa)
    if domain.type == "mail":
        yield from clients.services(domain, estate.node_of(tenant), name)
        yield from clients.settings(estate, domain, estate.node_of(tenant), name)


def _spf_of_provider(estate: Estate, tenant: Tenant, domain: Domain) -> tuple[str, str]:
    """The provider's own domain may have mailboxes too: then its one record is both."""
    return senders.spf_as_provider(estate, tenant, domain), "provider_spf"


def _branded(estate: Estate, tenant: Tenant, host: str, zones: t.Container[str]) -> t.Iterator[Row]:
    """A name for mail programs. Without an MX of its own senders would deliver to its address (RFC 5321 section 5.1), so it
    says that it has no mail, unless it is something else besides."""
    yield from receivers.addresses(host, estate.node_of(tenant).addresses, "client_address")
    if host not in zones and host not in provider.hosts(estate):
        yield host, "MX", receivers.NULL_MX, "null_mx"
        yield host, "TXT", senders.NOBODY, "null_spf"
        yield from clients.caa(host, estate.caa)
