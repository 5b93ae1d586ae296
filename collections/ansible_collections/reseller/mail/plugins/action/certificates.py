# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import tls
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node


class ActionModule(ActionBase):
    """The action of certificates. It adds the names from the model, if the task has none."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        """Run the module on the host with the names that need certificates."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        if args.get("names") is None:
            args["names"], managed = self._names(args)
        else:
            managed = args["names"]
        args.setdefault("published", managed)
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.certificates", module_args=args, task_vars=task_vars
        )
        return result

    def _names(self, args: dict[str, t.Any]) -> tuple[list[str], list[str]]:
        """Return the node's names, and those of them whose addresses the provider publishes."""
        if not args.get("estate") or not args.get("node"):
            raise AnsibleActionFail("names, or both estate and node, are required")
        estate, node = judged_node(args["estate"], args["node"])
        return tls.names(estate, node), tls.names_in_managed_zones(estate, node)
