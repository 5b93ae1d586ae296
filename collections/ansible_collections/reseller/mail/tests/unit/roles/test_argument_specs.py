# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role's argument specification says holds with an inventory that sets nothing by itself.

Ansible computes the defaults of a specification before the role's own defaults count: a variable that nobody set ends the role
before its first task.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).parents[3] / "roles"
GIVEN = frozenset(
    (
        "mail_node",
        "mail_hostname",
        "mail_addresses",
        "mail_debian",
        "mail_dkim_algorithms",
        "mail_root",
    )
)
"""What the inventory plugin gives to nodes (docs/architecture.md), and the one default that all roles share.

Roles that work on the controller must say themselves that there is no estate: ``mail_estate_dir`` is not given without the plugin."""


def _options(role: str) -> t.Iterator[tuple[str, t.Any]]:
    for point in yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text())[
        "argument_specs"
    ].values():
        for name, option in (point.get("options") or {}).items():
            if "default" in option:
                yield name, option["default"]


def _defaults(role: str) -> dict[str, t.Any]:
    path = ROLES / role / "defaults" / "main.yml"
    return yaml.safe_load(path.read_text()) or {} if path.exists() else {}


@pytest.mark.parametrize("role", sorted(path.name for path in ROLES.iterdir()))
def test_a_default_needs_no_variable_that_an_inventory_may_lack(role: str) -> None:
    variables = {**dict.fromkeys(GIVEN, "given"), "groups": {}, "hostvars": {}}
    templar = Templar(loader=DataLoader(), variables=variables)
    for name, default in _options(role):
        if isinstance(default, str) and "{{" in default:
            templar.template(trust_as_template(default))
        assert name in GIVEN or name in _defaults(role), (
            f"{role}: {name} has a default in its specification alone"
        )
