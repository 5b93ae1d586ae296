# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain where every value of an address, a domain or a tenant comes from.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._language import suspensions
from .._language.cascade import Chain, Effective, chain_of, is_set, plan_of, table
from .._language.ladders import strictest
from .._language.schema import CASCADES
from .._model.addresses import Redirect, redirects
from .._model.domain import Domain, Mailbox
from .._model.estate import Estate
from .._model.names import without_extension
from .._model.tenant import COUNTERS, Plan, Tenant
from .._model.values import NOWHERE, Position

_NONE_WITHOUT = ("mta_sts", "tls_rpt")
"""Tables whose defaults count only if a level has the table."""


def explain(estate: Estate, subject: str) -> list[Effective]:
    """Return the effective values of a tenant, a domain or an address.

    A domain can be a domain alias. An address can be a mailbox (jo@acme.example), or any other
    address that receives mail. Raise LookupError if there is no such object.
    """
    local, at_sign, name = without_extension(subject).rpartition("@")
    for tenant in estate.tenants:
        if tenant.name == subject:
            return _of_tenant(estate, tenant)
        for domain in tenant.domains:
            if name not in domain.names:
                continue
            if at_sign:
                found = _of_address(estate, tenant, domain, local)
            elif name == domain.name:
                return _of_domain(estate, tenant, domain)
            else:
                found = []
            return [*_of_domain_alias(tenant, domain, name, whole=not at_sign), *found]
    raise LookupError(subject)


def _of_tenant(estate: Estate, tenant: Tenant) -> list[Effective]:
    """Return the values of a tenant."""
    levels = chain_of(estate, tenant)
    return [*_tenant(estate, tenant), *_cascading(estate, levels, "account", tenant)]


def _of_domain(estate: Estate, tenant: Tenant, domain: Domain) -> list[Effective]:
    """Return the values of a domain."""
    found = _cascading(estate, chain_of(estate, tenant, domain), "domain", tenant)
    return [
        *_domain(estate, tenant, domain),
        *(_completed(each, domain) for each in found),
        *_hostname(domain),
        *_published(estate, tenant, domain),
    ]


def _of_domain_alias(
    tenant: Tenant, domain: Domain, name: str, whole: bool
) -> t.Iterator[Effective]:
    """Yield the domain of a domain alias and, if ``whole``, its other values.

    Yield nothing for the domain's own name.
    """
    for alias in domain.domain_aliases:
        if alias.name != name:
            continue
        yield Effective("domain_alias_of", domain.name, "domain", alias.at)
        if whole:
            yield _in_account(tenant, "verified", name, alias.verified)
            yield _in_account(tenant, "managed", name, alias.managed)
            yield _owner(tenant, domain)


def _of_address(estate: Estate, tenant: Tenant, domain: Domain, local: str) -> list[Effective]:
    """Return the values of an address of a domain; raise LookupError if it takes no mail."""
    for mailbox in domain.mailboxes:
        if mailbox.name == local:
            levels = chain_of(estate, tenant, domain, mailbox)
            return [
                *_mailbox(estate, tenant, domain, mailbox),
                *_cascading(estate, levels, "mailbox", tenant),
            ]
    if domain.relay and local in domain.relay.recipients:
        return list(_relayed(domain))
    found = redirects(tenant, domain) if local else {}
    if local in found:
        return list(_redirect(tenant, domain, found[local]))
    if "" in found:
        return list(_redirect(tenant, domain, found[""]))
    raise LookupError(f"{local}@{domain.name}")


def _relayed(domain: Domain) -> t.Iterator[Effective]:
    """Yield the values of an address that another server has."""
    at = domain.at
    yield Effective("kind", "address of a relay domain", "domain", at.of("relay", "recipients"))
    if domain.relay:
        yield Effective("relay.host", domain.relay.host, "domain", at.of("relay", "host"))
        has_port = at.of("relay", "port") != at.of("relay")
        where = ("domain", at.of("relay", "port")) if has_port else ("default", NOWHERE)
        yield Effective("relay.port", domain.relay.port, *where)


