# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that are made from the schema are as they would be made now, and lead nowhere that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils import _reference, _schema

DOCS = Path(__file__).parents[4] / "docs"
PAGE = (DOCS / _reference.PAGE).read_text(encoding="utf-8")
MADE = _reference.made(PAGE)


@pytest.mark.parametrize("name", MADE)
def test_the_committed_page_is_the_one_that_would_be_made(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == MADE[name], "run `make reference`"


def test_making_it_twice_changes_nothing() -> None:
    assert _reference.made(MADE[_reference.PAGE]) == MADE


def keys(table: _schema.Table, seen: set[int]) -> int:
    if id(table) in seen:
        return 0
    seen.add(id(table))
    below = [
        key.type.of if isinstance(key.type, _schema.Many) else key.type
        for name, key in table.keys.items()
        if name != "defaults"
    ]
    return len(table.keys) + sum(
        keys(kind, seen) for kind in below if isinstance(kind, _schema.Table)
    )


def test_every_key_has_a_row_with_its_requirements() -> None:
    rows = re.findall(r"^\| <a id=\"[^\"]+\"></a>`\w+` \|.*\| ([^|]*) \|$", PAGE, re.MULTILINE)
    seen: set[int] = set()
    assert len(rows) == len(_schema.CASCADES) + sum(
        keys(table, seen)
        for table in [
            *(
                c.key.type
                for c in _schema.CASCADES.values()
                if isinstance(c.key.type, _schema.Table)
            ),
            *_schema.FILES.values(),
        ]
    )
    assert all(re.fullmatch(r"(S\d-\d+ ?)+", row) for row in rows)
    assert len(rows) > 150


def test_every_link_leads_somewhere_and_no_anchor_stands_twice() -> None:
    anchors = re.findall(r'<a id="([^"]+)">', PAGE)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= set(anchors)
    for file in re.findall(r"\]\(([\w./-]+)\)", PAGE):
        assert (DOCS / file).exists(), file
    assert not re.search(r"\b[OV]\(", PAGE)


def test_a_pipe_in_a_cell_ends_no_cell() -> None:
    for line in PAGE.partition(_reference.MARK)[2].splitlines():
        if line.startswith("| <a id"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 7, line
