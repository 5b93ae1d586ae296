# SPDX-License-Identifier: GPL-3.0-or-later
"""The address book of a tenant: who is in it, and that no name becomes anything else."""

from __future__ import annotations

import base64
import re
import typing as t
from dataclasses import replace

from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import address_book
from ansible_collections.reseller.mail.tests.unit.plugins.plugin_utils._compile.test_submission import (
    TEXTS,
)
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ACME,
    ESTATE,
    MX1,
    MX2,
    with_domain,
    with_mailbox,
)
from hypothesis import example, given


def books(estate: t.Any, node: t.Any = MX1) -> dict[str, str]:
    files = address_book.lookups(estate, node)
    for path, text in files.items():
        assert list(lines.faults(path, text.encode(), node.debian)) == []
    return files


def read_ldif(text: str) -> list[dict[str, list[str]]]:
    """Read LDIF as RFC 2849 says; nothing is folded."""
    entries = []
    for block in text.split("\n\n")[1:]:
        entry: dict[str, list[str]] = {}
        for line in block.splitlines():
            name, _colon, value = line.partition(":")
            value = (
                base64.b64decode(value[2:]).decode()
                if value.startswith(": ")
                else value.removeprefix(" ")
            )
            entry.setdefault(name, []).append(value)
        entries.append(entry)
    return entries


def read_vcards(text: str) -> list[dict[str, str]]:
    """Read vCards as RFC 6350 says: unfold, then undo the escapes."""
    cards: list[dict[str, str]] = []
    for line in text.replace("\r\n ", "").split("\r\n")[:-1]:
        name, _colon, value = line.partition(":")
        if name == "BEGIN":
            cards.append({})
        cards[-1][name] = re.sub(r"\\(.)", r"\1", value)
    return cards


def addresses(estate: t.Any, node: t.Any = MX1, tenant: str = "acme") -> list[str]:
    found = books(estate, node)
    ldif = [one["mail"][0] for one in read_ldif(found[f"address_book/{tenant}.ldif"])[1:]]
    assert ldif == [one["EMAIL"] for one in read_vcards(found[f"address_book/{tenant}.vcf"])]
    return ldif


def test_a_tenant_s_book_has_its_mailboxes_and_aliases_under_their_own_domain() -> None:
    found = addresses(ESTATE)
    assert found == sorted(found)
    assert {"it@acme.example", "jo@acme.example", "sales@acme.example", "orders@shop.example"} <= {
        *found
    }
    assert not [one for one in found if one.endswith(("acme-mail.example", "globex.example"))]
    assert set(books(ESTATE, MX2)) == {
        "address_book/globex.ldif",
        "address_book/globex.vcf",
    } | {path for path in books(ESTATE, MX2) if "acme" not in path}
    assert not [path for path in books(ESTATE, MX2) if "/acme." in path]


def test_what_is_hidden_is_left_out() -> None:
    estate = with_mailbox(ESTATE, "jo@acme.example", hidden=True)
    aliases = tuple(replace(one, hidden=one.name == "sales") for one in ACME.aliases)
    assert set(addresses(ESTATE)) - set(addresses(estate)) == {"jo@acme.example"}
    hidden_alias = with_domain(ESTATE, "acme.example", aliases=aliases)
    assert set(addresses(ESTATE)) - set(addresses(hidden_alias)) == {"sales@acme.example"}


def test_an_alias_is_a_group_with_its_address_as_name() -> None:
    cards = {one["EMAIL"]: one for one in read_vcards(books(ESTATE)["address_book/acme.vcf"])}
    assert cards["sales@acme.example"]["KIND"] == "group"
    assert cards["sales@acme.example"]["FN"] == "sales@acme.example"
    assert cards["jo@acme.example"]["KIND"] == "individual"


@given(TEXTS)
@example("x\\nEMAIL:boss@bank.example")
@example(": x")
@example("< file:///etc/passwd")
@example(" x ")
@example("漢" * 200)
def test_every_name_is_read_as_it_is_written_and_adds_no_line(text: str) -> None:
    found = books(with_mailbox(ESTATE, "jo@acme.example", display_name=text))
    entries = read_ldif(found["address_book/acme.ldif"])
    (entry,) = [one for one in entries if one.get("mail") == ["jo@acme.example"]]
    assert entry["cn"] == entry["sn"] == entry["displayName"] == [text]
    assert len(entries) == len(read_ldif(books(ESTATE)["address_book/acme.ldif"]))
    vcards = read_vcards(found["address_book/acme.vcf"])
    (card,) = [one for one in vcards if one["EMAIL"] == "jo@acme.example"]
    assert card["FN"] == text
    assert len(vcards) == len(entries) - 1
    assert all(len(line.encode()) <= 75 for line in found["address_book/acme.vcf"].split("\r\n"))
