# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run lacks that its playbook needs: hosts, variables, tags, a DNS server.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import PurePath

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from .._model.words import listed, meant

if t.TYPE_CHECKING:
    from .._model.estate import Estate

NO_NODES = (
    "the inventory has no nodes: it needs a file mail.yml with the plugin reseller.mail.estate;"
    " docs/inventory.md of the collection has an example"
)
SPECIAL_TAGS = frozenset({"all", "always", "never", "tagged", "untagged"})
"""Tags with a meaning in Ansible."""
MOLECULE_SKIPS = frozenset({"molecule-notest", "notest", "molecule-idempotence-notest"})
"""Tags that Molecule gives to --skip-tags in every run, whether a playbook has them or not."""
OWN_KEYS = ("description", "example")
"""Keys of a variable that are for people. Ansible's validator does not know ``example``."""

GROUP = "tenant_"
"""How the name of a tenant's group in the inventory begins."""

Variables = t.Mapping[str, t.Mapping[str, t.Any]]


@dataclass(frozen=True)
class Hosts:
    """The hosts of a run.

    Attributes:
        left: those of the inventory and localhost that --limit leaves.
        nodes: the members of the group mail_nodes.
        unknown: those members that are not nodes of the estate.
        limit: the text of --limit, empty without one.
    """

    left: frozenset[str]
    nodes: tuple[str, ...]
    unknown: tuple[str, ...]
    limit: str


def lacking_hosts(hosts: Hosts, works_on: t.Collection[str]) -> list[str]:
    """Return what is wrong with the inventory or with --limit for a playbook.

    ``works_on`` has ``localhost`` if the playbook has plays there, ``mail_nodes`` if it has plays
    on nodes. Without this check Ansible skips plays without hosts, and the run succeeds.
    """
    if "mail_nodes" in works_on:
        if not hosts.nodes:
            return [NO_NODES]
        if hosts.unknown:
            return [
                f"{', '.join(hosts.unknown)}: in the group mail_nodes of the inventory, but no node"
                " of the estate; remove it from the group, or add it to estate.yml"
            ]
    on_nodes = [node for node in hosts.nodes if node in hosts.left]
    lacks_localhost = "localhost" in works_on and "localhost" not in hosts.left
    lacks_nodes = "mail_nodes" in works_on and not on_nodes
    if not lacks_localhost and not lacks_nodes:
        return []
    if "mail_nodes" not in works_on:
        return [f"{_limit(hosts)} leaves out localhost, where this playbook works: omit --limit"]
    example = ",".join([hosts.nodes[0], *(["localhost"] if "localhost" in works_on else [])])
    if lacks_nodes:
        return [
            f"{_limit(hosts)} leaves no node; the inventory has {listed(hosts.nodes)}; give for"
            f" example --limit {example}"
        ]
    return [
        f"{_limit(hosts)} leaves out localhost, where this playbook also works; give --limit"
        f" {hosts.limit or ','.join(on_nodes)},localhost"
    ]


def lacking_tenant(tenant: str, groups: t.Mapping[str, t.Collection[str]]) -> list[str]:
    """Return what is wrong with the one tenant that a run is about.

    ``groups`` are those of the inventory. The inventory plugin makes one for each tenant, with the
    node that serves it.
    """
    if groups.get(group_of(tenant)):
        return []
    if group_of(tenant) in groups:
        return [f"no node serves the tenant {tenant}: run the playbook for all tenants"]
    known = sorted(
        name.removeprefix(GROUP).replace("_", "-") for name in groups if name.startswith(GROUP)
    )
    return [f"the estate has no tenant {tenant}{meant(tenant, known, alike=0.6)}"]


def group_of(tenant: str) -> str:
    """Return the name of the inventory's group of the node that serves a tenant."""
    return GROUP + tenant.replace("-", "_")


def _limit(hosts: Hosts) -> str:
    return f"--limit {hosts.limit}" if hosts.limit else "the run"


def wrong_variables(
    values: t.Mapping[str, t.Any],
    variables: Variables,
    required_one_of: t.Iterable[t.Sequence[str]] = (),
) -> list[str]:
    """Return what is wrong with the values of a playbook's variables, by the variables' names.

    ``values`` has the values that are set. An empty text for a required variable counts as not set.
    """
    given = {name for name, value in values.items() if value not in (None, "")}
    found = [
        _missing([name], variables)
        for name, option in variables.items()
        if option.get("required") and name not in given
    ]
    found += [
        _missing(names, variables) for names in required_one_of if not given.intersection(names)
    ]
    specification = {
        name: {
            key: value
            for key, value in option.items()
            if key not in OWN_KEYS and key not in ("required", "default")
        }
        for name, option in variables.items()
    }
    result = ArgumentSpecValidator(specification).validate(
        {name: value for name, value in values.items() if name in specification}
    )
    return found + list(result.error_messages)


def _missing(names: t.Sequence[str], variables: Variables) -> str:
    """Return that one of some variables is missing, and how to give it."""
    ways = " or ".join(
        f"-e {name}={variables[name].get('example', '...')} ({_described(variables[name])})"
        for name in names
    )
    return f"{' or '.join(names)} is missing: give {ways}"


def _described(option: t.Mapping[str, t.Any]) -> str:
    """Return the first sentence of a description, to be used inside a sentence."""
    text = option["description"]
    first = (text if isinstance(text, str) else text[0]).partition(". ")[0].rstrip(".")
    return first[0].lower() + first[1:] if first[:2].istitle() else first


def unknown_tags(
    given: t.Iterable[str], tags: t.Collection[str], playbook: str, started: t.Iterable[str]
) -> list[str]:
    """Return the tags of --tags and --skip-tags that the playbook does not have.

    ``started`` has the playbooks of the command line. Another playbook that imports this one may
    have tags of its own, so tags are then not compared.
    """
    if not any(
        PurePath(one).name in (playbook, f"{playbook}.yml", f"reseller.mail.{playbook}")
        for one in started
    ):
        return []
    return [
        f"the playbook {playbook} has no tag {tag}{meant(tag, tags, alike=0.6)}; it has"
        f" {listed(tags)}"
        for tag in sorted(set(given) - SPECIAL_TAGS - set(tags))
    ]


def managed_domains(estate: Estate) -> int:
    """Return how many names of tenants the provider publishes: ``managed_domains`` that are
    served."""
    return sum(
        managed
        for _tenant, domain in estate.served_domains()
        for managed in (domain.managed, *(alias.managed for alias in domain.domain_aliases))
    )


def lacking_dns_server(managed: int, values: t.Mapping[str, t.Any]) -> list[str]:
    """Return what is missing to publish managed domains.

    ``values`` has what localhost knows of ``dns_publish_server`` and ``dns_publish_driver``. A
    driver that is set is a decision, also ``manual``.
    """
    if not managed or values.get("dns_publish_server") or values.get("dns_publish_driver"):
        return []
    return [
        f"{managed} domain{'s' * (managed != 1)} of tenants {'are' if managed != 1 else 'is'} in"
        " managed_domains, and no DNS server is set to publish"
        f" {'them' if managed != 1 else 'it'}: set dns_publish_server (docs/dns.md), or"
        " dns_publish_driver=manual if you publish the files in build/dns yourself"
    ]
