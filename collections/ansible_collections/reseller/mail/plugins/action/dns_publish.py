# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.reseller.mail.plugins.module_utils import _dns_publish, _dns_query
from ansible_collections.reseller.mail.plugins.module_utils._dns_update import Primary
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "server": {"type": "str", "required": True},
    "port": {"type": "int", "default": 53},
    "key_name": {"type": "str", "default": ""},
    "key_algorithm": {
        "type": "str", "default": "hmac-sha256",
        "choices": ["hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"],
    },
    "key_secret": {"type": "str", "default": "", "no_log": True},
    "resolver": {"type": "str", "default": ""},
    "ca_file": {"type": "str", "default": ""},
    "wait": {"type": "int", "default": 30},
}


class ActionModule(ActionBase):
    """Runs on the controller: reads the model, asks the primary server, sends what differs."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if _dns_query.DNSPYTHON_IMPORT_ERROR is not None:
            raise AnsibleActionFail("dns_publish needs the Python package dnspython on the controller") from _dns_query.DNSPYTHON_IMPORT_ERROR
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate = judged(args["estate"])
        asker = _dns_query.Asker(args["resolver"])
        primary = Primary(
            _dns_query.server_at(args["server"], args["port"]), args["key_name"], args["key_algorithm"], args["key_secret"],
        )
        outcome = asyncio.run(_dns_publish.publish(
            estate, asker, primary, ca_file=args["ca_file"], seconds=args["wait"], check_mode=bool(self._task.check_mode),
        ))
        lines = [line for change in outcome.changes for line in change.lines()]
        result.update(changed=bool(outcome.changes), changes=lines, pending=outcome.pending, lagging=outcome.lagging)
        if self._task.diff and lines:
            result["diff"] = {"prepared": "".join(f"{line}\n" for line in lines)}
        for text in outcome.pending:
            Display().display(f"pending: {text}")
        for text in outcome.lagging:
            Display().warning(f"does not have the new data yet: {text}")
        if outcome.faults:
            result.update(failed=True, msg="\n".join(outcome.faults))
        return result
