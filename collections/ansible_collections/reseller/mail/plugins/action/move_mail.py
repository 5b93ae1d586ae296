# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import (
    judged_node,
    tenant_of,
)

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "tenant": {"type": "str", "required": True},
    "step": {
        "type": "str",
        "choices": ["found", "key", "open", "copy", "wait", "settle", "receive", "close"],
        "default": "found",
    },
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    "mail": {"type": "path", "default": "/srv/vmail"},
    "addresses": {"type": "list", "elements": "str", "default": []},
    "port": {"type": "int", "default": 22},
    "key": {"type": "str", "default": "", "no_log": False},
    "host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "paths": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):
    """Name the tenant's domains to the host, which does one step of the move."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _result, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, _node = judged_node(args["estate"], args["node"])
        tenant = tenant_of(estate, args["tenant"])
        args["domains"] = sorted(
            domain.name for domain in tenant.served_domains() if domain.type == "mail"
        )
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.move_mail", module_args=args, task_vars=task_vars
        )
        return result
