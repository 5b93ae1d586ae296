# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may send for a domain: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 9989).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ... import _names
from .. import opendkim
from .record import Row

if t.TYPE_CHECKING:
    from ..._model.domain import Dmarc, Domain
    from ..._model.estate import DkimKey, Estate
    from ..._model.tenant import Tenant

POLICY = {"observe": "none", "test": "quarantine", "quarantine": "quarantine", "reject": "reject"}
NOBODY = "v=spf1 -all"
PARKED_DMARC = "v=DMARC1; p=reject"


def ip_terms(addresses: t.Iterable[str]) -> str:
    """Addresses as SPF's mechanisms, each once."""
    return " ".join(
        dict.fromkeys(
            f"ip{ipaddress.ip_address(address).version}:{address}" for address in addresses
        )
    )


def provider_spf(estate: Estate, more: t.Iterable[str] = ()) -> str:
    """Return the record that tenants include. Addresses, not names: receivers give up after ten lookups (section 4.6.4), and
    this record is part of every tenant's. The premium relay is not in it: then its other customers could send for every tenant."""
    own = ip_terms(
        address for node in estate.nodes for address in (*node.addresses, *node.outbound_addresses)
    )
    return " ".join(("v=spf1", *filter(None, (own, *more)), "-all"))


def relay_terms(estate: Estate, tenant: Tenant) -> list[str]:
    """Return what lets the premium relay send for a tenant that uses it. The relay publishes its own senders."""
    relay = estate.premium_relay if tenant.premium_relay else None
    return [f"include:{relay.spf_include}"] if relay else []


def extra_terms(domain: Domain) -> list[str]:
    """What a domain's own file adds: other senders of the tenant, and a relay domain's server, where its people work."""
    theirs = [f"a:{domain.relay.host}"] if domain.relay else []
    return [*theirs, *(f"include:{name}" for name in domain.spf.include)]


def spf(estate: Estate, tenant: Tenant, domain: Domain) -> str:
    """The one SPF record of a domain."""
    relay = relay_terms(estate, tenant)
    if domain.spf.mode == "mx":
        # The domain's MX does not name what mail may leave by besides.
        own = ["mx", *([ip_terms([tenant.outbound_address])] if tenant.outbound_address else [])]
    else:
        own = [f"include:{estate.provider.domain}"]
    # What comes through the premium relay is refused under any other tail (S0-4); the judge says so, this holds it.
    tail = "-all" if relay else domain.spf.tail
    return " ".join(dict.fromkeys(("v=spf1", *own, *relay, *extra_terms(domain), tail)))


def spf_as_provider(estate: Estate, tenant: Tenant, domain: Domain) -> str:
    """Return the one SPF record of the provider's own domain where it is a tenant's mail domain too."""
    return provider_spf(estate, dict.fromkeys((*relay_terms(estate, tenant), *extra_terms(domain))))


def dkim(name: str, keys: t.Iterable[DkimKey]) -> t.Iterator[Row]:
    """Every key that nodes report, for as long as its life says: one that is to sign must be there first, and one that signed
    stays until its mail has arrived. After a move of the tenant the old node's keys stay for the same reason."""
    for key in keys:
        text = opendkim.txt(key)
        if text is not None:
            yield f"{key.selector}._domainkey.{name}", "TXT", text, "dkim"


def dmarc(settings: Dmarc) -> str:
    """The DMARC record. ``t=y`` (stage test) softens every policy of the record by one step, so a stage of test for
    subdomains alone is written as the softer policy it amounts to: none."""
    testing = settings.stage == "test"
    tags = ["v=DMARC1", f"p={POLICY[settings.stage]}"]
    for tag, stage in (("sp", settings.subdomains), ("np", settings.nonexistent)):
        if stage:
            tags.append(f"{tag}={'none' if stage == 'test' and not testing else POLICY[stage]}")
    if testing:
        tags.append("t=y")
    if settings.reports_to:
        tags.append(f"rua={_names.mailto(settings.reports_to)}")
    return "; ".join(tags)


def parked_dmarc(settings: Dmarc) -> str:
    """A domain without mail has no mail that a strict policy could harm."""
    return PARKED_DMARC + (
        f"; rua={_names.mailto(settings.reports_to)}" if settings.reports_to else ""
    )


def grants(estate: Estate, own: t.Container[str], domain: Domain) -> t.Iterator[Row]:
    """RFC 9990 section 4: a domain says which others may send their reports to it. Names in one tree share an
    organisational domain and need no grant. Only the tenant's ``own`` names and the provider's give it by themselves: a
    tenant's file must not write into a neighbour's zone, nor consent for one."""
    receiver = (domain.dmarc.reports_to or "").rpartition("@")[2]
    provider = estate.provider.domain
    if _names.is_in(receiver, provider) or receiver in own:
        for name in domain.names:
            yield from grant(receiver, name)


def grant(receiver: str, name: str) -> t.Iterator[Row]:
    """The record by which a domain says that it gets reports about a name, unless one lies in the other."""
    if not _names.is_in(name, receiver) and not _names.is_in(receiver, name):
        yield f"{name}._report._dmarc.{receiver}", "TXT", "v=DMARC1", "dmarc_grant"
