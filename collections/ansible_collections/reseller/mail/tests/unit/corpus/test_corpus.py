# SPDX-License-Identifier: GPL-3.0-or-later
"""Every case of the pages beside this file gives exactly the faults that are written below it.

README.md says how to add a case.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import shutil
import subprocess
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils import _load
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.warnings import warnings

HERE = Path(__file__).parent
BASE = HERE / "base"
FAULTS_PAGE = HERE.parents[2] / "docs" / "faults.md"
REWRITE = "CORPUS_REWRITE"
SECONDS = 10  # of processor time, for the worst of files on a slow machine

CASE = re.compile(r"^## (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^(`{3,})(\w+)(?: (\S+))?\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
TOP_KEY = re.compile(r"^([\w-]+):.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Case:
    """One wrong estate."""

    page: Path
    title: str
    steps: tuple[tuple[str, str, str], ...]
    expected: str


def cases_of(page: Path) -> t.Iterator[Case]:
    for title, body in CASE.findall(page.read_text(encoding="utf-8")):
        blocks = [(kind, file, text) for _fence, kind, file, text in BLOCK.findall(body)]
        yield Case(
            page,
            title,
            tuple(blocks[:-1]),
            blocks[-1][2] if blocks and blocks[-1][0] in ("faults", "warnings") else "",
        )


PAGES = sorted(page for page in HERE.glob("*.md") if page.name != "README.md")
CASES = [case for page in PAGES for case in cases_of(page)]


def make(folder: Path, case: Case) -> None:
    """Write the base estate with the changes of the case's blocks."""
    shutil.copytree(BASE, folder)
    for kind, file, text in case.steps:
        if kind == "sh":
            subprocess.run(["sh", "-euc", text], cwd=folder, check=True, timeout=60)
            continue
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "python":
            made = eval(text)
            path.write_bytes(made if isinstance(made, bytes) else made.encode())
        elif (
            kind == "yaml"
        ):  # what the block does not name stays, behind it: lines count as they are shown
            old = TOP_KEY.finditer(path.read_text(encoding="utf-8")) if path.exists() else ()
            named = {match[1] for match in TOP_KEY.finditer(text)}
            path.write_text(
                text + "".join(match[0] for match in old if match[1] not in named), encoding="utf-8"
            )
        else:
            raise AssertionError(
                f"{case.page.name}: {case.title}: a block is sh, python, yaml, faults or warnings, not {kind}"
            )


@contextlib.contextmanager
def without_privileges(folder: Path) -> t.Iterator[None]:
    """Give up the privileges of root, which can read every file.

    The work happens inside of the folder, because the other user cannot pass the folders above it.
    """
    before = os.getcwd()
    os.chdir(folder)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(os.getuid())
        os.chdir(before)


def faults_of(folder: Path, case: Case) -> str:
    if any(kind == "sh" and "chmod" in text for kind, _file, text in case.steps):
        with without_privileges(folder):
            estate, faults = _load.load(".")
    else:
        estate, faults = _load.load(str(folder))
    assert (estate is None) == bool(faults)
    return "".join(f"{fault}\n" for fault in faults or warnings(estate))


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case.page.stem}: {case.title}") for case in CASES]
)
def test_case(tmp_path: Path, case: Case) -> None:
    folder = tmp_path / "estate"
    make(folder, case)
    began = time.process_time()
    found = faults_of(folder, case)
    assert time.process_time() - began < SECONDS
    assert found, "a case has a fault or a warning: sound estates are tested elsewhere"
    assert all(line.isprintable() for line in found.splitlines())
    if found != case.expected and os.environ.get(REWRITE) in (case.page.stem, "all"):
        rewrite(case, found)
        pytest.skip(f"rewritten: read the diff of {case.page.name} before you believe it")
    if found != case.expected:
        diff = difflib.unified_diff(
            case.expected.splitlines(), found.splitlines(), "expected", "found", n=1, lineterm=""
        )
        pytest.fail(
            "\n".join(
                [
                    *diff,
                    "",
                    (
                        f"If what was found is right: {REWRITE}={case.page.stem} writes it into"
                        f" {case.page.name}."
                    ),
                ]
            ),
            pytrace=False,
        )


def rewrite(case: Case, found: str) -> None:
    text = case.page.read_text(encoding="utf-8")
    section = next(match for match in CASE.finditer(text) if match[1] == case.title)
    *_before, last = BLOCK.finditer(section[2])
    body = section[2][: last.start(4)] + found + section[2][last.end(4) :]
    case.page.write_text(text[: section.start(2)] + body + text[section.end(2) :], encoding="utf-8")


def test_the_base_estate_is_sound() -> None:
    assert _load.load(str(BASE))[1] == []


def test_cases_are_many_and_well_formed() -> None:
    assert len(CASES) >= 150
    titles = [case.title for case in CASES]
    assert sorted(set(titles)) == sorted(titles)
    for case in CASES:
        assert case.steps, case.title
        assert case.expected, f"{case.title}: the last block has the faults or warnings"


def test_every_fault_of_the_reference_page_is_in_the_corpus() -> None:
    documented = set(
        re.findall(r"^### `([\w-]+)`$", FAULTS_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    )
    shown = {
        match for case in CASES for match in re.findall(r":\d+:\d+: ([\w-]+): ", case.expected)
    }
    assert shown == documented
