# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import random

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.common_passwords import (
    LIST,
    chosen_weaknesses,
    common_passwords,
    is_common,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import invent


def test_the_list_is_the_one_that_is_named() -> None:
    assert hashlib.sha256(LIST.read_bytes()).hexdigest() == (
        "3c1baed62596de36860824eb3f436d5932d37ca8b06e59df78f5a44ec175afe4"
    )
    assert len(common_passwords()) == 19640


@pytest.mark.parametrize(
    "password",
    [
        "Password1!",
        "Password123456!",
        "P@ssw0rd1!",
        "P4$$w0rd-2026",
        "Summer2026!",
        "$Ummer2026!",
        "!!Welcome-1",
        "L3tme1n!!",
        "Abc12345!",
        "1Q2w3e4r5t!",
        "Hallo_2026!",
        "Qwertz123!",
    ],
)
def test_a_common_password_is_refused_with_what_people_add(password: str) -> None:
    assert chosen_weaknesses(password, "jo@acme.example") == [
        "is a common password, or one with digits or symbols"
    ]


@pytest.mark.parametrize(
    "password",
    [
        "Right-Pass-1",
        "Dan-7,82914!",
        "Correct-Horse-7",
        "Xk7-tiger-Blau!",
        "Abc-9!kQ2",
        "Wq!7-83651940",
    ],
)
def test_a_common_word_beside_others_is_no_common_password(password: str) -> None:
    assert chosen_weaknesses(password, "jo@acme.example") == []


def test_all_reasons_are_given_at_once() -> None:
    assert chosen_weaknesses("summer", "jo@acme.example") == [
        "is shorter than 8 characters",
        "has no upper-case letter",
        "has no digit",
        "has no symbol",
        "is a common password, or one with digits or symbols",
    ]


def test_no_initial_password_is_a_common_one() -> None:
    pick = random.Random(1).choice
    assert not any(is_common(invent("jo@acme.example", pick)) for _number in range(2000))
