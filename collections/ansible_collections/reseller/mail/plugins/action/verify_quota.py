# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._host.quota import unpacked
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.host_answer import answer_of
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import Finding, as_dicts
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.quota import (
    Live,
    ledger_findings,
    node_findings,
)

ARGUMENTS = {
    "estate": {"type": "path"},
    "node": {"type": "str", "required": True},
    "users_file": {"type": "str", "default": "/var/lib/reseller-mail/current/dovecot/all_users"},
    "mail": {"type": "str", "default": "/srv/vmail"},
    "warn_at": {"type": "int", "default": 80},
}


class ActionModule(ActionBase):
    """Compare on the controller what the read-only module quota_info returns from the node."""

    TRANSFERS_FILES = False

    def run(
        self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, mail_host = judged_node(args["estate"], args["node"])
        node = mail_host.name
        findings = ledger_findings(estate, node)
        quotas, why = answer_of(
            self._execute_module,
            "reseller.mail.quota_info",
            {"users_file": args["users_file"], "mail": args["mail"], "packed": True},
            task_vars,
            "packed",
        )
        live: dict[str, Live] = {}
        if quotas is not None:
            try:
                live = _live(quotas)
            except ValueError as error:
                quotas, why = None, str(error)
        if quotas is None:
            host = mail_host.hostname
            findings += [
                Finding(
                    one,
                    host,
                    "fail" if one == "quota.limit" else "blocked",
                    "Dovecot returns the limits that it enforces",
                    why,
                    f"look at Dovecot on {host}",
                )
                for one in ("quota.limit", "quota.usage", "quota.disk")
            ]
        else:
            findings += node_findings(estate, node, live, args["warn_at"])
        result.update(changed=False, findings=as_dicts(findings))
        return result


def _live(text: str) -> dict[str, Live]:
    """Return what Dovecot answered, by address; raise ValueError if it cannot be read."""
    return {row.address: Live(*row[1:]) for row in unpacked(str(text))}
