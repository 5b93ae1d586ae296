# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a tenant can move, where an earlier run stopped, and what the files say then."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._change.placement import (
    PUT_AWAY,
    SERVED,
    SWITCHED,
    Move,
    MoveRefused,
    planned,
    unmoved,
    with_placement,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._change.rewrite import CannotEdit
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import placement
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    NodeState,
)
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX2,
    with_tenant,
)

GIB = 2**30
NOTHING: dict[str, t.Any] = {
    "generation": "000001-aaaaaaaaaaaa",
    "key": False,
    "serves": False,
    "passes_to": "",
    "homes": 0,
    "copies": 0,
    "copies_of": [],
    "retained": 0,
    "bytes": 0,
    "arrived": 0,
    "free": 10 * GIB,
}
SERVES = {**NOTHING, "serves": True, "bytes": 4 * GIB}
KEEPS = {**NOTHING, "copies": 2, "copies_of": [MX2.hostname], "bytes": 4 * GIB}


def acme(estate: Estate = ESTATE) -> t.Any:
    return next(one for one in estate.tenants if one.name == "acme")


def plan(mx1: dict[str, t.Any], mx2: dict[str, t.Any], **changes: t.Any) -> Move:
    estate = with_tenant(ESTATE, "acme", **changes) if changes else ESTATE
    return planned(estate, acme(estate), MX2, {"mx1": mx1, "mx2": mx2}, GIB)


def test_a_move_begins_and_goes_on_where_it_stopped() -> None:
    assert plan(SERVES, NOTHING) == Move("mx1", SERVED)
    assert plan(SERVES, NOTHING, placement="mx2") == Move("mx1", SERVED)
    assert plan(KEEPS, {**NOTHING, "retained": 2, "key": True}) == Move("mx1", PUT_AWAY)
    assert plan(KEEPS, {**SERVES, "key": True}, placement="mx2") == Move("mx1", SWITCHED)
    passes_on = {**NOTHING, "passes_to": "mx1.hosting.example"}
    assert plan(NOTHING, passes_on) == Move("mx1", PUT_AWAY), "a tenant without mail"


@pytest.mark.parametrize(
    ("mx1", "mx2", "why"),
    [
        (NOTHING, SERVES, "acme is on mx2 already"),
        (KEEPS, SERVES, "acme is on mx2 already"),
        (SERVES, {**NOTHING, "generation": ""}, "has no tenants' data yet"),
        (SERVES, {**NOTHING, "copies": 1}, "from an earlier move.* --limit mx2"),
        (SERVES, {**NOTHING, "retained": 1}, "retains mail of 1 mailboxes"),
        (SERVES, {**NOTHING, "homes": 1}, "1 folders with mail of acme"),
        (NOTHING, NOTHING, "no host of this run serves tenant acme"),
        (SERVES, {**NOTHING, "free": 5 * GIB - 1}, "no room: 4G .*, 1G .*, and 5G are free"),
    ],
)
def test_a_move_is_refused(mx1: dict[str, t.Any], mx2: dict[str, t.Any], why: str) -> None:
    with pytest.raises(MoveRefused, match=why):
        plan(mx1, mx2)


def test_room_that_is_just_enough_suffices_and_what_arrived_needs_none() -> None:
    assert plan(SERVES, {**NOTHING, "free": 5 * GIB})
    assert plan(SERVES, {**NOTHING, "free": 2 * GIB, "arrived": 3 * GIB})


def test_a_tenant_without_hosts_and_a_node_that_is_down_do_not_move() -> None:
    with pytest.raises(MoveRefused, match="acme is pending"):
        plan(NOTHING, NOTHING, state="pending")
    with pytest.raises(MoveRefused, match="mx2 is not in this run"):
        planned(ESTATE, acme(), MX2, {"mx1": SERVES}, GIB)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1\nplacement: mx1   # why\r\nb: 2\n", "a: 1\nplacement: mx2   # why\r\nb: 2\n"),
        ('\ufeffplacement: "mx1"', "\ufeffplacement: mx2"),
        ("{placement: mx1, a: 1}", "{placement: mx2, a: 1}"),
    ],
)
def test_only_the_placement_changes(before: str, after: str) -> None:
    assert with_placement(before.encode(), "mx2") == after.encode()


@pytest.mark.parametrize("text", ["a: 1\n", "placement: [mx1]\n", "- placement\n"])
def test_an_account_without_such_a_line_is_not_edited(text: str) -> None:
    with pytest.raises(CannotEdit):
        with_placement(text.encode(), "mx2")


def test_a_placement_without_a_move_is_a_fault_until_the_new_node_has_a_key() -> None:
    after = with_tenant(ESTATE, "acme", placement="mx2")
    (fault,) = unmoved(ESTATE, after)
    assert fault.id == "mail-not-moved"
    assert "-e move_tenant=acme -e move_to=mx2" in fault.allowed

    def reported(state: str) -> Estate:
        keys = (DkimKey("acme.example", "mx2", "x", state=state),)
        others = tuple(one for one in after.states if one.node != "mx2")
        return dataclasses.replace(after, states=(*others, NodeState("mx2", keys)))

    assert unmoved(ESTATE, reported("generated")) == unmoved(ESTATE, reported("active")) == []
    assert unmoved(ESTATE, reported("retired"))
    assert unmoved(with_tenant(ESTATE, "acme", state="pending"), after) == []
    empty = with_tenant(ESTATE, "acme", domains=())
    assert unmoved(empty, with_tenant(empty, "acme", placement="mx2")) == []


def test_hosts_tell_which_tenant_is_not_where_the_files_say() -> None:
    after = with_tenant(ESTATE, "acme", placement="mx2")
    mx1, mx2 = (after.node(name) for name in ("mx1", "mx2"))
    passes_on = {"acme": "mx1.hosting.example"}
    assert "is on mx1, and mx2 is to serve it" in placement.unmoved(after, mx1, ["acme"], {}, "")
    assert "on mx1.hosting.example, and mx2" in placement.unmoved(after, mx2, [], passes_on, "")
    assert placement.unmoved(after, mx2, [], passes_on, "acme") == ""
    assert placement.unmoved(ESTATE, mx1, ["acme"], {}, "") == ""
    assert placement.unmoved(ESTATE, mx2, [], passes_on, "") == ""
    pending = with_tenant(after, "acme", state="pending")
    assert placement.unmoved(pending, mx1, ["acme"], {}, "") == ""
