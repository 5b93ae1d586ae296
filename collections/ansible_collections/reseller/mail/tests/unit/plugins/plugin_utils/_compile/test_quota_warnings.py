# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import lines
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import quota_warnings
from ansible_collections.reseller.mail.plugins.plugin_utils._model.domain import Branding
from ansible_collections.reseller.mail.tests.unit.support.sample_estate import (
    ESTATE,
    MX1,
    MX2,
    with_domain,
)

PATH = "quota_warnings/names"


def test_a_warning_comes_from_the_brand_of_the_domain_or_else_from_the_provider() -> None:
    provider = ESTATE.provider.name
    assert quota_warnings.lookups(ESTATE, MX1)[PATH] == (
        f"acme.example\tAcme Mail\nshop.example\t{provider}\n"
    )
    assert quota_warnings.lookups(ESTATE, MX2)[PATH] == f"globex.example\t{provider}\n"


@pytest.mark.parametrize(
    "name",
    [
        "Acme Mail",
        "Bücher & Söhne",
        'a"b\\c$(x)`<y>',
        "A, Inc.",
        "A" * 200,
        "\N{PILE OF POO}" * 200,
        "=?x?=",
    ],
)
def test_every_name_comes_out_of_the_field_as_it_was_and_is_harmless_on_its_way(name: str) -> None:
    files = quota_warnings.lookups(
        with_domain(ESTATE, "acme.example", branding=Branding(name=name)), MX1
    )
    assert list(lines.faults(PATH, files[PATH].encode(), 12)) == []
    phrase = files[PATH].split("\n", maxsplit=1)[0].partition("\t")[2]
    shown, address = parseaddr(f"{phrase} <x@acme.example>")
    assert str(make_header(decode_header(shown))) == name[:60]
    assert address == "x@acme.example"
    assert phrase == name[:60] or all(len(word) <= 75 for word in phrase.split(" "))
