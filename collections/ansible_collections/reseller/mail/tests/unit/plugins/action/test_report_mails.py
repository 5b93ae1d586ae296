# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host that somebody took over can have the controller write."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.action.report_mails import MAX_RUN, Mail, valid_mails
from ansible_collections.reseller.mail.plugins.modules import report_mails as module

NAME = 24 * "a" + ".eml"


def mail(**more: t.Any) -> dict[str, t.Any]:
    return {
        "name": NAME,
        "content": base64.b64encode(b"a report").decode(),
        "arrived": 1_700_000_000,
        **more,
    }


def test_what_the_module_sends_is_taken() -> None:
    assert valid_mails([mail()]) == [Mail(NAME, b"a report", 1_700_000_000)]
    assert MAX_RUN == module.MAX_RUN


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "mail",
        {},
        mail(name="../../etc/passwd"),
        mail(name=NAME + "\n"),
        mail(content="?"),
        mail(content=None),
        mail(arrived="soon"),
        mail(arrived=-1),
        mail(arrived=10**20),
        mail(arrived=float("nan")),
        mail(content=base64.b64encode(bytes(MAX_RUN + 1)).decode()),
    ],
)
def test_everything_else_is_left_out(bad: t.Any) -> None:
    assert valid_mails([bad]) == []
    assert len(valid_mails([mail(), bad, mail()])) == (
        1 if isinstance(bad, dict) and len(str(bad.get("content"))) > MAX_RUN else 2
    )


def test_what_is_no_list_is_nothing() -> None:
    assert valid_mails({"name": NAME}) == valid_mails(7) == valid_mails(None) == []
