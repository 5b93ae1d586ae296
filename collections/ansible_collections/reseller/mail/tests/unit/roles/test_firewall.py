# SPDX-License-Identifier: GPL-3.0-or-later
"""What role firewall has in common with other code is the same there."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml
from ansible_collections.reseller.mail.plugins.module_utils._host import bans
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import preflight

ROLE = Path(__file__).parents[3] / "roles" / "firewall"
VARIABLES: dict[str, t.Any] = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))


def test_the_ports_that_stay_open_are_those_that_preflight_expects() -> None:
    assert VARIABLES["__firewall_duties"] == list(preflight.PROGRAMS)


def test_every_jail_has_a_filter_and_a_reason() -> None:
    names = [one["name"] for one in VARIABLES["__firewall_jails"]]
    assert names == list(bans.JAILS)
    filters = {path.name for path in (ROLE / "files").glob("filter-*")}
    assert filters == {f"filter-{name}.conf" for name in names}
    written = {one["dest"] for one in VARIABLES["__firewall_ban_files"]}
    assert bans.SETTINGS in written


def test_who_guesses_passwords_loses_every_port_at_which_there_are_passwords() -> None:
    ports = {one["name"]: set(one["ports"]) for one in VARIABLES["__firewall_jails"]}
    assert ports["login"] | ports["web"] == set(preflight.PROGRAMS)
    assert ports["smtp"] == {25}
