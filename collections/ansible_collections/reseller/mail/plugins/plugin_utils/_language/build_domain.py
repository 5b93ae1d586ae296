# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed values → one domain of the model, with what it takes from its tenant.

PRIVATE to the collection. Pure. As in ``build``, a value with a fault is None.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from .._model.domain import (
    Alias,
    Branding,
    Dkim,
    Dmarc,
    Domain,
    DomainAlias,
    DomainLimits,
    Forward,
    Mailbox,
    MailboxLimits,
    MtaSts,
    RateLimits,
    Relay,
    SenderAddress,
    Smime,
    Spf,
)
from .._model.spam import Spam
from .._model.suspension import Suspension
from .._model.tenant import COUNTERS, Plan
from .._model.values import PROTOCOLS, Limit, OwnSettings
from . import cascade
from .ladders import published_dmarc, published_mta_sts
from .schema import UNSET
from .suspensions import Suspensions
from .typed_values import Values


def tighter(one: Limit, other: Limit) -> Limit:
    """Return the smaller of two limits. None is unlimited."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


class Offer:
    """What the tenants of a plan take from it and from the estate.

    ``plan`` is None for tenants without a known plan.
    """

    def __init__(self, estate: OwnSettings, plan: t.Optional[Plan]) -> None:
        self.plan = plan
        own = plan.own_settings if plan else {}
        self.chain: cascade.Chain = (("estate", estate), ("plan", own))
        self.shared = {name: make(self.chain) for name, make in _SHARED.items()}
        if not self.shared["protocols"]:
            self.shared["protocols"] = plan.protocols if plan else PROTOCOLS
        self.of_domains = {name: make(self.chain) for name, make in _OF_DOMAINS.items()}


class Tenancy:
    """What a domain takes from its tenant: owner, plan, lists of domains, limits, steps.

    ``steps`` are the steps of promotion that were made, by domain and policy.
    """

    def __init__(
        self,
        account: Values,
        offer: Offer,
        chain: cascade.Chain,
        steps: t.Mapping[tuple[str, str], str],
        its_suspensions: Suspensions,
    ) -> None:
        self.owner: str = account["default_owner"] or ""
        self.managed = frozenset(account["managed_domains"])
        self.unverified = frozenset(account["unverified_domains"])
        self.suspensions = its_suspensions
        self.quota = offer.plan.mailbox_quota_default if offer.plan else None
        self.chain = chain
        # The first of several entries for one domain applies.
        self.limits = {
            values["name"]: domain_limits(values) for values in account["domain_limits"][::-1]
        }
        self.steps = steps
        self.shared = _narrowed(offer.shared, chain, _SHARED)
        self.of_domains = _narrowed(offer.of_domains, chain, _OF_DOMAINS)


def domain(name: str, values: Values, tenancy: Tenancy) -> Domain:
    """Return a domain, from its file and its tenant."""
    owner = values["owner"] or tenancy.owner
    allowed = tenancy.limits.get(name)
    quota = tighter(tenancy.quota, allowed.mailbox_storage if allowed else None)
    own = cascade.own_settings("domain", values)
    chain = (*tenancy.chain, ("domain", own))
    relay, branding = values["relay"], values["branding"]
    effect = tenancy.suspensions.of_tenant
    if "suspension" in own:
        effect = tenancy.suspensions.of_levels(chain)
    state, suspension = tenancy.suspensions.of(name, values["state"], effect)
    shared = _narrowed(tenancy.shared, chain, _SHARED)
    return Domain(
        name=name,
        type=values["type"],
        owner=owner,
        mailboxes=tuple(
            _mailbox(box, name, owner, quota, chain, shared, effect, tenancy)
            for box in values["mailboxes"]
        ),
        aliases=tuple(_alias(alias, name, owner) for alias in values["aliases"]),
        sender_addresses=tuple(
            _sender_address(sender, name, owner) for sender in values["sender_addresses"]
        ),
        domain_aliases=_domain_aliases(values, owner, tenancy),
        catch_all=_optional(values["catch_all"], name),
        relay=Relay(relay["host"], relay["port"], relay["recipients"]) if relay else None,
        managed=name in tenancy.managed,
        dmarc=_dmarc(name, chain, tenancy),
        mta_sts=_mta_sts(name, chain, tenancy),
        tls_reports_to=_optional(cascade.value_of(chain, "tls_rpt", "reports_to"), name),
        branding=table(
            chain,
            "branding",
            functools.partial(Branding, branding["hostname"] if branding else None),
        ),
        limits=allowed or DomainLimits(name),
        at=values["at"],
        state=state,
        verified=name not in tenancy.unverified,
        **shared,
        **_narrowed(tenancy.of_domains, chain, _OF_DOMAINS),
        suspension=suspension,
        own_settings=own,
    )


def _alias(values: Values, domain: str, owner: str) -> Alias:
    """Return an alias of a domain. ``owner`` is that of the domain."""
    return Alias(
        values["name"],
        domain,
        tuple(_complete(to, domain) for to in values["to"]),
        values["owner"] or owner,
        values["may_send"],
        values["at"],
        values["internal_only"],
        values["hidden"],
    )


def _sender_address(values: Values, domain: str, owner: str) -> SenderAddress:
    """Return a sender address of a domain. ``owner`` is that of the domain."""
    return SenderAddress(
        values["name"],
        domain,
        _complete(values["mailbox"], domain),
        values["owner"] or owner,
        values["at"],
    )


def _domain_aliases(values: Values, owner: str, tenancy: Tenancy) -> tuple[DomainAlias, ...]:
    """Return the other names of a domain."""
    return tuple(
        DomainAlias(
            alias,
            owner,
            alias in tenancy.managed,
            at,
            alias not in tenancy.unverified,
        )
        for alias, at in values["domain_aliases"]
    )


def _dmarc(domain: str, chain: cascade.Chain, tenancy: Tenancy) -> Dmarc:
    """Return the DMARC settings that are published."""
    wanted = table(chain, "dmarc", Dmarc)
    if wanted.reports_to:
        wanted = dataclasses.replace(wanted, reports_to=_complete(wanted.reports_to, domain))
    return published_dmarc(wanted, tenancy.steps.get((domain, "dmarc")))


def _mta_sts(domain: str, chain: cascade.Chain, tenancy: Tenancy) -> t.Optional[MtaSts]:
    """Return the MTA-STS policy that is published; None if no level sets one."""
    if not cascade.is_set(chain, "mta_sts"):
        return None
    wanted = table(chain, "mta_sts", MtaSts)
    return published_mta_sts(wanted, tenancy.steps.get((domain, "mta_sts")))


def _mailbox(
    box: Values,
    domain: str,
    owner: str,
    quota: Limit,
    chain: cascade.Chain,
    shared: Settings,
    effect: Suspension,
    tenancy: Tenancy,
) -> Mailbox:
    """Return a mailbox. ``quota`` is the default of its domain, and ``shared`` are its settings.

    ``effect`` is what a suspension means, as the levels down to the domain set it.
    """
    own = cascade.own_settings("mailbox", box)
    chain = (*chain, ("mailbox", own)) if own else chain
    forward, smime = box["forward"], box["smime"]
    if "suspension" in own:
        effect = tenancy.suspensions.of_levels(chain)
    state, suspension = tenancy.suspensions.of(f"{box['name']}@{domain}", box["state"], effect)
    return Mailbox(
        box["name"],
        domain,
        quota if box["quota"] is UNSET else box["quota"],
        box["owner"] or owner,
        box["display_name"],
        state,
        box["password"],
        box["at"],
        box["credentials"],
        Forward(
            tuple(_complete(to, domain) for to in forward["to"]),
            forward["keep_copy"],
            forward["skip_spam"],
        )
        if forward
        else None,
        box["addons"],
        box["domain_admin"],
        Smime(smime["certificate"], smime["uploaded_by"]) if smime else None,
        box["hidden"],
        **(_narrowed(shared, chain, _SHARED) if own else shared),
        suspension=suspension,
        own_settings=own,
    )


def _narrowed(above: Settings, chain: cascade.Chain, makers: Makers) -> Settings:
    """Return the settings of the last level of a chain. ``above`` are those of the levels above it.

    Most objects set none of them. So they share those of the level above, and nothing is computed.
    An empty list sets nothing.
    """
    own = chain[-1][1]
    made = {name: make(chain) for name, make in makers.items() if own.get(name, ()) != ()}
    return {**above, **made} if made else above


_T = t.TypeVar("_T")


def table(chain: cascade.Chain, name: str, make: t.Callable[..., _T]) -> _T:
    """Return what ``make`` makes of the effective values of a table's keys."""
    return make(**cascade.values(chain, name))


