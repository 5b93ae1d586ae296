# SPDX-License-Identifier: GPL-3.0-or-later
"""A transfer moves all that an admin owns and nothing else, whole or not at all."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._change.transfer import (
    Missing,
    not_admins,
    owned,
    owner_changes,
    transfer,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.ledger import (
    COUNTERS,
    Usage,
    ledger,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import (
    Alias,
    Domain,
    DomainAlias,
    Mailbox,
    SenderAddress,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    Estate,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import (
    Admin,
    Limits,
    Plan,
)
from ansible_collections.reseller.mail.tests.unit.support import estates
from hypothesis import given, settings
from hypothesis import strategies as st

GIB = 2**30
IT, JO, ANN = OWNERS = ("it@acme.example", "jo@acme.example", "ann@acme.example")
FIVE = (*COUNTERS[:5], "unlimited")


def estate(*domains: Domain, target: Limits = Limits()) -> Estate:
    """Two tenants with the same three admins; JO's limits are ``target`` in acme, and the other
    must never change."""
    admins = (Admin(IT, Limits()), Admin(JO, target), Admin(ANN, Limits()))
    acme = estates.tenant("acme", *domains, plan="p", owner=IT, admins=admins)
    other = estates.tenant(
        "other", Domain("other.example", "mail", IT), plan="p", owner=IT, admins=admins
    )
    return estates.estate(acme, other, plans=(Plan("p", Limits(), frozenset(), GIB, 1, None),))


@st.composite
def domains(draw: st.DrawFn, owners: tuple[str, ...] = OWNERS) -> tuple[Domain, ...]:
    def owner() -> str:
        return draw(st.sampled_from(owners))

    def some(kind: type, letter: str, name: str, *more: object) -> tuple:
        return tuple(
            kind(f"{letter}{i}", name, *more, owner=owner()) for i in range(draw(st.integers(0, 2)))
        )

    made = []
    for nth in range(draw(st.integers(0, 3))):
        name, its = f"d{nth}.example", owner()
        boxes = tuple(
            Mailbox(
                f"m{i}",
                name,
                draw(st.none() | st.integers(1, 9).map(lambda size: size * GIB)),
                owner(),
            )
            for i in range(draw(st.integers(0, 3)))
        )
        others = tuple(
            DomainAlias(f"{i}.{name}", its) for i in range(draw(st.integers(0, 2)))
        )  # always their domain's owner's
        made.append(
            Domain(
                name,
                draw(st.sampled_from(["mail", "relay"])),
                its,
                boxes,
                some(Alias, "a", name, ("x@stranger.example",)),
                some(SenderAddress, "s", name, f"m0@{name}"),
                others,
            )
        )
    return tuple(made)


@settings(max_examples=60)
@given(domains())
def test_nothing_is_gained_or_lost(made: tuple[Domain, ...]) -> None:
    before = estate(*made)
    outcome = transfer(before, "acme", IT, JO)
    assert outcome.missing == ()
    old, new = ledger(before), ledger(outcome.estate)
    assert (new.tenants, new.domains, new.plans, new.nodes) == (
        old.tenants,
        old.domains,
        old.plans,
        old.nodes,
    )
    for key in FIVE:
        amount = getattr(outcome.moved, key)
        assert amount == getattr(old.owners["acme", IT].used, key)
        assert getattr(new.owners["acme", IT].used, key) == 0
        assert (
            getattr(new.owners["acme", JO].used, key)
            == getattr(old.owners["acme", JO].used, key) + amount
        )
    assert new.owners["acme", ANN] == old.owners["acme", ANN]
    assert outcome.estate.tenants[1] == before.tenants[1], (
        "another tenant's objects of the same address stay"
    )


@settings(max_examples=60)
@given(domains())
def test_owners_and_domains_still_add_up_to_the_tenant(made: tuple[Domain, ...]) -> None:
    book = ledger(transfer(estate(*made), "acme", IT, JO).estate)
    for key in FIVE:
        of_owners = sum(
            getattr(account.used, key)
            for (tenant, _address), account in book.owners.items()
            if tenant == "acme"
        )
        of_domains = sum(
            getattr(account.used, key)
            for account in book.domains.values()
            if account.tenant == "acme"
        )
        assert of_owners == of_domains == getattr(book.tenants["acme"].used, key)


@settings(max_examples=60)
@given(domains(owners=(IT, ANN)))
def test_there_and_back_is_where_it_began(made: tuple[Domain, ...]) -> None:
    before = estate(*made)  # JO owns nothing
    there = transfer(before, "acme", IT, JO).estate
    assert transfer(there, "acme", JO, IT).estate == before


@settings(max_examples=60)
@given(domains())
def test_the_changes_are_exactly_what_the_source_owned(made: tuple[Domain, ...]) -> None:
    before = estate(*made)
    outcome = transfer(before, "acme", IT, JO)
    was = {
        (kind, name) for domain in made for kind, name, owner, _at in owned(domain) if owner == IT
    }
    assert {(change.kind, change.name) for change in outcome.changes} == was
    assert {(change.tenant, change.before, change.after) for change in outcome.changes} <= {
        ("acme", IT, JO)
    }
    assert list(outcome.changes) == sorted(outcome.changes)
    again = transfer(outcome.estate, "acme", IT, JO)
    assert (again.estate, again.changes, again.moved) == (outcome.estate, (), Usage())


@settings(max_examples=60)
@given(domains(), st.randoms(use_true_random=False))
def test_the_order_of_the_files_does_not_matter(
    made: tuple[Domain, ...], chance: random.Random
) -> None:
    def shuffled(items: tuple) -> tuple:
        return tuple(chance.sample(items, len(items)))

    mixed = shuffled(
        tuple(
            replace(one, mailboxes=shuffled(one.mailboxes), aliases=shuffled(one.aliases))
            for one in made
        )
    )
    one, two = (transfer(estate(*each), "acme", IT, JO) for each in (made, mixed))
    assert (one.changes, one.moved, ledger(one.estate).owners) == (
        two.changes,
        two.moved,
        ledger(two.estate).owners,
    )


@settings(max_examples=30)
@given(domains())
def test_two_transfers_in_either_order(made: tuple[Domain, ...]) -> None:
    """IT and JO both hand over to ANN: who goes first does not matter."""
    first = transfer(transfer(estate(*made), "acme", IT, ANN).estate, "acme", JO, ANN).estate
    second = transfer(transfer(estate(*made), "acme", JO, ANN).estate, "acme", IT, ANN).estate
    assert first == second


FULL = (
    Domain(
        "acme.example",
        "mail",
        IT,
        (
            *(Mailbox(name, "acme.example", 2 * GIB, IT) for name in ("it", "ann")),
            Mailbox("jo", "acme.example", GIB, JO),
        ),
        (Alias("sales", "acme.example", ("jo@acme.example",), IT),),
        (
            SenderAddress("noreply", "acme.example", "jo@acme.example", IT),
            SenderAddress("jo1", "acme.example", "jo@acme.example", JO),
        ),
        (DomainAlias("acme-mail.example", IT),),
    ),
    Domain("old.acme.example", "relay", IT),
)
MOVED = {"domains": 2, "domain_aliases": 1, "mailboxes": 2, "aliases": 2, "storage": 4 * GIB}
HELD = {"domains": 0, "domain_aliases": 0, "mailboxes": 1, "aliases": 1, "storage": GIB}


@pytest.mark.parametrize("key", MOVED)
def test_exactly_enough_room_is_enough_and_one_less_is_refused_whole(key: str) -> None:
    exact = MOVED[key] + HELD[key]
    assert transfer(estate(*FULL, target=Limits(**{key: exact})), "acme", IT, JO).missing == ()
    before = estate(*FULL, target=Limits(**{key: exact - 1}))
    refused = transfer(before, "acme", IT, JO)
    assert refused.missing == (Missing(key, MOVED[key], MOVED[key] - 1),)
    assert refused.missing[0].amount == 1
    assert (refused.estate, refused.changes) == (before, ())


def test_every_counter_that_lacks_room_is_named_with_its_amount() -> None:
    refused = transfer(
        estate(*FULL, target=Limits(domains=0, mailboxes=2, aliases=9, storage=3 * GIB)),
        "acme",
        IT,
        JO,
    )
    assert [(one.key, one.needed, one.left, one.amount) for one in refused.missing] == [
        ("domains", 2, 0, 2),
        ("mailboxes", 2, 1, 1),
        ("storage", 4 * GIB, 2 * GIB, 2 * GIB),
    ]


def test_an_unlimited_mailbox_needs_unlimited_storage() -> None:
    endless = (Domain("acme.example", "mail", ANN, (Mailbox("it", "acme.example", None, IT),)),)
    assert transfer(estate(*endless), "acme", IT, JO).moved == Usage(mailboxes=1, unlimited=1)
    refused = transfer(estate(*endless, target=Limits(storage=9 * GIB)), "acme", IT, JO)
    assert refused.missing == (Missing("storage", None, 9 * GIB),)
    assert refused.missing[0].amount is None


def test_to_oneself_nothing_happens_though_one_is_full() -> None:
    before = estate(*FULL, target=Limits(mailboxes=1))
    assert transfer(before, "acme", JO, JO) == transfer(before, "acme", JO, JO)
    assert transfer(before, "acme", JO, JO).estate is before
    assert transfer(before, "acme", JO, JO).missing == ()


def test_only_what_was_there_before_can_change_its_owner() -> None:
    before = estate(FULL[0])
    moved = replace(FULL[0].mailboxes[0], owner=JO)
    new = Mailbox("new", "acme.example", GIB, JO)
    after = estate(replace(FULL[0], mailboxes=(moved, *FULL[0].mailboxes[1:], new), aliases=()))
    assert [
        (change.kind, change.name, change.before, change.after)
        for change in owner_changes(before, after)
    ] == [("mailbox", "it@acme.example", IT, JO)]
    elsewhere = replace(
        before,
        tenants=(
            replace(before.tenants[0], name="elsewhere", domains=(replace(FULL[0], owner=JO),)),
        ),
    )
    assert owner_changes(before, elsewhere) == [], (
        "what went to another tenant is not the same thing"
    )


def test_not_admins() -> None:
    acme = estate().tenants[0]
    assert not_admins(acme, IT, "x@stranger.example") == ["x@stranger.example"]
