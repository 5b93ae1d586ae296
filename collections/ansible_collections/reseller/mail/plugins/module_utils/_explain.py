# SPDX-License-Identifier: GPL-3.0-or-later
"""Where every value of a mailbox, a domain or a tenant comes from.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.reseller.mail.plugins.module_utils._cascade import (
    Chain,
    Effective,
    chain_of,
    is_said,
    plan_of,
    table,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Domain, Mailbox
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import (
    COUNTERS,
    Plan,
    Tenant,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.values import NOWHERE, Position
from ansible_collections.reseller.mail.plugins.module_utils._promotion import strictest
from ansible_collections.reseller.mail.plugins.module_utils._schema import CASCADES

_NONE_WITHOUT = ("mta_sts", "tls_rpt")
"""Tables whose defaults count only where some level has the table."""


def explain(estate: Estate, subject: str) -> list[Effective]:
    """The values that count for a mailbox (jo@acme.example), a domain or a tenant; LookupError when there is no such thing."""
    for tenant in estate.tenants:
        if tenant.name == subject:
            return [
                *_tenant(estate, tenant),
                *_cascading(estate, chain_of(estate, tenant), "account", tenant),
            ]
        for domain in tenant.domains:
            if domain.name == subject:
                levels = chain_of(estate, tenant, domain)
                found = _cascading(estate, levels, "domain", tenant)
                return [
                    *_domain(tenant, domain),
                    *(_completed(each, domain) for each in found),
                    *_hostname(domain),
                    *_published(estate, tenant, domain),
                ]
            for mailbox in domain.mailboxes if subject.endswith(f"@{domain.name}") else ():
                if mailbox.address == subject:
                    levels = chain_of(estate, tenant, domain, mailbox)
                    return [
                        *_mailbox(estate, tenant, domain, mailbox),
                        *_cascading(estate, levels, "mailbox", tenant),
                    ]
    raise LookupError(subject)


def _cascading(estate: Estate, levels: Chain, level: str, tenant: Tenant) -> t.Iterator[Effective]:
    plan = plan_of(estate, tenant)
    for name, cascade in CASCADES.items():
        if level not in cascade.levels:
            continue
        if name in _NONE_WITHOUT and not is_said(levels, name):
            yield Effective(name, None, "default", NOWHERE)
        elif name == "protocols" and plan is not None and not is_said(levels, name):
            yield _said(plan.at, name, plan.protocols, "plan")
        else:
            yield from table(levels, name)


def _completed(found: Effective, domain: Domain) -> Effective:
    """``reports_to: postmaster`` in the defaults is each domain's own."""
    if not found.key.endswith(".reports_to") or not found.value or "@" in found.value:
        return found
    return replace(found, value=f"{found.value}@{domain.name}")


def _said(at: Position, key: str, value: t.Any, level: str, name: str = "") -> Effective:
    """A value that is written at its own level only."""
    return (
        Effective(name or key, value, level, at.of(key))
        if at.says(key)
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
        yield _said(tenant.at, key, getattr(tenant, key), "account")
    plan = plan_of(estate, tenant)
    for key in COUNTERS:
        yield _limit(tenant, plan, key)


def _limit(tenant: Tenant, plan: t.Optional[Plan], key: str) -> Effective:
    """The tighter one; where both are the same, the plan's."""
    value, name = getattr(tenant.limits, key), f"limits.{key}"
    if plan is not None and getattr(plan.limits, key) == value:
        return (
            Effective(name, value, "default", NOWHERE)
            if value is None
            else Effective(name, value, "plan", plan.at.of("limits", key))
        )
    return Effective(name, value, "account", tenant.at.of("limits", key))


def _domain(tenant: Tenant, domain: Domain) -> t.Iterator[Effective]:
    yield _said(domain.at, "type", domain.type, "domain")
    yield _state(tenant, domain)
    yield Effective(
        "verified",
        domain.verified,
        "account",
        _listed(tenant, "unverified_domains", domain.name) or tenant.at.of("domains"),
    )
    yield Effective(
        "managed",
        domain.managed,
        "account",
        _listed(tenant, "managed_domains", domain.name) or tenant.at.of("domains"),
    )
    yield _owner(tenant, domain)
    yield _said(domain.at, "catch_all", domain.catch_all, "domain")
    for key in ("mailboxes", "aliases", "storage", "mailbox_storage"):
        if getattr(domain.limits, key) is not None:  # else the tenant's bound it
            yield Effective(
                f"limits.{key}", getattr(domain.limits, key), "account", domain.limits.at.of(key)
            )


def _hostname(domain: Domain) -> t.Iterator[Effective]:
    if domain.branding.hostname:
        yield Effective(
            "branding.hostname",
            domain.branding.hostname,
            "domain",
            domain.at.of("branding", "hostname"),
        )


def _published(estate: Estate, tenant: Tenant, domain: Domain) -> t.Iterator[Effective]:
    """How far evidence has carried what the files want in the end, where that is less."""
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
    yield _said(mailbox.at, "display_name", mailbox.display_name, "mailbox")
    yield _quota(estate, tenant, domain, mailbox)
    yield (
        _said(mailbox.at, "owner", mailbox.owner, "mailbox")
        if mailbox.at.says("owner")
        else _owner(tenant, domain)
    )
    outer = _state(tenant, domain)
    yield outer if outer.value != "active" else _said(mailbox.at, "state", mailbox.state, "mailbox")
    for key in ("credentials", "addons", "domain_admin", "hidden"):
        yield _said(mailbox.at, key, getattr(mailbox, key), "mailbox")
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
    if mailbox.at.says("quota") or plan is None:
        return _said(mailbox.at, "quota", mailbox.quota, "mailbox")
    if mailbox.quota == plan.mailbox_quota_default:
        return Effective("quota", mailbox.quota, "plan", plan.at.of("mailbox_quota", "default"))
    return Effective("quota", mailbox.quota, "account", domain.limits.at.of("mailbox_storage"))


def _owner(tenant: Tenant, domain: Domain) -> Effective:
    if domain.at.says("owner"):
        return Effective("owner", domain.owner, "domain", domain.at.of("owner"))
    return Effective("owner", domain.owner, "account", tenant.at.of("default_owner"))


def _state(tenant: Tenant, domain: Domain) -> Effective:
    """The strictest wins (S1-19)."""
    if tenant.state != "active":
        return _said(tenant.at, "state", tenant.state, "account")
    suspended = _listed(tenant, "suspended_domains", domain.name)
    return (
        Effective("state", "suspended", "account", suspended)
        if suspended
        else _said(domain.at, "state", domain.state, "domain")
    )


def _listed(tenant: Tenant, key: str, name: str) -> t.Optional[Position]:
    names: tuple[str, ...] = getattr(tenant, key)
    return tenant.at.of(key, names.index(name)) if name in names else None
