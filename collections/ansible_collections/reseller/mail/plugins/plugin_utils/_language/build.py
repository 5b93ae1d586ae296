# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed values → the model, with what an object takes from others: owner, domain, quota, limits.

PRIVATE to the collection. Pure. A value with a fault is None here and becomes an empty string. The
checks ignore it, because its fault is reported already.
"""

from __future__ import annotations

import typing as t

from .._model.domain import Dmarc
from .._model.estate import (
    PROVIDER_DMARC,
    BackupMx,
    DeletionGuard,
    DkimKey,
    Estate,
    Node,
    NodeState,
    OutboundHost,
    OutgoingRelay,
    OwnNames,
    PremiumRelay,
    Promotion,
    Provider,
    QuotaPolicy,
    Role,
    Step,
    TlsKey,
)
from .._model.spam import Spam
from .._model.suspension import PROFILES
from .._model.tenant import (
    COUNTERS,
    AddOn,
    AddOnBundle,
    Admin,
    Intake,
    Limits,
    Plan,
    Prices,
    SendingLimits,
    Tenant,
)
from .._model.values import NOWHERE
from . import build_domain, cascade, suspensions
from .ladders import StepsOfTenant
from .schema import UNSET
from .typed_values import Values

_NO_LIMITS = Limits()


def limits(values: Values) -> Limits:
    """Return the limits of a table. What it does not name is unlimited."""
    if not values:
        return _NO_LIMITS
    return Limits(
        **{name: build_domain.limit(values.get(name, UNSET)) for name in COUNTERS},
        unlimited=build_domain.unlimited(values),
    )


def _tightest(own: Limits, granted: Limits) -> Limits:
    """Return the smaller of two limits of each counter."""
    tightest: dict[str, t.Any] = {
        key: build_domain.tighter(getattr(own, key), getattr(granted, key)) for key in COUNTERS
    }
    return Limits(**tightest)


def sending_limits(values: Values) -> SendingLimits:
    """Return the limits of sending of a plan or an account. What is not named is unlimited."""
    return SendingLimits(**_without_place(values))


def _tightest_sending(own: SendingLimits, granted: SendingLimits) -> SendingLimits:
    """Return the smaller of two limits of sending, each by itself."""
    return SendingLimits(
        build_domain.tighter(own.messages_per_hour, granted.messages_per_hour),
        build_domain.tighter(own.domain_messages_per_hour, granted.domain_messages_per_hour),
    )


def node(values: Values) -> Node:
    """Return a mail host."""
    hosts = tuple(OutboundHost(**one) for one in values["outbound_hosts"])
    return Node(**{**values, "outbound_hosts": hosts})


def plan(values: Values) -> Plan:
    """Return a plan."""
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
        sending_limits=sending_limits(values["sending_limits"]),
        own_settings=cascade.own_settings("plan", values["defaults"]),
    )


def estate(
    estate_file: Values,
    plans_file: Values,
    plans: tuple[Plan, ...],
    tenants: tuple[Tenant, ...],
    states: tuple[NodeState, ...],
    steps: tuple[Step, ...],
    unused_keys: t.Mapping[str, int],
) -> Estate:
    """Return the estate. The values of a file that is missing are empty."""
    own = cascade.own_settings("estate", estate_file.get("defaults"))
    provider = _without_place(estate_file.get("provider"))
    return Estate(
        provider=Provider(**provider) if provider else Provider("", ""),
        nodes=_each(node, estate_file, "nodes"),
        plans=plans,
        tenants=tenants,
        approved_hosts=estate_file.get("approved_hosts") or (),
        states=states,
        backup_mx=_each(_made(BackupMx), estate_file, "backup_mx"),
        premium_relay=_premium_relay(estate_file.get("premium_relay")),
        relays=_each(_made(OutgoingRelay), estate_file, "relays"),
        quota_policy=QuotaPolicy(**_without_place(estate_file.get("quota_policy"))),
        deletion_guard=DeletionGuard(**_without_place(estate_file.get("deletion_guard"))),
        roles=_each(_made(Role), estate_file, "roles"),
        currency=(estate_file.get("billing") or {}).get("currency") or "EUR",
        caa=estate_file.get("caa") or (),
        addons=_each(_made(AddOn), plans_file, "addons"),
        addon_bundles=_each(_made(AddOnBundle), plans_file, "addon_bundles"),
        promotion=Promotion(**_without_place(estate_file.get("promotion"))),
        steps=steps,
        own_names=_own_names(estate_file.get("defaults") or {}),
        suspension_profiles=_each(suspensions.profile, estate_file, "suspension_profiles"),
        at=estate_file.get("at") or NOWHERE,
        unused_keys=tuple(sorted(unused_keys.items())),
        spam=build_domain.table((("estate", own),), "spam", Spam),
        own_settings=own,
    )


_T = t.TypeVar("_T")


def _each(make: t.Callable[[Values], _T], values: Values, name: str) -> tuple[_T, ...]:
    """Return what ``make`` makes of each item of a list; nothing if the key is not set."""
    return tuple(make(item) for item in values.get(name) or ())


def _made(kind: t.Callable[..., _T]) -> t.Callable[[Values], _T]:
    """Return a function that makes objects whose fields are the keys of a table."""
    return lambda values: kind(**values)


def _premium_relay(values: t.Optional[Values]) -> t.Optional[PremiumRelay]:
    """Return the premium relay; None if the estate has none."""
    return PremiumRelay(**_without_place(values)) if values else None


def _own_names(defaults: Values) -> OwnNames:
    """Return what the estate's defaults mean for names that no tenant has.

    While no tenant has the provider's domain, no one sends as it. So its policy is ``p=reject``
    like that of a domain without mail, unless the defaults set another one. The estate does not
    know all its subdomains, so they keep their mail; hosts have records of their own. Reports need
    a complete address, because a local part alone belongs to no domain here.
    """
    dmarc = {name: value for name, value in (defaults.get("dmarc") or {}).items() if value}
    policy = {
        name: dmarc.get(name, getattr(PROVIDER_DMARC, name))
        for name in ("stage", "subdomains", "nonexistent")
    }
    reports_to = dmarc.get("reports_to", "")
    return OwnNames(
        Dmarc(**policy, reports_to=reports_to if "@" in reports_to else None),
        (defaults.get("dkim") or {}).get("rotate_days"),
    )


def _without_place(values: t.Optional[Values]) -> Values:
    """Return the values of a table without ``at``; nothing for None."""
    return {name: value for name, value in (values or {}).items() if name != "at"}


def offers(
    plans: t.Iterable[Plan], estate_defaults: t.Optional[Values]
) -> dict[t.Optional[str], build_domain.Offer]:
    """Return what tenants take from each plan, by its name. None is for those without one."""
    estate = cascade.own_settings("estate", estate_defaults)
    found: dict[t.Optional[str], build_domain.Offer] = {None: build_domain.Offer(estate, None)}
    for one in plans:
        found[one.name] = build_domain.Offer(estate, one)
    return found


def tenant(
    name: str,
    account: Values,
    files: t.Sequence[tuple[str, Values]],
    offer: build_domain.Offer,
    steps: t.Optional[StepsOfTenant] = None,
    profiles: t.Optional[suspensions.Profiles] = None,
) -> Tenant:
    """Return a tenant, from its account and the files of its domains."""
    its_plan = offer.plan
    own = limits(account["limits"])
    granted = its_plan.limits if its_plan else _NO_LIMITS
    own_sending = sending_limits(account["sending_limits"])
    granted_sending = its_plan.sending_limits if its_plan else SendingLimits()
    settings = cascade.own_settings("account", account["defaults"])
    chain: cascade.Chain = (*offer.chain, ("account", settings))
    suspended = suspensions.Suspensions(
        name, account, chain, PROFILES if profiles is None else profiles
    )
    tenancy = build_domain.Tenancy(account, offer, chain, steps or {}, suspended)
    state, suspension = suspended.tenant
    return Tenant(
        name=name,
        organisation=account["organisation"] or "",
        plan=account["plan"] or "",
        state=state,
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
        limits=_tightest(own, granted),
        domains=tuple(build_domain.domain(domain, values, tenancy) for domain, values in files),
        external_ids=tuple(account["external_ids"].items()),
        domain_limits=tuple(
            build_domain.domain_limits(values) for values in account["domain_limits"]
        ),
        approved_domains=account["domains"],
        managed_domains=account["managed_domains"],
        at=account["at"],
        intake=Intake(**_without_place(account["intake"])),
        unverified_domains=account["unverified_domains"],
        suspended_domains=account["suspended_domains"],
        requested_hosts=account["requested_hosts"],
        outbound_address=account["outbound_address"],
        suspensions=suspended.items,
        suspension=suspension,
        retention=cascade.value_of(chain, "retention"),
        premium_relay=cascade.value_of(chain, "premium_relay"),
        purge=account["purge"],
        own_limits=own,
        sending_limits=_tightest_sending(own_sending, granted_sending),
        own_sending_limits=own_sending,
        own_settings=settings,
    )


def node_state(name: str, values: Values) -> NodeState:
    """Return the report of a node."""
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
    """Return the steps of promotion that were made."""
    return tuple(Step(**step) for step in values["promoted"])
