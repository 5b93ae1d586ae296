# SPDX-License-Identifier: GPL-3.0-or-later
"""Users write rules for their own mail."""

from __future__ import annotations

import email
import email.policy
import typing as t

import pytest
from client import Message, Outside
from conftest import STRANGER, Side


@pytest.fixture
def sieve(outside: Outside, side: Side) -> t.Iterator[t.Callable[..., list[str]]]:
    """Speaks ManageSieve as the side's user; afterwards no script is left."""

    def speak(*commands: str) -> list[str]:
        return outside.managesieve(side.host, side.user.name, side.user.password, *commands)

    yield speak
    speak('SETACTIVE ""', 'DELETESCRIPT "rules"')


def put(script: str) -> str:
    return f'PUTSCRIPT "rules" {{{len(script)}+}}\r\n{script}'


def test_an_uploaded_script_answers_for_its_user_in_the_user_s_name(
    outside: Outside, side: Side, sieve: t.Callable[..., list[str]]
) -> None:
    """An answer with the null sender would align with nothing at a stranger who asks for DMARC: the
    host's own mail is not signed."""
    message = Message.new(STRANGER, side.user.name)
    script = (  # one answer a stranger, unless the handle differs
        f'require "vacation";\r\nvacation :handle "{message.token}" "Away.";\r\n'
    )
    answers = sieve(put(script), 'SETACTIVE "rules"')
    assert [answer[:2] for answer in answers] == ["OK", "OK"], answers
    assert outside.send(side.host, 25, STRANGER, [side.user.name], message)["data"][0] == 250
    (raw,) = outside.stored(f"<{message.token}@test.invalid>", header="In-Reply-To")
    answer = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert answer.get_content().strip() == "Away."
    assert answer["Return-Path"] == f"<{side.user}>"
    assert answer["From"].addresses[0].addr_spec == side.user.name
    assert answer["Auto-Submitted"].startswith("auto-replied")


def test_a_script_that_makes_no_sense_is_refused_at_upload(
    sieve: t.Callable[..., list[str]],
) -> None:
    answers = sieve(put("nonsense;\r\n"), 'SETACTIVE "rules"')
    assert [answer[:2] for answer in answers] == ["NO", "NO"], answers
