# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the records about who may send for a domain: SPF, DKIM (RFC 6376), DMARC (RFC 9989).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ..._dns.record import Row
from ..._model import names, outgoing
from .. import opendkim

if t.TYPE_CHECKING:
    from ..._model.domain import Dmarc, Domain
    from ..._model.estate import DkimKey, Estate
    from ..._model.tenant import Tenant

POLICY = {"observe": "none", "test": "quarantine", "quarantine": "quarantine", "reject": "reject"}
"""The policy tag of each stage of DMARC."""
NULL_SPF = "v=spf1 -all"
"""The SPF record of a name that sends no mail."""
PARKED_DMARC = "v=DMARC1; p=reject"
"""The DMARC record of a domain that has no mail, without an address for reports."""


def ip_terms(addresses: t.Iterable[str]) -> str:
    """Return the addresses as mechanisms of SPF, separated by spaces, without duplicates."""
    return " ".join(
        dict.fromkeys(
            f"ip{ipaddress.ip_address(address).version}:{address}" for address in addresses
        )
    )


def provider_spf(estate: Estate, more: t.Iterable[str] = ()) -> str:
    """Return the SPF record that tenants include, with the terms in ``more`` before its end.

    It has addresses, not names: it is part of every tenant's record, and receivers stop after ten
    lookups (RFC 7208 section 4.6.4). The premium relay is not in it, because the relay's other
    customers could then send for every tenant.
    """
    own = ip_terms(
        address for node in estate.nodes for address in (*node.addresses, *node.outbound_addresses)
    )
    return " ".join(("v=spf1", *filter(None, (own, *more)), "-all"))


def relay_terms(estate: Estate, tenant: Tenant, domain: Domain) -> list[str]:
    """Return the term that lets a relay send for a domain that uses it.

    The relay's operator publishes the relay's addresses under that name.
    """
    relay = outgoing.relay_of(estate, tenant, domain)
    return [f"include:{relay.spf_include}"] if relay else []


def extra_terms(domain: Domain) -> list[str]:
    """Return the terms that a domain's own file adds.

    These are the tenant's other senders, and the server of a relay domain, from which its users
    send.
    """
    relay_server = [f"a:{domain.relay.host}"] if domain.relay else []
    return [*relay_server, *(f"include:{name}" for name in domain.spf.include)]


def spf(estate: Estate, tenant: Tenant, domain: Domain) -> str:
    """Return the one SPF record of a domain."""
    relay = relay_terms(estate, tenant, domain)
    if domain.spf.mode == "mx":
        # The tenant's address for outgoing mail may be none of the addresses of its MX.
        own = ["mx", *filter(None, [ip_terms(outgoing.outbound_addresses_of(estate, tenant))])]
    else:
        own = [f"include:{estate.provider.domain}"]
    # The premium relay refuses mail of domains with any other tail. The validation of the files
    # reports another tail; here the record is right in any case.
    premium = outgoing.relay_name(tenant, domain) == outgoing.PREMIUM
    tail = "-all" if relay and premium else domain.spf.tail
    return " ".join(dict.fromkeys(("v=spf1", *own, *relay, *extra_terms(domain), tail)))


def spf_as_provider(estate: Estate, tenant: Tenant, domain: Domain) -> str:
    """Return the one SPF record of the provider's domain if it is also a tenant's mail domain."""
    return provider_spf(
        estate, dict.fromkeys((*relay_terms(estate, tenant, domain), *extra_terms(domain)))
    )


def dkim(name: str, keys: t.Iterable[DkimKey]) -> t.Iterator[Row]:
    """Yield the records of every reported key that is not removed.

    A key must be in DNS before it signs. A former key stays until the mail that it signed has
    arrived. After a tenant moved to another node, the keys of the old node stay for this reason.
    """
    for key in keys:
        text = opendkim.txt(key)
        if text is not None:
            yield f"{key.selector}._domainkey.{name}", "TXT", text, "dkim"


def dmarc(settings: Dmarc) -> str:
    """Return the DMARC record for the settings.

    Stage ``test`` is ``t=y``, which softens every policy of the record by one step. So a stage
    ``test`` for subdomains only is written as ``none``, the policy with the same effect.
    """
    testing = settings.stage == "test"
    tags = ["v=DMARC1", f"p={POLICY[settings.stage]}"]
    for tag, stage in (("sp", settings.subdomains), ("np", settings.nonexistent)):
        if stage:
            tags.append(f"{tag}={'none' if stage == 'test' and not testing else POLICY[stage]}")
    if testing:
        tags.append("t=y")
    if settings.reports_to:
        tags.append(f"rua={names.mailto(settings.reports_to)}")
    return "; ".join(tags)


def parked_dmarc(settings: Dmarc) -> str:
    """Return the DMARC record of a domain that has no mail.

    Its policy is ``reject`` whatever its stage is, because there is no mail that this could harm.
    """
    return PARKED_DMARC + (
        f"; rua={names.mailto(settings.reports_to)}" if settings.reports_to else ""
    )


def report_permissions(estate: Estate, own: t.Container[str], domain: Domain) -> t.Iterator[Row]:
    """Yield the records that permit DMARC reports about the domain to be sent to another domain.

    RFC 9990 section 4 asks for them. They are written only if the reports go to one of the
    tenant's ``own`` names or to the provider's domain: a tenant's file must not write into another
    tenant's zone, or agree for that tenant.
    """
    receiver = (domain.dmarc.reports_to or "").rpartition("@")[2]
    provider = estate.provider.domain
    if names.is_in(receiver, provider) or receiver in own:
        for name in domain.names:
            yield from report_permission(receiver, name)


def report_permission(receiver: str, name: str) -> t.Iterator[Row]:
    """Yield the record that permits reports about ``name`` to addresses of ``receiver``.

    Names of which one is below the other have the same organisational domain and need no record.
    """
    if not names.is_in(name, receiver) and not names.is_in(receiver, name):
        yield f"{name}._report._dmarc.{receiver}", "TXT", "v=DMARC1", "dmarc_grant"
