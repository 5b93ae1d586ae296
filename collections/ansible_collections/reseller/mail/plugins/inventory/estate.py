# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: estate
short_description: Read the hosts and groups of an inventory from an estate
version_added: 0.1.0
author:
  - Reseller Mail developers (@reseller-mail)
description:
  - Nodes of the estate become hosts in the group C(mail_nodes).
  - Tenants become groups C(tenant_<name>) (hyphens as underscores) of the node that serves them, so
    that C(--limit tenant_acme) reaches what acme needs.
  - Nothing that a tenant writes becomes a variable, a host or a group. Group names come from the
    folders of C(tenants/), which must have plain names. The one setting of the files that a node
    gets is C(mail_dkim_algorithms), V(rsa) and possibly V(ed25519). All hosts get
    C(mail_managed_domains), the number of domains that the provider publishes for tenants.
  - An estate with faults still gives the nodes and groups that can be read, with a warning, so
    that M(reseller.mail.validate) can run and list every fault. Every other plugin of the
    collection refuses such an estate. If no node can be read, parsing fails.
  - The extra variable C(mail_estate_dir) (C(-e mail_estate_dir=path)) overrides O(estate).
notes:
  - A Python package that the estate needs and that is missing ends Ansible. For other errors of
    inventory plugins Ansible prints a warning, and goes on without the hosts.
  - The plugin does not set addresses to connect to. If a node cannot be reached by its host name,
    set C(ansible_host) in another inventory source, as for any other host. Without it, the node's
    C(hostname) is used.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [reseller.mail.estate]
  estate:
    description: The estate's directory, relative to the inventory file. It must not be inside an
      inventory source.
    type: str
    required: true
seealso:
  - module: reseller.mail.validate
"""

EXAMPLES = r"""
---
# inventories/example/mail.yml: gives every host mail_estate_dir, and every node mail_node,
# mail_hostname, mail_addresses, mail_debian, mail_outbound, mail_backup_mx,
# mail_relays and mail_dkim_algorithms
plugin: reseller.mail.estate
estate: ../../estates/example
"""

import os
import typing as t

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.vars import load_extra_vars
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import opendkim, outgoing
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import packages, terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.run_requirements import (
    group_of,
    managed_domains,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import draft
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate
from ansible_collections.reseller.mail.plugins.plugin_utils._model.values import Fault

GROUP = "mail_nodes"


class InventoryModule(BaseInventoryPlugin):
    """The inventory plugin: it reads one estate."""

    NAME = "reseller.mail.estate"

    def verify_file(self, path: str) -> bool:
        """Return whether the file has one of the names that this plugin reads."""
        return super().verify_file(path) and path.endswith(
            ("mail.yml", "mail.yaml", "estate.yml", "estate.yaml")
        )

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Fill the inventory; raise AnsibleParserError if the estate has no node that can be
        read."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        directory = self._directory(path)
        if os.path.realpath(directory).startswith(os.path.realpath(os.path.dirname(path)) + os.sep):
            raise AnsibleParserError(
                f"the estate {directory} is inside the inventory {os.path.dirname(path)}: Ansible"
                " would read the tenants' files as inventory, and a tenant could add hosts and"
                " variables; move it out"
            )
        try:
            estate, faults = draft(directory)
        except ImportError as error:
            # Ansible makes a warning of any other exception, and goes on without hosts.
            sentence = packages.at_import_error(f"ERROR! the estate {directory}", error)
            raise SystemExit(terminal.printed(sentence)) from error
        if not estate.nodes:
            raise AnsibleParserError(terminal.printed(_summary(directory, faults)))
        if faults:
            terminal.warn(_summary(directory, faults))
        self.inventory.set_variable("all", "mail_estate_dir", directory)
        self.inventory.set_variable("all", "mail_managed_domains", managed_domains(estate))
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
        # The addresses of its name come first; it may also send from the others.
        inventory.set_variable(
            node.name,
            "mail_addresses",
            list(dict.fromkeys((*node.addresses, *node.outbound_addresses))),
        )
        inventory.set_variable(node.name, "mail_debian", node.debian)
        inventory.set_variable(node.name, "mail_outbound", outgoing.outbound_settings(node))
        inventory.set_variable(node.name, "mail_backup_mx", node.is_backup_mx)
        inventory.set_variable(node.name, "mail_relays", outgoing.relay_settings(estate))
        algorithms = opendkim.instances(estate, node)
        inventory.set_variable(node.name, "mail_dkim_algorithms", algorithms)
        if not known:  # a source that is read later, such as hosts.yml, decides
            inventory.set_variable(node.name, "ansible_host", node.hostname)
    names = {node.name for node in estate.nodes}
    for tenant in estate.tenants:
        group = inventory.add_group(group_of(tenant.name))
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
