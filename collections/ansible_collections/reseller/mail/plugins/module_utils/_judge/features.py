# SPDX-License-Identifier: GPL-3.0-or-later
"""Features: a tenant uses what its plan has, and only what fits together.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._judge._index import (
    Index,
    fault,
    listed,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault
from ansible_collections.reseller.mail.plugins.module_utils._names import nearest

RESERVED = ("mta-sts", "autoconfig", "autodiscover")
"""Labels below a domain that nginx answers for: mail daemons do not get the certificates of such names."""

_NOT_FOR_RELAY = ("mailboxes", "aliases", "sender_addresses", "domain_aliases", "catch_all")


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in features."""
    hostnames = {node.hostname for node in index.estate.nodes}
    taken: dict[str, Tenant] = {}
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            yield from _plan(index, tenant, domain)
            yield from _relay(index, tenant, domain)
            yield from _branding(tenant, domain, hostnames, taken)


def _plan(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    plan = index.plans.get(tenant.plan)
    if plan is None:
        return
    uses = {
        "catch_all": ("catch_all", domain.catch_all is not None),
        "relay_domains": ("type", domain.type == "relay"),
        "branding": ("branding", "branding" in domain.said),
    }
    for feature, (key, used) in uses.items():
        if used and feature not in plan.features:
            what = f"{domain.name} uses {feature}, which the plan {plan.name} does not have"
            with_it = listed(
                name for name, other in index.plans.items() if feature in other.features
            )
            yield fault(
                domain.at.of(key),
                "feature-not-in-plan",
                what,
                f"features of the plan: {listed(plan.features)}; plans with it: {with_it}",
            )


def _relay(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    if domain.type == "relay":
        if domain.relay is None:
            if not index.unsure(domain.at.file, "relay"):
                yield fault(
                    domain.at.of("type"),
                    "relay-without-host",
                    f"{domain.name} says nowhere where its mail goes",
                    "relay: {host, recipients}",
                )
        elif domain.relay.host not in index.estate.approved_hosts and not index.unsure(
            "estate.yml", "approved_hosts"
        ):
            what = f"{domain.relay.host} is no host that the provider approved"
            if domain.relay.host in tenant.requested_hosts:
                nth = tenant.requested_hosts.index(domain.relay.host)
                what = f"{domain.relay.host} is requested ({tenant.at.of('requested_hosts', nth)}), but the provider has not approved it yet"
            yield fault(
                domain.at.of("relay", "host"),
                "host-not-approved",
                what,
                f"approved_hosts of estate.yml: {listed(index.estate.approved_hosts)}",
            )
        for key in _NOT_FOR_RELAY:
            if getattr(domain, key):
                what = f"a relay domain has no {key}: its mail is handed on"
                yield fault(
                    domain.at.of(key),
                    "not-for-relay",
                    what,
                    "recipients under relay, or type: mail",
                )
    elif domain.relay is not None and not index.unsure(domain.at.file, "type"):
        yield fault(
            domain.at.of("relay"),
            "relay-of-mail-domain",
            f"{domain.name} keeps its mail here",
            "relay only with type: relay",
        )


def _branding(
    tenant: Tenant, domain: Domain, hostnames: set[str], taken: dict[str, Tenant]
) -> t.Iterator[Fault]:
    name = domain.branding.hostname
    if name is None:
        return
    at = domain.at.of("branding", "hostname")
    own = {own_name for each in tenant.domains for own_name in each.names}
    # Not the domain itself: its address is that of the tenant's web site.
    if name in hostnames or name in own or not nearest(name, own):
        yield fault(
            at,
            "foreign-hostname",
            f"{name} does not lie below a domain of tenant {tenant.name}",
            f"a name below {listed(own)}",
        )
    elif name.partition(".")[0] in RESERVED:
        yield fault(
            at,
            "reserved-name",
            f"{name} is where others ask for policies and settings",
            f"a name that does not begin with {listed(RESERVED)}",
        )
    elif (
        taken.setdefault(name, tenant) is not tenant
    ):  # pragma: no cover - needs a domain of two tenants, a fault itself
        yield fault(
            at,
            "foreign-hostname",
            f"{name} is tenant {taken[name].name}'s",
            "a name of the tenant's own",
        )
