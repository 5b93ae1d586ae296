# SPDX-License-Identifier: GPL-3.0-or-later
"""Forwards that send no spam on: Dovecot runs them, and Postfix knows nothing of them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import (
    artefact,
    forwards,
    postfix,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._judge import sieve
from ansible_collections.reseller.mail.plugins.plugin_utils._judge._index import Index
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Forward, Mailbox
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX1,
    MX2,
    with_domain,
    with_mailbox,
)

TO = ("x@elsewhere.example", "o'neil+{y}$@elsewhere.example")


def with_forward(address: str, **options: t.Any) -> t.Any:
    return with_mailbox(ESTATE, address, forward=Forward(TO, **options))


@pytest.mark.parametrize(
    ("keeps", "expected"),
    [
        (
            True,
            'require "copy";\nredirect :copy "x@elsewhere.example";\n'
            'redirect :copy "o\'neil+{y}$@elsewhere.example";\n',
        ),
        (
            False,
            'redirect "x@elsewhere.example";\nredirect "o\'neil+{y}$@elsewhere.example";\n',
        ),
    ],
)
def test_a_script_redirects_to_all_targets(keeps: bool, expected: str) -> None:
    estate = with_forward("jo@acme.example", keep_copy=keeps, skip_spam=True)
    path = "sieve/forward/jo@acme.example.sieve"
    assert forwards.lookups(estate, MX1) == {path: expected}
    assert forwards.lookups(estate, MX2) == {}
    assert artefact(estate, MX1).files[path] == expected
    assert list(lines.faults(path, expected.encode(), 12)) == []


def test_postfix_delivers_to_the_mailbox_and_keeps_it_from_the_catch_all() -> None:
    tables = postfix.lookups(with_forward("jo@acme.example", skip_spam=True), MX1)
    assert "\njo@acme.example\t" not in tables["postfix/virtual_alias_maps"]
    assert "\njo@acme-mail.example\tjo@acme.example\n" in tables["postfix/virtual_alias_maps"]
    tables = postfix.lookups(with_forward("orders@shop.example", skip_spam=True), MX1)
    line = "\norders@shop.example\torders@shop.example\n"
    assert line in tables["postfix/virtual_alias_maps"]


@pytest.mark.parametrize(
    ("length", "skips", "expected"), [(250, True, 1), (249, True, 0), (250, False, 0)]
)
def test_a_script_is_a_file_so_its_address_is_not_too_long(
    length: int, skips: bool, expected: int
) -> None:
    name = "a" * (length - len("@acme.example"))
    box = Mailbox(
        name, "acme.example", None, "it@acme.example", forward=Forward(TO, skip_spam=skips)
    )
    estate = with_domain(ESTATE, "acme.example", mailboxes=(box,))
    found = list(sieve.judge(Index.of(estate, frozenset())))
    assert [one.id for one in found] == ["name-too-long"] * expected


def test_other_forwards_stay_with_postfix() -> None:
    estate = with_forward("jo@acme.example")
    assert forwards.lookups(estate, MX1) == {}
    aliases = postfix.lookups(estate, MX1)["postfix/virtual_alias_maps"]
    assert f"\njo@acme.example\tjo@acme.example, {', '.join(TO)}\n" in aliases
