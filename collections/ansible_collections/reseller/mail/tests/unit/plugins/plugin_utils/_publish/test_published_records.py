# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._publish import published_records
from hypothesis import given
from hypothesis import strategies as st

PLACES = st.dictionaries(
    st.tuples(st.text(), st.sampled_from(["A", "TXT"])),
    st.frozensets(st.text(), min_size=1),
    min_size=1,
)


@given(st.dictionaries(st.text(), PLACES))
def test_what_is_written_is_read(published: published_records.Published) -> None:
    assert published_records.read(published_records.text(published)) == published


def test_a_commit_shows_one_line_a_record() -> None:
    published = {
        "b.example": {("b.example", "MX"): frozenset({"20 y.", "10 x."})},
        "a.example": {("a.example", "TXT"): frozenset({"v=spf1 -all"})},
    }
    assert published_records.text(published).splitlines()[2:5] == [
        '    {"domain": "a.example", "name": "a.example", "type": "TXT", "value": "v=spf1 -all"},',
        '    {"domain": "b.example", "name": "b.example", "type": "MX", "value": "10 x."},',
        '    {"domain": "b.example", "name": "b.example", "type": "MX", "value": "20 y."}',
    ]
    assert published_records.text({}) == '{\n  "published": []\n}\n'


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
        published_records.read(text)
