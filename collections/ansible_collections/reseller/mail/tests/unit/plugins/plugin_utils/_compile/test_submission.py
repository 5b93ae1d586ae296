# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guard reads: aliases for users of the tenant only, and names for From."""

from __future__ import annotations

import email.header
import email.policy
import typing as t
from dataclasses import replace
from email.headerregistry import HeaderRegistry

from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import postfix
from ansible_collections.reseller.mail.plugins.plugin_utils._compile.submission import phrase
from ansible_collections.reseller.mail.plugins.plugin_utils._language.scalars import TEXT
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ACME,
    ESTATE,
    MX1,
    MX2,
    with_domain,
    with_mailbox,
)
from hypothesis import example, given
from hypothesis import strategies as st


def _is_text(text: str) -> bool:
    try:
        return TEXT.read(text) == text
    except ValueError:
        return False


TEXTS = st.text(
    st.characters(exclude_categories=("C", "Zl", "Zp")) | st.sampled_from('"\\,;:<>@=?() ä漢😀'),
    min_size=1,
    max_size=200,
).filter(_is_text)
"""Texts that the language takes as a display name."""


def table(node: t.Any, name: str, estate: t.Any) -> dict[str, str]:
    text = postfix.lookups(estate, node)[f"postfix/{name}"]
    assert list(lines.faults(f"postfix/{name}", text.encode(), node.debian)) == []
    return dict(line.split("\t") for line in text.splitlines())


def test_every_node_knows_the_tenant_of_an_internal_alias_under_all_names() -> None:
    aliases = tuple(replace(one, internal_only=one.name == "sales") for one in ACME.aliases)
    estate = with_domain(ESTATE, "acme.example", aliases=aliases)
    expected = {"sales@acme.example": "acme", "sales@acme-mail.example": "acme"}
    assert table(MX1, "internal_aliases", estate) == expected
    assert table(MX2, "internal_aliases", estate) == expected
    assert table(MX1, "internal_aliases", ESTATE) == {}


def test_a_name_is_for_the_address_of_its_mailbox_on_its_node_under_all_names() -> None:
    estate = with_mailbox(ESTATE, "jo@acme.example", display_name="Jo Doe")
    addresses = ("jo@acme.example", "jo@acme-mail.example")
    assert table(MX1, "display_names", estate) == dict.fromkeys(addresses, '"Jo Doe"')
    assert table(MX2, "display_names", estate) == {}


def test_names_are_quoted_or_encoded() -> None:
    assert phrase('Jo "the" \\ Doe') == '"Jo \\"the\\" \\\\ Doe"'
    assert phrase("Jö") == "=?utf-8?b?SsO2?="
    assert phrase("=?utf-8?q?x?=").startswith("=?utf-8?b?")


@given(TEXTS)
@example("=?utf-8?q?Boss?=")
@example('x" <boss@bank.example>, "y')
@example("😀" * 200)
def test_every_name_is_read_as_it_is_written_and_as_nothing_else(text: str) -> None:
    written = phrase(text)
    form = f"jo@acme.example\t{written}\n".encode()
    assert list(lines.faults("postfix/display_names", form, 12)) == []
    assert all(len(word) <= 75 for word in written.split("?= =?"))
    header = HeaderRegistry()("From", f"{written} <jo@acme.example>")
    if written.startswith('"'):
        (address,) = t.cast("t.Any", header).addresses
        assert address.addr_spec == "jo@acme.example"
        assert address.display_name == text
    else:
        decoded = email.header.decode_header(written)
        assert "".join(part.decode(coding or "ascii") for part, coding in decoded) == text
        assert t.cast("t.Any", header).addresses[0].addr_spec == "jo@acme.example"
