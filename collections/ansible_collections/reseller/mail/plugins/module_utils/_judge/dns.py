# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS: every name and record that the files cause fits into DNS, and receivers can evaluate every SPF record.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._cascade import (
    chain_of,
    find,
    place_of_item,
)
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns import senders
from ansible_collections.reseller.mail.plugins.module_utils._judge._index import Index, fault
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Position
from ansible_collections.reseller.mail.plugins.module_utils._names import MAX_DOMAIN

MAX_LOOKUPS = 10
"""RFC 7208 section 4.6.4: beyond it receivers give up, and the domain has no SPF at all."""

MAX_SPF = 1_000
"""Bytes of a tenant's record: with its name and other TXT records beside it, the answer stays within the 1,232 bytes that every
resolver takes by UDP."""

MAX_PROVIDER_SPF = 4_000
"""Bytes of the provider's, which lists every node; longer answers come by TCP, which some receivers wait for too briefly."""

_LOOKUPS = ("include:", "a:", "mx:", "ptr:", "exists:", "redirect=")


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in what DNS is to say."""
    texts = _texts(index.estate)
    told: set[Position] = set()
    yield from _provider(index.estate, texts)
    for tenant in index.estate.tenants:
        own = {name for each in tenant.domains for name in each.names}
        for domain in tenant.domains:
            for found in (
                *_spf(index.estate, tenant, domain, texts),
                *_grants(index.estate, tenant, domain, own),
            ):
                if found.position not in told:  # what stands above several domains is told once
                    told.add(found.position)
                    yield found
    for node in index.estate.nodes:
        name = f"_25._tcp.{node.hostname}"
        if len(name) > MAX_DOMAIN:
            yield _too_long(node.at.of("hostname"), "the TLSA record of the node", name)


def _texts(estate: Estate) -> dict[str, str]:
    """The estate's SPF records by name."""
    found = {estate.provider.domain: senders.provider_spf(estate)}
    for tenant in estate.tenants:
        for domain in tenant.domains:
            for name in domain.names:
                own = name == estate.provider.domain
                found[name] = (
                    senders.spf_as_provider(estate, tenant, domain)
                    if own
                    else senders.spf(estate, tenant, domain)
                )
    return found


def lookups(
    term: str, texts: t.Mapping[str, str], within: tuple[str, ...] = (), most: int = MAX_LOOKUPS + 1
) -> int:
    """How many questions a receiver asks for a term (RFC 7208 section 4.6.4), as far as the estate's own records tell, counted up to ``most``. A
    record that includes itself never ends, and gives ``most``."""
    if term in ("a", "mx", "ptr"):
        return 1
    if not term.startswith(_LOOKUPS):
        return 0
    name = term.replace("=", ":").partition(":")[2]
    if name not in texts or not term.startswith(("include:", "redirect=")):
        return 1
    if name in within:
        return most
    asked = 1
    for each in texts[name].split():
        if asked >= most:
            return most
        asked += lookups(each, texts, (*within, name), most - asked)
    return asked


def _spf(
    estate: Estate, tenant: Tenant, domain: Domain, texts: t.Mapping[str, str]
) -> t.Iterator[Fault]:
    """Of what the domain's own files add, the first that is too much."""
    chain = chain_of(estate, tenant, domain)
    limit = MAX_PROVIDER_SPF if domain.name == estate.provider.domain else MAX_SPF
    added = {f"include:{name}" for name in domain.spf.include}
    asked = sum(
        lookups(term, texts, (domain.name,))
        for term in texts[domain.name].split()
        if term not in added
    )
    size = len(texts[domain.name]) - sum(map(len, added)) - len(added)
    for nth, name in enumerate(dict.fromkeys(domain.spf.include)):
        at = place_of_item(chain, "spf", "include", domain.spf.include.index(name))
        before, asked, size = (
            asked,
            asked + lookups(f"include:{name}", texts, (domain.name,)),
            size + len(f" include:{name}"),
        )
        if before <= MAX_LOOKUPS < asked:
            why = (
                "includes itself by it"
                if name == domain.name
                else f"asks for more than {MAX_LOOKUPS} others with it"
            )
            yield fault(
                at,
                "too-many-spf-lookups",
                f"include {name} is number {nth + 1}, and the SPF record of {domain.name} {why}",
                f"at most {MAX_LOOKUPS} lookups in all (RFC 7208 section 4.6.4), those of what is included counted too",
            )
            return
        if size > limit:
            yield fault(
                at,
                "record-too-long",
                f"with include {name} the SPF record of {domain.name} has {size} bytes",
                f"at most {limit} bytes",
            )
            return


def _provider(estate: Estate, texts: t.Mapping[str, str]) -> t.Iterator[Fault]:
    size = len(texts[estate.provider.domain].encode())
    if size > MAX_PROVIDER_SPF and estate.provider.domain:
        what = f"the SPF record of {estate.provider.domain} lists the addresses of all nodes and has {size} bytes"
        yield fault(
            estate.at.of("nodes"), "record-too-long", what, f"at most {MAX_PROVIDER_SPF} bytes"
        )


def _grants(
    estate: Estate, tenant: Tenant, domain: Domain, own: t.Container[str]
) -> t.Iterator[Fault]:
    """The longest names that a tenant's values make; all others have a prefix of ours before a mail domain, which is short enough."""
    for name, _type, _value, _purpose in senders.grants(estate, own, domain):
        if len(name) > MAX_DOMAIN:
            at = find(chain_of(estate, tenant, domain), "dmarc", "reports_to").at
            yield _too_long(
                at, f"the record that lets {domain.dmarc.reports_to} get these reports", name
            )
            return


def _too_long(at: Position, what: str, name: str) -> Fault:
    allowed = f"at most {MAX_DOMAIN} (RFC 1035 section 2.3.4), with all prefixes"
    return fault(
        at, "name-too-long", f"{what} would have a name of {len(name)} characters", allowed
    )
