# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a role are the same in its defaults, its argument specification and its README.

Ansible computes the defaults of a specification before the role's own defaults count: a variable that nobody set ends the role
before its first task. So a specification has plain values only, and says in words what a computed default is.
"""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from jinja2 import nodes

COLLECTION = Path(__file__).parents[3]
ROLES = COLLECTION / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir())
INVENTORY = {
    "mail_backup_mx": True,
    "mail_addresses": ["192.0.2.11", "2001:db8::11"],
    "mail_debian": 13,
    "mail_dkim_algorithms": ["rsa", "ed25519"],
    "mail_estate_dir": "/estate",
    "mail_hostname": "mx1.hosting.example",
    "mail_managed_domains": 0,
    "mail_node": "mx1",
    "mail_outbound": [
        {"transport": "out-192-0-2-11", "hostname": "out.example", "ipv4": "192.0.2.11", "ipv6": ""}
    ],
    "mail_relays": [
        {
            "name": "bulk",
            "transport": "relay-bulk",
            "host": "a.example",
            "port": 587,
            "username": "",
        }
    ],
}
"""What the inventory plugin gives to nodes."""
FACTS = {"distribution_major_version": "13", "fqdn": "mx1.hosting.example"}
COMPUTED = "By default"
"""Begins what a description says of a default that is computed."""
Options = dict[str, dict[str, t.Any]]


def _specification(role: str) -> dict[str, t.Any]:
    return yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text(encoding="utf-8"))[
        "argument_specs"
    ]


def _options(role: str) -> Options:
    """Return the options of all entry points of a role."""
    found: Options = {}
    for point in _specification(role).values():
        for name, option in (point.get("options") or {}).items():
            assert _plain(found.setdefault(name, option)) == _plain(option), (
                f"{role}: {name} differs between entry points"
            )
    return found


def _plain(option: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return an option without its description, which may differ between entry points."""
    return {key: value for key, value in option.items() if key != "description"}


def _described(options: Options) -> t.Iterator[tuple[str, str]]:
    """Yield the name and the description of options, and of the options in them."""
    for name, option in options.items():
        text = option.get("description") or ""
        yield name, text if isinstance(text, str) else " ".join(text)
        yield from _described(option.get("options") or {})


def _variables(role: str, folder: str) -> dict[str, t.Any]:
    """Return the variables of a role's file, whose texts are templates as in a run."""
    path = ROLES / role / folder / "main.yml"
    return (
        (DataLoader().load_from_file(str(path), trusted_as_template=True) or {})
        if path.exists()
        else {}
    )


def _is_computed(default: object) -> bool:
    return "{{" in str(default)


@pytest.mark.parametrize("role", NAMES)
def test_defaults_and_specification_have_the_same_variables(role: str) -> None:
    optional = {name for name, option in _options(role).items() if not option.get("required")}
    assert _variables(role, "defaults").keys() == optional


@pytest.mark.parametrize("role", NAMES)
def test_a_plain_default_is_the_same_and_a_computed_one_is_described(role: str) -> None:
    options, descriptions = _options(role), dict(_described(_options(role)))
    for name, default in _variables(role, "defaults").items():
        if _is_computed(default):
            assert "default" not in options[name], name
            assert COMPUTED in descriptions[name], name
        else:
            assert options[name].get("default") == default, name


@pytest.mark.parametrize("role", NAMES)
def test_a_default_fits_its_type(role: str) -> None:
    """Computed ones with what the inventory plugin and the facts of a host give."""
    defaults = _variables(role, "defaults")
    every = {
        **INVENTORY,
        "ansible_facts": FACTS,
        "groups": {},
        "hostvars": {},
        **defaults,
        **_variables(role, "vars"),
    }
    templar = Templar(loader=DataLoader(), variables=every)
    for name, option in _options(role).items():
        if name in defaults:
            value = templar.template(defaults[name])
            result = ArgumentSpecValidator({name: option}).validate({name: value})
            assert not result.error_messages, name
            assert option["type"] == "dict" or result.validated_parameters[name] == value, name