def _redirect(tenant: Tenant, domain: Domain, one: Redirect) -> t.Iterator[Effective]:
    """Yield the values of an address that delivers to others."""
    alias = next((each for each in domain.aliases if each.name == one.local), None)
    sender = next((each for each in domain.sender_addresses if each.name == one.local), None)
    written = alias or sender
    if written:
        kind = "alias" if alias else "sender address"
        yield Effective("kind", kind, "domain", written.at)
    else:
        kind = "role address" if one.local else "catch-all"
        where = ("default", NOWHERE) if one.local else ("domain", one.place())
        yield Effective("kind", kind, *where)
    yield Effective("to", one.to, "account" if one.at is tenant.at else "domain", one.place())
    if written:
        own = written.at.has_key("owner")
        yield (
            _own_value(written.at, "owner", written.owner, "domain")
            if own
            else _owner(tenant, domain)
        )
    if alias:
        for key in ("may_send", "internal_only", "hidden"):
            yield _own_value(alias.at, key, getattr(alias, key), "domain")


def _cascading(estate: Estate, levels: Chain, level: str, tenant: Tenant) -> t.Iterator[Effective]:
    """Yield the values of the keys that several levels can set, down to one level."""
    plan = plan_of(estate, tenant)
    for name, cascade in CASCADES.items():
        if level not in cascade.levels:
            continue
        if name in _NONE_WITHOUT and not is_set(levels, name):
            yield Effective(name, None, "default", NOWHERE)
        elif name == "protocols" and plan is not None and not is_set(levels, name):
            yield _own_value(plan.at, name, plan.protocols, "plan")
        elif name == "suspension":
            yield from suspensions.effective(estate, levels)
        else:
            yield from table(levels, name)


def _completed(found: Effective, domain: Domain) -> Effective:
    """Return the value of ``reports_to`` with the domain: a local part is in each domain."""
    if not found.key.endswith(".reports_to") or not found.value or "@" in found.value:
        return found
    return replace(found, value=f"{found.value}@{domain.name}")


def _own_value(at: Position, key: str, value: t.Any, level: str, name: str = "") -> Effective:
    """Return a value that only its own level can set."""
    return (
        Effective(name or key, value, level, at.of(key))
        if at.has_key(key)
        else Effective(name or key, value, "default", NOWHERE)
    )


def _tenant(estate: Estate, tenant: Tenant) -> t.Iterator[Effective]:
    for key in (
        "organisation",
        "plan",
        "state",
        "placement",
        "default_owner",
        "outbound_address",
        "purge",
    ):
        by_provider = _by_provider(tenant, tenant.name) if key == "state" else None
        yield by_provider or _own_value(tenant.at, key, getattr(tenant, key), "account")
    plan = plan_of(estate, tenant)
    for key in COUNTERS:
        yield _limit(tenant, plan, key)
    for key in ("messages_per_hour", "domain_messages_per_hour"):
        yield _limit(tenant, plan, key, "sending_limits")


def _limit(tenant: Tenant, plan: t.Optional[Plan], key: str, table: str = "limits") -> Effective:
    """Return the tighter limit of plan and account; that of the plan if both are the same."""
    value, name = getattr(getattr(tenant, table), key), f"{table}.{key}"
    if plan is not None and getattr(getattr(plan, table), key) == value:
        return (
            Effective(name, value, "default", NOWHERE)
            if value is None
            else Effective(name, value, "plan", plan.at.of(table, key))
        )
    return Effective(name, value, "account", tenant.at.of(table, key))


def _domain(estate: Estate, tenant: Tenant, domain: Domain) -> t.Iterator[Effective]:
    yield _own_value(domain.at, "type", domain.type, "domain")
    yield _state(tenant, domain)
    yield _in_account(tenant, "verified", domain.name, domain.verified)
    yield _in_account(tenant, "managed", domain.name, domain.managed)
    yield _owner(tenant, domain)
    yield _own_value(domain.at, "catch_all", domain.catch_all, "domain")
    for key in ("mailboxes", "aliases", "storage", "mailbox_storage"):
        if getattr(domain.limits, key) is not None:  # else only the tenant's limits apply
            yield Effective(
                f"limits.{key}", getattr(domain.limits, key), "account", domain.limits.at.of(key)
            )
    yield from _domain_sending(tenant, plan_of(estate, tenant), domain)


def _domain_sending(
    tenant: Tenant, plan: t.Optional[Plan], domain: Domain
) -> t.Iterator[Effective]:
    """Yield how much all mailboxes of a domain may send, if that is limited."""
    value, name = tenant.messages_per_hour_of(domain), "limits.messages_per_hour"
    if value is None:
        return
    if value == domain.limits.messages_per_hour:
        yield Effective(name, value, "account", domain.limits.at.of("messages_per_hour"))
        return
    key = "domain_messages_per_hour"
    yield replace(_limit(tenant, plan, key, "sending_limits"), key=name)


