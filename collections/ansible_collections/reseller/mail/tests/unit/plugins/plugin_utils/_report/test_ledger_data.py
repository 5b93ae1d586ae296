# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger as data and as a table: every number with the limit that bounds it, and nothing told
by colour alone."""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
import typing as t
from dataclasses import replace
from decimal import Decimal

import pytest
import yaml
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Alias,
    Domain,
    DomainLimits,
    Mailbox,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    Estate,
    QuotaPolicy,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import (
    Admin,
    Limits,
    Plan,
    Tenant,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._report.ledger_data import (
    COLUMNS,
    as_csv,
    as_json,
    report,
    state_of,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._report.ledger_table import as_table
from ansible_collections.reseller.mail.tests.unit.support import estates

GIB = 2**30


def tenant(
    nth: int, boxes: int, *, plan: Plan, own: Limits = Limits(), admin: Limits = Limits()
) -> Tenant:
    domain = f"t{nth}.example"
    it = f"it@{domain}"
    limits = Limits(
        **{
            key: min(
                (one for one in (getattr(own, key), getattr(plan.limits, key)) if one is not None),
                default=None,
            )
            for key in KEYS
        }
    )
    mailboxes = tuple(Mailbox(f"m{one}", domain, GIB, it) for one in range(boxes))
    made = Domain(
        domain,
        "mail",
        it,
        mailboxes,
        (Alias("a", domain, (it,), it),),
        limits=DomainLimits(domain, mailboxes=9),
    )
    return estates.tenant(
        f"t{nth}",
        made,
        admins=(Admin(it, admin),),
        limits=limits,
        plan=plan.name,
        organisation=f"Tenant {nth}",
        own_limits=own,
    )


KEYS = ("domains", "domain_aliases", "mailboxes", "aliases", "storage", "domain_admins")
PLAN = Plan(
    "business",
    Limits(domains=1, mailboxes=10, storage=100 * GIB, domain_admins=2),
    frozenset(),
    GIB,
    1,
    None,
)


def estate(*tenants: Tenant) -> Estate:
    return estates.estate(
        *tenants,
        nodes=(replace(estates.MX1, capacity=10 * GIB), estates.MX2),
        plans=(PLAN,),
        quota_policy=QuotaPolicy(oversell_ratio=Decimal("1.5"), warn_at=80),
    )


ACME = tenant(1, 4, plan=PLAN, own=Limits(storage=20 * GIB), admin=Limits(mailboxes=5))


@pytest.mark.parametrize(
    ("used", "limit", "state"),
    [
        (0, None, "ok"),
        (79, 100, "ok"),
        (80, 100, "near"),
        (99, 100, "near"),
        (100, 100, "full"),
        (101, 100, "over"),
        (0, 0, "ok"),
        (1, 0, "over"),
    ],
)
def test_states_begin_exactly_where_they_say(used: int, limit: int | None, state: str) -> None:
    assert state_of(used, limit, 80) == state


def test_each_number_has_its_own_limit_and_the_one_that_bounds_it() -> None:
    one = report(estate(ACME))["tenants"][0]
    assert one["counters"]["storage"] == {
        "used": 4 * GIB,
        "limit": 20 * GIB,
        "left": 16 * GIB,
        "percent": 20.0,
        "bound_by": "account",
        "state": "ok",
    }
    assert one["counters"]["domains"] == {
        "used": 1,
        "limit": 1,
        "left": 0,
        "percent": 100.0,
        "bound_by": "plan",
        "state": "full",
    }
    assert one["counters"]["aliases"] == {
        "used": 1,
        "limit": None,
        "left": None,
        "percent": None,
        "bound_by": None,
        "state": "ok",
    }
    owner = one["owners"][0]["counters"]
    assert owner["mailboxes"] == {
        "used": 4,
        "limit": 5,
        "left": 1,
        "percent": 80.0,
        "bound_by": "admin",
        "state": "near",
    }
    assert owner["storage"] == {
        "used": 4 * GIB,
        "limit": None,
        "left": 16 * GIB,
        "percent": None,
        "bound_by": "account",
        "state": "ok",
    }
    domain = one["domains"][0]
    assert domain["counters"]["mailboxes"]["bound_by"] == "domain", (
        "of 9 there are 5 left, of the plan's 10 there are 6"
    )
    assert (domain["type"], sorted(domain["counters"])) == (
        "mail",
        ["aliases", "domain_aliases", "mailboxes", "storage"],
    )
    assert (one["state"], one["organisation"], one["plan"], one["node"], one["tenant_state"]) == (
        "full",
        "Tenant 1",
        "business",
        "mx1",
        "active",
    )


def test_plans_and_nodes() -> None:
    data = report(estate(ACME, tenant(2, 8, plan=PLAN)))
    (plan,) = data["plans"]
    assert (
        plan["tenants"],
        plan["counters"]["mailboxes"]["used"],
        plan["counters"]["mailboxes"]["limit"],
    ) == (2, 12, 20)
    assert plan["counters"]["storage"]["limit"] == 120 * GIB
    mx1, mx2 = data["nodes"]
    assert (
        mx1["tenants"],
        mx1["capacity"],
        mx1["oversell_ratio"],
        mx1["oversell_limit"],
        mx1["state"],
    ) == (2, 10 * GIB, 1.2, 1.5, "near")
    assert (mx1["sold"], mx1["sold_ratio"]) == (120 * GIB, 12.0)
    assert mx1["counters"]["storage"]["bound_by"] == "capacity"
    assert (mx2["tenants"], mx2["capacity"], mx2["oversell_ratio"], mx2["sold"]) == (
        0,
        None,
        None,
        0,
    )
    assert data["totals"]["mailboxes"] == {"used": 12, "ok": 1, "near": 1, "full": 0, "over": 0}


def test_one_tenants_ledger_tells_nothing_of_the_others() -> None:
    data = report(estate(ACME, tenant(2, 8, plan=PLAN)), ["t1"])
    assert "t2" not in as_json(data) + as_csv(data) + as_table(data)
    assert (data["plans"], data["nodes"], data["totals"]["mailboxes"]["used"]) == ([], [], 4)


def test_the_order_of_the_files_does_not_matter() -> None:
    one, two = ACME, tenant(2, 8, plan=PLAN)
    assert report(estate(one, two)) == report(estate(two, one))


def test_json_is_the_data_and_csv_its_lines() -> None:
    data = report(estate(ACME, tenant(2, 8, plan=PLAN)))
    assert json.loads(as_json(data)) == data
    rows = list(csv.DictReader(io.StringIO(as_csv(data))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 2 * (6 + 5 + 4) + 6 + 2
    by = {(row["kind"], row["name"], row["counter"]): row for row in rows}
    assert by["owner", "it@t1.example", "mailboxes"] == {
        "kind": "owner",
        "tenant": "t1",
        "name": "it@t1.example",
        "plan": "business",
        "node": "mx1",
        "counter": "mailboxes",
        "used": "4",
        "limit": "5",
        "left": "1",
        "percent": "80.0",
        "bound_by": "admin",
        "state": "near",
    }
    assert (
        by["tenant", "t2", "aliases"]["limit"]
        == by["tenant", "t2", "aliases"]["left"]
        == "unlimited"
    )
    assert by["node", "mx1", "storage"]["limit"] == str(15 * GIB)


def fits(value: t.Any, documented: dict[str, t.Any], path: str) -> None:
    kinds = {"str": str, "int": int, "float": (int, float), "dict": dict, "list": list}
    assert value is None or isinstance(value, kinds[documented["type"]]), path
    contains = documented.get("contains")
    if contains:
        for one in value if isinstance(value, list) else [value]:
            assert set(one) == set(contains), path
            for key in one:
                fits(one[key], contains[key], f"{path}.{key}")


def test_the_data_is_what_the_module_documents() -> None:
    module = importlib.import_module("ansible_collections.reseller.mail.plugins.modules.ledger")
    documented = yaml.safe_load(module.RETURN)["ledger"]
    fits(report(estate(ACME)), documented, "ledger")
    counter = documented["contains"]["tenants"]["contains"]["counters"]["sample"]["mailboxes"]
    assert set(counter) == set(report(estate(ACME))["tenants"][0]["counters"]["mailboxes"])


def line(text: str, begins: str) -> str:
    (found,) = (one for one in text.splitlines() if one.startswith(begins))
    return re.sub(" +", " ", found).strip()


def test_the_table() -> None:
    text = as_table(report(estate(ACME)), width=120)
    assert (
        line(text, "t1 ")
        == "t1 Tenant 1 · active on mx1 · plan business (storage by its account) · admins 1/2 "
        + "─" * 37
    )
    assert line(text, "all of it") == "all of it 1/1 ■ 0 4/10 1 4G/20G ███░░░░░ 40 % mailboxes"
    assert line(text, "it@t1.example") == "it@t1.example 1 0 4/5 ! 1 4G ██████░░ 80 % mailboxes"
    assert line(text, "t1.example") == "t1.example 0 4/9 1 4G ███░░░░░ 44 % mailboxes"
    assert (
        line(text, "business, 1 tenant")
        == "business, 1 tenant 1/1 ■ 0 4/10 1 4G/20G ███░░░░░ 40 % mailboxes"
    )
    assert line(text, "mx1 ") == "mx1 1 4G 10G 0.40 1.5 20G (2.00)"
    assert line(text, "mx2 ") == "mx2 0 0 not stated 0"
    assert text.splitlines()[-1].startswith("Marks: ! 80 % or more of a limit, ■ full, ✗ over.")


def test_what_is_over_is_marked_without_colour_too() -> None:
    data = report(estate(tenant(1, 11, plan=PLAN)))
    assert "11/10 ✗" in as_table(data)
    plain = as_table(data, color=True)
    assert "\x1b[1;31m" in plain
    bare = re.sub(r"\x1b\[[\d;]*m", "", plain)
    assert [text.rstrip() for text in bare.splitlines()] == as_table(data).splitlines()


def test_unlimited_mailboxes_are_counted_beside_the_storage() -> None:
    made = tenant(1, 2, plan=replace(PLAN, limits=Limits()))
    endless = replace(
        made.domains[0],
        mailboxes=(replace(made.domains[0].mailboxes[0], quota=None), made.domains[0].mailboxes[1]),
    )
    text = as_table(report(estate(replace(made, domains=(endless,)))))
    assert "1G+1×∞" in line(text, "all of it")
    assert "1G+1×∞" in line(text, "mx1 ")


def many(number: int) -> Estate:
    return estate(*(tenant(nth, {7: 9, 8: 11}.get(nth, 3), plan=PLAN) for nth in range(number)))


def test_of_many_tenants_those_near_a_limit_are_shown_the_worst_last() -> None:
    data = report(many(1000))
    text = as_table(data)
    headings = [found.split()[0] for found in text.splitlines() if " · active on " in found]
    assert headings == ["t7", "t8"]
    assert "998 of 1000 tenants are not near a limit of mailboxes, aliases or storage." in text
    assert line(text, "mailboxes ") == "mailboxes 3014 1 ! 0 1 ✗"
    assert line(text, "domains ") == "domains 1000 0 1000 ■ 0", (
        "one domain of one is counted, but no news"
    )
    assert len(text.splitlines()) < 40
    assert as_table(report(many(30)), "all").count(" · active on ") == 30


def test_few_tenants_are_all_shown_unless_asked_otherwise() -> None:
    data = report(many(20))
    assert as_table(data).count(" · active on ") == 20
    assert as_table(data, "near").count(" · active on ") == 2
    assert as_table(report(many(21))).count(" · active on ") == 2


@pytest.mark.parametrize("width", [60, 80, 90, 110, 200])
def test_it_fits_into_any_terminal(width: int) -> None:
    text = as_table(report(many(3)), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert ("fullest" in text) == (width >= 90)
