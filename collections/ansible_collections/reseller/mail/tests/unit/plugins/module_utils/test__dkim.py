# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._dkim import Found, KeyName, Plan, plan, public_half
from hypothesis import given
from hypothesis import strategies as st

ACME = KeyName("acme.example", "mx1")
SHOP = KeyName("acme-shop.example", "mx1")


def test_a_key_that_never_was_is_made() -> None:
    assert plan([ACME, SHOP, ACME], {}, ()) == Plan((SHOP, ACME), (), ())


def test_a_complete_key_is_left_alone() -> None:
    assert plan([ACME], {ACME: Found(True, "MII")}, ["acme.example"]) == Plan((), (), ())


def test_a_run_that_died_before_the_public_half_was_noted_is_healed_without_a_new_key() -> None:
    assert plan([ACME], {ACME: Found(True, "")}, ()) == Plan((), (ACME,), ())


def test_a_lost_key_is_not_made_anew_unasked() -> None:
    assert plan([ACME, SHOP], {ACME: Found(False, "MII")}, ()) == Plan((SHOP,), (), (ACME,))


def test_a_lost_key_is_made_anew_when_its_domain_may_be() -> None:
    assert plan([ACME], {ACME: Found(False, "MII")}, ["acme.example"]) == Plan((ACME,), (), ())


@given(st.booleans(), st.sampled_from(["", "MII"]), st.booleans())
def test_no_state_lets_a_noted_key_be_replaced_without_leave(private: bool, public: str, may: bool) -> None:
    done = plan([ACME], {ACME: Found(private, public)}, ["acme.example"] if may else [])
    assert len(done.create) + len(done.note) + len(done.lost) == (0 if private and public else 1)
    if public and not may:
        assert not done.create
    if private:
        assert not done.create
        assert not done.lost


def test_the_diff_speaks_the_users_words() -> None:
    lines = Plan((SHOP, ACME), (KeyName("b.example", "mx1"),), ()).lines(replaced={ACME})
    assert lines == (
        "+ dkim key mx1._domainkey.acme-shop.example\n~ dkim key mx1._domainkey.acme.example\n~ dkim key mx1._domainkey.b.example public half noted\n"
    )


def test_the_public_half_is_the_pem_body_in_one_line() -> None:
    body = base64.b64encode(bytes(range(100))).decode()
    assert public_half(f"-----BEGIN PUBLIC KEY-----\n{body[:64]}\n{body[64:]}\n-----END PUBLIC KEY-----\n") == body


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----\nA!A=\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nAAAAA\n-----END PUBLIC KEY-----",
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a public key"):
        public_half(text)
