# SPDX-License-Identifier: GPL-3.0-or-later
"""The example estate uses the whole language: every key of the schema, and every word that a key
takes a few of."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.plugins.plugin_utils._language import schema
from ansible_collections.reseller.mail.plugins.plugin_utils._language.yaml_nodes import (
    LIST,
    MAPPING,
    YamlNode,
    parse,
)

PROJECT = Path(__file__).parents[6]
EXAMPLE = PROJECT / "estates" / "example"
pytestmark = pytest.mark.skipif(
    not EXAMPLE.is_dir(),
    reason="the collection is tested outside of its project, which has the example",
)


def keys_of(table: schema.Table, path: str) -> t.Iterator[tuple[str, schema.Key]]:
    for name, key in table.keys.items():
        yield f"{path}: {name}", key
        kind = key.type.of if isinstance(key.type, schema.Many) else key.type
        if isinstance(kind, schema.Table):
            yield from keys_of(kind, f"{path}: {name}")


def used(node: YamlNode, table: schema.Table) -> t.Iterator[int]:
    if node.kind != MAPPING or table.free is not None:
        return
    for name, (_line, _column, value) in node.value.items():
        key = table.keys[name]
        yield id(key)
        kind = key.type.of if isinstance(key.type, schema.Many) else key.type
        if isinstance(kind, schema.Table):
            for item in value.value if value.kind == LIST else (value,):
                yield from used(item, kind)


def table_of(path: str) -> schema.Table:
    name = Path(path).name
    if path.startswith("state/"):
        return schema.PROMOTED if path == _load.PROMOTED else schema.STATE
    return schema.FILES[name if name in schema.FILES else "<domain>.yml"]


@pytest.fixture(scope="module")
def found() -> set[int]:
    files, faults = _load.read_files(str(EXAMPLE))
    assert not faults
    return {
        key
        for path, content in files.items()
        for key in used(t.cast(YamlNode, parse(path, content)[0]), table_of(path))
    }


# What nodes report and evidence carries is no language that somebody writes. A key that may stand
# at several levels is one key: once is enough.
KEYS = [
    pytest.param(id(key), id=path)
    for name, table in schema.FILES.items()
    if not name.startswith("state/")
    for path, key in keys_of(table, name)
]


@pytest.mark.parametrize("key", KEYS)
def test_the_example_has_every_key(key: int, found: set[int]) -> None:
    assert key in found


def test_its_files_are_for_reading() -> None:
    for path in EXAMPLE.glob("**/*.yml"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 100, path
        assert max(map(len, lines)) <= 140, path
