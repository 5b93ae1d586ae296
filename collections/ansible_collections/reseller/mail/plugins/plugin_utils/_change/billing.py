# SPDX-License-Identifier: GPL-3.0-or-later
"""The monthly bill of each tenant, if the plans have prices.

PRIVATE to the collection. Pure. The rules (rows S2-11 to S2-13):

* Storage is billed by tranche of what is *allotted*: ``ceil(allotted / tranche)``, at least one.
* An add-on is one line for each mailbox. If a mailbox has all add-ons of a bundle, the price of the
  bundle replaces theirs. The add-ons of a bundle without a price are billed one by one. Bundles are
  tried in the order of the file, and an add-on belongs to one of them at most.
* A price of 0 gives no line.

A tenant is billed while the hosts serve it: also while it is suspended, but not while it is pending
or terminated.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from .._model.sizes import size

if t.TYPE_CHECKING:
    from .._model.domain import Mailbox
    from .._model.estate import Estate
    from .._model.tenant import Plan, Tenant

_NOTHING = Decimal(0)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One line of a tenant's monthly bill."""

    tenant: str
    what: str
    quantity: int
    price: Decimal
    currency: str

    @property
    def amount(self) -> Decimal:
        """Return the price of all of them."""
        return self.quantity * self.price

    def __str__(self) -> str:
        return (
            f"{self.quantity} × {self.what} at {money(self.price, self.currency)}:"
            f" {money(self.amount, self.currency)}"
        )


def money(amount: Decimal, currency: str) -> str:
    """Return an amount as people write it, with its currency.

    It has two decimals, or more if the price in the file has more.
    """
    whole = amount.quantize(_CENT)
    return f"{currency} {whole if whole == amount else amount}".strip()


def monthly_lines(estate: Estate) -> list[Line]:
    """Return every line of every tenant, sorted."""
    plans = {plan.name: plan for plan in estate.plans}
    return sorted(
        line
        for tenant in estate.tenants
        if tenant.served
        for line in _lines_of_tenant(estate, tenant, plans.get(tenant.plan))
    )


def totals(lines: t.Iterable[Line]) -> dict[str, Decimal]:
    """Return the monthly sum of each tenant that has lines, by its name."""
    found: dict[str, Decimal] = {}
    for line in lines:
        found[line.tenant] = found.get(line.tenant, _NOTHING) + line.amount
    return found


def tranches(allotted: int, tranche: int) -> int:
    """Return how many tranches of storage are billed. A begun one counts as a whole one."""
    return max(1, -(-allotted // tranche))


def _lines_of_tenant(estate: Estate, tenant: Tenant, plan: t.Optional[Plan]) -> t.Iterator[Line]:
    """Yield the lines of one tenant; none if its plan is unknown."""
    if plan is None:
        return
    mailboxes = [mailbox for domain in tenant.domains for mailbox in domain.mailboxes]
    prices = plan.prices
    counted: list[tuple[str, int, t.Optional[Decimal]]] = [
        (f"plan {plan.name}", 1, prices.monthly),
        ("mailbox", len(mailboxes), prices.mailbox),
    ]
    if prices.tranche:
        # A mailbox without a quota has no allotted storage to count.
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
        for (what, price), number in Counter(_addons_and_bundles(estate, mailboxes)).items()
    ]
    yield from (
        Line(tenant.name, what, number, price, estate.currency)
        for what, number, price in counted
        if number and price
    )


def _addons_and_bundles(
    estate: Estate, mailboxes: t.Iterable[Mailbox]
) -> t.Iterator[tuple[str, Decimal]]:
    """Yield each add-on or bundle of each mailbox, with its price."""
    prices = {addon.name: addon.price for addon in estate.addons}
    for mailbox in mailboxes:
        left = set(mailbox.addons)
        for bundle in estate.addon_bundles:
            if bundle.price and left.issuperset(bundle.addons):
                left.difference_update(bundle.addons)
                yield f"add-ons {' + '.join(bundle.addons)}", bundle.price
        yield from ((f"add-on {name}", prices[name]) for name in sorted(left) if name in prices)
