# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS: every name and record made from the files fits into DNS, and SPF needs few lookups.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._compile.dns import senders
from .._language.cascade import chain_of, find, place_of_item
from .._model.domain import Domain
from .._model.estate import Estate
from .._model.names import MAX_DOMAIN
from .._model.tenant import Tenant
from .._model.values import Fault, Position
from ._index import Index, fault

MAX_LOOKUPS = 10
"""RFC 7208 section 4.6.4: with more, receivers give up, and the domain has no valid SPF."""

MAX_SPF = 1_000
"""Bytes of a tenant's record. With the name and other TXT records, the answer then has at most the
1,232 bytes that every resolver takes over UDP."""

MAX_PROVIDER_SPF = 4_000
"""Bytes of the provider's record, which lists every node. Longer answers come over TCP, and some
receivers do not wait long enough for that."""

_LOOKUPS = ("include:", "a:", "mx:", "ptr:", "exists:", "redirect=")


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in records that the files make."""
    texts = _spf_records(index.estate)
    seen: set[Position] = set()
    yield from _provider_spf(index.estate, texts)
    for tenant in index.estate.tenants:
        own = {name for each in tenant.domains for name in each.names}
        for domain in tenant.domains:
            for found in (
                *_tenant_spf(index.estate, tenant, domain, texts),
                *_report_grants(index.estate, tenant, domain, own),
            ):
                # A value that holds for several domains gives one fault.
                if found.position not in seen:
                    seen.add(found.position)
                    yield found
    for node in index.estate.nodes:
        name = f"_25._tcp.{node.hostname}"
        if len(name) > MAX_DOMAIN:
            yield _too_long(node.at.of("hostname"), "the TLSA record of the node", name)


def _spf_records(estate: Estate) -> dict[str, str]:
    """Return the estate's SPF records by name."""
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
    """Return how many DNS lookups a receiver makes for an SPF term, at most ``most``.

    Counted as in RFC 7208 section 4.6.4. Records outside of ``texts`` count as one lookup. A
    record that includes itself has no end, and gives ``most``. ``within`` are the records that
    include this term.
    """
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


def _tenant_spf(
    estate: Estate, tenant: Tenant, domain: Domain, texts: t.Mapping[str, str]
) -> t.Iterator[Fault]:
    """Yield a fault at the first ``include`` of the domain that makes its record too much."""
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
        number = domain.spf.include.index(name)
        before, asked, size = (
            asked,
            asked + lookups(f"include:{name}", texts, (domain.name,)),
            size + len(f" include:{name}"),
        )
        if before <= MAX_LOOKUPS < asked:
            why = (
                "includes itself"
                if name == domain.name
                else f"needs more than {MAX_LOOKUPS} lookups"
            )
            yield fault(
                place_of_item(chain, "spf", "include", number),
                "too-many-spf-lookups",
                f"with include {name} (number {nth + 1}) the SPF record of {domain.name} {why}",
                f"at most {MAX_LOOKUPS} lookups, including those of the included records"
                " (RFC 7208 section 4.6.4)",
            )
            return
        if size > limit:
            yield fault(
                place_of_item(chain, "spf", "include", number),
                "record-too-long",
                f"with include {name} the SPF record of {domain.name} has {size} bytes",
                f"at most {limit} bytes",
            )
            return


def _provider_spf(estate: Estate, texts: t.Mapping[str, str]) -> t.Iterator[Fault]:
    size = len(texts[estate.provider.domain].encode())
    if size > MAX_PROVIDER_SPF and estate.provider.domain:
        what = (
            f"the SPF record of {estate.provider.domain} lists the addresses of all nodes and has"
            f" {size} bytes"
        )
        yield fault(
            estate.at.of("nodes"), "record-too-long", what, f"at most {MAX_PROVIDER_SPF} bytes"
        )


def _report_grants(
    estate: Estate, tenant: Tenant, domain: Domain, own: t.Container[str]
) -> t.Iterator[Fault]:
    """Yield a fault if the name of the record that allows DMARC reports elsewhere is too long.

    These are the longest names that values of tenants make. All other names are a fixed prefix
    before a mail domain, which is always short enough.
    """
    for name, _type, _value, _purpose in senders.report_permissions(estate, own, domain):
        if len(name) > MAX_DOMAIN:
            at = find(chain_of(estate, tenant, domain), "dmarc", "reports_to").at
            yield _too_long(
                at, f"the record that lets {domain.dmarc.reports_to} get DMARC reports", name
            )
            return


def _too_long(at: Position, what: str, name: str) -> Fault:
    allowed = f"at most {MAX_DOMAIN} characters with all prefixes (RFC 1035 section 2.3.4)"
    return fault(
        at, "name-too-long", f"{what} would have a name of {len(name)} characters", allowed
    )
