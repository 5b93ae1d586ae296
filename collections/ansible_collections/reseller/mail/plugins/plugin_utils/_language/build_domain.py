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
from .._model.values import PROTOCOLS, Limit
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


class Tenancy:
    """What a domain takes from its tenant: owner, plan, lists of domains, limits, steps.

    ``steps`` are the steps of promotion that were made, by domain and policy.
    """

    def __init__(
        self,
        account: Values,
        its_plan: t.Optional[Plan],
        chain: cascade.Chain,
        steps: t.Mapping[tuple[str, str], str],
        its_suspensions: Suspensions,
    ) -> None:
        self.owner: str = account["default_owner"] or ""
        self.managed = frozenset(account["managed_domains"])
        self.unverified = frozenset(account["unverified_domains"])
        self.suspensions = its_suspensions
        self.quota = its_plan.mailbox_quota_default if its_plan else None
        self.protocols = its_plan.protocols if its_plan else PROTOCOLS
        self.chain = chain
        # The first of several entries for one domain applies.
        self.limits = {
            values["name"]: domain_limits(values) for values in account["domain_limits"][::-1]
        }
        self.steps = steps
        self.shared = _shared_settings(chain, self)
        self.of_domains = _settings_of_domain(chain)


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
    # Most domains set none of these. Then they have the objects of their tenant.
    shared = tenancy.shared if _SHARED.isdisjoint(own) else _shared_settings(chain, tenancy)
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
        **(tenancy.of_domains if _OF_DOMAINS.isdisjoint(own) else _settings_of_domain(chain)),
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
    shared: dict[str, t.Any],
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
        **(_shared_settings(chain, tenancy) if own else shared),
        suspension=suspension,
        own_settings=own,
    )


_SHARED = frozenset(("locale", "protocols", "rate_limits", "mailbox_limits", "spam", "sieve"))


def _shared_settings(chain: cascade.Chain, tenancy: Tenancy) -> dict[str, t.Any]:
    """Return the settings that both domains and mailboxes have."""
    return {
        "locale": cascade.value_of(chain, "locale"),
        "protocols": cascade.value_of(chain, "protocols") or tenancy.protocols,
        "rate_limits": table(chain, "rate_limits", RateLimits),
        "mailbox_limits": table(chain, "mailbox_limits", MailboxLimits),
        "spam": table(chain, "spam", Spam),
        "sieve": cascade.value_of(chain, "sieve"),
    }


_OF_DOMAINS = frozenset(("spf", "dkim", "autodiscover", "outgoing_relay"))


def _settings_of_domain(chain: cascade.Chain) -> dict[str, t.Any]:
    """Return the settings that domains have, and mailboxes do not."""
    return {
        "spf": table(chain, "spf", Spf),
        "dkim": table(chain, "dkim", Dkim),
        "autodiscover": cascade.value_of(chain, "autodiscover"),
        "outgoing_relay": cascade.value_of(chain, "outgoing_relay"),
    }


_T = t.TypeVar("_T")


def table(chain: cascade.Chain, name: str, make: t.Callable[..., _T]) -> _T:
    """Return what ``make`` makes of the effective values of a table's keys."""
    return make(**cascade.values(chain, name))


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
