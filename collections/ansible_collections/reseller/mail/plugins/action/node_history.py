# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    placement,
    platform,
    terminal,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._model import node_history

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    "mail_home": {"type": "path", "default": "/srv/vmail"},
    "virgin_host": {"type": "str", "choices": ["refuse", "restore", "new"], "default": "refuse"},
    "platform_required": {"type": "bool", "default": False},
    "moving": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):
    """Compare what the host has with what the estate records about the earlier host of the node."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, node = judged_node(args["estate"], args["node"])
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.node_history", module_args=args, task_vars=task_vars
        )
        if result.get("failed") or "host" not in result:
            return result
        found = result.pop("host")
        if args["platform_required"]:
            why = platform.refusal(found.get("platform"), platform.record(estate, node))
            if why:
                return {**result, "failed": True, "missing": {}, "msg": why}
        why = placement.unmoved(estate, node, found["serves"], found["passes_on"], args["moving"])
        if why:
            return {**result, "failed": True, "missing": {}, "unmoved": True, "msg": why}
        there = {part: bool(found[part]) for part in ("credentials", "dkim", "mail", "mailboxes")}
        host = node_history.Host(**there, mail_home=str(found["mail_home"]))
        lost = node_history.missing(
            estate, node, host, node_history.Places(args["root"], args["mail_home"])
        )
        result.update(changed=False, missing=lost, virgin=not any(there.values()))
        if lost and args["virgin_host"] == "refuse":
            result.update(failed=True, msg=node_history.refusal(node.name, lost))
        elif lost and args["virgin_host"] == "restore":
            result["msg"] = node_history.waiting(node.name, lost)
        elif lost:
            terminal.warn(node_history.accepted(node.name, lost))
        return result
