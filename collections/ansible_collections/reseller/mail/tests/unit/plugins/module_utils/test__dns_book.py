# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.module_utils import _dns_book
from hypothesis import given
from hypothesis import strategies as st

PLACES = st.dictionaries(
    st.tuples(st.text(), st.sampled_from(["A", "TXT"])),
    st.frozensets(st.text(), min_size=1),
    min_size=1,
)


@given(st.dictionaries(st.text(), PLACES))
def test_what_is_written_is_read(book: _dns_book.Book) -> None:
    assert _dns_book.read(_dns_book.text(book)) == book


def test_a_commit_shows_one_line_a_record() -> None:
    book = {
        "b.example": {("b.example", "MX"): frozenset({"20 y.", "10 x."})},
        "a.example": {("a.example", "TXT"): frozenset({"v=spf1 -all"})},
    }
    assert _dns_book.text(book).splitlines()[2:5] == [
        '    {"domain": "a.example", "name": "a.example", "type": "TXT", "value": "v=spf1 -all"},',
        '    {"domain": "b.example", "name": "b.example", "type": "MX", "value": "10 x."},',
        '    {"domain": "b.example", "name": "b.example", "type": "MX", "value": "20 y."}',
    ]
    assert _dns_book.text({}) == '{\n  "published": []\n}\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"published": 1}',
        '{"published": [{"domain": "a.example"}]}',
        '{"published": ["x"]}',
    ],
)
def test_what_is_no_book_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"published_dns\.json is not what dns_publish wrote"):
        _dns_book.read(text)
