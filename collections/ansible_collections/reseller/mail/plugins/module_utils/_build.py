# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed values → the model: fills in what a file leaves to its surroundings (owner, domain, quota, limits).

PRIVATE to the collection. Pure. A value that was at fault arrives here as None and becomes an empty string, which
judges pass over: it has been reported already.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _cascade, _promotion
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import (
    Alias,
    Branding,
    Dkim,
    Dmarc,
    Domain,
    DomainAlias,
    DomainLimits,
    Forward,
    Mailbox,
    MtaSts,
    RateLimits,
    Relay,
    SenderAddress,
    Smime,
    Spf,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import (
    BackupMx,
    DeletionGuard,
    DkimKey,
    Estate,
    Node,
    NodeState,
    PremiumRelay,
    Promotion,
    Provider,
    QuotaPolicy,
    Role,
    Step,
    TlsKey,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import (
    COUNTERS,
    AddOn,
    AddOnBundle,
    Admin,
    Intake,
    Limits,
    Plan,
    Prices,
    Suspension,
    Tenant,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.values import NOWHERE, PROTOCOLS, Limit, Position
from ansible_collections.reseller.mail.plugins.module_utils._schema import UNSAID
from ansible_collections.reseller.mail.plugins.module_utils._walk import Values

_NO_LIMITS = Limits()

Files = t.Iterable[tuple[str, Position]]


def tighter(one: Limit, other: Limit) -> Limit:
    """The smaller of two limits, where None is unlimited."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def limits(values: Values) -> Limits:
    """A limits table; what it does not name is unlimited."""
    return Limits(**{name: values.get(name) for name in COUNTERS}) if values else _NO_LIMITS


def node(values: Values) -> Node:
    """One mail host."""
    return Node(**values)


def plan(values: Values) -> Plan:
    """One plan."""
    quota, prices = values["mailbox_quota"], values["prices"] or {}
    storage = prices.get("storage") or {}
    return Plan(
        name=values["name"],
        limits=limits(values["limits"]),
        features=frozenset(values["features"]),
        mailbox_quota_default=quota["default"],
        mailbox_quota_min=quota["min"],
        mailbox_quota_max=quota["max"],
        at=values["at"],
        protocols=values["protocols"],
        addons=values["addons"],
        prices=Prices(prices.get("monthly"), prices.get("mailbox"), storage.get("tranche"), storage.get("price")),
        said=_cascade.said("plan", values["defaults"]),
    )


def estate(
    head: Values,
    goods: Values,
    plans: tuple[Plan, ...],
    tenants: tuple[Tenant, ...],
    states: tuple[NodeState, ...],
    steps: tuple[Step, ...],
    files: Files,
) -> Estate:
    """The whole of it; ``head`` is estate.yml, ``goods`` plans.yml. Either is empty when its file is missing."""
    owner, relay = head.get("provider"), head.get("premium_relay")
    return Estate(
        provider=Provider(owner["name"], owner["domain"], owner["support_url"], owner["status_url"]) if owner else Provider("", ""),
        nodes=tuple(node(values) for values in head.get("nodes") or ()),
        plans=plans,
        tenants=tenants,
        approved_hosts=head.get("approved_hosts") or (),
        states=states,
        backup_mx=tuple(BackupMx(**values) for values in head.get("backup_mx") or ()),
        premium_relay=PremiumRelay(relay["host"], relay["port"], relay["spf_include"]) if relay else None,
        quota_policy=QuotaPolicy(**_without_place(head.get("quota_policy"))),
        deletion_guard=DeletionGuard(**_without_place(head.get("deletion_guard"))),
        roles=tuple(Role(**values) for values in head.get("roles") or ()),
        currency=(head.get("billing") or {}).get("currency") or "EUR",
        caa=head.get("caa") or (),
        addons=tuple(AddOn(**values) for values in goods.get("addons") or ()),
        addon_bundles=tuple(AddOnBundle(**values) for values in goods.get("addon_bundles") or ()),
        promotion=Promotion(**_without_place(head.get("promotion"))),
        steps=steps,
        at=head.get("at") or NOWHERE,
        files=tuple(files),
        said=_cascade.said("estate", head.get("defaults")),
    )


def _without_place(values: t.Optional[Values]) -> Values:
    return {name: value for name, value in (values or {}).items() if name != "at"}


def tenant(
    name: str,
    account: Values,
    files: t.Sequence[tuple[str, Values]],
    plans: t.Mapping[str, Plan],
    estate_defaults: t.Optional[Values] = None,
    steps: t.Optional[_promotion.Steps] = None,
) -> Tenant:
    """One tenant from its account and its domains' files."""
    its_plan = plans.get(account["plan"] or "")
    own = limits(account["limits"])
    granted = its_plan.limits if its_plan else _NO_LIMITS
    says = _cascade.said("account", account["defaults"])
    chain: _cascade.Chain = (("estate", _cascade.said("estate", estate_defaults)), ("plan", its_plan.said if its_plan else {}), ("account", says))
    here = _Here(account, its_plan, chain, {values["name"]: _domain_limits(values) for values in account["domain_limits"][::-1]})
    here.steps = {(domain, policy): step.step for (owner, domain, policy), step in (steps or {}).items() if owner == name}
    return Tenant(
        name=name,
        organisation=account["organisation"] or "",
        plan=account["plan"] or "",
        state=account["state"],
        placement=account["placement"] or "",
        default_owner=here.owner,
        admins=tuple(
            Admin(values["address"], limits(values["limits"]), values["at"], values["role"], values["domains"]) for values in account["admins"] or ()
        ),
        limits=Limits(**{key: tighter(getattr(own, key), getattr(granted, key)) for key in COUNTERS}),
        domains=tuple(_domain(domain, values, here) for domain, values in files),
        external_ids=tuple(account["external_ids"].items()),
        domain_limits=tuple(_domain_limits(values) for values in account["domain_limits"]),
        approved_domains=account["domains"],
        managed_domains=account["managed_domains"],
        at=account["at"],
        intake=Intake(**_without_place(account["intake"])),
        unverified_domains=account["unverified_domains"],
        suspended_domains=account["suspended_domains"],
        requested_hosts=account["requested_hosts"],
        outbound_address=account["outbound_address"],
        suspension=_table(chain, "suspension", Suspension),
        retention=_cascade.value_of(chain, "retention"),
        premium_relay=_cascade.value_of(chain, "premium_relay"),
        purge=account["purge"],
        own_limits=own,
        said=says,
    )


class _Here:
    """What a domain needs to know of its tenant."""

    def __init__(self, account: Values, its_plan: t.Optional[Plan], chain: _cascade.Chain, by_domain: t.Mapping[str, DomainLimits]) -> None:
        self.owner: str = account["default_owner"] or ""
        self.managed = frozenset(account["managed_domains"])
        self.unverified = frozenset(account["unverified_domains"])
        self.suspended = frozenset(account["suspended_domains"])
        self.quota = its_plan.mailbox_quota_default if its_plan else None
        self.protocols = its_plan.protocols if its_plan else PROTOCOLS
        self.chain = chain
        self.by_domain = by_domain
        self.steps: t.Mapping[tuple[str, str], str] = {}


def _domain(name: str, values: Values, here: _Here) -> Domain:
    owner = values["owner"] or here.owner
    allowed = here.by_domain.get(name)
    quota = tighter(here.quota, allowed.mailbox_storage if allowed else None)
    says = _cascade.said("domain", values)
    chain = (*here.chain, ("domain", says))
    relay, branding, suspended = values["relay"], values["branding"], values["state"] != "active" or name in here.suspended
    shared = _of_mailboxes(chain, here)
    dmarc = _table(chain, "dmarc", Dmarc)
    dmarc = dataclasses.replace(dmarc, reports_to=_optional(dmarc.reports_to, name)) if dmarc.reports_to else dmarc
    mta_sts = _table(chain, "mta_sts", MtaSts) if _cascade.is_said(chain, "mta_sts") else None
    return Domain(
        name=name,
        type=values["type"],
        owner=owner,
        mailboxes=tuple(_mailbox(box, name, owner, quota, chain, shared, here) for box in values["mailboxes"]),
        aliases=tuple(
            Alias(
                alias["name"],
                name,
                tuple(_complete(to, name) for to in alias["to"]),
                alias["owner"] or owner,
                alias["may_send"],
                alias["at"],
                alias["internal_only"],
                alias["hidden"],
            )
            for alias in values["aliases"]
        ),
        sender_addresses=tuple(
            SenderAddress(sender["name"], name, _complete(sender["mailbox"], name), sender["owner"] or owner, sender["at"])
            for sender in values["sender_addresses"]
        ),
        domain_aliases=tuple(
            DomainAlias(alias, owner, alias in here.managed, values["at"].of("domain_aliases", index), alias not in here.unverified)
            for index, alias in enumerate(values["domain_aliases"])
        ),
        catch_all=_optional(values["catch_all"], name),
        relay=Relay(relay["host"], relay["port"], relay["recipients"]) if relay else None,
        managed=name in here.managed,
        dmarc=_promotion.published_dmarc(dmarc, here.steps.get((name, "dmarc"))),
        mta_sts=_promotion.published_mta_sts(mta_sts, here.steps.get((name, "mta_sts"))) if mta_sts else None,
        tls_reports_to=_optional(_cascade.value_of(chain, "tls_rpt", "reports_to"), name),
        branding=_table(chain, "branding", functools.partial(Branding, branding["hostname"] if branding else None)),
        limits=allowed or DomainLimits(name),
        at=values["at"],
        state="suspended" if suspended else "active",
        verified=name not in here.unverified,
        spf=_table(chain, "spf", Spf),
        dkim=_table(chain, "dkim", Dkim),
        autodiscover=_cascade.value_of(chain, "autodiscover"),
        **shared,
        said=says,
    )


def _mailbox(box: Values, domain: str, owner: str, quota: Limit, chain: _cascade.Chain, shared: dict[str, t.Any], here: _Here) -> Mailbox:
    says = _cascade.said("mailbox", box)
    forward, smime = box["forward"], box["smime"]
    return Mailbox(
        box["name"],
        domain,
        quota if box["quota"] is UNSAID else box["quota"],
        box["owner"] or owner,
        box["display_name"],
        box["state"],
        box["password"],
        box["at"],
        box["credentials"],
        Forward(tuple(_complete(to, domain) for to in forward["to"]), forward["keep_copy"], forward["skip_spam"]) if forward else None,
        box["addons"],
        box["domain_admin"],
        Smime(smime["certificate"], smime["uploaded_by"]) if smime else None,
        box["hidden"],
        **(_of_mailboxes((*chain, ("mailbox", says)), here) if says else shared),
        said=says,
    )


def _of_mailboxes(chain: _cascade.Chain, here: _Here) -> dict[str, t.Any]:
    """What mailboxes and their domain have in common."""
    return {
        "locale": _cascade.value_of(chain, "locale"),
        "protocols": _cascade.value_of(chain, "protocols") or here.protocols,
        "rate_limits": _table(chain, "rate_limits", RateLimits),
        "sieve": _cascade.value_of(chain, "sieve"),
    }


_T = t.TypeVar("_T")


def _table(chain: _cascade.Chain, name: str, make: t.Callable[..., _T]) -> _T:
    """The effective values of a table's keys."""
    return make(**_cascade.values(chain, name))


def _domain_limits(values: Values) -> DomainLimits:
    return DomainLimits(values["name"], values["mailboxes"], values["aliases"], values["storage"], values["mailbox_storage"], values["at"])


def _complete(recipient: str, domain: str) -> str:
    return recipient if "@" in recipient else f"{recipient}@{domain}"


def _optional(recipient: t.Optional[str], domain: str) -> t.Optional[str]:
    return _complete(recipient, domain) if recipient else None


def node_state(name: str, values: Values) -> NodeState:
    """What a node reported."""
    dkim = (DkimKey(key["domain"], key["selector"], key["public"], key["algorithm"], key["state"], key["since"]) for key in values["dkim"])
    return NodeState(name, tuple(dkim), tuple(TlsKey(key["name"], key["current"], key["next"]) for key in values["tls"]))


def steps(values: Values) -> tuple[Step, ...]:
    """What evidence has carried so far."""
    return tuple(Step(**step) for step in values["promoted"])
