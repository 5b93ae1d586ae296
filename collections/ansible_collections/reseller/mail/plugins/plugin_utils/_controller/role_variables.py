# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of roles, validated for every host before a run changes anything.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass
from pathlib import Path

import jinja2
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from jinja2 import nodes

from .._model.words import listed

ROLES = Path(__file__).parents[3] / "roles"
"""The roles of this collection."""
Variables = t.Mapping[str, t.Any]


class Loader(t.Protocol):
    """What is used of Ansible's DataLoader."""

    def load_from_file(self, file_name: str, *, trusted_as_template: bool) -> t.Any:
        """Return the content of a YAML file."""


class Templar(t.Protocol):
    """What is used of Ansible's Templar."""

    def copy_with_new_env(self, *, available_variables: Variables) -> Templar:
        """Return a templar that has other variables."""

    def template(self, variable: t.Any) -> t.Any:
        """Return a value with its templates resolved; raise AnsibleError."""


@dataclass(frozen=True)
class RoleVariables:
    """What roles say about their variables.

    Attributes:
        options: the specifications of the variables, of all entry points.
        values: the defaults, and what the defaults read.
    """

    options: t.Mapping[str, Variables]
    values: Variables


def read(roles: t.Iterable[str], loader: Loader, without: t.Container[str] = ()) -> RoleVariables:
    """Return what the files of roles say; raise AnsibleActionFail if there is no such role.

    The specifications of the variables in ``without`` are left out.
    """
    options: dict[str, Variables] = {}
    values: dict[str, t.Any] = {}
    known = sorted(path.name for path in ROLES.iterdir())
    for role in roles:
        if role not in known:
            raise AnsibleActionFail(f"roles: {role} is no role; the roles are {listed(known)}")
        points = _load(loader, ROLES / role / "meta/argument_specs.yml")["argument_specs"]
        for point in points.values():
            options.update(point.get("options") or {})
        for folder in ("defaults", "vars"):
            values.update(_load(loader, ROLES / role / folder / "main.yml"))
    options = {name: option for name, option in options.items() if name not in without}
    return RoleVariables(options, values)


def _load(loader: Loader, path: Path) -> dict[str, t.Any]:
    """Return the mapping of a file, an empty one without the file."""
    if not path.exists():
        return {}
    return loader.load_from_file(str(path), trusted_as_template=True) or {}


def values_of_play(task_vars: Variables, own: Variables) -> dict[str, t.Any]:
    """Return the variables that a play gives to all its hosts.

    ``own`` has what the inventory and the command line give to the host of ``task_vars``.
    """
    return {
        name: value
        for name, value in task_vars.items()
        if name != "vars" and (name not in own or own[name] != value)
    }


def wrong_values(roles: RoleVariables, variables: Variables, templar: Templar) -> list[str]:
    """Return what is wrong with the variables of roles on one host.

    ``variables`` has the host's variables. A value that reads facts is left out: a run knows no
    facts yet when it begins. A default only has to have a value, because it is wrong only if the
    variable that it reads is. The messages are those of ArgumentSpecValidator, and each names its
    variable.
    """
    every = {**roles.values, **variables}
    resolving = templar.copy_with_new_env(available_variables=every)
    found: list[str] = []
    for name, option in roles.options.items():
        if name in every and reads_facts(every[name], every):
            continue
        try:
            # In a mapping, a value that is `omit` disappears.
            given = resolving.template({name: every[name]}) if name in every else {}
        except AnsibleError as error:
            found.append(f"{name} has no value: {error.message}")
            continue
        if name in roles.values and name not in variables:
            continue
        result = ArgumentSpecValidator({name: option}).validate(given)
        found += [
            message if name in message else f"{name}: {message}"
            for message in result.error_messages
        ]
    return found


def reads_facts(value: t.Any, variables: Variables) -> bool:
    """Return whether the templates of a value read facts of the host, directly or not."""
    pending: list[t.Any] = [value]
    seen: set[str] = set()
    while pending:
        for name in sorted(_words(pending.pop()) - seen):
            seen.add(name)
            if name == "ansible_facts":
                return True
            if name in variables:
                pending.append(variables[name])
            elif name.startswith("ansible_"):
                return True
    return False


def _words(value: t.Any) -> frozenset[str]:
    """Return the names and texts in the templates of a value: all that can name a variable."""
    if isinstance(value, str):
        return _words_of_template(str(value)) if "{" in value else frozenset()
    parts: t.Iterable[t.Any] = ()
    if isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, (list, tuple)):
        parts = value
    return frozenset().union(*(_words(part) for part in parts))


@functools.cache
def _words_of_template(text: str) -> frozenset[str]:
    """Return the words of one template, none if its syntax is wrong."""
    try:
        tree = jinja2.Environment(autoescape=True).parse(text)
    except jinja2.TemplateSyntaxError:
        return frozenset()
    names = {node.name for node in tree.find_all(nodes.Name)}
    attributes = {node.attr for node in tree.find_all(nodes.Getattr)}
    texts = {node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)}
    return frozenset(names | attributes | texts)


def by_hosts(found: t.Mapping[str, t.Iterable[str]]) -> list[str]:
    """Return messages about hosts, each once and after the names of its hosts.

    ``found`` has the messages of each host.
    """
    hosts: dict[str, list[str]] = {}
    for host, messages in found.items():
        for message in messages:
            hosts.setdefault(message, []).append(host)
    return [f"{', '.join(names)}: {message}" for message, names in hosts.items()]
