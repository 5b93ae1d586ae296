# SPDX-License-Identifier: GPL-3.0-or-later
"""What suspended tenants, domains and mailboxes can still do.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .values import NOWHERE, Position

if t.TYPE_CHECKING:
    from .domain import Domain, Mailbox
    from .tenant import Tenant

INBOUND = ("accept", "hold", "defer", "reject")
"""What happens to mail that arrives, the mildest first."""

ALLOWED = ("allow", "refuse")
QUEUED = ("send", "hold")


@dataclass(frozen=True, slots=True)
class Suspension:
    """What a suspended object can still do (S2-5). The defaults are those of ``nonpayment``.

    Attributes:
        inbound: one of INBOUND.
        login: whether users may read mail and change filters.
        submission: whether mail may leave in the name of the object.
        queued: send, or hold what its senders have in the queue when the suspension begins.
        text: the reply to senders with ``reject`` and ``defer``; empty for that of the platform.
    """

    inbound: str = "accept"
    login: str = "refuse"
    submission: str = "refuse"
    queued: str = "send"
    text: str = ""


DEFAULT: t.Final = Suspension()
"""What holds if no level says anything: the profile ``nonpayment``."""

NONPAYMENT = "nonpayment"
PROFILES: t.Final[t.Mapping[str, Suspension]] = {
    NONPAYMENT: DEFAULT,
    "abuse": Suspension(inbound="defer", queued="hold"),
    "legal_hold": Suspension(inbound="hold"),
}
"""The profiles that every estate has. An estate can add others and replace these."""


@dataclass(frozen=True, slots=True)
class ProviderSuspension:
    """One item of ``suspensions`` of an account: the provider suspends the tenant, a domain or a
    mailbox.

    Attributes:
        of: the name of the tenant, a domain, or the address of a mailbox.
        reason: why, for the provider only. Nothing shows it to tenants or senders.
        profile: the profile that the item names; empty for none.
    """

    of: str
    suspension: Suspension
    profile: str = ""
    reason: str = ""
    at: Position = field(default=NOWHERE, compare=False)


def strictest(suspensions: t.Iterable[Suspension]) -> t.Optional[Suspension]:
    """Return the strictest value of each cell; None without suspensions.

    The text is that of the first suspension with the strictest ``inbound`` that has a text.
    """
    found = tuple(suspensions)
    if len(found) < 2:
        return found[0] if found else None
    inbound = max((one.inbound for one in found), key=INBOUND.index)
    texts = [one.text for one in found if one.inbound == inbound and one.text]
    return Suspension(
        inbound,
        max((one.login for one in found), key=ALLOWED.index),
        max((one.submission for one in found), key=ALLOWED.index),
        max((one.queued for one in found), key=QUEUED.index),
        texts[0] if texts else "",
    )


def in_effect(
    tenant: Tenant, domain: t.Optional[Domain] = None, mailbox: t.Optional[Mailbox] = None
) -> t.Optional[Suspension]:
    """Return what a mailbox, or all of a domain or tenant, can still do; None if nothing is
    suspended.

    The strictest of tenant, domain and mailbox applies, cell by cell (S1-19).
    """
    suspended = [
        one for one in (tenant, domain, mailbox) if one is not None and one.state == "suspended"
    ]
    return strictest(one.suspension for one in suspended) if suspended else None


def may_send(tenant: Tenant, domain: Domain, mailbox: t.Optional[Mailbox] = None) -> bool:
    """Return whether suspensions let mail leave in the name of the mailbox.

    Submissions, forwards of the file and what Sieve scripts send leave in its name.
    """
    found = in_effect(tenant, domain, mailbox)
    return found is None or found.submission == "allow"


class Place(t.NamedTuple):
    """A tenant, a domain or a mailbox that can be suspended, with the levels above it."""

    name: str
    tenant: Tenant
    domain: t.Optional[Domain] = None
    mailbox: t.Optional[Mailbox] = None

    @property
    def levels(self) -> tuple[t.Any, ...]:
        """Return tenant, domain and mailbox, as far as they are set."""
        return tuple(one for one in self[1:] if one is not None)


def find(tenants: t.Iterable[Tenant], name: str) -> Place:
    """Return the tenant, domain or mailbox of a name; raise LookupError with a message if it is
    something else or unknown."""
    local, at_sign, domain_name = name.strip().lower().rpartition("@")
    for tenant in tenants:
        if not at_sign and name == tenant.name:
            return Place(name, tenant)
        for domain in tenant.domains:
            if domain_name == domain.name:
                return _in_domain(tenant, domain, local, bool(at_sign))
            if domain_name in domain.names:
                raise LookupError(
                    f"{domain_name} is another name of {domain.name}; name"
                    f" {f'{local}@' if at_sign else ''}{domain.name}"
                )
    raise LookupError(
        f"the estate has no tenant, domain or mailbox {name}; allowed: such as acme, acme.example"
        " or jo@acme.example"
    )


def _in_domain(tenant: Tenant, domain: Domain, local: str, is_address: bool) -> Place:
    """Return a domain or its mailbox; raise LookupError if it has no such mailbox."""
    if not is_address:
        return Place(domain.name, tenant, domain)
    for mailbox in domain.mailboxes:
        if mailbox.name == local:
            return Place(mailbox.address, tenant, domain, mailbox)
    known = ", ".join(mailbox.address for mailbox in domain.mailboxes[:5])
    raise LookupError(
        f"{local}@{domain.name} is no mailbox; mailboxes of {domain.name}: {known or 'none'}"
    )
