# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mailboxes leave and which return, from the lookups of two generations."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.retained.rules import (
    NO_TENANT,
    Known,
    Leaving,
    Rule,
    leaving,
    returns,
)
from hypothesis import given
from hypothesis import strategies as st

JO, IT, ANN = "jo@acme.example", "it@acme.example", "ann@globex.example"


def known(
    mailboxes: t.Iterable[str] = (),
    rules: t.Mapping[str, str] | None = None,
    relayed: t.Iterable[str] = (),
) -> Known:
    """Return what a generation knows."""
    lines = {} if rules is None else rules
    files = {
        "dovecot/mailboxes": "".join(f"{one}:::::::\n" for one in sorted({"@", *mailboxes})),
        "dovecot/retention": "".join(f"{key}\t{lines[key]}\n" for key in sorted(lines)),
        "postfix/relay_recipient_maps": "".join(f"{one}\tacme\n" for one in sorted(relayed)),
    }
    return Known(files.get)


SERVED = {"tenant acme": "30\tkeep", "domain acme.example": "acme\tserves"}


def test_a_mailbox_that_left_a_file_is_kept_for_the_days_of_its_tenant() -> None:
    rules = {**SERVED, "tenant acme": "7\tkeep"}
    assert leaving(known([JO, IT], SERVED), known([IT], rules)) == [Leaving(JO, "acme", 7)]


def test_a_tenant_that_left_with_all_files_keeps_the_days_that_it_had() -> None:
    before = known([JO], {**SERVED, "tenant acme": "90\tkeep"})
    assert leaving(before, known()) == [Leaving(JO, "acme", 90)]


def test_what_an_earlier_version_served_is_kept_for_the_default() -> None:
    assert leaving(known([JO]), known()) == [Leaving(JO, NO_TENANT, Rule().days)]


def test_a_terminated_tenant_may_be_purged() -> None:
    after = known([], {"tenant acme": "30\tpurge", "domain acme.example": "acme\tends"})
    assert leaving(known([JO], SERVED), after) == [Leaving(JO, "acme", 30, purge=True)]
    assert after.purged() == {"acme"}
    assert list(after.ended()) == ["acme.example"]


@pytest.mark.parametrize(
    "after",
    [
        known([], {**SERVED, "domain acme.example": "acme\twaits"}),
        known([], {}, relayed=[JO]),
    ],
    ids=["its domain waits in the files", "another node serves it"],
)
def test_mail_that_the_files_still_know_stays(after: Known) -> None:
    assert leaving(known([JO], SERVED), after) == []


def test_mail_returns_only_to_the_tenant_that_had_it() -> None:
    after = known([JO, IT], SERVED)
    assert returns(JO, "acme", after)
    assert returns(JO, NO_TENANT, after)
    assert not returns(JO, "globex", after)
    assert not returns(ANN, "acme", after)


ADDRESSES = st.sets(st.sampled_from([JO, IT, ANN, "x@b.example", "y@b.example"]))


@given(before=ADDRESSES, after=ADDRESSES, relayed=ADDRESSES)
def test_a_mailbox_leaves_if_and_only_if_no_node_serves_it_any_more(
    before: set[str], after: set[str], relayed: set[str]
) -> None:
    found = leaving(known(before, SERVED), known(after, SERVED, relayed))
    assert {one.address for one in found} == before - after - relayed