def _in_account(tenant: Tenant, key: str, name: str, value: bool) -> Effective:
    """Return a value that depends on a list of names in the account."""
    at = _listed(tenant, f"{'unverified' if key == 'verified' else key}_domains", name)
    return Effective(key, value, "account", at or tenant.at.of("domains"))


def _hostname(domain: Domain) -> t.Iterator[Effective]:
    if domain.branding.hostname:
        yield Effective(
            "branding.hostname",
            domain.branding.hostname,
            "domain",
            domain.at.of("branding", "hostname"),
        )


def _published(estate: Estate, tenant: Tenant, domain: Domain) -> t.Iterator[Effective]:
    """Yield the policies that are published now, if they are weaker than in the files."""
    steps = {
        step.policy: step.at.of("step")
        for step in estate.steps
        if (step.tenant, step.domain) == (tenant.name, domain.name)
    }
    if domain.dmarc.target:
        yield Effective(
            "dmarc.published", strictest(domain.dmarc), "promotion", steps.get("dmarc", NOWHERE)
        )
    if domain.mta_sts and domain.mta_sts.target:
        yield Effective(
            "mta_sts.published", domain.mta_sts.mode, "promotion", steps.get("mta_sts", NOWHERE)
        )


def _mailbox(
    estate: Estate, tenant: Tenant, domain: Domain, mailbox: Mailbox
) -> t.Iterator[Effective]:
    yield _own_value(mailbox.at, "display_name", mailbox.display_name, "mailbox")
    yield _quota(estate, tenant, domain, mailbox)
    yield (
        _own_value(mailbox.at, "owner", mailbox.owner, "mailbox")
        if mailbox.at.has_key("owner")
        else _owner(tenant, domain)
    )
    outer = _state(tenant, domain)
    yield (
        outer
        if outer.value != "active"
        else _by_provider(tenant, mailbox.address)
        or _own_value(mailbox.at, "state", mailbox.state, "mailbox")
    )
    for key in ("credentials", "addons", "domain_admin", "hidden"):
        yield _own_value(mailbox.at, key, getattr(mailbox, key), "mailbox")
    if mailbox.forward:
        for key in ("to", "keep_copy", "skip_spam"):
            yield Effective(
                f"forward.{key}",
                getattr(mailbox.forward, key),
                "mailbox",
                mailbox.at.of("forward", key),
            )
    if mailbox.smime:
        yield Effective(
            "smime.uploaded_by",
            mailbox.smime.uploaded_by,
            "mailbox",
            mailbox.at.of("smime", "uploaded_by"),
        )


def _quota(estate: Estate, tenant: Tenant, domain: Domain, mailbox: Mailbox) -> Effective:
    plan = plan_of(estate, tenant)
    if mailbox.at.has_key("quota") or plan is None:
        return _own_value(mailbox.at, "quota", mailbox.quota, "mailbox")
    if mailbox.quota == plan.mailbox_quota_default:
        return Effective("quota", mailbox.quota, "plan", plan.at.of("mailbox_quota", "default"))
    return Effective("quota", mailbox.quota, "account", domain.limits.at.of("mailbox_storage"))


def _owner(tenant: Tenant, domain: Domain) -> Effective:
    if domain.at.has_key("owner"):
        return Effective("owner", domain.owner, "domain", domain.at.of("owner"))
    return Effective("owner", domain.owner, "account", tenant.at.of("default_owner"))


def _state(tenant: Tenant, domain: Domain) -> Effective:
    """Return the state of a domain: the strictest of tenant, provider and file (S1-19)."""
    if tenant.state != "active":
        return _by_provider(tenant, tenant.name) or _own_value(
            tenant.at, "state", tenant.state, "account"
        )
    by_provider = _by_provider(tenant, domain.name)
    if by_provider:
        return by_provider
    suspended = _listed(tenant, "suspended_domains", domain.name)
    return (
        Effective("state", "suspended", "account", suspended)
        if suspended
        else _own_value(domain.at, "state", domain.state, "domain")
    )


def _by_provider(tenant: Tenant, name: str) -> t.Optional[Effective]:
    """Return the state of what an item of ``suspensions`` suspends; None if there is no item.

    The reason is not shown: tenants read this, too.
    """
    for one in tenant.suspensions:
        if one.of == name:
            return Effective("state", "suspended", "account", one.at.of("of"))
    return None


def _listed(tenant: Tenant, key: str, name: str) -> t.Optional[Position]:
    """Return the place of a name in a list of the account; None if it is not there."""
    names: tuple[str, ...] = getattr(tenant, key)
    return tenant.at.of(key, names.index(name)) if name in names else None
