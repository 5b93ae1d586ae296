# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger adds up, whatever the order, and a limit is reached exactly at its number."""

from __future__ import annotations

import ast
import random
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _judge
from ansible_collections.reseller.mail.plugins.plugin_utils._judge import limits as judge_of_limits
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.ledger import (
    COUNTERS,
    Account,
    Usage,
    binding,
    ledger,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Alias,
    Domain,
    DomainAlias,
    DomainLimits,
    Mailbox,
    Relay,
    SenderAddress,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    Estate,
    QuotaPolicy,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import (
    Admin,
    Limits,
    Plan,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Position
from ansible_collections.reseller.mail.tests.unit.support import estates
from hypothesis import given, settings
from hypothesis import strategies as st

GIB = 2**30
OWNERS = ("it@acme.example", "jo@acme.example")
AT = Position("tenants/acme/acme.example.yml", 1, 1)


def estate(
    *domains: Domain, plan: Limits = Limits(), own: Limits = Limits(), admin: Limits = Limits()
) -> Estate:
    """One tenant with two admins; the second's limits are ``admin``."""
    admins = (Admin(OWNERS[0], Limits()), Admin(OWNERS[1], admin))
    plans = (Plan("p", plan, frozenset({"relay_domains"}), GIB, 1, None),)
    names = tuple(name for domain in domains for name in domain.names)
    tenant = estates.tenant(
        "acme",
        *domains,
        owner=OWNERS[0],
        admins=admins,
        limits=own,
        plan="p",
        state="suspended",
        approved_domains=names,
        at=AT,
    )
    return estates.estate(tenant, plans=plans, approved_hosts=("mx.stranger.example",))


@st.composite
def domains(draw: st.DrawFn) -> tuple[Domain, ...]:
    def owner() -> str:
        return draw(st.sampled_from(OWNERS))

    made = []
    for nth in range(draw(st.integers(0, 3))):
        name = f"d{nth}.example"
        mailboxes = tuple(
            Mailbox(
                f"m{i}",
                name,
                draw(st.none() | st.integers(1, 9).map(lambda size: size * GIB)),
                owner(),
                state=draw(st.sampled_from(["active", "suspended"])),
            )
            for i in range(draw(st.integers(0, 4)))
        )
        aliases = tuple(
            Alias(f"a{i}", name, ("x@stranger.example",), owner())
            for i in range(draw(st.integers(0, 3)))
        )
        senders = tuple(
            SenderAddress(f"s{i}", name, f"m0@{name}", owner())
            for i in range(draw(st.integers(0, 3)))
        )
        others = tuple(DomainAlias(f"{i}.{name}", owner()) for i in range(draw(st.integers(0, 2))))
        made.append(
            Domain(
                name,
                draw(st.sampled_from(["mail", "relay"])),
                owner(),
                mailboxes,
                aliases,
                senders,
                others,
            )
        )
    return tuple(made)


def total(accounts: list[Account], key: str) -> int:
    return sum(getattr(account.used, key) for account in accounts)


@settings(max_examples=40)
@given(domains())
def test_owners_and_domains_both_add_up_to_the_tenant(made: tuple[Domain, ...]) -> None:
    book = ledger(estate(*made))
    used = book.tenants["acme"].used
    for key in (*COUNTERS[:5], "unlimited"):
        assert (
            total(list(book.owners.values()), key)
            == total(list(book.domains.values()), key)
            == getattr(used, key)
        )
    boxes = [box for domain in made for box in domain.mailboxes]
    assert used.storage == sum(box.quota or 0 for box in boxes)
    assert used.mailboxes == len(boxes), "suspended ones count"
    assert used.aliases == sum(
        len(domain.aliases) + len(domain.sender_addresses) for domain in made
    )
    assert used.domains == len(made), "relay domains count"
    assert used.domain_admins == 2
    assert len(list(book.accounts())) == 1 + 2 + len(made)


@settings(max_examples=40)
@given(domains(), st.randoms(use_true_random=False))
def test_the_order_of_the_files_does_not_matter(
    made: tuple[Domain, ...], chance: random.Random
) -> None:
    def shuffled(items: tuple) -> tuple:
        return tuple(chance.sample(items, len(items)))

    other = shuffled(
        tuple(
            replace(
                domain,
                mailboxes=shuffled(domain.mailboxes),
                aliases=shuffled(domain.aliases),
                sender_addresses=shuffled(domain.sender_addresses),
            )
            for domain in made
        )
    )
    one, two = ledger(estate(*made)), ledger(estate(*other))
    assert (one.tenants, one.owners, one.domains) == (two.tenants, two.owners, two.domains)


@settings(max_examples=40)
@given(domains(), st.sampled_from(range(8)))
def test_a_change_of_owner_moves_what_it_costs_and_no_more(
    made: tuple[Domain, ...], pick: int
) -> None:
    boxes = [(domain, box) for domain in made for box in domain.mailboxes]
    if not boxes:
        return
    domain, box = boxes[pick % len(boxes)]
    heir = OWNERS[1] if box.owner == OWNERS[0] else OWNERS[0]
    given_away = tuple(
        replace(each, owner=heir) if each is box else each for each in domain.mailboxes
    )
    after = ledger(
        estate(*(replace(each, mailboxes=given_away) if each is domain else each for each in made))
    )
    before = ledger(estate(*made))
    assert before.tenants == after.tenants
    assert before.domains == after.domains
    for owner, sign in ((box.owner, -1), (heir, 1)):
        old, new = before.owners["acme", owner].used, after.owners["acme", owner].used
        assert (new.mailboxes - old.mailboxes, new.storage - old.storage) == (
            sign,
            sign * (box.quota or 0),
        )
        assert (new.aliases, new.domains) == (old.aliases, old.domains)


FULL = Domain(
    "acme.example",
    "mail",
    OWNERS[1],
    tuple(
        Mailbox(name, "acme.example", GIB, OWNERS[1], at=Position(AT.file, 10 + nth, 1))
        for nth, name in enumerate(("it", "jo", "ann"))
    ),
    (Alias("sales", "acme.example", ("jo@acme.example",), OWNERS[1], at=Position(AT.file, 20, 1)),),
    (
        SenderAddress(
            "noreply", "acme.example", "jo@acme.example", OWNERS[1], at=Position(AT.file, 21, 1)
        ),
    ),
    (DomainAlias("acme-mail.example", OWNERS[1], at=Position(AT.file, 22, 1)),),
    at=AT,
)
LEGACY = Domain(
    "old.acme.example",
    "relay",
    OWNERS[1],
    relay=Relay("mx.stranger.example", 25, ("jo",)),
    at=Position("tenants/acme/old.acme.example.yml", 1, 1),
)
EXACT = {"domains": 2, "domain_aliases": 1, "mailboxes": 3, "aliases": 2, "storage": 3 * GIB}
BEYOND = {
    "domains": LEGACY.at,
    "domain_aliases": FULL.domain_aliases[0].at,
    "mailboxes": FULL.mailboxes[2].at,
    "aliases": FULL.sender_addresses[0].at,
}


@pytest.mark.parametrize(
    ("key", "where"),
    [
        (key, where)
        for key in EXACT
        for where in ("tenant", "owner", "domain")
        if where != "domain" or key in ("mailboxes", "aliases", "storage")
    ],
)
def test_at_the_limit_is_well_and_one_more_is_a_fault(key: str, where: str) -> None:
    def judged(limit: int | None) -> list[str]:
        limits = {key: limit}
        if where == "domain":
            return ids(estate(replace(FULL, limits=DomainLimits("acme.example", **limits)), LEGACY))
        return ids(
            estate(FULL, LEGACY, **{"own" if where == "tenant" else "admin": Limits(**limits)})
        )

    place = BEYOND.get(key, FULL.mailboxes[2].at)
    assert judged(None) == []
    assert judged(EXACT[key]) == []
    assert judged(EXACT[key] - 1) == [f"{place} over-limit"]
    assert len(judged(0)) == 1


def ids(of: Estate) -> list[str]:
    return [f"{fault.position} {fault.id}" for fault in _judge.judge(of)]


def test_what_is_left() -> None:
    account = ledger(estate(FULL, own=Limits(mailboxes=5, aliases=1))).tenants["acme"]
    assert [account.left(key) for key in ("mailboxes", "aliases", "storage")] == [2, 0, None]


def test_an_owner_who_is_no_admin_still_has_an_account() -> None:
    book = ledger(
        estate(replace(FULL, mailboxes=(replace(FULL.mailboxes[0], owner="x@stranger.example"),)))
    )
    assert book.owners["acme", "x@stranger.example"].used == Usage(mailboxes=1, storage=GIB)


# What plan, account, admin and domain say together.


def read(
    plan: str = "{}",
    account: str = "{}",
    admin: str = "{}",
    domain: str = "",
    estate: str = "",
    default: str = "1G",
) -> list[str]:
    """The faults of two mailboxes of 1G each, an alias and a sender address: their places and
    ids."""
    files = {
        "estate.yml": (
            "provider: {name: P, domain: hosting.example}\n"
            + (
                estate
                or "nodes: [{name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1]}]\n"
            )
        ),
        "plans.yml": f"plans: [{{name: p, limits: {plan}, mailbox_quota: {{default: {default}}}}}]",
        "tenants/acme/account.yml": (
            f"""organisation: Acme
plan: p
placement: mx1
default_owner: it@people.example
domains: [acme.example, acme-mail.example]
limits: {account}
admins: [{{address: it@people.example, limits: {admin}}}]
domain_limits: [{{name: acme.example{domain}}}]
"""
        ),
        "tenants/acme/acme.example.yml": (
            """mailboxes:
  - {name: one, quota: 1G}
  - {name: two, quota: 1G}
aliases: [{name: sales, to: [one]}]
sender_addresses: [{name: noreply, mailbox: one}]
domain_aliases: [acme-mail.example]
"""
        ),
    }
    return [
        f"{fault.position} {fault.id}: {fault.allowed}"
        for fault in build({path: text.encode() for path, text in files.items()})[1]
    ]


LEVELS = ("plan", "account", "admin", "domain")
HOLDS = {"domains": 1, "domain_aliases": 1, "mailboxes": 2, "aliases": 2, "storage": 2}


def table(level: str, key: str, amount: int) -> dict[str, str]:
    text = f"{key}: {amount}{'G' if key == 'storage' and amount else ''}"
    return {level: f", {text}" if level == "domain" else f"{{{text}}}"}


@pytest.mark.parametrize(
    ("level", "key"),
    [
        (level, key)
        for level in LEVELS
        for key in HOLDS
        if level != "domain" or key in ("mailboxes", "aliases", "storage")
    ],
)
def test_every_level_bounds_every_counter_exactly(level: str, key: str) -> None:
    assert read(**table(level, key, HOLDS[key])) == []
    (fault,) = read(**table(level, key, HOLDS[key] - 1))
    assert "over-limit" in fault
    whose = {
        "plan": "plan p",
        "account": "the account's limit",
        "admin": "the admin's limit",
        "domain": "the domain's limit",
    }
    assert whose[level] in fault


@pytest.mark.parametrize("key", HOLDS)
def test_the_tighter_of_plan_and_account_counts(key: str) -> None:
    room = HOLDS[key]
    assert read(**table("plan", key, room + 1), **table("account", key, room)) == []
    (fault,) = read(**table("plan", key, room), **table("account", key, room - 1))
    assert "(the account's limit, tenants/acme/account.yml:6:" in fault


@pytest.mark.parametrize(
    "level",
    [
        pytest.param({"account": "{storage: unlimited}"}, id="account"),
        pytest.param({"admin": "{mailboxes: 5, storage: unlimited}"}, id="admin"),
        pytest.param({"domain": ", storage: unlimited"}, id="domain"),
        pytest.param({"default": "unlimited"}, id="a plan's default quota"),
    ],
)
def test_unlimited_may_be_written_where_the_tenant_has_no_limit(level: dict[str, str]) -> None:
    assert read(**level) == []


def test_an_account_may_repeat_the_limit_of_its_plan() -> None:
    assert read(plan="{mailboxes: 5}", account="{mailboxes: 5}") == []


NODES = (
    "nodes: [{{name: mx1, hostname: mx1.hosting.example, debian: 12, addresses: [192.0.2.1],"
    " capacity: {capacity}}}]\nquota_policy: {{{policy}}}\n"
)


@pytest.mark.parametrize(
    ("capacity", "policy"),
    [
        pytest.param("1G", "oversell_ratio: 2", id="exactly as often as the ratio says"),
        pytest.param("1M", "warn_at: 50", id="without a ratio overselling is only reported"),
    ],
)
def test_a_node_may_be_sold_several_times(capacity: str, policy: str) -> None:
    assert read(estate=NODES.format(capacity=capacity, policy=policy)) == []


def test_the_ids_with_which_an_estate_can_still_be_counted_are_those_of_limits() -> None:
    tree = ast.parse(Path(judge_of_limits.__file__).read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    texts = [
        node.value for one in functions for node in ast.walk(one) if isinstance(node, ast.Constant)
    ]
    made = {text for text in texts if re.fullmatch(r"[a-z]+(-[a-z]+)+", str(text))}
    assert made == judge_of_limits.IDS


# Sums over tenants.


def two_tenants(first: Limits, second: Limits) -> Estate:
    one = estate(FULL, own=first)
    other = replace(FULL, name="globex.example", domain_aliases=())
    acme = one.tenants[0]
    globex = replace(
        acme,
        name="globex",
        limits=second,
        domains=(other,),
        approved_domains=("globex.example",),
        placement="mx2",
    )
    nodes = (
        replace(one.nodes[0], capacity=2 * GIB),
        replace(one.nodes[0], name="mx2", hostname="mx2.hosting.example"),
    )
    return replace(
        one,
        tenants=(acme, globex),
        nodes=nodes,
        quota_policy=QuotaPolicy(oversell_ratio=Decimal("1.5")),
    )


def test_a_plan_is_the_sum_of_its_tenants() -> None:
    account = ledger(two_tenants(Limits(mailboxes=5, storage=9 * GIB), Limits(mailboxes=7))).plans[
        "p"
    ]
    assert (account.tenants, account.used) == (2, Usage(2, 1, 6, 4, 6 * GIB, 4))
    assert account.limits == Limits(mailboxes=12), (
        "what one may without limit, all may without limit"
    )
    unused = replace(two_tenants(Limits(), Limits()), tenants=())
    assert ledger(unused).plans["p"].tenants == 0
    assert ledger(unused).plans["p"].used == Usage()


def test_a_node_is_the_sum_of_the_tenants_placed_there() -> None:
    book = ledger(two_tenants(Limits(), Limits()))
    assert (
        book.nodes["mx1"].tenants,
        book.nodes["mx1"].used.storage,
        book.nodes["mx1"].limits.storage,
    ) == (1, 3 * GIB, 3 * GIB)
    assert (book.nodes["mx2"].tenants, book.nodes["mx2"].limits.storage) == (1, None)


@settings(max_examples=30)
@given(domains())
def test_plans_and_nodes_add_up_to_the_tenants(made: tuple[Domain, ...]) -> None:
    book = ledger(estate(*made))
    assert book.plans["p"].used == book.nodes["mx1"].used == book.tenants["acme"].used


def test_which_limit_says_no_first() -> None:
    tenant = Account("tenant", "acme", "acme", Usage(mailboxes=8), Limits(mailboxes=10))
    owner = Account("owner", "acme", OWNERS[0], Usage(mailboxes=1), Limits(mailboxes=4))
    assert binding("mailboxes", owner, tenant) is tenant, "2 left are fewer than 3"
    assert binding("mailboxes", owner) is owner
    assert binding("aliases", owner, tenant) is None
    full = replace(owner, used=Usage(mailboxes=9))
    assert binding("mailboxes", full, replace(tenant, used=Usage(mailboxes=10))) is full, (
        "of equals the first"
    )
    assert [
        account.whose("mailboxes")
        for account in (tenant, owner, replace(tenant, kind="domain"), replace(tenant, kind="node"))
    ] == [
        "account",
        "admin",
        "domain",
        "capacity",
    ]