Settings = t.Mapping[str, t.Any]
Makers = t.Mapping[str, t.Callable[[cascade.Chain], t.Any]]
"""What makes the value of a setting from a chain, by the name of the setting."""
_SHARED: Makers = {
    "locale": lambda chain: cascade.value_of(chain, "locale"),
    "protocols": lambda chain: cascade.value_of(chain, "protocols"),
    "rate_limits": lambda chain: table(chain, "rate_limits", RateLimits),
    "mailbox_limits": lambda chain: table(chain, "mailbox_limits", MailboxLimits),
    "spam": lambda chain: table(chain, "spam", Spam),
    "sieve": lambda chain: cascade.value_of(chain, "sieve"),
}
"""The settings that both domains and mailboxes have."""
_OF_DOMAINS: Makers = {
    "spf": lambda chain: table(chain, "spf", Spf),
    "dkim": lambda chain: table(chain, "dkim", Dkim),
    "autodiscover": lambda chain: cascade.value_of(chain, "autodiscover"),
    "outgoing_relay": lambda chain: cascade.value_of(chain, "outgoing_relay"),
}
"""The settings that domains have, and mailboxes do not."""


def domain_limits(values: Values) -> DomainLimits:
    """Return the limits that the account sets for one domain."""
    return DomainLimits(
        values["name"],
        limit(values["mailboxes"]),
        limit(values["aliases"]),
        limit(values["storage"]),
        values["mailbox_storage"],
        values["at"],
        unlimited(values),
        values["messages_per_hour"],
    )


def limit(value: t.Any) -> Limit:
    """Return a limit. One that the files do not set is unlimited."""
    return None if value is UNSET else t.cast(Limit, value)


def unlimited(values: Values) -> tuple[str, ...]:
    """Return the counters that a table sets to ``unlimited``."""
    return tuple(name for name in COUNTERS if values.get(name, UNSET) is None)


def _complete(recipient: str, domain: str) -> str:
    """Return the address; a local part alone gets the domain."""
    return recipient if "@" in recipient else f"{recipient}@{domain}"


def _optional(recipient: t.Optional[str], domain: str) -> t.Optional[str]:
    """Return the complete address, or None if there is none."""
    return _complete(recipient, domain) if recipient else None
