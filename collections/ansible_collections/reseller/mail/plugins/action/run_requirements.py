# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t

from ansible import context
from ansible.errors import AnsibleError
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    role_variables,
    run_requirements,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import draft


class ActionModule(ControllerAction):
    """Refuse a run that lacks what its playbook needs."""

    BYPASS_HOST_LOOP = True
    """It is about the run, so it runs once for a play."""

    ARGUMENTS = {
        "playbook": {"type": "str", "required": True},
        "works_on": {
            "type": "list",
            "elements": "str",
            "choices": ["localhost", "mail_nodes"],
            "default": ["localhost"],
        },
        "publishes": {"type": "bool", "default": False},
        "variables": {"type": "dict", "default": {}},
        "required_one_of": {"type": "list", "elements": "list", "default": []},
        "roles": {
            "type": "dict",
            "default": {},
            "options": {
                "localhost": {"type": "list", "elements": "str", "default": []},
                "mail_nodes": {"type": "list", "elements": "str", "default": []},
            },
        },
        "tags": {"type": "dict", "default": {}},
        "tenant": {"type": "str", "default": ""},
    }

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        self._task_vars = task_vars or {}
        return super().run(tmp, task_vars)

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return a failure that names everything that is missing, or a success."""
        wrong = [
            *self._wrong_tags(args),
            *self._wrong_variables(args),
            *self._wrong_role_variables(args),
            *(
                run_requirements.lacking_tenant(args["tenant"], self._task_vars["groups"])
                if args["tenant"]
                else ()
            ),
        ]
        wrong += run_requirements.lacking_hosts(
            self._hosts("" if wrong else args["tenant"]), args["works_on"]
        )
        if not wrong and args["publishes"]:
            wrong = self._lacking_dns_server()
        if wrong:
            return {"failed": True, "changed": False, "msg": "\n".join(wrong)}
        return {"changed": False}

    def _hosts(self, tenant: str = "") -> run_requirements.Hosts:
        """Return the hosts of the run, as the inventory, --limit and the one tenant make them."""
        nodes = self._task_vars["groups"].get("mail_nodes", [])
        if tenant:
            serving = self._task_vars["groups"][run_requirements.group_of(tenant)]
            nodes = [node for node in nodes if node in serving]
        hostvars = self._task_vars["hostvars"]
        return run_requirements.Hosts(
            frozenset(self._task_vars["ansible_play_hosts_all"]),
            tuple(nodes),
            tuple(node for node in nodes if "mail_node" not in hostvars[node]),
            str(self._task_vars.get("ansible_limit") or ""),
        )

    def _wrong_variables(self, args: dict[str, t.Any]) -> list[str]:
        """Return what is wrong with the variables."""
        values, wrong = {}, []
        for name in args["variables"]:
            try:
                if name in self._task_vars:
                    values[name] = self._value(name)
            except AnsibleError as error:
                wrong.append(f"{name} has no value: {error.message}")
        return wrong or run_requirements.wrong_variables(
            values, args["variables"], args["required_one_of"]
        )

    def _wrong_role_variables(self, args: dict[str, t.Any]) -> list[str]:
        """Return what is wrong with the variables of the roles, on each host of the run."""
        hosts = self._hosts()
        nodes = [node for node in hosts.nodes if node in hosts.left and node not in hosts.unknown]
        places = {"localhost": sorted({"localhost"} & hosts.left), "mail_nodes": nodes}
        found = {}
        for place, roles in args["roles"].items():
            known = role_variables.read(roles, self._loader, without=args["variables"])
            for host in places[place] if roles else ():
                found[host] = role_variables.wrong_values(
                    known, self._variables_of(host), self._templar
                )
        return role_variables.by_hosts(found)

    def _variables_of(self, host: str) -> dict[str, t.Any]:
        """Return the variables that a host has in this play."""
        hostvars = self._task_vars["hostvars"]
        own = hostvars.raw_get(self._task_vars["inventory_hostname"])
        return {
            **hostvars.raw_get(host),
            **role_variables.values_of_play(self._task_vars, own),
        }

    def _value(self, name: str) -> t.Any:
        """Return the value of a variable, with its templates resolved."""
        return self._templar.template(self._task_vars[name])

    def _wrong_tags(self, args: dict[str, t.Any]) -> list[str]:
        """Return the tags of the command line that the playbook does not have."""
        skipped = set(self._task_vars.get("ansible_skip_tags", ()))
        given = {
            *self._task_vars.get("ansible_run_tags", ()),
            *(skipped - run_requirements.MOLECULE_SKIPS),
        }
        started = context.CLIARGS.get("args") or ()
        return run_requirements.unknown_tags(given, args["tags"], args["playbook"], started)

    def _lacking_dns_server(self) -> list[str]:
        """Return what is missing to publish the domains that the estate has to publish."""
        names = ("dns_publish_server", "dns_publish_driver")
        values = {name: self._value(name) for name in names if name in self._task_vars}
        return run_requirements.lacking_dns_server(self._managed(), values)

    def _managed(self) -> int:
        """Return the number that the inventory plugin gave, or count in the estate's files."""
        if "mail_managed_domains" in self._task_vars:
            return int(self._value("mail_managed_domains"))
        directory = self._task_vars.get("mail_estate_dir")
        if not directory:
            return 0
        estate, _faults = draft(os.path.abspath(str(self._value("mail_estate_dir"))))
        return run_requirements.managed_domains(estate)
