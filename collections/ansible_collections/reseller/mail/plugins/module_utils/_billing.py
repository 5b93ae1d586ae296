# SPDX-License-Identifier: GPL-3.0-or-later
"""What a month costs each tenant, where plans declare prices.

PRIVATE to the collection. Pure. The rules (rows S2-11 to S2-13):

* storage is billed by tranche of what is *allotted*: ``ceil(allotted / tranche)``, at least one;
* an add-on is one line a mailbox; where a mailbox has all add-ons of a bundle, the bundle's price replaces theirs,
  and a bundle without a price bills them one by one. Bundles are tried as declared; an add-on goes into one of them;
* a price of 0 gives no line.

Tenants are billed while hosts know them: suspended ones too, pending and terminated ones not.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from ansible_collections.reseller.mail.plugins.module_utils._sizes import size

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.domain import Mailbox
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
    from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Plan, Tenant

_NOTHING = Decimal(0)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One line of a tenant's month."""

    tenant: str
    what: str
    quantity: int
    price: Decimal
    currency: str

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price

    def __str__(self) -> str:
        return f"{self.quantity} × {self.what} at {money(self.price, self.currency)}: {money(self.amount, self.currency)}"


def money(amount: Decimal, currency: str) -> str:
    """An amount as people write it. Prices keep further decimals that they were declared with."""
    whole = amount.quantize(_CENT)
    return f"{currency} {whole if whole == amount else amount}".strip()


def monthly_lines(estate: Estate) -> list[Line]:
    """Every line of every tenant, sorted."""
    plans = {plan.name: plan for plan in estate.plans}
    return sorted(
        line
        for tenant in estate.tenants
        if tenant.served
        for line in _tenant(estate, tenant, plans.get(tenant.plan))
    )


def totals(lines: t.Iterable[Line]) -> dict[str, Decimal]:
    """The month's sum of each tenant that has lines."""
    found: dict[str, Decimal] = {}
    for line in lines:
        found[line.tenant] = found.get(line.tenant, _NOTHING) + line.amount
    return found


def tranches(allotted: int, tranche: int) -> int:
    """How many begun tranches of storage are billed."""
    return max(1, -(-allotted // tranche))


def _tenant(estate: Estate, tenant: Tenant, plan: t.Optional[Plan]) -> t.Iterator[Line]:
    if plan is None:
        return
    mailboxes = [mailbox for domain in tenant.domains for mailbox in domain.mailboxes]
    prices = plan.prices
    counted: list[tuple[str, int, t.Optional[Decimal]]] = [
        (f"plan {plan.name}", 1, prices.monthly),
        ("mailbox", len(mailboxes), prices.mailbox),
    ]
    if prices.tranche:
        # A mailbox without a quota has nothing allotted that could be counted.
        allotted = sum(mailbox.quota or 0 for mailbox in mailboxes)
        counted.append(
            (
                f"storage tranche of {size(prices.tranche)}",
                tranches(allotted, prices.tranche),
                prices.tranche_price,
            )
        )
    counted += [
        (what, number, price)
        for (what, price), number in Counter(_extras(estate, mailboxes)).items()
    ]
    yield from (
        Line(tenant.name, what, number, price, estate.currency)
        for what, number, price in counted
        if number and price
    )


def _extras(estate: Estate, mailboxes: t.Iterable[Mailbox]) -> t.Iterator[tuple[str, Decimal]]:
    """What each mailbox adds: an add-on or bundle and its price."""
    prices = {addon.name: addon.price for addon in estate.addons}
    for mailbox in mailboxes:
        left = set(mailbox.addons)
        for bundle in estate.addon_bundles:
            if bundle.price and left.issuperset(bundle.addons):
                left.difference_update(bundle.addons)
                yield f"add-ons {' + '.join(bundle.addons)}", bundle.price
        yield from ((f"add-on {name}", prices[name]) for name in sorted(left) if name in prices)