@pytest.mark.parametrize("role", NAMES)
def test_every_entry_point_and_every_option_is_described(role: str) -> None:
    for point, specification in _specification(role).items():
        assert (ROLES / role / "tasks" / f"{point}.yml").exists(), point
        assert specification["short_description"], point
        assert specification["description"], point
        assert [
            name
            for name, text in _described(specification.get("options") or {})
            if not text.strip()
        ] == []


# Names that begin like a variable of a role and are something else.
_OTHERS = (
    {"mail_nodes"}
    | set(NAMES)
    | {
        path.stem
        for folder in ("plugins/modules", "playbooks")
        for path in (COLLECTION / folder).iterdir()
    }
)


def _registered() -> set[str]:
    """Return the results that tasks of the roles keep for others."""
    tasks = "".join(path.read_text(encoding="utf-8") for path in ROLES.glob("*/tasks/*.yml"))
    return set(re.findall(r"^\s+register: ([a-z]\w*)$", tasks, re.M))


def _shared() -> set[str]:
    """Return the variables that belong to no role and that the defaults of roles read, such as ``mail_deletions_accepted``."""
    defaults = "".join(
        path.read_text(encoding="utf-8") for path in ROLES.glob("*/defaults/main.yml")
    )
    return set(re.findall(r"{{ \[?((?:mail|verify)_\w+) \| default\(", defaults))


def _named(text: str) -> set[str]:
    """Return the words of a text that look like variables of a role, or of all."""
    return set(
        re.findall(rf"(?<![\w./-])(?:mail|verify|{'|'.join(NAMES)})_[a-z0-9_]+\b(?![./-])", text)
    )


def _variables_of_all() -> set[str]:
    options = {name for role in NAMES for name in _options(role)}
    return options | set(INVENTORY) | _registered() | _shared()


@pytest.mark.parametrize("role", NAMES)
def test_every_variable_that_a_page_or_a_description_names_exists(role: str) -> None:
    known = _variables_of_all() | _OTHERS
    page = (ROLES / role / "README.md").read_text(encoding="utf-8")
    specification = (ROLES / role / "meta/argument_specs.yml").read_text(encoding="utf-8")
    assert _named(page) - known == set()
    assert _named(specification) - known == set()


def _expressions(value: object) -> t.Iterator[str]:
    """Yield the templates in a task, with its conditions as templates."""
    if isinstance(value, dict):
        for key, each in value.items():
            conditions = key in ("when", "that", "failed_when", "changed_when")
            for one in each if isinstance(each, list) else [each]:
                yield from [f"{{{{ {one} }}}}"] if conditions else _expressions(one)
    elif isinstance(value, list):
        for each in value:
            yield from _expressions(each)
    elif isinstance(value, str):
        yield value


def _read(role: str) -> set[str]:
    """Return the variables that a role reads and does not make itself: private ones begin with _."""
    texts = [path.read_text(encoding="utf-8") for path in ROLES.glob(f"{role}/templates/*")]
    for folder in ("tasks", "handlers", "defaults", "vars"):
        for path in ROLES.glob(f"{role}/{folder}/*.yml"):
            texts += _expressions(yaml.safe_load(path.read_text(encoding="utf-8")))
    read, made = set(), {"loop", *jinja2.defaults.DEFAULT_NAMESPACE}
    for text in texts:
        for name in jinja2.Environment(autoescape=True).parse(text).find_all(nodes.Name):
            (read if name.ctx == "load" else made).add(name.name)
    return {name for name in read - made if not name.startswith("_")}


BUILT_IN = {
    "ansible_check_mode",
    "ansible_run_tags",
    "ansible_facts",
    "ansible_play_hosts_all",
    "groups",
    "hostvars",
    "item",
    "lookup",
    "omit",
    "role_path",
}
"""What Ansible gives to every task."""


@pytest.mark.parametrize("role", NAMES)
def test_every_variable_that_a_role_reads_is_documented(role: str) -> None:
    assert _read(role) - BUILT_IN - _variables_of_all() == set()


def test_the_inventory_plugin_gives_what_these_tests_take_from_it() -> None:
    plugin = (COLLECTION / "plugins/inventory/estate.py").read_text(encoding="utf-8")
    assert set(re.findall(r'set_variable\(\s*[^,]+,\s*"(mail_\w+)"', plugin)) == set(INVENTORY)
