# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/faults.md is true: every wrong example gives its fault and no other, every right one none;
and no fault is missing there."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _load

ROOT = Path(__file__).parents[5]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
BASE = ROOT / "tests" / "unit" / "fixtures" / "estate"
SECTIONS = {
    match[1]: match[2]
    for match in re.finditer(r"^### `([\w-]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
EXAMPLE = re.compile(
    r"^(Wrong|Right)(?:, in `([^`]+)`)?:\n\n```yaml\n(.*?)```", re.MULTILINE | re.DOTALL
)


def blocks(text: str) -> dict[str, str]:
    """A file's text by its top-level keys."""
    return {
        match[1]: match[0]
        for match in re.finditer(r"^([\w-]+):.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    }


def estate_with(folder: Path, file: str, snippet: str) -> str:
    shutil.copytree(BASE, folder)
    path = folder / file
    old = blocks(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = [text for key, text in old.items() if key not in blocks(snippet)]
    path.write_text("".join(kept) + snippet, encoding="utf-8")
    return str(folder)


EXAMPLES = []
for fault, section in SECTIONS.items():
    file = ""
    for kind, where, snippet in EXAMPLE.findall(section):
        file = where or file
        EXAMPLES.append(
            pytest.param(
                fault if kind == "Wrong" else None, file, snippet, id=f"{fault}-{kind.lower()}"
            )
        )


@pytest.mark.parametrize(("fault", "file", "snippet"), EXAMPLES)
def test_example(tmp_path: Path, fault: str | None, file: str, snippet: str) -> None:
    estate, faults = _load.load(estate_with(tmp_path / "estate", file, snippet))
    assert {found.id for found in faults} == ({fault} if fault else set()), faults
    assert (estate is None) == bool(fault)


def test_the_estate_below_the_examples_is_without_fault() -> None:
    assert _load.load(str(BASE))[1] == []


def ids_made_in(path: Path) -> set[str]:
    """The ids in calls of fault() and Fault(): the second or third argument, a plain word or
    several with hyphens."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")).lower() == "fault"
        ):
            words = [
                getattr(part, "value", None) for arg in node.args[1:3] for part in ast.walk(arg)
            ]
            found |= {
                word
                for word in words
                if isinstance(word, str) and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", word)
            }
    return found


def test_every_fault_of_the_code_has_its_section_and_no_other_has() -> None:
    utils = ROOT / "plugins" / "plugin_utils"
    made = set().union(
        *map(
            ids_made_in,
            [
                utils / "_load.py",
                *(utils / "_language").glob("*.py"),
                *(utils / "_judge").glob("*.py"),
            ],
        )
    )
    assert made == set(SECTIONS)


def test_a_section_that_can_be_shown_has_a_wrong_and_a_right_example() -> None:
    for fault, section in SECTIONS.items():
        kinds = [kind for kind, _file, _snippet in EXAMPLE.findall(section)]
        assert kinds in (["Wrong", "Right"], []), fault
    assert len(EXAMPLES) >= 70
