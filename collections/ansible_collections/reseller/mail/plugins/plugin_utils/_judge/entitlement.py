# SPDX-License-Identifier: GPL-3.0-or-later
"""Entitlement: what a tenant uses is what plan, node and estate give it; DKIM has RSA.

Covers protocols, add-ons, rates, mailbox limits, passwords, premium relay and outbound address.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t

from .._language.cascade import Chain, chain_of, find
from .._model.domain import Domain
from .._model.estate import Estate
from .._model.outgoing import PREMIUM, relay_name
from .._model.tenant import Plan, Tenant
from .._model.values import Fault, OwnSettings
from .._model.words import listed, meant
from ._index import Index, fault

_SENDING = ("messages_per_hour", "domain_messages_per_hour")
_RATES = ("messages_per_hour", "recipients_per_message")


def judge(index: Index) -> t.Iterator[Fault]:
    """Yield all faults in entitlement."""
    yield from _unknown_addons(index.estate)
    yield from _bundles_of_one(index.estate)
    yield from _signatures(index, index.estate.own_settings)
    for plan in index.estate.plans:
        yield from _signatures(index, plan.own_settings)
        yield from _protocols(plan, plan.own_settings)
        if "protocols" not in plan.own_settings:
            yield from _protocols(plan, index.estate.own_settings)
    for tenant in index.estate.tenants:
        its_plan = index.plans.get(tenant.plan)
        if its_plan is not None and not index.unsure("plans.yml"):
            yield from _not_in_plan(tenant, its_plan)
            yield from _loose_sending(tenant, its_plan)
        yield from _outbound_address(index, tenant, its_plan)
        yield from _missing_premium_relay(index, tenant)
        chain = chain_of(index.estate, tenant)
        yield from _too_loose(f"tenant {tenant.name}", tenant.own_settings, chain[:-1])
        yield from _signatures(index, tenant.own_settings)
        for domain in tenant.domains:
            yield from _signatures(index, domain.own_settings)
            yield from _too_loose(domain.name, domain.own_settings, chain)
            for mailbox in domain.mailboxes:
                if mailbox.own_settings:
                    yield from _too_loose(mailbox.address, mailbox.own_settings, chain)
            yield from _open_spf_tail(index.estate, tenant, domain)
            yield from _unused_passwords(domain)


def _unknown_addons(estate: Estate) -> t.Iterator[Fault]:
    """Yield a fault for each add-on of a plan or bundle that has no price."""
    known = {addon.name for addon in estate.addons}
    places = [(name, plan.at, nth) for plan in estate.plans for nth, name in enumerate(plan.addons)]
    places += [
        (name, bundle.at, nth)
        for bundle in estate.addon_bundles
        for nth, name in enumerate(bundle.addons)
    ]
    for name, at, nth in places:
        if name not in known:
            yield fault(
                at.of("addons", nth),
                "unknown-addon",
                f"there is no add-on {name}{meant(name, known)}",
                f"addons of plans.yml: {listed(known)}",
            )


def _bundles_of_one(estate: Estate) -> t.Iterator[Fault]:
    for bundle in estate.addon_bundles:
        if len(set(bundle.addons)) < 2:
            yield fault(
                bundle.at.of("addons"),
                "bundle-of-one",
                "a bundle is a common price for several add-ons, and this one has too few",
                "at least two different add-ons",
            )


def _protocols(plan: Plan, own: OwnSettings) -> t.Iterator[Fault]:
    """Yield a fault for each protocol of one level that the plan does not have."""
    for nth, protocol in enumerate(own.get("protocols") or ()):
        if protocol not in plan.protocols:
            yield fault(
                own["at"].of("protocols", nth),
                "protocol-not-in-plan",
                f"plan {plan.name} does not have the protocol {protocol}",
                f"protocols of the plan: {listed(plan.protocols)}",
            )


def _not_in_plan(tenant: Tenant, plan: Plan) -> t.Iterator[Fault]:
    """Yield a fault for each protocol and add-on of a tenant that its plan does not have."""
    yield from _protocols(plan, tenant.own_settings)
    for domain in tenant.domains:
        yield from _protocols(plan, domain.own_settings)
        for mailbox in domain.mailboxes:
            if mailbox.own_settings:
                yield from _protocols(plan, mailbox.own_settings)
            for nth, addon in enumerate(mailbox.addons):
                if addon not in plan.addons:
                    yield fault(
                        mailbox.at.of("addons", nth),
                        "addon-not-in-plan",
                        f"{mailbox.address} has the add-on {addon}, which plan {plan.name} does not"
                        " offer",
                        f"add-ons of the plan: {listed(plan.addons)}",
                    )


def _outbound_address(index: Index, tenant: Tenant, plan: t.Optional[Plan]) -> t.Iterator[Fault]:
    """Yield a fault if the node or the plan does not give the tenant its outbound address."""
    address = tenant.outbound_address
    if not address:
        return
    node = index.nodes.get(tenant.placement)
    if (
        node is not None
        and address not in node.outbound_addresses
        and not index.unsure("estate.yml", "nodes")
    ):
        yield fault(
            tenant.at.of("outbound_address"),
            "unknown-outbound-address",
            f"{address} is not an outbound address of node {node.name}, which serves tenant"
            f" {tenant.name}",
            f"outbound_addresses of the node: {listed(node.outbound_addresses)}",
        )
    if plan is not None and "outbound_address" not in plan.features:
        yield fault(
            tenant.at.of("outbound_address"),
            "feature-not-in-plan",
            f"tenant {tenant.name} uses outbound_address, which plan {plan.name} does not have",
            f"features of the plan: {listed(plan.features)}",
        )


def _missing_premium_relay(index: Index, tenant: Tenant) -> t.Iterator[Fault]:
    if (
        tenant.premium_relay
        and index.estate.premium_relay is None
        and not index.unsure("estate.yml", "premium_relay")
    ):
        yield fault(
            find(chain_of(index.estate, tenant), "premium_relay").at,
            "no-premium-relay",
            f"tenant {tenant.name} uses the premium relay, but the estate has none",
            "premium_relay in estate.yml, or premium_relay: false here",
        )


def _too_loose(who: str, own_settings: OwnSettings, above: Chain) -> t.Iterator[Fault]:
    """Yield a fault for each limit of one level that is looser than the levels ``above`` it."""
    yield from _loose_rates(who, own_settings, above)
    yield from _loose_mailbox_limits(who, own_settings, above)


def _loose_rates(who: str, own_settings: OwnSettings, above: Chain) -> t.Iterator[Fault]:
    """Yield a fault for each rate above the provider's.

    It would have no effect, because the tightest rate counts.
    """
    own = own_settings.get("rate_limits") or {}
    for key in _RATES if own else ():
        given, wanted = find(above, "rate_limits", key), own.get(key)
        if wanted is not None and given.value is not None and wanted > given.value:
            yield fault(
                own["at"].of(key),
                "rate-above-limit",
                f"rate_limits of {who} allows {wanted} {key}",
                f"up to {given.value} ({given.at})",
            )


def _loose_sending(tenant: Tenant, plan: Plan) -> t.Iterator[Fault]:
    """Yield a fault for each limit of sending above one that counts as well.

    It would have no effect. A limit of a domain may be above that of the tenant, and that of a
    mailbox above both: these are shared by several.
    """
    own, granted = tenant.own_sending_limits, plan.sending_limits
    for key in _SENDING:
        wanted, given = getattr(own, key), getattr(granted, key)
        if wanted is not None and given is not None and wanted > given:
            yield fault(
                tenant.at.of("sending_limits", key),
                "rate-above-limit",
                f"sending_limits of tenant {tenant.name} allows {wanted} {key}",
                f"up to {given} ({plan.at.of('sending_limits', key)})",
            )
    given = tenant.sending_limits.domain_messages_per_hour
    where = tenant.at if given == own.domain_messages_per_hour else plan.at
    for limits in tenant.domain_limits:
        wanted = limits.messages_per_hour
        if wanted is not None and given is not None and wanted > given:
            yield fault(
                limits.at.of("messages_per_hour"),
                "rate-above-limit",
                f"domain_limits of {limits.name} allows {wanted} messages_per_hour",
                f"up to {given} ({where.of('sending_limits', 'domain_messages_per_hour')})",
            )


def _loose_mailbox_limits(who: str, own_settings: OwnSettings, above: Chain) -> t.Iterator[Fault]:
    """Yield a fault for each number of messages or folders above the provider's.

    The provider's own files may exceed the default; the tenants' files may not.
    """
    own = own_settings.get("mailbox_limits") or {}
    for key in ("messages", "folders") if own else ():
        given, wanted = find(above, "mailbox_limits", key), own.get(key)
        by_default = given.level == "default"
        if (
            wanted is not None
            and wanted > given.value
            and not (by_default and above[-1][0] == "plan")
        ):
            where = (
                "the default; defaults in estate.yml, in a plan or in the account can allow more"
                if by_default
                else given.at
            )
            yield fault(
                own["at"].of(key),
                "mailbox-limit-above",
                f"mailbox_limits of {who} allows {wanted} {key}",
                f"up to {given.value} ({where})",
            )


def _open_spf_tail(estate: Estate, tenant: Tenant, domain: Domain) -> t.Iterator[Fault]:
    """Yield a fault if a domain with the premium relay has a soft SPF tail.

    With the premium relay, receivers refuse what a soft tail lets through (S0-4).
    """
    if relay_name(tenant, domain) == PREMIUM and domain.spf.tail != "-all":
        yield fault(
            find(chain_of(estate, tenant, domain), "spf", "tail").at,
            "open-spf-tail",
            f"{domain.name} sends through the premium relay, but its SPF record ends in"
            f" {domain.spf.tail}",
            "tail: -all, or no premium_relay for the tenant",
        )


def _signatures(index: Index, own: OwnSettings) -> t.Iterator[Fault]:
    """Yield a fault if one level's ``dkim.algorithms`` lacks RSA.

    A receiver that cannot verify Ed25519 sees no signature (RFC 8463 section 3), and large
    receivers cannot.
    """
    dkim = own.get("dkim") or {}
    algorithms = dkim.get("algorithms")
    if (
        algorithms is not None
        and "rsa" not in algorithms
        and not index.unsure(dkim["at"].file, "dkim", "defaults", "plans")
    ):
        what = (
            "without rsa, mail has no signature for receivers that cannot verify Ed25519"
            if algorithms
            else "the list is empty, so mail is not signed"
        )
        yield fault(
            dkim["at"].of("algorithms"), "no-rsa-signature", what, "rsa, or rsa and ed25519"
        )


def _unused_passwords(domain: Domain) -> t.Iterator[Fault]:
    for mailbox in domain.mailboxes:
        if mailbox.credentials == "external" and mailbox.password is not None:
            yield fault(
                mailbox.at.of("password"),
                "password-of-external",
                f"{mailbox.address} has credentials: external, so this password is never used",
                "no password, or credentials: local",
            )
