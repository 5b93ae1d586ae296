# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML → nodes: positions, and everything a hostile file may try."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.reseller.mail.plugins.plugin_utils._language import yaml_nodes
from ansible_collections.reseller.mail.plugins.plugin_utils._language.yaml_nodes import (
    LIST,
    MAPPING,
    MAX_ALIASED,
    MAX_DEPTH,
    YamlNode,
    parse,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.words import shown
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[3] / "fixtures"


def plain(node: YamlNode | None) -> object:
    """Nodes as comparable values with their positions."""
    if node is None:
        return None
    if node.kind == MAPPING:
        value: object = {
            key: (line, column, plain(below)) for key, (line, column, below) in node.value.items()
        }
    elif node.kind == LIST:
        value = [plain(item) for item in node.value]
    else:
        value = node.value
    return (node.kind, node.line, node.column, node.tag, node.null, value)


def faults(text: str | bytes, pure: bool = False) -> list[str]:
    content = text if isinstance(text, bytes) else text.encode()
    return [
        f"{fault.position.line}:{fault.position.column}: {fault.id}"
        for fault in parse("f.yml", content, pure=pure)[1]
    ]


def test_positions_count_from_one() -> None:
    root, wrong = parse("f.yml", b"a:\n  - x\n  - {b: '2'}\n")
    assert wrong == []
    assert root is not None
    assert root.mark() == (1, 1)
    assert root.mark("a", 0) == (2, 5)
    assert root.mark("a", 1, "b") == (3, 9)
    assert root.mark("a", 1, "missing", 7) == (3, 5), "the nearest thing above"
    assert root.value["a"][:2] == (1, 1)
    assert root.value["a"][2].value[1].value["b"][:2] == (3, 6)


def test_columns_count_characters_not_bytes() -> None:
    root, _wrong = parse("f.yml", "{ä: [öö, x]}".encode())
    assert root is not None
    assert root.mark("ä", 1) == (1, 10)


@pytest.mark.parametrize("path", sorted(FIXTURES.rglob("*.yml")), ids=lambda path: path.name)
def test_python_and_libyaml_agree_on_fixtures(path: Path) -> None:
    fast, pure = (parse("f.yml", path.read_bytes(), pure=pure) for pure in (False, True))
    assert plain(fast[0]) == plain(pure[0])
    assert [fault.id for fault in fast[1]] == [fault.id for fault in pure[1]]


VALUES = st.recursive(
    st.sampled_from(["jo", "'it''s'", '"a b"', "~", "5G", "|\n    text\n", "!vault x", "ü"]).filter(
        lambda text: "\n" not in text
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda items: "{" + ", ".join(f"{k}: {v}" for k, v in items.items()) + "}"
        )
    ),
    max_leaves=8,
)


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_python_and_libyaml_agree(values: list[str]) -> None:
    content = "".join(f"k{nth}: {value}\n" for nth, value in enumerate(values)).encode()
    assert plain(parse("f.yml", content)[0]) == plain(parse("f.yml", content, pure=True)[0])


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", ["3:1: duplicate-key"]),
        ("a: 1\na: 2\na: 3\n", ["2:1: duplicate-key", "3:1: duplicate-key"]),
        ("? [x]\n: 1\n", ["1:3: not-a-key"]),
        ("? {x: 1}\n: 1\n", ["1:3: not-a-key"]),
        ("!!str a: 1\n", ["1:1: not-a-key"]),
        ("a: &x b\n*x : 1\n", ["2:1: not-a-key"]),
        ("a: *x\n", ["1:4: unknown-anchor"]),
        ("a: &x [*x]\n", ["1:8: unknown-anchor"]),
        ("a: 1\n---\nb: 2\n", ["2:1: two-documents"]),
        ("\x00".join("ab"), ["1:2: unfit-character"]),
        ("a: 1\nb: x\u2028y\n", ["2:5: unfit-character"]),
        ("a: x\u202ey\n", ["1:5: unfit-character"]),
        ("a: x\x1b[2Jy\n", ["1:5: unfit-character"]),
        ("a: x\rb: 2\n", ["1:5: unfit-character"]),
        (b"a: 1\nb: \xe9\n", ["2:4: not-utf8"]),
        (b"\xff\xfea\x00", ["1:1: not-utf8"]),
        ("[" * 1_000_000, [f"1:{MAX_DEPTH + 1}: too-deep"]),
        ("- " * 1_000_000, [f"1:{MAX_DEPTH * 2 + 1}: too-deep"]),
        ("{a: " * 1_000_000, [f"1:{MAX_DEPTH * 4 + 1}: too-deep"]),
    ],
)
def test_what_is_refused(text: str | bytes, expected: list[str], pure: bool) -> None:
    start = time.process_time()
    assert faults(text, pure) == expected
    assert time.process_time() - start < 5, "the answer may not take longer than reading"


