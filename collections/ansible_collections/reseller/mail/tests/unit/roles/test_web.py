# SPDX-License-Identifier: GPL-3.0-or-later
"""Role web alone sets up nginx. The other roles add one file each, with their own servers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROLES = Path(__file__).parents[3] / "roles"
SERVERS = {
    "autoconfig": "https",
    "guide": "https",
    "mta_sts": "https",
    "passwords": "node",
    "tls": "main",
}
"""The roles with a server of nginx or a part of one, and the entry point of role web that each
needs."""


def text_of(role: str, pattern: str) -> str:
    return "\n".join(
        path.read_text(encoding="utf-8") for path in sorted((ROLES / role).glob(pattern))
    )


def roles_with(pattern: str, expression: str) -> set[str]:
    """Return the roles that have the expression in one of these files."""
    return {
        path.name for path in ROLES.iterdir() if re.search(expression, text_of(path.name, pattern))
    }


def test_one_role_installs_starts_validates_and_reloads_nginx() -> None:
    for folder in ("tasks", "vars"):
        found = roles_with(f"{folder}/*.yml", r"nginx\.service|sites-enabled|packages.*nginx")
        assert found <= {"web"}, folder
    assert roles_with("vars/*.yml", r"nginx\.service") == {"web"}
    assert roles_with("handlers/*.yml", "nginx") == {"web"}


def test_one_role_has_the_tls_settings_and_the_default_server_of_https() -> None:
    assert roles_with("templates/*", "ssl_protocols") == {"web"}
    assert roles_with("templates/*", "ssl default_server") == {"web"}
    assert roles_with("templates/*", "ssl_reject_handshake") == {"web"}


@pytest.mark.parametrize("role", sorted(SERVERS))
def test_every_other_role_adds_one_file_and_imports_what_it_needs(role: str) -> None:
    assert len(list((ROLES / role).glob("templates/*.nginx.conf.j2"))) == 1
    tasks = text_of(role, "tasks/*.yml")
    assert (tasks + text_of(role, "vars/*.yml")).count("/etc/nginx/") == 1
    imported = re.findall(r"name: reseller\.mail\.web\n(?:    tasks_from: (\w+)\n)?", tasks)
    assert [entry or "main" for entry in imported] == [SERVERS[role]]


def test_no_other_role_has_a_server() -> None:
    assert {path.parents[1].name for path in ROLES.glob("*/templates/*.nginx.conf.j2")} == {
        *SERVERS,
        "web",
    }


def test_all_servers_of_https_listen_at_the_same_addresses() -> None:
    for path in ROLES.glob("*/templates/*.nginx.conf.j2"):
        listens = re.findall(
            r"{% for address in (\w+) %}\n    listen {{ address }}( ssl)?",
            path.read_text(encoding="utf-8"),
        )
        assert {name for name, tls in listens if tls} <= {"web_listen"}, path
