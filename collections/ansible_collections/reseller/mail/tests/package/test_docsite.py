# SPDX-License-Identifier: GPL-3.0-or-later
"""``make docs`` builds a docsite with all pages of the collection, and no link leads nowhere."""

from __future__ import annotations

import subprocess
import typing as t
import urllib.parse
from html.parser import HTMLParser
from pathlib import Path

import pytest

COLLECTION = Path(__file__).parents[2]
PROJECT = COLLECTION.parents[3]


class Page(HTMLParser):
    """The targets and the links of one page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, t.Optional[str]]]) -> None:
        given = dict(attrs)
        self.ids |= {given[name] or "" for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    done = subprocess.run(
        [PROJECT / "scripts" / "docs.sh", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return folder / "html"


def test_the_docsite_has_every_page_role_and_module(site: Path) -> None:
    pages = [
        *(COLLECTION / "docs").glob("*.md"),
        *COLLECTION.glob("roles/*/README.md"),
        COLLECTION / "README.md",
    ]
    wanted = [path.relative_to(COLLECTION).with_suffix(".html") for path in pages]
    wanted += [
        Path("collection") / f"{path.stem}_module.html"
        for path in (COLLECTION / "plugins" / "modules").glob("*.py")
    ]
    assert len(wanted) > 60
    assert [str(path) for path in wanted if not (site / path).exists()] == []


def test_no_link_of_the_docsite_leads_nowhere(site: Path) -> None:
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    lost, followed = [], 0
    for file, page in pages.items():
        for link in page.links:
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            followed += 1
            path = urllib.parse.unquote(parts.path)
            target = (file.parent / path).resolve() if path else file
            fragment = urllib.parse.unquote(parts.fragment)
            if not target.is_file() or (
                fragment and target in pages and fragment not in pages[target].ids
            ):
                lost.append(f"{file.relative_to(site)}: {link}")
    assert followed > 5000
    assert sorted(set(lost)) == []
