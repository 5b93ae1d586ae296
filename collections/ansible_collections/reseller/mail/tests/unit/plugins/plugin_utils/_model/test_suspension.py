# SPDX-License-Identifier: GPL-3.0-or-later
"""The strictest of several suspensions applies, and names find what can be suspended."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.access import login_protocols
from ansible_collections.reseller.mail.plugins.plugin_utils._model.suspension import (
    ALLOWED,
    INBOUND,
    Suspension,
    find,
    in_effect,
    strictest,
)
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import ESTATE

ACME = ESTATE.tenants[0]
DOMAIN = ACME.domains[0]
JO = DOMAIN.mailboxes[1]


def test_the_strictest_value_of_each_cell_applies_whatever_the_order() -> None:
    for one, other in itertools.product(INBOUND, INBOUND):
        found = strictest([Suspension(one), Suspension(other)])
        assert found is not None
        assert found.inbound == max(one, other, key=INBOUND.index)
    mixed = strictest(
        [
            Suspension("hold", "allow", "refuse", "send", "first"),
            Suspension("reject", "refuse", "allow", "hold", "second"),
        ]
    )
    assert mixed == Suspension("reject", "refuse", "refuse", "hold", "second")


def test_levels_that_are_not_suspended_do_not_count() -> None:
    tenant = replace(ACME, suspension=Suspension("reject"))
    assert in_effect(tenant, DOMAIN, JO) is None
    suspended = replace(DOMAIN, state="suspended", suspension=Suspension("hold"))
    assert in_effect(tenant, suspended, JO) == Suspension("hold")


@pytest.mark.parametrize(("login", "submission"), list(itertools.product(ALLOWED, ALLOWED)))
def test_a_login_has_the_protocols_that_its_suspension_allows(login: str, submission: str) -> None:
    jo = replace(JO, state="suspended", suspension=Suspension("accept", login, submission))
    found = login_protocols(ACME, DOMAIN, jo)
    assert ("imap" in found, "pop3" in found, "sieve" in found) == (login == "allow",) * 3
    assert ("submission" in found) == (submission == "allow")


@pytest.mark.parametrize(
    ("name", "levels"),
    [("acme", 1), ("acme.example", 2), ("jo@acme.example", 3), ("JO@acme.example", 3)],
)
def test_a_tenant_a_domain_and_a_mailbox_are_found(name: str, levels: int) -> None:
    place = find(ESTATE.tenants, name)
    assert (place.tenant.name, len(place.levels)) == ("acme", levels)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nobody@acme.example", "no mailbox; mailboxes of acme.example: it@acme.example"),
        ("sales@acme.example", "no mailbox"),
        ("jo@acme-mail.example", "another name of acme.example; name jo@acme.example"),
        ("stranger.example", "no tenant, domain or mailbox stranger.example"),
        ("acne", "no tenant, domain or mailbox acne"),
    ],
)
def test_another_name_is_refused_with_what_may_be_meant(name: str, message: str) -> None:
    with pytest.raises(LookupError, match=message):
        find(ESTATE.tenants, name)
