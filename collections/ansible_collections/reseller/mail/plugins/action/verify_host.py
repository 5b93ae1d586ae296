# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._finding import as_dicts
from ansible_collections.reseller.mail.plugins.module_utils._verify_host import (
    Limits,
    judge,
    unreached,
    wants_ed25519,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate, Node

_LIMITS = Limits()
ARGUMENTS = {
    "estate": {"type": "path"},
    "node": {"type": "str", "required": True},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    "mail": {"type": "path", "default": "/srv/vmail"},
    **{
        name: {"type": "int", "default": getattr(_LIMITS, name)}
        for name in Limits.__dataclass_fields__
    },
}


class ActionModule(ActionBase):
    """Judges on the controller; on the node it only runs the read-only module host_info, once."""

    TRANSFERS_FILES = False

    def run(
        self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, node = judged_node(args["estate"], args["node"])
        begun = time.time()
        facts, why = self._facts({"root": args["root"], "mail": args["mail"]}, task_vars)
        ended = time.time()
        if facts is None:
            found = unreached(node.hostname, why)
        else:
            limits = Limits(**{name: args[name] for name in Limits.__dataclass_fields__})
            found = judge(
                facts,
                node.hostname,
                node.debian,
                wants_ed25519(estate, node),
                limits,
                skew(facts["now"], begun, ended),
            )
        result.update(changed=False, findings=as_dicts(found), homes=homes(estate, node))
        return result

    def _facts(
        self, args: dict[str, t.Any], task_vars: t.Any
    ) -> tuple[t.Optional[dict[str, t.Any]], str]:
        """Return what the host says, or why it says nothing: a host that is down is a finding, not the end of the report."""
        try:
            answer = self._execute_module("reseller.mail.host_info", args, task_vars=task_vars)
        except AnsibleConnectionFailure as exc:
            return None, f"no connection: {exc.message}"
        if "host" not in answer:
            return None, str(
                answer.get("msg") or answer.get("module_stderr") or "the module failed"
            )
        return answer["host"], ""


def skew(now: float, begun: float, ended: float) -> float:
    """Return by how much a clock is certainly wrong that was read between two moments."""
    return now - ended if now > ended else now - begun if now < begun else 0.0


def homes(estate: Estate, node: Node) -> dict[str, str]:
    """Return the node's host name for each name that findings may be about and that this node serves."""
    names = {node.hostname}
    for _tenant, domain in estate.domains_on(node):
        names |= {*domain.names, *filter(None, [domain.branding.hostname])}
    return dict.fromkeys(sorted(names), node.hostname)
