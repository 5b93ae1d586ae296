# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._finding import Finding, as_dicts
from ansible_collections.reseller.mail.plugins.module_utils._verify_quota import (
    Live,
    ledger_findings,
    node_findings,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node

ARGUMENTS = {
    "estate": {"type": "path"},
    "node": {"type": "str", "required": True},
    "users_file": {"type": "str", "default": "/var/lib/reseller-mail/current/dovecot/all_users"},
    "warn_at": {"type": "int", "default": 80},
}


class ActionModule(ActionBase):
    """Compares on the controller; on the node it only runs the read-only module quota_info."""

    TRANSFERS_FILES = False

    def run(
        self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, mail_host = judged_node(args["estate"], args["node"])
        node = mail_host.name
        findings = ledger_findings(estate, node)
        answer, why = self._live(args["users_file"], task_vars)
        if answer is None:
            host = mail_host.hostname
            findings += [
                Finding(
                    one,
                    host,
                    "fail" if one == "quota.limit" else "blocked",
                    "Dovecot says what it enforces",
                    why,
                    f"look at Dovecot on {host}",
                )
                for one in ("quota.limit", "quota.usage")
            ]
        else:
            findings += node_findings(estate, node, answer, args["warn_at"])
        result.update(changed=False, findings=as_dicts(findings))
        return result

    def _live(self, users_file: str, task_vars: t.Any) -> tuple[t.Optional[dict[str, Live]], str]:
        """Dovecot's answer, or why there is none: a node that is down is a finding, not the end of the report."""
        try:
            answer = self._execute_module(
                "reseller.mail.quota_info", {"users_file": users_file}, task_vars=task_vars
            )
        except AnsibleConnectionFailure as exc:
            return None, f"no connection: {exc.message}"
        if answer.get("failed") or answer.get("unreachable"):
            return None, str(answer.get("msg", "the module failed"))
        return {
            str(row["address"]): Live(
                row["limit"], row["used"], row["messages_limit"], row["messages"]
            )
            for row in answer["quotas"]
        }, ""
