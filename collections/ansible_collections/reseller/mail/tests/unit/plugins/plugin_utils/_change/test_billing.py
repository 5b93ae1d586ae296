# SPDX-License-Identifier: GPL-3.0-or-later
"""The month's lines: tranches (S2-11), add-ons (S2-12), bundles (S2-13)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._change import billing
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.tests.unit.support import plan_estate as e

G = 2**30


@pytest.mark.parametrize(
    ("allotted", "expected"),
    [(0, 1), (1, 1), (10 * G, 1), (10 * G + 1, 2), (20 * G, 2), (100 * G - 1, 10)],
)
def test_a_begun_tranche_counts_and_there_is_at_least_one(allotted: int, expected: int) -> None:
    assert billing.tranches(allotted, 10 * G) == expected


def lines(files: dict[str, str], tenant: str = "globex") -> list[str]:
    estate, faults = build({path: text.encode() for path, text in files.items()})
    assert not faults, [str(fault) for fault in faults]
    return [str(line) for line in billing.monthly_lines(estate) if line.tenant == tenant]


BASE = [
    "2 × mailbox at EUR 1.50: EUR 3.00",
    "1 × plan business at EUR 10.00: EUR 10.00",
    "1 × storage tranche of 10G at EUR 2.00: EUR 2.00",
]


def with_addons(*addons: str, bundle: str = "6", eas: str = "3") -> dict[str, str]:
    files = e.changed(
        e.FILES, "plans.yml", ("price: 6", f"price: {bundle}"), ("price: 3", f"price: {eas}")
    )
    return dict(
        e.changed(
            files, e.GLOBEX, ("- name: bob", f"- name: bob\n    addons: [{', '.join(addons)}]")
        )
    )


@pytest.mark.parametrize(
    ("files", "extra"),
    [
        (e.FILES, []),
        (with_addons("eas"), ["1 × add-on eas at EUR 3.00: EUR 3.00"]),
        (with_addons("mapi"), ["1 × add-on mapi at EUR 4.50: EUR 4.50"]),
        (with_addons("eas", "mapi"), ["1 × add-ons eas + mapi at EUR 6.00: EUR 6.00"]),
        (
            with_addons("eas", "mapi", bundle="0"),
            ["1 × add-on eas at EUR 3.00: EUR 3.00", "1 × add-on mapi at EUR 4.50: EUR 4.50"],
        ),
        (with_addons("eas", eas="0"), []),
    ],
)
def test_lines(files: dict[str, str], extra: list[str]) -> None:
    assert sorted(lines(files)) == sorted(BASE + extra)


@pytest.mark.parametrize(
    ("state", "billed"),
    [("active", True), ("suspended", True), ("pending", False), ("terminated", False)],
)
def test_who_is_billed(state: str, billed: bool) -> None:
    assert (
        bool(
            lines(
                e.changed(
                    e.FILES, "tenants/globex/account.yml", ("state: active", f"state: {state}")
                )
            )
        )
        is billed
    )


def test_no_price_no_line() -> None:
    assert (
        lines(
            e.changed(
                e.FILES,
                "plans.yml",
                (
                    (
                        '    prices: {monthly: 10, mailbox: "1.50", storage: {tranche: 10G, price:'
                        " 2}}\n"
                    ),
                    "",
                ),
            )
        )
        == []
    )
    assert (
        lines(
            e.changed(
                e.FILES,
                "plans.yml",
                ("monthly: 10", "monthly: 0"),
                ('"1.50"', "0"),
                ("price: 2}", "price: 0}"),
            )
        )
        == []
    )


def test_no_tenant_no_line() -> None:
    empty = {
        **e.without(e.FILES, e.GLOBEX),
        e.GLOBEX: "aliases: [{name: ann, to: [ann@elsewhere.example]}]\n",
    }
    assert lines(empty) == BASE[1:], "the storage's least is one tranche"


def test_sums_are_exact() -> None:
    estate, _faults = build(
        {path: text.encode() for path, text in with_addons("eas", "mapi").items()}
    )
    assert billing.totals(billing.monthly_lines(estate)) == {
        "acme": Decimal("22.50") + 2,
        "globex": Decimal("21.00"),
    }
    assert billing.money(Decimal("0.105"), "EUR") == "EUR 0.105"
    assert billing.money(Decimal("3"), "") == "3.00"
