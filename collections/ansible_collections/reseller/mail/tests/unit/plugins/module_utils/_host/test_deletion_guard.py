# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard against mass deletion: exact boundaries, and the same judgement from a model and from a
generation."""

from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import deletion_guard
from ansible_collections.reseller.mail.plugins.module_utils._host.deletion_guard import Served
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate
from ansible_collections.reseller.mail.tests.unit.support import plan_estate as e

TEN = {"tenants": 10, "domains": 10, "mailboxes": 10}


def served(tenants: int, domains: int, mailboxes: int) -> Served:
    return Served(
        *(
            frozenset(f"{kind}{number:04}" for number in range(count))
            for kind, count in zip("tdm", (tenants, domains, mailboxes), strict=True)
        )
    )


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ((100, 100, 1000), (100, 100, 1000), False),
        ((100, 100, 1000), (90, 90, 900), False),  # exactly the share
        ((100, 100, 1000), (89, 90, 900), True),
        ((100, 100, 1000), (90, 89, 900), True),
        ((100, 100, 1000), (90, 90, 899), True),
        ((2, 3, 8), (1, 3, 8), False),  # half of the tenants, and within the floor
        ((3, 5, 20), (1, 5, 20), True),
        ((2, 4, 8), (2, 1, 8), False),
        ((2, 5, 8), (2, 1, 8), True),
        ((2, 4, 20), (2, 4, 10), False),
        ((2, 4, 20), (2, 4, 9), True),
        ((1, 1, 1), (0, 0, 0), True),  # small, but the last
        ((1, 1, 1), (1, 0, 0), False),
        ((0, 0, 0), (0, 0, 0), False),
        ((0, 0, 0), (5, 5, 5), False),
    ],
)
def test_boundaries(
    before: tuple[int, int, int], after: tuple[int, int, int], refused: bool
) -> None:
    assert bool(deletion_guard.refusal(served(*before), served(*after), TEN)) is refused


def test_the_words_and_the_way_out() -> None:
    before, after = served(100, 100, 1000), served(60, 100, 1000)
    said = deletion_guard.refusal(before, after, TEN)
    assert (
        said
        == "this change removes 40 of 100 tenants (t0060, t0061, t0062 and 37 more); deletion_guard"
        " allows 10 % of tenants. If this is intended, accept it with -e mail_deletions_accepted=40"
    )
    assert "; 39 were accepted" in (deletion_guard.refusal(before, after, TEN, 39) or "")
    assert deletion_guard.refusal(before, after, TEN, 40) is None
    assert deletion_guard.refusal(before, after, {**TEN, "tenants": 40}) is None
    assert "no tenant would be left" in (
        deletion_guard.refusal(served(1, 1, 1), Served(), TEN, 0, "on mx1 this change") or ""
    )


def estate(files: dict[str, str]) -> Estate:
    model, faults = build({path: text.encode() for path, text in files.items()})
    assert not faults, [str(fault) for fault in faults]
    return model


def files_of(model: Estate, node: str) -> dict[str, str]:
    return _compile.artefact(model, model.node(node)).files


def test_a_generation_serves_what_the_model_says() -> None:
    model = estate(e.FILES)
    for node in ("mx1", "mx2"):
        assert deletion_guard.here(files_of(model, node)["model.txt"].splitlines()) == Served(
            *model.served_names(node)
        )
        everything = Served(*model.served_names())
        known = deletion_guard.known(files_of(model, node))
        assert (known.tenants, known.domains) == (everything.tenants, everything.domains)
        assert known.mailboxes >= everything.mailboxes


def test_what_moves_to_another_node_is_not_gone() -> None:
    before = files_of(estate(e.FILES), "mx1")
    moved = files_of(
        estate(e.changed(e.FILES, e.ACCOUNT, ("placement: mx1", "placement: mx2"))), "mx1"
    )
    gone = files_of(
        estate(e.changed(e.FILES, e.ACCOUNT, ("state: active", "state: terminated"))), "mx1"
    )
    here = deletion_guard.here(before["model.txt"].splitlines())
    assert len(here.tenants) == 1
    assert not deletion_guard.here(moved["model.txt"].splitlines()).tenants
    assert deletion_guard.refusal(here, deletion_guard.known(moved), TEN) is None
    assert "removes 1 of 1 tenants, 2 of 2 domains, 7 of 7 mailboxes" in (
        deletion_guard.refusal(here, deletion_guard.known(gone), TEN) or ""
    )


def test_a_relay_domain_is_a_domain() -> None:
    assert deletion_guard.here(["relay domain old.example via mail.stranger.example:25"]) == Served(
        domains=frozenset(["old.example"])
    )


def test_lines_that_somebody_altered_count_for_nothing() -> None:
    assert deletion_guard.here(
        ["", "tenant", "domain", "relay domain", "nonsense \ufffd", "mailbox a@b.example quota 1G"]
    ) == Served(mailboxes=frozenset({"a@b.example"}))
