# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.host_answer import answer_of
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import as_dicts
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.host import (
    Limits,
    judge,
    skew,
    unreached,
    wants_ed25519,
)

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate, Node

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
    """Evaluate on the controller what the read-only module host_info returns from the node."""

    TRANSFERS_FILES = False

    def run(
        self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, node = judged_node(args["estate"], args["node"])
        begun = time.time()
        facts, why = answer_of(
            self._execute_module,
            "reseller.mail.host_info",
            {"root": args["root"], "mail": args["mail"]},
            task_vars,
            "host",
        )
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


def homes(estate: Estate, node: Node) -> dict[str, str]:
    """Return the host name of the node for each name of a finding that this node serves."""
    names = {node.hostname}
    for _tenant, domain in estate.domains_on(node):
        names |= {*domain.names, *filter(None, [domain.branding.hostname])}
    return dict.fromkeys(sorted(names), node.hostname)
