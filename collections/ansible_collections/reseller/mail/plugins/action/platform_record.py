# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import platform
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
}


class ActionModule(ActionBase):
    """The action of platform_record. It sends the host what its record must be."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        """Run the module on the host with the record of this collection and estate."""
        super().run(tmp, task_vars)
        _result, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        wanted = platform.record(*judged_node(args["estate"], args["node"]))
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.platform_record",
            module_args={**args, "wanted": asdict(wanted)},
            task_vars=task_vars,
        )
        return result
