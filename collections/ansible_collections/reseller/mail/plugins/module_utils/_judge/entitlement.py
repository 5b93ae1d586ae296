# SPDX-License-Identifier: GPL-3.0-or-later
"""Entitlement: protocols, add-ons, rates, credentials, relay and outbound address are what plan, node and estate give; signatures can be read.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils._cascade import Chain, chain_of, find
from ansible_collections.reseller.mail.plugins.module_utils._judge._index import (
    Index,
    fault,
    listed,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Plan, Tenant
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault, Said
from ansible_collections.reseller.mail.plugins.module_utils._nodes import meant

_RATES = ("messages_per_hour", "recipients_per_message")


def judge(index: Index) -> t.Iterator[Fault]:
    """All faults in entitlement."""
    yield from _addons(index.estate)
    yield from _signatures(index, index.estate.said)
    for plan in index.estate.plans:
        yield from _signatures(index, plan.said)
        yield from _protocols(plan, plan.said)
        if "protocols" not in plan.said:
            yield from _protocols(plan, index.estate.said)
    for tenant in index.estate.tenants:
        its_plan = index.plans.get(tenant.plan)
        if its_plan is not None and not index.unsure("plans.yml"):
            yield from _tenant(tenant, its_plan)
        yield from _outgoing(index, tenant, its_plan)
        chain = chain_of(index.estate, tenant)
        yield from _rates(f"tenant {tenant.name}", tenant.said, chain[:-1])
        yield from _counts(f"tenant {tenant.name}", tenant.said, chain[:-1])
        yield from _signatures(index, tenant.said)
        for domain in tenant.domains:
            yield from _signatures(index, domain.said)
            yield from _rates(domain.name, domain.said, chain)
            yield from _counts(domain.name, domain.said, chain)
            for mailbox in domain.mailboxes:
                yield from _rates(mailbox.address, mailbox.said, chain)
                yield from _counts(mailbox.address, mailbox.said, chain)
            yield from _spf(index.estate, tenant, domain)
            yield from _passwords(domain)


def _addons(estate: Estate) -> t.Iterator[Fault]:
    known = {addon.name for addon in estate.addons}
    places = [
        (name, plan.at.of("addons", nth))
        for plan in estate.plans
        for nth, name in enumerate(plan.addons)
    ]
    places += [
        (name, bundle.at.of("addons", nth))
        for bundle in estate.addon_bundles
        for nth, name in enumerate(bundle.addons)
    ]
    for name, at in places:
        if name not in known:
            yield fault(
                at,
                "unknown-addon",
                f"there is no add-on {name}{meant(name, known)}",
                f"addons of plans.yml: {listed(known)}",
            )
    for bundle in estate.addon_bundles:
        if len(set(bundle.addons)) < 2:
            yield fault(
                bundle.at.of("addons"),
                "bundle-of-one",
                "a price for add-ons that stand together needs several",
                "at least two add-ons",
            )


def _protocols(plan: Plan, says: Said) -> t.Iterator[Fault]:
    for nth, protocol in enumerate(says.get("protocols") or ()):
        if protocol not in plan.protocols:
            what = f"{protocol} is not among the protocols of plan {plan.name}"
            yield fault(
                says["at"].of("protocols", nth),
                "protocol-not-in-plan",
                what,
                listed(plan.protocols),
            )


def _tenant(tenant: Tenant, plan: Plan) -> t.Iterator[Fault]:
    yield from _protocols(plan, tenant.said)
    for domain in tenant.domains:
        yield from _protocols(plan, domain.said)
        for mailbox in domain.mailboxes:
            yield from _protocols(plan, mailbox.said)
            for nth, addon in enumerate(mailbox.addons):
                if addon not in plan.addons:
                    what = f"{mailbox.address} has the add-on {addon}, which plan {plan.name} does not offer"
                    yield fault(
                        mailbox.at.of("addons", nth),
                        "addon-not-in-plan",
                        what,
                        f"add-ons of the plan: {listed(plan.addons)}",
                    )


def _outgoing(index: Index, tenant: Tenant, plan: t.Optional[Plan]) -> t.Iterator[Fault]:
    address = tenant.outbound_address
    node = index.nodes.get(tenant.placement)
    at = tenant.at.of("outbound_address")
    if (
        address
        and node is not None
        and address not in node.outbound_addresses
        and not index.unsure("estate.yml", "nodes")
    ):
        what = f"{address} is no outbound address of node {node.name}, where tenant {tenant.name} is placed"
        yield fault(
            at,
            "unknown-outbound-address",
            what,
            f"outbound_addresses of the node: {listed(node.outbound_addresses)}",
        )
    if address and plan is not None and "outbound_address" not in plan.features:
        what = (
            f"tenant {tenant.name} uses outbound_address, which the plan {plan.name} does not have"
        )
        yield fault(
            at, "feature-not-in-plan", what, f"features of the plan: {listed(plan.features)}"
        )
    if (
        tenant.premium_relay
        and index.estate.premium_relay is None
        and not index.unsure("estate.yml", "premium_relay")
    ):
        found = find(chain_of(index.estate, tenant), "premium_relay")
        what = f"mail of tenant {tenant.name} is to leave by the premium relay, and there is none"
        yield fault(found.at, "no-premium-relay", what, "premium_relay in estate.yml")


def _rates(who: str, said: Said, above: Chain) -> t.Iterator[Fault]:
    """A looser rate than the provider's would have no effect: the tighter one counts."""
    says = said.get("rate_limits") or {}
    for key in _RATES:
        given, wanted = find(above, "rate_limits", key), says.get(key)
        if wanted is not None and given.value is not None and wanted > given.value:
            yield fault(
                says["at"].of(key),
                "rate-above-limit",
                f"{who} is to send {wanted} {key}",
                f"up to {given.value} ({given.at})",
            )


