# SPDX-License-Identifier: GPL-3.0-or-later
"""Features: a tenant uses features of its plan, and only keys that fit together.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._model.domain import Domain
from .._model.names import nearest
from .._model.tenant import Tenant
from .._model.values import Fault, Position
from .._model.words import listed
from ._index import Index, fault

RESERVED = ("mta-sts", "autoconfig", "autodiscover")
"""Labels below a domain that nginx answers for. Mail daemons do not get the certificates of these
names."""

_NOT_FOR_RELAY = ("mailboxes", "aliases", "sender_addresses", "domain_aliases", "catch_all")

_OF_SPAM = {"spam_scores": ("junk", "reject", "greylist"), "spam_lists": ("allow", "block")}
"""The keys of ``spam`` that need a feature."""


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in features."""
    hostnames = {node.hostname for node in index.estate.nodes}
    taken: dict[str, Tenant] = {}
    for tenant in index.estate.tenants:
        for domain in tenant.domains:
            yield from _not_in_plan(index, tenant, domain)
            if domain.type == "relay":
                yield from _relay_domain(index, tenant, domain)
            elif domain.relay is not None and not index.unsure(domain.at.file, "type"):
                yield fault(
                    domain.at.of("relay"),
                    "relay-of-mail-domain",
                    f"{domain.name} is a mail domain, so it cannot have the key relay",
                    "relay only with type: relay",
                )
            yield from _branding(tenant, domain, hostnames, taken)


def _not_in_plan(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    plan = index.plans.get(tenant.plan)
    if plan is None:
        return
    for feature, who, at, key in _uses(domain):
        if feature not in plan.features:
            what = f"{who} uses {feature}, which plan {plan.name} does not have"
            with_it = listed(
                name for name, other in index.plans.items() if feature in other.features
            )
            yield fault(
                at.of(key),
                "feature-not-in-plan",
                what,
                f"features of the plan: {listed(plan.features)}; plans with it: {with_it}",
            )


def _uses(domain: Domain) -> t.Iterator[tuple[str, str, Position, str]]:
    """Yield each feature that the file of a domain uses: its name, the user, the place, the key.

    The place is that of the table. To find the key, the whole file must be read again.
    """
    if domain.catch_all is not None:
        yield "catch_all", domain.name, domain.at, "catch_all"
    if domain.type == "relay":
        yield "relay_domains", domain.name, domain.at, "type"
    if "branding" in domain.own_settings:
        yield "branding", domain.name, domain.at, "branding"
    owners = {domain.name: domain.own_settings.get("spam") or {}}
    owners |= {
        box.address: box.own_settings["spam"]
        for box in domain.mailboxes
        if "spam" in box.own_settings  # false nearly always
    }
    for name, spam in owners.items():
        for feature, keys in _OF_SPAM.items():
            used = next((key for key in keys if spam.get(key) is not None), None)
            if used:
                yield feature, name, spam["at"], used


def _relay_domain(index: Index, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    """Yield the faults of a relay domain: its host, and keys that only mail domains have."""
    if domain.relay is None:
        if not index.unsure(domain.at.file, "relay"):
            yield fault(
                domain.at.of("type"),
                "relay-without-host",
                f"{domain.name} is a relay domain without the key relay, so its mail cannot be"
                " delivered",
                "relay: {host, recipients}",
            )
    elif domain.relay.host not in index.estate.approved_hosts and not index.unsure(
        "estate.yml", "approved_hosts"
    ):
        yield _host_not_approved(index, tenant, domain, domain.relay.host)
    for key in _NOT_FOR_RELAY:
        if getattr(domain, key):
            yield fault(
                domain.at.of(key),
                "not-for-relay",
                f"a relay domain cannot have {key}: its mail goes to another host",
                "recipients under relay, or type: mail",
            )


def _host_not_approved(index: Index, tenant: Tenant, domain: Domain, host: str) -> Fault:
    what = f"the provider has not approved the host {host}"
    if host in tenant.requested_hosts:
        nth = tenant.requested_hosts.index(host)
        what = (
            f"the host {host} is requested ({tenant.at.of('requested_hosts', nth)}), but the"
            " provider has not approved it yet"
        )
    return fault(
        domain.at.of("relay", "host"),
        "host-not-approved",
        what,
        f"approved_hosts of estate.yml: {listed(index.estate.approved_hosts)}",
    )


def _branding(
    tenant: Tenant, domain: Domain, hostnames: set[str], taken: dict[str, Tenant]
) -> t.Iterator[Fault]:
    name = domain.branding.hostname
    if name is None:
        return
    own = {own_name for each in tenant.domains for own_name in each.names}
    # The domain itself is not allowed: its address is that of the tenant's web site.
    if name in hostnames or name in own or not nearest(name, own):
        yield fault(
            domain.at.of("branding", "hostname"),
            "foreign-hostname",
            f"{name} is not below a domain of tenant {tenant.name}",
            f"a name below {listed(own)}",
        )
    elif name.partition(".")[0] in RESERVED:
        yield fault(
            domain.at.of("branding", "hostname"),
            "reserved-name",
            f"{name} is a name under which policies or settings are published",
            f"a name whose first label is not one of {listed(RESERVED)}",
        )
    elif (
        taken.setdefault(name, tenant) is not tenant
    ):  # pragma: no cover - needs a domain of two tenants, a fault itself
        yield fault(
            domain.at.of("branding", "hostname"),
            "foreign-hostname",
            f"{name} belongs to tenant {taken[name].name}",
            "a name below the tenant's own domains",
        )
