# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that are generated from the schema are up to date, and all their links work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._language import (
    reference,
    scalars,
    schema,
)

DOCS = Path(__file__).parents[5] / "docs"
PAGE = (DOCS / reference.PAGE).read_text(encoding="utf-8")
GENERATED = reference.generated(PAGE)


@pytest.mark.parametrize("name", GENERATED)
def test_the_committed_page_is_the_one_that_would_be_made(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == GENERATED[name], "run `make reference`"


def test_making_it_twice_changes_nothing() -> None:
    assert reference.generated(GENERATED[reference.PAGE]) == GENERATED


def keys(table: schema.Table, seen: set[int]) -> int:
    if id(table) in seen:
        return 0
    seen.add(id(table))
    below = [
        key.type.of if isinstance(key.type, schema.Many) else key.type
        for name, key in table.keys.items()
        if name != "defaults"
    ]
    return len(table.keys) + sum(
        keys(kind, seen) for kind in below if isinstance(kind, schema.Table)
    )


def test_every_key_has_a_row() -> None:
    rows = re.findall(r"^\| <a id=\"[^\"]+\"></a>`\w+` \|", PAGE, re.MULTILINE)
    seen: set[int] = set()
    assert len(rows) == len(schema.CASCADES) + sum(
        keys(table, seen)
        for table in [
            *(c.key.type for c in schema.CASCADES.values() if isinstance(c.key.type, schema.Table)),
            *schema.FILES.values(),
        ]
    )
    assert len(rows) > 150


def test_requirements_are_in_the_schema_and_not_on_the_page() -> None:
    assert not re.search(r"\bS\d-\d+", PAGE)


def test_every_link_leads_somewhere_and_no_anchor_stands_twice() -> None:
    anchors = re.findall(r'<a id="([^"]+)">', PAGE)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= set(anchors)
    for file in re.findall(r"\]\(([\w./-]+)\)", PAGE):
        assert (DOCS / file).exists(), file
    assert not re.search(r"\b[OV]\(", PAGE)


def test_a_pipe_in_a_cell_ends_no_cell() -> None:
    for line in PAGE.partition(reference.MARK)[2].splitlines():
        if line.startswith("| <a id"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 6, line


def test_the_page_names_the_versions_of_the_language() -> None:
    assert scalars.LANGUAGES == (1,)
    assert f"Today there is version {scalars.LANGUAGES[-1]}." in PAGE
    assert f"Without it they are read as version {scalars.LANGUAGES[0]}." in PAGE