def _counts(who: str, said: Said, above: Chain) -> t.Iterator[Fault]:
    """The same for what a mailbox may hold; what the provider's own files say may be above the default, what tenants' say may not."""
    says = said.get("mailbox_limits") or {}
    for key in ("messages", "folders"):
        given, wanted = find(above, "mailbox_limits", key), says.get(key)
        by_default = given.level == "default"
        if (
            wanted is not None
            and wanted > given.value
            and not (by_default and above[-1][0] == "plan")
        ):
            where = (
                "the default; defaults of estate.yml, a plan or the account may allow more"
                if by_default
                else given.at
            )
            yield fault(
                says["at"].of(key),
                "mailbox-limit-above",
                f"{who} is to hold {wanted} {key}",
                f"up to {given.value} ({where})",
            )


def _spf(estate: Estate, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    """With the premium relay, receivers refuse what a soft tail lets through (S0-4)."""
    if tenant.premium_relay and domain.spf.tail != "-all":
        found = find(chain_of(estate, tenant, domain), "spf", "tail")
        what = f"{domain.name} sends by the premium relay, and its SPF record ends in {domain.spf.tail}"
        yield fault(
            found.at, "open-spf-tail", what, "tail: -all, or no premium_relay for the tenant"
        )


def _signatures(index: Index, says: Said) -> t.Iterator[Fault]:
    """Who cannot verify Ed25519 sees no signature at all (RFC 8463 section 3), and large receivers cannot."""
    dkim = says.get("dkim") or {}
    algorithms = dkim.get("algorithms")
    if (
        algorithms is not None
        and "rsa" not in algorithms
        and not index.unsure(dkim["at"].file, "dkim", "defaults", "plans")
    ):
        what = (
            "without rsa, mail is unsigned to everyone who cannot verify Ed25519"
            if algorithms
            else "nothing signs"
        )
        yield fault(
            dkim["at"].of("algorithms"), "no-rsa-signature", what, "rsa, or rsa and ed25519"
        )


def _passwords(domain: Domain) -> t.Iterator[Fault]:
    for mailbox in domain.mailboxes:
        if mailbox.credentials == "external" and mailbox.password is not None:
            what = f"credentials of {mailbox.address} are kept elsewhere, and nobody logs in here with this password"
            yield fault(
                mailbox.at.of("password"),
                "password-of-external",
                what,
                "no password, or credentials: local",
            )
