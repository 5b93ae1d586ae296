# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed values → the model: fills in what a file leaves to its surroundings (owner, domain, quota, limits).

PRIVATE to the collection. Pure. A value that was at fault arrives here as None and becomes an empty string, which
judges pass over: it has been reported already.
"""

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import (
    _build_domain,
    _cascade,
    _promotion,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Dmarc
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import (
    PROVIDER_DMARC,
    BackupMx,
    DeletionGuard,
    DkimKey,
    Estate,
    Node,
    NodeState,
    OwnNames,
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
from ansible_collections.reseller.mail.plugins.module_utils._model.values import NOWHERE, Position
from ansible_collections.reseller.mail.plugins.module_utils._walk import Values

_NO_LIMITS = Limits()

Files = t.Iterable[tuple[str, Position]]


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
        prices=Prices(
            prices.get("monthly"),
            prices.get("mailbox"),
            storage.get("tranche"),
            storage.get("price"),
        ),
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
        provider=Provider(**_without_place(owner)) if owner else Provider("", ""),
        nodes=tuple(node(values) for values in head.get("nodes") or ()),
        plans=plans,
        tenants=tenants,
        approved_hosts=head.get("approved_hosts") or (),
        states=states,
        backup_mx=tuple(BackupMx(**values) for values in head.get("backup_mx") or ()),
        premium_relay=PremiumRelay(relay["host"], relay["port"], relay["spf_include"])
        if relay
        else None,
        quota_policy=QuotaPolicy(**_without_place(head.get("quota_policy"))),
        deletion_guard=DeletionGuard(**_without_place(head.get("deletion_guard"))),
        roles=tuple(Role(**values) for values in head.get("roles") or ()),
        currency=(head.get("billing") or {}).get("currency") or "EUR",
        caa=head.get("caa") or (),
        addons=tuple(AddOn(**values) for values in goods.get("addons") or ()),
        addon_bundles=tuple(AddOnBundle(**values) for values in goods.get("addon_bundles") or ()),
        promotion=Promotion(**_without_place(head.get("promotion"))),
        steps=steps,
        own_names=_own_names(head.get("defaults") or {}),
        at=head.get("at") or NOWHERE,
        files=tuple(files),
        said=_cascade.said("estate", head.get("defaults")),
    )


def _own_names(defaults: Values) -> OwnNames:
    """Return what the estate's defaults mean for names that are no tenant's. Nobody sends as the provider's domain while no tenant has it, so
    without a word it says ``p=reject`` like a domain without mail. Of its subdomains the estate knows only those of its hosts, which have records
    of their own: others keep their mail. Reports need a whole address: a local part alone would be nobody's there."""
    told = {name: value for name, value in (defaults.get("dmarc") or {}).items() if value}
    policy = {
        name: told.get(name, getattr(PROVIDER_DMARC, name))
        for name in ("stage", "subdomains", "nonexistent")
    }
    reports_to = told.get("reports_to", "")
    return OwnNames(
        Dmarc(**policy, reports_to=reports_to if "@" in reports_to else None),
        (defaults.get("dkim") or {}).get("rotate_days"),
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
    chain: _cascade.Chain = (
        ("estate", _cascade.said("estate", estate_defaults)),
        ("plan", its_plan.said if its_plan else {}),
        ("account", says),
    )
    carried = {
        (domain, policy): step.step
        for (owner, domain, policy), step in (steps or {}).items()
        if owner == name
    }
    tenancy = _build_domain.Tenancy(account, its_plan, chain, carried)
    return Tenant(
        name=name,
        organisation=account["organisation"] or "",
        plan=account["plan"] or "",
        state=account["state"],
        placement=account["placement"] or "",
        default_owner=tenancy.owner,
        admins=tuple(
            Admin(
                values["address"],
                limits(values["limits"]),
                values["at"],
                values["role"],
                values["domains"],
            )
            for values in account["admins"] or ()
        ),
        limits=Limits(
            **{
                key: _build_domain.tighter(getattr(own, key), getattr(granted, key))
                for key in COUNTERS
            }
        ),
        domains=tuple(_build_domain.domain(domain, values, tenancy) for domain, values in files),
        external_ids=tuple(account["external_ids"].items()),
        domain_limits=tuple(
            _build_domain.domain_limits(values) for values in account["domain_limits"]
        ),
        approved_domains=account["domains"],
        managed_domains=account["managed_domains"],
        at=account["at"],
        intake=Intake(**_without_place(account["intake"])),
        unverified_domains=account["unverified_domains"],
        suspended_domains=account["suspended_domains"],
        requested_hosts=account["requested_hosts"],
        outbound_address=account["outbound_address"],
        suspension=_build_domain.table(chain, "suspension", Suspension),
        retention=_cascade.value_of(chain, "retention"),
        premium_relay=_cascade.value_of(chain, "premium_relay"),
        purge=account["purge"],
        own_limits=own,
        said=says,
    )


def node_state(name: str, values: Values) -> NodeState:
    """What a node reported."""
    dkim = (
        DkimKey(
            key["domain"],
            key["selector"],
            key["public"],
            key["algorithm"],
            key["state"],
            key["since"],
        )
        for key in values["dkim"]
    )
    return NodeState(
        name,
        tuple(dkim),
        tuple(TlsKey(key["name"], key["current"], key["next"]) for key in values["tls"]),
    )


def steps(values: Values) -> tuple[Step, ...]:
    """What evidence has carried so far."""
    return tuple(Step(**step) for step in values["promoted"])
