# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.text.formatters import human_to_bytes
from ansible_collections.reseller.mail.plugins.plugin_utils._change.placement import (
    MoveRefused,
    planned,
    with_placement,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._change.rewrite import CannotEdit
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import (
    counted,
    refused_edit,
    tenant_of,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.files import (
    diff,
    write_edited,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._model.words import listed, meant

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate, Node


class ActionModule(ControllerAction):
    """Decide about a move on the controller, and edit the tenant's account."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "tenant": {"type": "str", "required": True},
        "to": {"type": "str", "required": True},
        "found": {"type": "dict", "required": True},
        "keep_free": {"type": "str", "default": "1G"},
        "write": {"type": "bool", "default": False},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the decision; write the account if that is asked for."""
        estate, files = counted(args["estate"])
        tenant, target = tenant_of(estate, args["tenant"]), _node(estate, args["to"])
        try:
            keep_free = human_to_bytes(args["keep_free"])
        except ValueError as error:
            raise AnsibleActionFail(f"keep_free: {error}") from None
        path = f"tenants/{tenant.name}/account.yml"
        try:
            move = planned(estate, tenant, target, args["found"], keep_free)
            text = with_placement(files[path], target.name)
        except MoveRefused as error:
            raise AnsibleActionFail(f"{error}. Nothing was changed") from None
        except CannotEdit:
            raise AnsibleActionFail(
                f"{path} has no line with placement that can be edited. Nothing was changed"
            ) from None
        faults = build({**files, path: text})[1]
        if faults:
            return refused_edit(faults)
        changed = args["write"] and text != files[path]
        if changed and not self._task.check_mode:
            write_edited(args["estate"], files, {path: text})
        return {
            "changed": changed,
            "source": move.source,
            "stage": move.stage,
            "addresses": {node.name: [str(one) for one in node.addresses] for node in estate.nodes},
            "diff": [diff(path, files[path], text)] if changed else [],
        }


def _node(estate: Estate, name: str) -> Node:
    """Return the node of that name; raise AnsibleActionFail if there is none."""
    try:
        return estate.node(name)
    except KeyError:
        names = [node.name for node in estate.nodes]
        raise AnsibleActionFail(
            f"there is no node {name}{meant(name, names)}; allowed: {listed(names)}. Nothing was"
            " changed"
        ) from None
