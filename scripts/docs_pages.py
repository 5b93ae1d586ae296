# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the pages of the collection into the source folder of the docsite (scripts/docs.sh FOLDER).

They keep their places, so links between them work. What is no page is in the repository alone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COLLECTION = PROJECT / "collections/ansible_collections/reseller/mail"
_LINK = re.compile(r"\]\(([^)#:\s]+)")


def repository() -> str:
    """Return the address of the repository, as galaxy.yml has it."""
    found = re.search(
        r"^repository: (\S+)$", (COLLECTION / "galaxy.yml").read_text("utf-8"), re.MULTILINE
    )
    if found is None:
        raise SystemExit("galaxy.yml names no repository")
    return found.group(1)


def pages() -> list[Path]:
    """Return the files that become pages."""
    return [
        COLLECTION / "README.md",
        *sorted(COLLECTION.glob("docs/*.md")),
        *sorted(COLLECTION.glob("roles/*/README.md")),
    ]


def for_docsite(text: str, page: Path, known: set[Path], address: str) -> str:
    """Return a page whose links to files that are no pages lead to the repository."""

    def link(found: re.Match[str]) -> str:
        target = (page.parent / found.group(1)).resolve()
        if target in known or not target.exists():
            return found.group(0)
        kind = "tree" if target.is_dir() else "blob"
        return f"]({address}/{kind}/main/{target.relative_to(PROJECT)}"

    return _LINK.sub(link, text)


if __name__ == "__main__":
    for each in pages():
        copy = Path(sys.argv[1]) / each.relative_to(COLLECTION)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(
            for_docsite(each.read_text("utf-8"), each, set(pages()), repository()), "utf-8"
        )
