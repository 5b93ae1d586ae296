# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils import _dns_query, _spf_chain
from ansible_collections.reseller.mail.plugins.module_utils._finding import as_dicts
from ansible_collections.reseller.mail.plugins.module_utils._verify_dns import ask
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged

ARGUMENTS = {
    "estate": {"type": "path"},
    "resolver": {"type": "str", "default": ""},
    "ca_file": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 4},
    "at_once": {"type": "int", "default": 50},
}


class ActionModule(ActionBase):
    """Runs on the controller: asks name servers and policy hosts; reads no host."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if _dns_query.DNSPYTHON_IMPORT_ERROR is not None:
            raise AnsibleActionFail("verify_dns needs the Python package dnspython on the controller") from _dns_query.DNSPYTHON_IMPORT_ERROR
        if _spf_chain.SPFTRACE_IMPORT_ERROR is not None:
            raise AnsibleActionFail("verify_dns needs the Python package spftrace on the controller") from _spf_chain.SPFTRACE_IMPORT_ERROR
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate = judged(args["estate"])
        asker = _dns_query.Asker(args["resolver"], args["timeout"], args["at_once"])
        found = asyncio.run(ask.findings(estate, asker, args["ca_file"]))
        result.update(changed=False, findings=as_dicts(found))
        return result
