# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: estate
short_description: The estate as inventory
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Nodes of the estate become hosts in the group C(mail_nodes).
  - Tenants become groups C(tenant_<name>) (hyphens as underscores) of the node that serves them, so that
    C(--limit tenant_acme) reaches what acme needs.
  - Nothing that a tenant writes becomes a variable, a host or a group; group names come from the folders of C(tenants/), which have to be plain names.
    Of what the files wish, the nodes get C(mail_dkim_algorithms) alone, V(rsa) and perhaps V(ed25519).
  - A faulty estate still gives the nodes and groups that can be read, with a warning, so that M(reseller.mail.validate) can run and
    name every fault. Nothing can be built from it - every other plugin of the collection refuses. When not even one node
    can be read, parsing fails.
  - The extra variable C(mail_estate_dir) (C(-e mail_estate_dir=path)) overrides O(estate).
notes:
  - Addresses to connect to are not set. Where nodes cannot be reached by their hostname, give C(ansible_host) in another
    inventory source, as for any other host. Without it, the node's C(hostname) is used.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [reseller.mail.estate]
  estate:
    description: The estate's directory, relative to the inventory file. It must not lie inside an inventory source.
    type: str
    required: true
seealso:
  - module: reseller.mail.validate
"""

EXAMPLES = r"""
---
# inventories/example/mail.yml: gives every host mail_estate_dir, and every node mail_node, mail_hostname, mail_addresses, mail_debian
# and mail_dkim_algorithms
plugin: reseller.mail.estate
estate: ../../estates/example
"""

import os
import typing as t

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.vars import load_extra_vars
from ansible_collections.reseller.mail.plugins.module_utils._compile import opendkim
from ansible_collections.reseller.mail.plugins.module_utils._load import draft
from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault
from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal

GROUP = "mail_nodes"


class InventoryModule(BaseInventoryPlugin):
    """Reads one estate."""

    NAME = "reseller.mail.estate"

    def verify_file(self, path: str) -> bool:
        """Only files named for it, so that no other YAML file is taken for one."""
        return super().verify_file(path) and path.endswith(
            ("mail.yml", "mail.yaml", "estate.yml", "estate.yaml")
        )

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fills the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        directory = self._directory(path)
        if os.path.realpath(directory).startswith(os.path.realpath(os.path.dirname(path)) + os.sep):
            raise AnsibleParserError(
                f"the estate {directory} lies inside the inventory {os.path.dirname(path)}: Ansible would read the tenants' files "
                "as inventory, and a tenant could add hosts and variables; move it out"
            )
        estate, faults = draft(directory)
        if not estate.nodes:
            raise AnsibleParserError(_terminal.printed(_summary(directory, faults)))
        if faults:
            _terminal.warn(_summary(directory, faults))
        self.inventory.set_variable("all", "mail_estate_dir", directory)
        _fill(self.inventory, estate)

    def _directory(self, path: str) -> str:
        override = load_extra_vars(self.loader).get("mail_estate_dir")
        if override:
            return os.path.abspath(os.path.expanduser(str(override)))
        return os.path.abspath(
            os.path.join(os.path.dirname(path), os.path.expanduser(self.get_option("estate")))
        )


def _fill(inventory: t.Any, estate: Estate) -> None:
    inventory.add_group(GROUP)
    for node in estate.nodes:
        known = node.name in inventory.hosts and "ansible_host" in inventory.hosts[node.name].vars
        inventory.add_host(node.name, group=GROUP)
        inventory.set_variable(node.name, "mail_node", node.name)
        inventory.set_variable(node.name, "mail_hostname", node.hostname)
        # All that are the host's, those first that its name is served at: it may also send by the others.
        inventory.set_variable(
            node.name,
            "mail_addresses",
            list(dict.fromkeys((*node.addresses, *node.outbound_addresses))),
        )
        inventory.set_variable(node.name, "mail_debian", node.debian)
        signs = {"rsa"}.union(*opendkim.algorithms_of(estate, node).values())
        inventory.set_variable(node.name, "mail_dkim_algorithms", sorted(signs, reverse=True))
        if not known:  # a source read later, hosts.yml say, has the last word
            inventory.set_variable(node.name, "ansible_host", node.hostname)
    names = {node.name for node in estate.nodes}
    for tenant in estate.tenants:
        group = inventory.add_group(f"tenant_{tenant.name.replace('-', '_')}")
        if tenant.served and tenant.placement in names:
            inventory.add_child(group, tenant.placement)


def _summary(directory: str, faults: t.Sequence[Fault]) -> str:
    """One text for people: how many faults, the first of them, and where to see all."""
    first = "\n".join(f"  {fault}" for fault in faults[:3])
    number = (
        f"{len(faults)} faults, the first of them"
        if len(faults) > 3
        else f"{len(faults)} fault{'s' * (len(faults) != 1)}"
    )
    command = f"ansible-playbook reseller.mail.validate -e mail_estate_dir={directory}"
    return f"the estate {directory} has {number}:\n{first}\nEvery fault: {command}"
