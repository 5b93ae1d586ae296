# SPDX-License-Identifier: GPL-3.0-or-later
"""What role base installs."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

COLLECTION = Path(__file__).parents[3]
ROLES = COLLECTION / "roles"


def variables(role: str, folder: str) -> dict[str, t.Any]:
    path = ROLES / role / folder / "main.yml"
    if not path.exists():
        return {}
    return DataLoader().load_from_file(str(path), trusted_as_template=True) or {}


def base_packages(**settings: t.Any) -> set[str]:
    """Return the default of base_packages."""
    every = {**variables("base", "defaults"), **variables("base", "vars"), **settings}
    return set(Templar(loader=DataLoader(), variables=every).template(every["base_packages"]))


def installed_by(role: str, **settings: t.Any) -> set[str]:
    """Return the packages that the tasks of a role install."""
    every = {**variables("web", "vars"), **variables(role, "defaults"), **variables(role, "vars")}
    every.update(settings)
    templar = Templar(loader=DataLoader(), variables=every)
    found: set[str] = set()
    for path in (ROLES / role / "tasks").glob("*.yml"):
        for task in DataLoader().load_from_file(str(path), trusted_as_template=True):
            names = (task.get("reseller.mail.host_config") or {}).get("packages", [])
            apt = (task.get("ansible.builtin.apt") or {}).get("name", [])
            for packages in (names, apt):
                packages = templar.template(packages)
                found.update([packages] if isinstance(packages, str) else packages)
    return found


def roles_of_site() -> list[str]:
    text = (COLLECTION / "playbooks/site.yml").read_text(encoding="utf-8")
    return sorted({path.name for path in ROLES.iterdir() if f"reseller.mail.{path.name}" in text})


@pytest.mark.parametrize("role", [role for role in [*roles_of_site(), "web"] if role != "base"])
def test_base_installs_the_packages_of_every_role_of_the_site_at_once(role: str) -> None:
    assert installed_by(role) <= base_packages()


def test_the_roles_with_daemons_have_packages_of_their_own() -> None:
    assert all(installed_by(role) for role in ("web", "tls", "postfix", "dovecot", "opendkim"))


def test_the_virus_scanner_is_for_hosts_that_want_it() -> None:
    more = base_packages(filter_antivirus=True)
    assert more - base_packages() == {"clamav-daemon", "clamav-freshclam"}
    assert installed_by("filter", filter_antivirus=True) <= more


def test_certbot_is_for_acme_alone() -> None:
    assert base_packages() - base_packages(tls_source="files") == {"certbot"}


def test_postfix_is_named_so_that_apt_removes_another_mail_server() -> None:
    """apt of Debian 12 does not remove Exim for a package that only depends on Postfix: it fails
    with "pkgProblemResolver::Resolve generated breaks"."""
    assert {"postfix", "postfix-lmdb"} <= base_packages()
