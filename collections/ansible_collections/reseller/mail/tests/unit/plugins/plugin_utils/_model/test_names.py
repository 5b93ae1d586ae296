# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and addresses: one spelling, and nothing that could break out of a table or a zone file."""

from __future__ import annotations

import re
import urllib.parse

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._model import names
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("acme.example", "acme.example"),
        ("ACME.Example.", "acme.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("xn--strae-oqa.example", "xn--strae-oqa.example"),
        ("straße.de", "xn--strae-oqa.de"),
        ("STRASSE.de", "strasse.de"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("نامه\u200cای.com", "xn--mgba3gch31f060k.com"),
        ("ＡＣＭＥ.example", "acme.example"),
        ("3.acme-shop.example", "3.acme-shop.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    ],
)
def test_domains(text: str, name: str) -> None:
    assert names.domain(text) == name
    assert names.domain(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "acme", "acme..example", ".acme.example", "acme.example..", "-a.example",
        "a-.example", "a_b.example", "*.example",
        "acme.example\n", "acme.example\nevil.example", "acme example.example", "a@b.example",
        "192.0.2.1", "acme.123", "[192.0.2.1]",
        f"{'a' * 64}.example", ".".join(["abcdefg"] * 32), "xn--.example", "xn--a.example",
        "xn--zz--zz99999999.example", "ab--cd.example",
        "a\u200db.example", "a\u2024b.example", "℀.example", "acme。example", "\u202eacme.example",
        "☃.example", "{{x}}.example",
        "a/../b.example", "\ud800.example", "ü" * 70 + ".example",
    ],
)  # fmt: skip
def test_no_domains(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        names.domain(text)


def test_a_mail_domain_leaves_room_for_the_address() -> None:
    longest = f"{'.'.join(['a' * 62] * 2)}.{'b' * 63}"
    assert len(longest) == 189
    assert len(names.address(f"{'x' * 64}@{longest}")) == 254
    with pytest.raises(ValueError, match="longer than 189"):
        names.mail_domain(f"a{longest[:62]}.{longest}")


@pytest.mark.parametrize("text", ["jo", "Jo", "jo.doe", "0", "j-o_e", "a" * 64, "a.b-.c"])
def test_local_parts(text: str) -> None:
    assert names.local_part(text) == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".jo",
        "jo.",
        "j..o",
        "jo+x",
        "-jo",
        "_jo",
        "jo@x",
        '"jo"',
        "jo doe",
        "jo\n",
        "jo\t",
        "a" * 65,
        "jö",
        "|cat",
        "jo,ann",
        "{{ jo }}",
        "\u0130",
        "\u212a",
    ],
)
def test_no_local_parts(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be the part before an @"):
        names.local_part(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Jo@ACME.example", "jo@acme.example"),
        ("jo+Lists@acme.example.", "jo+lists@acme.example"),
        ("_srs=x@bücher.example", "_srs=x@xn--bcher-kva.example"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert names.address(text) == address
    assert names.recipient(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jo",
        "@acme.example",
        "jo@",
        "a@b@acme.example",
        '"a b"@acme.example',
        "jo@acme.example\nx",
        "jo@acme",
    ],
)
def test_no_addresses(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        names.address(text)


def test_a_recipient_may_leave_the_domain_out() -> None:
    assert names.recipient("Jo+x") == "jo+x"
    with pytest.raises(ValueError, match="before an @"):
        names.recipient("jo x")


def test_without_extension() -> None:
    assert names.without_extension("jo+a+b@acme.example") == "jo@acme.example"
    assert names.without_extension("jo@acme.example") == "jo@acme.example"
    assert names.without_extension("jo+x") == "jo+x"


@given(st.text(max_size=40) | st.text(alphabet="aB0.-_+@üßx\n ", max_size=30))
def test_whatever_passes_is_plain_and_stable(text: str) -> None:
    for read in (
        names.domain,
        names.mail_domain,
        names.local_part,
        names.address,
        names.recipient,
        names.slug,
    ):
        try:
            value = read(text)
        except ValueError as error:
            value, complaint = "", str(error)
        else:
            complaint = ""
        assert complaint.isprintable()
        if complaint:
            continue
        assert re.fullmatch(r"[a-z0-9._+=@-]+", value)
        assert read(value) == value


@pytest.mark.parametrize("local", [
    "m.o'neil", "d'angelo", "a!b", "50%off", "x/y", "{curly}", "a|b", "#1", "?", "o`k", "a=b",
    "~me", "_x", "$", "a&b", "*",
])  # fmt: skip
def test_an_address_elsewhere_has_every_character_that_rfc_5321_allows(local: str) -> None:
    assert names.address(f"{local}@stranger.example") == f"{local}@stranger.example"
    assert names.recipient(f"{local}@stranger.example") == f"{local}@stranger.example"


@pytest.mark.parametrize("local", [
    '"jo doe"', "a b", "a,b", "a..b", ".a", "a.", "a@b", "-a", "a<b", "a(b)", "a:b", "a;b", "a\\b",
    "[a]", "\u00fc", "a\tb", "x" * 65,
])  # fmt: skip
def test_what_needs_quotes_or_is_no_address_is_refused(local: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be the part before an @|is not an address"):
        names.address(f"{local}@stranger.example")


def test_names_that_we_give_have_no_such_characters() -> None:
    with pytest.raises(ValueError, match="cannot be the part before an @"):
        names.local_part("o'neil")


@given(st.text("abc.!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=9))
def test_an_address_as_a_uri_is_one_target_and_is_read_back(local: str) -> None:
    uri = names.mailto(f"{local}@stranger.example")
    assert not set(",!;?#/& ").intersection(uri)
    assert urllib.parse.unquote(uri) == f"mailto:{local}@stranger.example"


@pytest.mark.parametrize(("name", "forms"), [
    ("acme.example", {"acme.example"}),
    ("bücher.example", {"xn--bcher-kva.example", "bücher.example", "bÜcher.example",
                        "bu\u0308cher.example"}),
    ("straße.de", {"xn--strae-oqa.de", "straße.de", "straẞe.de"}),
    ("ıx.example", {"xn--x-eka.example", "ıx.example"}),
    ("日本.example", {"xn--wgv71a.example", "日本.example"}),
])  # fmt: skip
def test_a_domain_is_typed_in_all_forms_that_are_it_and_in_no_other(
    name: str, forms: set[str]
) -> None:
    assert names.typed(names.domain(name)) == forms


@given(st.text("aäßıİſσςΣéÅjö", min_size=1, max_size=5))
def test_no_form_of_a_domain_is_another(text: str) -> None:
    try:
        name = names.domain(f"{text}.example")
    except ValueError:
        return
    assert {names.domain(form) for form in names.typed(name)} == {name}
