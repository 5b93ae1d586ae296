# SPDX-License-Identifier: GPL-3.0-or-later
"""Places of keys and items are read from the text of a file when they are needed."""

from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._language.source import Source
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Position

TEXT = b"""\
mailboxes:
  - name: jo
    forward: {to: [ann, x@y.example]}
  - {name: ann}
limits: &shared {storage: 5G}
other: *shared
"""


@pytest.mark.parametrize(
    ("table", "path", "place"),
    [
        ((1, 1), ("mailboxes", 1, "name"), (4, 12)),
        ((2, 5), ("name",), (2, 11)),
        ((2, 5), ("forward", "to", 1), (3, 25)),
        ((2, 5), ("forward", "to", 7), (3, 19)),
        ((2, 5), ("quota",), (2, 5)),
        ((5, 9), ("storage",), (5, 27)),
        ((9, 9), ("name",), (9, 9)),
    ],
)
def test_a_place_is_that_of_the_last_thing_that_exists(
    table: tuple[int, int], path: tuple[str | int, ...], place: tuple[int, int]
) -> None:
    assert Source("f.yml", TEXT).mark(*table, *path) == place


def test_a_table_knows_its_keys() -> None:
    at = Position("f.yml", 2, 5, Source("f.yml", TEXT))
    assert at.has_key("forward")
    assert not at.has_key("quota")
    assert at.of("forward") == Position("f.yml", 3, 14)


def test_an_empty_file_has_the_place_of_its_first_character() -> None:
    at = Position("f.yml", 1, 1, Source("f.yml", b""))
    assert at.of("mailboxes", 0) == at
    assert not at.has_key("mailboxes")
