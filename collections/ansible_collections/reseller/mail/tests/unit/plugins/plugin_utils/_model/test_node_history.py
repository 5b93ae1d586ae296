# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host is refused because it lacks what its node had."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
    DkimKey,
    Estate,
    NodeState,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.node_history import (
    Host,
    Places,
    accepted,
    missing,
    refusal,
    waiting,
)
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX1,
    MX2,
    with_mailbox,
)

PLACES = Places("/root", "/mail")
NOTHING = Host(credentials=False, dkim=False, mail=False, mailboxes=False)
WHOLE = Host(credentials=True, dkim=True, mail=True, mailboxes=True, mail_home="/mail")
PASSWORDS = {"/root/credentials": "the passwords of 4 mailboxes"}
KEYS = {"/root/dkim": "the DKIM keys of 2 domains"}
MAIL = {"/mail": "the mail"}


def reporting(*states: str) -> Estate:
    keys = tuple(
        DkimKey("acme.example", f"mx1-{number}", "A" * 400, state=state)
        for number, state in enumerate(states, 2)
    )
    return dataclasses.replace(ESTATE, states=(NodeState("mx1", keys),))


def test_a_host_built_from_nothing_lacks_everything_that_its_node_had() -> None:
    assert missing(ESTATE, MX1, NOTHING, PLACES) == {**PASSWORDS, **KEYS, **MAIL}


def test_a_first_run_is_asked_nothing() -> None:
    assert missing(ESTATE, MX2, NOTHING, PLACES) == {}
    assert missing(reporting(), MX1, NOTHING, PLACES) == {}


@pytest.mark.parametrize("state", ["revoked", "removed"])
def test_a_node_whose_keys_are_all_destroyed_has_no_key_to_lose(state: str) -> None:
    assert missing(reporting(state), MX1, NOTHING, PLACES) == {}


@pytest.mark.parametrize(
    ("lost", "found"),
    [
        ({"credentials": False}, PASSWORDS),
        ({"dkim": False}, KEYS),
        ({"mail": False}, MAIL),
        ({"mailboxes": False}, {}),
    ],
)
def test_half_a_host_counts_and_what_is_compiled_anew_does_not(
    lost: dict[str, t.Any], found: dict[str, str]
) -> None:
    assert missing(ESTATE, MX1, dataclasses.replace(WHOLE, **lost), PLACES) == found


def test_the_generation_remembers_where_the_report_was_lost() -> None:
    host = dataclasses.replace(WHOLE, credentials=False, mail=False)
    assert missing(reporting(), MX1, host, PLACES) == {**PASSWORDS, **MAIL}


def test_a_node_without_passwords_of_its_own_lacks_none() -> None:
    estate = ESTATE
    for name in ("it@acme.example", "jo@acme.example", "ex@acme.example", "orders@shop.example"):
        estate = with_mailbox(estate, name, credentials="external")
    assert missing(estate, MX1, NOTHING, PLACES) == {**KEYS, **MAIL}


def test_a_changed_folder_of_the_mail_leaves_the_mail_behind() -> None:
    moved = dataclasses.replace(WHOLE, mail=False, mail_home="/old")
    assert missing(ESTATE, MX1, moved, PLACES) == {
        "/mail": "the mail, which this host keeps in /old"
    }
    assert missing(ESTATE, MX1, dataclasses.replace(moved, mail=True), PLACES) == {}


def test_what_is_said_names_what_is_lost_and_what_each_choice_does() -> None:
    lost = {**PASSWORDS, **MAIL}
    said = refusal("mx1", lost)
    for part in (
        "the passwords of 4 mailboxes (/root/credentials)",
        "the mail (/mail)",
        "Nothing was changed",
        "=restore",
        "=new",
        "--limit mx1,localhost",
    ):
        assert part in said
    assert "begin empty" in said
    assert "new initial passwords" in said
    assert "DKIM" not in said
    assert "Restore the passwords of 4 mailboxes (/root/credentials), the mail (/mail)" in waiting(
        "mx1", lost
    )
    assert "do not sign until DNS shows them" in accepted("mx1", KEYS)
