# SPDX-License-Identifier: GPL-3.0-or-later
"""What is allowed and probably not meant."""

from __future__ import annotations

import time

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.warnings import warnings
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.tests.unit.support import plan_estate as e

BOXES = "mailboxes:\n  - name: it\n  - name: orders\n  - name: jo\n"
CATCH_ALL = "catch_all: it\n"
ACCOUNT = "tenants/acme/account.yml"
LINES = e.FILES[ACCOUNT].splitlines(keepends=True)


def warned(text: str) -> list[str]:
    admins = ("ann@acme.example", "dom@acme.example")
    account = "".join(line for line in LINES if not any(name in line for name in admins))
    files = {**e.FILES, ACCOUNT: account, e.ACME: text}
    estate, faults = build({path: content.encode() for path, content in files.items()})
    assert faults == []
    return [str(warning).removeprefix("tenants/acme/") for warning in warnings(estate)]


WHAT = (
    "{who} to {target}, which is no mailbox or alias: the catch-all it@acme.example takes its"
    " mail{meant}; allowed: a mailbox or alias of the domain, or the address that the catch-all"
    " names"
)


@pytest.mark.parametrize(
    ("more", "place", "who", "target", "meant"),
    [
        (
            "aliases:\n  - {name: shop, to: [jo, order]}\n",
            "7:27",
            "the alias shop@acme.example delivers",
            "order@acme.example",
            "; did you mean orders?",
        ),
        (
            "aliases:\n  - {name: shop, to: [order@acme-mail.example]}\n"
            "domain_aliases: [acme-mail.example]\n",
            "7:23",
            "the alias shop@acme.example delivers",
            "order@acme-mail.example",
            "; did you mean orders?",
        ),
        (
            "tls_rpt: {reports_to: qqqq}\n",
            "6:23",
            "tls_rpt.reports_to of acme.example sends",
            "qqqq@acme.example",
            "",
        ),
    ],
)
def test_an_address_that_only_the_catch_all_takes(
    more: str, place: str, who: str, target: str, meant: str
) -> None:
    what = WHAT.format(who=who, target=target, meant=meant)
    assert warned(BOXES + CATCH_ALL + more) == [
        f"acme.example.yml:{place}: target-by-catch-all: {what}"
    ]


@pytest.mark.parametrize(
    "more",
    [
        "aliases:\n  - {name: shop, to: [orders, orders@elsewhere.example]}\n",
        "aliases:\n  - {name: shop, to: [postmaster, orders+new]}\n",
        "aliases:\n  - {name: shop, to: [ann@globex.example]}\n",
        "aliases:\n  - {name: shop, to: [noreply]}\n"
        "sender_addresses:\n  - {name: noreply, mailbox: jo}\n",
        "dmarc: {reports_to: it}\n",
    ],
)
def test_addresses_that_exist_are_no_reason(more: str) -> None:
    assert warned(BOXES + CATCH_ALL + more) == []


def test_thousands_of_warnings_take_no_time() -> None:
    boxes = "".join(f"  - {{name: box{number}, quota: 1M}}\n" for number in range(90))
    aliases = "".join(f"  - {{name: a{number}, to: [bax{number}]}}\n" for number in range(40))
    before = time.perf_counter()
    found = warned(f"{BOXES}{boxes}{CATCH_ALL}aliases:\n{aliases}")
    assert len(found) == 40
    assert sum("did you mean" in one for one in found) == 20
    assert time.perf_counter() - before < 10
