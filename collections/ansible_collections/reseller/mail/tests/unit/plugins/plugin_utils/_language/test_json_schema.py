# SPDX-License-Identifier: GPL-3.0-or-later
"""Editors and validate agree: what validate accepts no editor marks, and what is wrong in a single
file most editors do mark."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import jsonschema
import pytest
import yaml
from ansible_collections.reseller.mail.plugins.plugin_utils._language import json_schema
from ansible_collections.reseller.mail.plugins.plugin_utils._language import (
    scalars as language_scalars,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._language import (
    schema as language_schema,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._language.typed_values import Walker
from ansible_collections.reseller.mail.plugins.plugin_utils._language.yaml_nodes import parse
from ansible_collections.reseller.mail.plugins.plugin_utils._report import fault_formats
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[5]
FIXTURES = ROOT / "tests" / "unit" / "fixtures"
EXAMPLE = ROOT.parents[3] / "estates" / "example"
SCHEMAS = {
    kind: jsonschema.Draft202012Validator(json_schema.schemas()[name])
    for kind, name in json_schema.NAMES.items()
}
IN_ONE_FILE = {"unknown-key", "foreign-key", "missing-key", "no-value", "wrong-type", "unfit-value"}

# What a plain scalar is to an editor: the core schema of YAML 1.2 (section 10.3.2).
CORE: list[tuple[str, t.Callable[[str], t.Any]]] = [
    (r"null|Null|NULL|~|", lambda text: None),
    (r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    (r"[-+]?[0-9]+", int),
    (r"0o[0-7]+", lambda text: int(text[2:], 8)),
    (r"0x[0-9a-fA-F]+", lambda text: int(text[2:], 16)),
    (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
    (r"[-+]?(\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN", lambda text: 1e308),
]


def plain(text: str) -> t.Any:
    return next((read(text) for pattern, read in CORE if re.fullmatch(pattern, text)), text)


def value(node: yaml.Node | None) -> t.Any:
    if node is None:
        return {}  # an editor has nothing to mark in an empty file
    if isinstance(node, yaml.MappingNode):
        return {key.value: value(below) for key, below in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [value(below) for below in node.value]
    tagged = node.tag.startswith("!") and node.tag != "!"
    return node.value if node.style or tagged else plain(node.value)


def as_an_editor_reads(text: str) -> t.Any:
    loader = yaml.SafeLoader(text)
    loader.yaml_implicit_resolvers = {}
    return value(loader.get_single_node())


def kind_of(path: str) -> str:
    name = path.rpartition("/")[2]
    return (
        name
        if name in SCHEMAS
        else "state/<node>.json"
        if name.endswith(".json")
        else "<domain>.yml"
    )


def marks(path: str, text: str) -> list[str]:
    return [error.message for error in SCHEMAS[kind_of(path)].iter_errors(as_an_editor_reads(text))]


def faults(path: str, text: str) -> list[str]:
    root, wrong = parse(path, text.encode())
    walker = Walker(path)
    walker.file_values(root, language_schema.FILES[kind_of(path)])
    return [str(fault) for fault in [*wrong, *walker.faults]]


def estates() -> t.Iterator[t.Any]:
    for estate in (EXAMPLE, FIXTURES / "estate", FIXTURES / "bad_estate"):
        for path in sorted(estate.rglob("*.*")):
            if path.suffix in (".yml", ".json"):
                yield pytest.param(path, id=str(path.relative_to(estate.parent)))


def examples() -> t.Iterator[t.Any]:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    for fault, section in fault_formats.sections(page).items():
        file = ""
        for word, where, snippet in re.findall(
            r"^(Wrong|Right)(?:, in `([^`]+)`)?:\n\n```yaml\n(.*?)```",
            section,
            re.MULTILINE | re.DOTALL,
        ):
            file = where or file
            yield pytest.param(fault, word, file, snippet, id=f"{fault}-{word.lower()}")


def blocks(text: str) -> dict[str, str]:
    """A file's text by its top-level keys."""
    return {
        match[1]: match[0]
        for match in re.finditer(r"^([\w-]+):.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    }


def test_the_schemas_are_schemas() -> None:
    for schema in json_schema.schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False


def test_there_are_estates_and_examples() -> None:
    assert len(list(estates())) > 25
    assert len(list(examples())) > 70


@pytest.mark.parametrize("path", list(estates()))
def test_what_validate_accepts_in_a_file_no_editor_marks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if faults(str(path), text):
        assert "bad_estate" in str(path)
    else:
        assert marks(str(path), text) == []


@pytest.mark.parametrize(("fault", "word", "file", "snippet"), list(examples()))
def test_examples_of_the_page_of_faults(fault: str, word: str, file: str, snippet: str) -> None:
    path = FIXTURES / "estate" / file
    old = blocks(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = "".join(block for key, block in old.items() if key not in blocks(snippet)) + snippet
    if not faults(file, text):
        assert marks(file, text) == []
    elif fault in IN_ONE_FILE:
        assert word == "Wrong"
        assert marks(file, text)


def scalars(kind: language_schema.Type) -> t.Iterator[language_scalars.Scalar]:
    if isinstance(kind, language_scalars.Scalar):
        yield kind
    elif isinstance(kind, language_schema.Many):
        yield from scalars(kind.of)
    else:
        yield from [kind.free] if kind.free else []
        for key in kind.keys.values():
            yield from scalars(key.type)


KINDS = list({kind: None for table in language_schema.FILES.values() for kind in scalars(table)})
ODD = [
    "0", "1", "-1", "12", "25", "80", "00", "0x1f", "0o17", "1e5", "1.e5", "1.5", ".5", ".inf",
    ".nan", "+1",
    "86400", "9223372036854775807", "9223372036854775808",
    "true", "false", "True", "null", "~", "none", "unlimited", "5G", "0G", "9223372036854775807B",
    "1K", "2026-03-31", "2026-02-30", "EUR", "de-CH", "#1a6b3c",
    "jo", "JO", "jo@acme.example",
    "jo+x=y@Acme.example.", "_jo", "a.b-c_d", "acme.example", "ACME.example.", "bücher.example",
    "xn--bcher-kva.example", "1.e5.example",
    "a" * 63 + ".example", ("a" * 50 + ".") * 3 + "example", "localhost", "example.1",
    "so\u00adft.example", "ｆｕｌｌ.example", "日本.example",
    "192.0.2.1", "::1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0",
    "https://a.example/b?c=d#e", "http://a.example", "https://a.example:8443/ü",
    "$ANSIBLE_VAULT;1.1;AES256\n6162\n", "{ARGON2ID}" + "x" * 30, "{BLF-CRYPT}$2y$05$" + "x" * 53,
    "A" * 58 + "==", "keep;\n",
    'redirect "x@y.example";', " ", "", "a\tb", "a b", "ü",
]  # fmt: skip


def texts(kind: language_scalars.Scalar) -> st.SearchStrategy[str]:
    shape = json_schema.scalar(kind)
    patterns = [shape.get("pattern"), *(one.get("pattern") for one in shape.get("anyOf", []))]
    fitting = [
        st.from_regex(pattern, fullmatch=True)
        for pattern in patterns
        if pattern and "(?=" not in pattern
    ]
    return st.one_of(
        st.text(alphabet="abz019.-_@+:eE%é日\u00ad KMG", max_size=12),
        st.builds(
            "{}.{}".format,
            st.text(alphabet="aB0-ßéü日", min_size=1, max_size=8),
            st.sampled_from(["example", "e5", "co.example.", "рф"]),
        ),
        st.integers(-10, 10**10).map(str),
        st.decimals(0, 1000, places=2).map(str),
        *fitting,
    )


@pytest.mark.parametrize("kind", KINDS, ids=[kind.allowed[:40] for kind in KINDS])
def test_what_validate_accepts_as_a_value_no_editor_marks(kind: language_scalars.Scalar) -> None:
    validator = jsonschema.Draft202012Validator(json_schema.scalar(kind))
    accepted = set()

    def judge(text: str) -> None:
        try:
            kind.read(text)
        except ValueError:
            return
        accepted.add(text)
        assert validator.is_valid(text)
        if plain(text) is not None:
            assert validator.is_valid(plain(text)), plain(text)

    for text in [*ODD, *kind.words, *kind.also]:
        judge(text)
    if not kind.words:
        settings(max_examples=50)(given(texts(kind))(judge))()
    if kind not in (language_scalars.CERTIFICATE,):
        assert accepted
    assert not all(validator.is_valid(plain(text)) for text in ODD)


def test_a_certificate_is_no_other_block() -> None:
    validator = jsonschema.Draft202012Validator(json_schema.scalar(language_scalars.CERTIFICATE))
    body = "MII" + "BAg" * 40
    pem = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    assert validator.is_valid(pem)
    assert not validator.is_valid(pem.replace("CERTIFICATE", "PRIVATE KEY"))


def test_an_editor_shows_what_a_key_means_takes_and_defaults_to() -> None:
    mailbox = json_schema.schemas()["domain.json"]["properties"]["mailboxes"]["items"]
    assert mailbox["required"] == ["name"]
    assert mailbox["properties"]["state"]["enum"] == ["active", "suspended"]
    assert mailbox["properties"]["state"]["description"].endswith(
        "Allowed: active, suspended.\n\nDefault: active."
    )
    assert "!vault" in mailbox["properties"]["password"]["description"]
    assert not re.search(r"\b[OV]\(", str(json_schema.schemas()))
