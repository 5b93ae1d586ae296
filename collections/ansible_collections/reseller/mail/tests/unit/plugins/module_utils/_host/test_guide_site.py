# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of the guide on a node: what a run writes, relinks and removes."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import guide_site
from ansible_collections.reseller.mail.plugins.module_utils._host.guide_site import Site

FILES = {
    "shared/guide.css": b"css",
    "domains/acme.example/pages/index.html": b"acme",
    "domains/globex.example/pages/index.html": b"globex",
}
TENANTS = {"acme.example": "acme", "globex.example": "globex"}
PASSWORDS = {"acme": "secret", "globex": "other"}


@pytest.fixture(autouse=True)
def owners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests are not root, and the group of the web server need not exist."""
    monkeypatch.setattr(os, "chown", lambda *_args: None)
    monkeypatch.setattr(guide_site.grp, "getgrnam", _Group)


class _Group(t.NamedTuple):
    name: str
    gr_gid: int = 33


def site(root: Path, tenants: t.Optional[t.Mapping[str, str]] = None) -> Site:
    served = TENANTS if tenants is None else tenants
    return Site(str(root), served, "www-data", lambda password: f"hash of {password}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder after the first run."""
    here = site(tmp_path / "guide")
    assert here.without_password() == {"acme", "globex"}
    here.apply(here.changes(FILES, PASSWORDS))
    return tmp_path / "guide"


def test_the_first_run_writes_all(root: Path) -> None:
    assert (root / "access/acme").read_text() == "acme:hash of secret\n"
    assert (root / "domains/acme.example/access").read_text() == "acme:hash of secret\n"
    assert (root / "domains/globex.example/pages/index.html").read_bytes() == b"globex"
    assert (root / "access/acme").stat().st_mode & 0o777 == 0o640
    assert (root / "domains/acme.example").stat().st_mode & 0o777 == 0o750
    assert not list(root.rglob(".*"))


def test_the_second_run_changes_nothing(root: Path) -> None:
    assert site(root).without_password() == set()
    assert site(root).changes(FILES, {}).lines() == []


def test_the_lines_show_what_is_added_replaced_and_removed(root: Path) -> None:
    files = {**FILES, "shared/guide.css": b"new", "shared/guide.js": b"js"}
    del files["domains/globex.example/pages/index.html"]
    tenants = {"acme.example": "globex"}
    assert site(root, tenants).changes(files, {"globex": "third", "new": "x"}).lines() == [
        "~ password of globex",
        "+ password of new",
        "~ domains/acme.example/access -> ../../access/globex",
        "~ shared/guide.css",
        "+ shared/guide.js",
        "- access/acme",
        "- domains/globex.example/access",
        "- domains/globex.example/pages/index.html",
    ]


def test_a_domain_that_moves_is_closed_to_its_last_tenant_before_the_new_pages_come(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = site(root, {"acme.example": "globex"})
    files = {"domains/acme.example/pages/index.html": b"of globex"}
    seen = []
    write = Site._write

    def watched(self: Site, name: str, content: bytes) -> None:
        seen.append(os.readlink(root / "domains/acme.example/access"))
        write(self, name, content)

    monkeypatch.setattr(Site, "_write", watched)
    here.apply(here.changes(files, {}))
    assert seen == ["../../access/globex"]
    assert not (root / "access/acme").exists()
    assert not (root / "domains/globex.example").exists()
    assert (root / "domains/acme.example/access").read_text() == "globex:hash of other\n"
