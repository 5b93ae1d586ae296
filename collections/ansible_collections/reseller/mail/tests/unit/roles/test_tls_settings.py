# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles work alone, so each has its list of key exchange groups; what is one fact must be the same
in all of them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROLES = Path(__file__).parents[3] / "roles"
HYBRID = "X25519MLKEM768"


def variables(role: str) -> dict[str, object]:
    return yaml.safe_load((ROLES / role / "vars/main.yml").read_text(encoding="utf-8"))


def test_all_daemons_offer_the_same_groups_and_hybrid_ones_where_openssl_has_them() -> None:
    web = {
        release: settings["groups"]
        for release, settings in variables("web")["__web_releases"].items()
    }
    postfix = {
        release: settings["groups"]
        for release, settings in variables("postfix")["__postfix_releases"].items()
    }
    assert web == postfix
    assert {release: HYBRID in groups.split(":") for release, groups in web.items()} == {
        "12": False,
        "13": True,
    }
    dovecot = str(variables("dovecot")["__dovecot_groups"])
    assert all(f"'{release}': '{groups}'" in dovecot for release, groups in web.items())


def test_every_server_of_nginx_includes_the_one_file_of_tls_settings() -> None:
    for template in ROLES.glob("*/templates/*.nginx.conf.j2"):
        text = template.read_text(encoding="utf-8")
        servers = [
            block
            for block in text.split("\nserver {")[1:]
            if " ssl" in block.partition("server_name")[0]
        ]
        assert all("include snippets/reseller-mail-tls.conf;" in block for block in servers), (
            template
        )
        assert "ssl_protocols" not in text, template


def test_no_daemon_signs_with_sha_1_and_all_have_the_same_list() -> None:
    lists = [re.findall(r"SignatureAlgorithms(?: =)? ([^;\n]+)",
                        (ROLES / file).read_text(encoding="utf-8")) for file in (
        "web/templates/tls.conf.j2", "postfix/templates/openssl.cnf.j2",
    )]  # fmt: skip
    assert len(lists[0]) == 1
    assert lists[0] == lists[1]
    assert not re.search(r"(?i)sha1|sha-1|sha224|md5", lists[0][0])
