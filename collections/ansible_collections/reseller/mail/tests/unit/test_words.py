# SPDX-License-Identifier: GPL-3.0-or-later
"""No word that the glossary replaced comes back, in names, messages, comments or pages."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

COLLECTION = Path(__file__).parents[2]
PROJECT = COLLECTION.parents[3]
GLOSSARY = COLLECTION / "docs" / "glossary.md"

CODE = ("plugins", "roles", "playbooks")
SUFFIXES = (".py", ".md", ".yml", ".yaml", ".j2", ".service", ".timer", ".socket", ".path", "")
OTHER_LANGUAGES = ("texts/de.py", "texts/fr.py")
ALLOWED = re.compile(
    r"\bstranger\.example\b|\buser=nobody\b|`nobody`|\b_judge\b|\bhandover\.json\b|\bone\.verdict\b"
)
"""An example's domain, a Unix user, a package, the file of an older version, a library's name."""


class Word(t.NamedTuple):
    """A word that is not used, what is used instead, and whether code may have it."""

    pattern: re.Pattern[str]
    instead: str
    everywhere: bool


def words() -> list[Word]:
    """Return the words of the glossary's last table."""
    table = GLOSSARY.read_text(encoding="utf-8").partition(
        "## Words that this project does not use"
    )[2]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| (everywhere|pages) \|$", table, re.MULTILINE)
    return [
        # A name's parts are words, too: `_` begins and ends one.
        Word(
            re.compile(
                rf"(?<![A-Za-z])(?:{'|'.join(not_.split(', '))})(?![A-Za-z])", re.IGNORECASE
            ),
            but,
            where == "everywhere",
        )
        for not_, but, where in rows
    ]


def pages() -> list[Path]:
    """Return what a user reads without opening the code."""
    roles = [
        path
        for path in (COLLECTION / "roles").rglob("*")
        if path.name in ("README.md", "argument_specs.yml")
    ]
    docs = [*(COLLECTION / "docs").glob("*.md"), *(PROJECT / "docs").glob("*.md")]
    return [*docs, *roles, *COLLECTION.glob("*.md"), *PROJECT.glob("*.md")]


def code() -> list[Path]:
    """Return all texts of the collection that are not tests."""
    return [
        path
        for folder in CODE
        for path in sorted((COLLECTION / folder).rglob("*"))
        if path.is_file()
        and path.suffix in SUFFIXES
        and not str(path).endswith(OTHER_LANGUAGES)
        and not any(part.startswith(".") for part in path.relative_to(COLLECTION).parts)
    ]


def found(path: Path, chosen: t.Sequence[Word]) -> t.Iterator[str]:
    """Yield each place of a file that has a word, with the word to use."""
    if path == GLOSSARY:
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = ALLOWED.sub("", line)
        for word in chosen:
            for match in word.pattern.finditer(text):
                yield f"{path.relative_to(PROJECT)}:{number}: {match[0]}: write {word.instead}"


def test_no_replaced_word_is_in_the_pages() -> None:
    places = [place for path in pages() for place in found(path, words())]
    assert not places, "\n".join(places)


def test_no_replaced_word_is_in_the_code() -> None:
    chosen = [word for word in words() if word.everywhere]
    places = [place for path in code() for place in found(path, chosen)]
    assert not places, "\n".join(places)
