# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed values → one domain of the model, with what it takes from its tenant.

PRIVATE to the collection. Pure. As in ``_build``: a value that was at fault is None.
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
    MailboxLimits,
    MtaSts,
    RateLimits,
    Relay,
    SenderAddress,
    Smime,
    Spf,
)
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Plan
from ansible_collections.reseller.mail.plugins.module_utils._model.values import PROTOCOLS, Limit
from ansible_collections.reseller.mail.plugins.module_utils._schema import UNSAID
from ansible_collections.reseller.mail.plugins.module_utils._walk import Values


def tighter(one: Limit, other: Limit) -> Limit:
    """The smaller of two limits, where None is unlimited."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


class Tenancy:
    """What a domain needs to know of its tenant."""

    def __init__(
        self,
        account: Values,
        its_plan: t.Optional[Plan],
        chain: _cascade.Chain,
        steps: t.Mapping[tuple[str, str], str],
    ) -> None:
        self.owner: str = account["default_owner"] or ""
        self.managed = frozenset(account["managed_domains"])
        self.unverified = frozenset(account["unverified_domains"])
        self.suspended = frozenset(account["suspended_domains"])
        self.quota = its_plan.mailbox_quota_default if its_plan else None
        self.protocols = its_plan.protocols if its_plan else PROTOCOLS
        self.chain = chain
        self.limits = {
            values["name"]: domain_limits(values) for values in account["domain_limits"][::-1]
        }
        self.steps = steps


def domain(name: str, values: Values, tenancy: Tenancy) -> Domain:
    """One domain, from its file."""
    owner = values["owner"] or tenancy.owner
    allowed = tenancy.limits.get(name)
    quota = tighter(tenancy.quota, allowed.mailbox_storage if allowed else None)
    says = _cascade.said("domain", values)
    chain = (*tenancy.chain, ("domain", says))
    relay, branding, suspended = (
        values["relay"],
        values["branding"],
        values["state"] != "active" or name in tenancy.suspended,
    )
    shared = _of_mailboxes(chain, tenancy)
    dmarc = table(chain, "dmarc", Dmarc)
    dmarc = (
        dataclasses.replace(dmarc, reports_to=_optional(dmarc.reports_to, name))
        if dmarc.reports_to
        else dmarc
    )
    mta_sts = table(chain, "mta_sts", MtaSts) if _cascade.is_said(chain, "mta_sts") else None
    return Domain(
        name=name,
        type=values["type"],
        owner=owner,
        mailboxes=tuple(
            _mailbox(box, name, owner, quota, chain, shared, tenancy) for box in values["mailboxes"]
        ),
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
            SenderAddress(
                sender["name"],
                name,
                _complete(sender["mailbox"], name),
                sender["owner"] or owner,
                sender["at"],
            )
            for sender in values["sender_addresses"]
        ),
        domain_aliases=tuple(
            DomainAlias(
                alias,
                owner,
                alias in tenancy.managed,
                values["at"].of("domain_aliases", index),
                alias not in tenancy.unverified,
            )
            for index, alias in enumerate(values["domain_aliases"])
        ),
        catch_all=_optional(values["catch_all"], name),
        relay=Relay(relay["host"], relay["port"], relay["recipients"]) if relay else None,
        managed=name in tenancy.managed,
        dmarc=_promotion.published_dmarc(dmarc, tenancy.steps.get((name, "dmarc"))),
        mta_sts=_promotion.published_mta_sts(mta_sts, tenancy.steps.get((name, "mta_sts")))
        if mta_sts
        else None,
        tls_reports_to=_optional(_cascade.value_of(chain, "tls_rpt", "reports_to"), name),
        branding=table(
            chain,
            "branding",
            functools.partial(Branding, branding["hostname"] if branding else None),
        ),
        limits=allowed or DomainLimits(name),
        at=values["at"],
        state="suspended" if suspended else "active",
        verified=name not in tenancy.unverified,
        spf=table(chain, "spf", Spf),
        dkim=table(chain, "dkim", Dkim),
        autodiscover=_cascade.value_of(chain, "autodiscover"),
        **shared,
        said=says,
    )


def _mailbox(
    box: Values,
    domain: str,
    owner: str,
    quota: Limit,
    chain: _cascade.Chain,
    shared: dict[str, t.Any],
    tenancy: Tenancy,
) -> Mailbox:
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
        **(_of_mailboxes((*chain, ("mailbox", says)), tenancy) if says else shared),
        said=says,
    )


def _of_mailboxes(chain: _cascade.Chain, tenancy: Tenancy) -> dict[str, t.Any]:
    """What mailboxes and their domain have in common."""
    return {
        "locale": _cascade.value_of(chain, "locale"),
        "protocols": _cascade.value_of(chain, "protocols") or tenancy.protocols,
        "rate_limits": table(chain, "rate_limits", RateLimits),
        "mailbox_limits": table(chain, "mailbox_limits", MailboxLimits),
        "sieve": _cascade.value_of(chain, "sieve"),
    }


_T = t.TypeVar("_T")


def table(chain: _cascade.Chain, name: str, make: t.Callable[..., _T]) -> _T:
    """The effective values of a table's keys."""
    return make(**_cascade.values(chain, name))


def domain_limits(values: Values) -> DomainLimits:
    """What the account file allows one domain."""
    return DomainLimits(
        values["name"],
        values["mailboxes"],
        values["aliases"],
        values["storage"],
        values["mailbox_storage"],
        values["at"],
    )


def _complete(recipient: str, domain: str) -> str:
    return recipient if "@" in recipient else f"{recipient}@{domain}"


def _optional(recipient: t.Optional[str], domain: str) -> t.Optional[str]:
    return _complete(recipient, domain) if recipient else None