class Strict:
    """A parser with a limit of its own, met while it looks ahead: PyYAML 6.0.4's is 1,000,
    libyaml's can be set."""

    limit = 1000

    def __init__(self, parser: t.Any, text: str) -> None:
        self.parser = parser
        ahead = text[:1024]
        self.refuses = ahead.count("[") + ahead.count("{") >= self.limit

    def get_event(self) -> t.Any:
        if self.refuses:
            raise yaml.YAMLError("While parsing, exceeded maximum nesting")
        return self.parser.get_event()


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[" * 4_000_000, [f"1:{MAX_DEPTH + 1}: too-deep"]),
        ("a: 1\na: 2\nk: " + "[" * 2_000, ["2:1: duplicate-key", f"3:{MAX_DEPTH + 3}: too-deep"]),
        ("# [[ [\n- " + "[" * 1_000, [f"2:{MAX_DEPTH + 2}: too-deep"]),
        ("- '" + "[" * 40 + "'\n" + "- " + "[" * 1_000, [f"2:{MAX_DEPTH + 2}: too-deep"]),
        ("{" * 2_000, ["1:1: not-a-key"]),
        ("[" * 40 + "@", [f"1:{MAX_DEPTH + 1}: too-deep"]),
    ],
)
def test_our_own_limit_decides_whatever_the_library_s_is(
    text: str, expected: list[str], pure: bool, strict: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if strict:
        own = yaml_nodes._parser
        monkeypatch.setattr(yaml_nodes, "_parser", lambda text, pure: Strict(own(text, pure), text))
    assert faults(text, pure) == expected


@pytest.mark.parametrize("pure", [False, True])
def test_brackets_in_a_text_are_no_depth(pure: bool) -> None:
    assert faults("a: '" + "[" * 1_010 + "'\n@", pure) == ["2:1: not-yaml"]


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize("text", ["a: [", "a: b: c", "a:\n\t- x", "'", "a: !<x", "@x"])
def test_no_yaml(text: str, pure: bool) -> None:
    found = faults(text, pure)
    assert len(found) == 1
    assert found[0].endswith(": not-yaml")


@pytest.mark.parametrize("pure", [False, True])
def test_a_bomb_is_refused_and_a_shared_value_is_not(pure: bool) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{nth}: &a{nth} [{', '.join([f'*a{nth - 1}'] * 10)}]" for nth in range(1, 9)]
    assert [found.split(": ")[1] for found in faults("\n".join(lines), pure)] == ["alias-bomb"]
    root, wrong = parse(
        "f.yml", b"a: &x {b: 1}\nc: [*x, *x]\nd: &y 5\ne: *y\n&z f: *y\n", pure=pure
    )
    assert wrong == []
    assert root is not None
    assert root.value["c"][2].value[0] is root.value["a"][2]
    assert root.value["e"][2].value == "5"
    many = "a: &x b\nc: [" + "*x, " * (MAX_ALIASED - 1) + "*x"
    assert faults(many + "]", pure) == []
    assert [found.split(": ")[1] for found in faults(many + ", *x]", pure)] == ["alias-bomb"]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~", "null\n", "\ufeff"])
def test_empty_files(text: str) -> None:
    assert parse("f.yml", text.encode()) == (None, [])


def test_a_byte_order_mark_and_windows_line_ends_are_fit() -> None:
    root, wrong = parse("f.yml", "\ufeffa: 1\r\nb: 2\r\n".encode())
    assert wrong == []
    assert root is not None
    assert root.mark("b") == (2, 4)


def test_scalars_stay_text() -> None:
    root, _wrong = parse(
        "f.yml", b"[no, 010, 1e3, 2020-01-01, '~', ~, 0x1f, !!python/object:os.system x]"
    )
    assert root is not None
    assert [item.value for item in root.value] == [
        "no",
        "010",
        "1e3",
        "2020-01-01",
        "~",
        "~",
        "0x1f",
        "x",
    ]
    assert [item.null for item in root.value] == [False] * 5 + [True, False, False]


@given(st.binary(max_size=200))
def test_any_bytes_give_nodes_or_faults(content: bytes) -> None:
    root, wrong = parse("f.yml", content)
    assert root is None or not [fault for fault in wrong if fault.id != "duplicate-key"]


@given(st.text(alphabet="ab:-[]{}&*!|>'\"# \n,?%", max_size=60))
def test_any_text_gives_nodes_or_faults(text: str) -> None:
    for pure in (False, True):
        root, wrong = parse("f.yml", text.encode(), pure=pure)
        assert root is None or all(fault.id == "duplicate-key" for fault in wrong)


def test_shown_text_cannot_move_the_cursor() -> None:
    assert shown("a\x1b[2J\nb\u202e") == "'a\\x1b[2J\\nb\\u202e'"
    assert len(shown("x" * 1000)) == 62
