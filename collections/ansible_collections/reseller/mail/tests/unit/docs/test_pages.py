# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page is in the index of docs/, and every relative link of a Markdown page leads somewhere."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

import pytest

COLLECTION = Path(__file__).parents[3]
PROJECT = COLLECTION.parents[3]
INDEX = COLLECTION / "docs" / "README.md"
LEFT_OUT = ("build", "node_modules")
"""Folders of files that commands write. Hidden folders are left out, too."""

FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.M | re.S)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)")
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|^\[[^\]]+\]: (\S+)", re.M)
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.M)
ANCHOR = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")
OUTSIDE = re.compile(r"^[a-z][a-z0-9+.-]*:|^//")
"""A link with a scheme, such as https: or mailto:. The tests need no network, so they skip it."""


def _markdown() -> t.Iterator[Path]:
    """Return every Markdown page of the project."""
    for folder, names, files in os.walk(PROJECT):
        names[:] = sorted(n for n in names if not n.startswith(".") and n not in LEFT_OUT)
        for name in sorted(files):
            if name.endswith(".md"):
                yield Path(folder, name)


PAGES = list(_markdown())


def _links(page: Path) -> list[str]:
    """Return the targets of all links of a page that are not links to other sites."""
    text = CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    targets = [inline or reference for inline, reference in LINK.findall(text)]
    return [target for target in targets if not OUTSIDE.match(target)]


def _anchors(page: Path) -> set[str]:
    """Return the names that ``#name`` can lead to, as GitHub and GitLab make them of headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    names = set(ANCHOR.findall(text))
    for heading in HEADING.findall(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        same = sum(1 for known in names if re.fullmatch(rf"{re.escape(name)}(-\d+)?", known))
        names.add(f"{name}-{same}" if name in names else name)
    return names


def _broken(page: Path) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading of a page."""
    return [link for link in _links(page) if not _exists(page, *link.split("#", 1))]


def _exists(page: Path, path: str, anchor: str = "") -> bool:
    """Return whether a link of a page leads to a file, and its anchor to a heading there."""
    target = page.parent / path if path else page
    if anchor and target.suffix == ".md":
        return target.exists() and anchor in _anchors(target)
    return target.exists()


def _name(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def test_the_pages_of_the_project_are_found() -> None:
    assert INDEX in PAGES
    assert PROJECT / "README.md" in PAGES
    assert len(PAGES) > 40


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert _broken(page) == []


def test_every_page_and_every_role_is_in_the_index() -> None:
    wanted = {page for page in (COLLECTION / "docs").glob("*.md") if page != INDEX}
    wanted |= set((COLLECTION / "roles").glob("*/README.md"))
    assert len(wanted) > 25
    linked = {(INDEX.parent / link.partition("#")[0]).resolve() for link in _links(INDEX)}
    assert sorted(_name(page) for page in wanted if page.resolve() not in linked) == []


def test_every_role_has_a_page() -> None:
    roles = [path.parent for path in (COLLECTION / "roles").glob("*/meta")]
    assert [role.name for role in roles if not (role / "README.md").is_file()] == []


def test_the_readme_of_the_project_is_short() -> None:
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) <= 70


def test_the_readmes_lead_to_the_index_and_the_glossary() -> None:
    wanted = {INDEX, INDEX.with_name("glossary.md")}
    for readme in (PROJECT / "README.md", COLLECTION / "README.md"):
        linked = {(readme.parent / link.partition("#")[0]).resolve() for link in _links(readme)}
        assert wanted <= linked, readme
