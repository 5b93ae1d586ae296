# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed values → the model: fills in what a file leaves to its surroundings (owner, domain, quota, limits).

PRIVATE to the collection. Pure. A value that was at fault arrives here as None and becomes an empty string, which
judges pass over: it has been reported already.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _model as m
from ansible_collections.reseller.mail.plugins.module_utils._schema import UNSAID
from ansible_collections.reseller.mail.plugins.module_utils._walk import Values

LIMIT_NAMES = ("domains", "domain_aliases", "mailboxes", "aliases", "storage", "domain_admins")
_NO_LIMITS = m.Limits()


def tighter(one: m.Limit, other: m.Limit) -> m.Limit:
    """The smaller of two limits, where None is unlimited."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def limits(values: Values) -> m.Limits:
    """A limits table; what it does not name is unlimited."""
    return m.Limits(**{name: values.get(name) for name in LIMIT_NAMES}) if values else _NO_LIMITS


def provider(values: t.Optional[Values]) -> m.Provider:
    """The provider, empty when the file does not say."""
    return m.Provider(values["name"], values["domain"]) if values else m.Provider("", "")


def node(values: Values) -> m.Node:
    """One mail host."""
    return m.Node(values["name"], values["hostname"], values["debian"], values["addresses"], values["at"])


def plan(values: Values) -> m.Plan:
    """One plan."""
    quota = values["mailbox_quota"]
    return m.Plan(
        name=values["name"],
        limits=limits(values["limits"]),
        features=frozenset(values["features"]),
        mailbox_quota_default=quota["default"],
        mailbox_quota_min=quota["min"],
        mailbox_quota_max=quota["max"],
        at=values["at"],
    )


def tenant(name: str, account: Values, files: t.Sequence[tuple[str, Values]], plans: t.Mapping[str, m.Plan]) -> m.Tenant:
    """One tenant from its account and its domains' files."""
    its_plan = plans.get(account["plan"] or "")
    own = limits(account["limits"])
    granted = its_plan.limits if its_plan else _NO_LIMITS
    owner = account["default_owner"] or ""
    domain_limits = tuple(_domain_limits(values) for values in account["domain_limits"])
    by_domain = {entry.name: entry for entry in domain_limits}
    return m.Tenant(
        name=name,
        organisation=account["organisation"] or "",
        plan=account["plan"] or "",
        state=account["state"],
        placement=account["placement"] or "",
        default_owner=owner,
        admins=tuple(m.Admin(values["address"], limits(values["limits"]), values["at"]) for values in account["admins"] or ()),
        limits=m.Limits(**{key: tighter(getattr(own, key), getattr(granted, key)) for key in LIMIT_NAMES}),
        domains=tuple(_domain(domain, values, owner, by_domain.get(domain), its_plan, account["managed_domains"]) for domain, values in files),
        external_ids=tuple(account["external_ids"].items()),
        domain_limits=domain_limits,
        approved_domains=account["domains"],
        managed_domains=account["managed_domains"],
        at=account["at"],
    )


def _domain(
    name: str,
    values: Values,
    default_owner: str,
    allowed: t.Optional[m.DomainLimits],
    its_plan: t.Optional[m.Plan],
    managed: tuple[str, ...],
) -> m.Domain:
    owner = values["owner"] or default_owner
    largest = allowed.mailbox_storage if allowed else None
    quota = tighter(its_plan.mailbox_quota_default if its_plan else None, largest)
    dmarc, mta_sts, tls_rpt = values["dmarc"], values["mta_sts"], values["tls_rpt"]
    branding, relay = values["branding"], values["relay"]
    return m.Domain(
        name=name,
        type=values["type"],
        owner=owner,
        mailboxes=tuple(
            m.Mailbox(
                box["name"],
                name,
                quota if box["quota"] is UNSAID else box["quota"],
                box["owner"] or owner,
                box["display_name"],
                box["state"],
                box["password"],
                box["at"],
            )
            for box in values["mailboxes"]
        ),
        aliases=tuple(
            m.Alias(
                alias["name"],
                name,
                tuple(_complete(to, name) for to in alias["to"]),
                alias["owner"] or owner,
                alias["may_send"],
                alias["at"],
            )
            for alias in values["aliases"]
        ),
        sender_addresses=tuple(
            m.SenderAddress(sender["name"], name, _complete(sender["mailbox"], name), sender["owner"] or owner, sender["at"])
            for sender in values["sender_addresses"]
        ),
        domain_aliases=tuple(
            m.DomainAlias(alias, owner, alias in managed, values["at"].of("domain_aliases", index)) for index, alias in enumerate(values["domain_aliases"])
        ),
        catch_all=_optional(values["catch_all"], name),
        relay=m.Relay(relay["host"], relay["port"], relay["recipients"]) if relay else None,
        managed=name in managed,
        dmarc=m.Dmarc(dmarc["stage"], _optional(dmarc["reports_to"], name)) if dmarc else m.Dmarc(),
        mta_sts=m.MtaSts(mta_sts["mode"], mta_sts["max_age"]) if mta_sts else None,
        tls_reports_to=_complete(tls_rpt["reports_to"], name) if tls_rpt else None,
        branding=m.Branding(branding["hostname"], branding["name"]) if branding else m.Branding(),
        limits=allowed or m.DomainLimits(name),
        at=values["at"],
    )


def _domain_limits(values: Values) -> m.DomainLimits:
    return m.DomainLimits(values["name"], values["mailboxes"], values["aliases"], values["storage"], values["mailbox_storage"], values["at"])


def _complete(recipient: str, domain: str) -> str:
    return recipient if "@" in recipient else f"{recipient}@{domain}"


def _optional(recipient: t.Optional[str], domain: str) -> t.Optional[str]:
    return _complete(recipient, domain) if recipient else None


def node_state(name: str, values: Values) -> m.NodeState:
    """What a node reported."""
    return m.NodeState(name, tuple(m.DkimKey(key["domain"], key["selector"], key["public"]) for key in values["dkim"]))
