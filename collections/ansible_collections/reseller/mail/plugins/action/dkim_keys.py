# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import json
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._host.keys import dkim
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.key_names import PENDING
from ansible_collections.reseller.mail.plugins.module_utils._host.timestamps import seconds
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import opendkim
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    node_report,
    packages,
    terminal,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.object_faults import tell
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query
from ansible_collections.reseller.mail.plugins.plugin_utils._model import node_state
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import dkim_seen

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import (
        DkimKey,
        Estate,
        Node,
    )

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    "rotate": {"type": "list", "elements": "str", "default": []},
    "compromised": {"type": "list", "elements": "str", "default": []},
    "compromised_before": {"type": "str", "default": ""},
    "overlap_days": {"type": "int", "default": dkim.OVERLAP_DAYS},
    "settle_minutes": {"type": "int", "default": 0},
    "now": {"type": "str", "default": ""},
    "resolver": {"type": "str", "default": ""},
}
MOST_NAMED = 20
"""Waiting keys that are printed. The others are only counted."""


class ActionModule(ActionBase):
    """The action of dkim_keys.

    It sends the host what the model wants and what DNS shows, and writes the host's report about
    its keys into the estate.
    """

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        """Run the module on the host with the request; write its report and print what waits."""
        super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, node = judged_node(args["estate"], args["node"])
        _require_known_names(estate, args)
        times = _times(args)
        reported = [key for state in estate.states if state.node == node.name for key in state.dkim]
        shown, missing = _evidence(
            args["resolver"],
            {
                dkim.KeyName(key.domain, key.selector): key
                for key in reported
                if key.state in PENDING
            },
        )
        request = {
            "node": node.name,
            **times,
            **_names(estate, node, args),
            "shown": [
                [name.domain, name.selector, one.public, one.servers]
                for name, one in sorted(shown.items())
            ],
            "known": [{name: getattr(key, name) for name in node_state.KEY} for key in reported],
            "taken": opendkim.selectors_of_other_nodes(estate, node),
        }
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.dkim_keys",
            module_args={**args, "request": json.dumps(request)},
            task_vars=task_vars,
        )
        if "dkim" in result:
            node_report.write(result, args["estate"], estate, node, "dkim", self._task.check_mode)
            result["waiting"] = _waiting(result["dkim"], missing)
            _print_waiting(node.name, result["waiting"])
            tell(result)
        return result


def _times(args: t.Mapping[str, t.Any]) -> dict[str, int]:
    """Return the times and durations of the request, in seconds."""
    try:
        now = seconds(args["now"]) if args["now"] else int(time.time())
        before = seconds(args["compromised_before"]) if args["compromised_before"] else now
    except ValueError as error:
        raise AnsibleActionFail(str(error)) from error
    return {
        "now": now,
        "compromised_before": before,
        "overlap": args["overlap_days"] * dkim.DAY,
        "settle": args["settle_minutes"] * 60,
    }


def _names(estate: Estate, node: Node, args: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the names that need keys, and those whose keys are to be rotated or are compromised.

    ``wanted`` has a row (name, algorithm, days until a rotation) for each key.
    """
    algorithms = opendkim.algorithms_of(estate, node)
    days = opendkim.rotate_days_of(estate, node)
    names: dict[str, t.Any] = {
        "wanted": [
            [name, algorithm, days[name]]
            for name in sorted(algorithms)
            for algorithm in algorithms[name]
        ]
    }
    for option in ("rotate", "compromised"):
        names[option] = list(algorithms) if "all" in args[option] else args[option]
    return names


def _waiting(
    rows: t.Iterable[dict[str, t.Any]], missing: t.Mapping[dkim.KeyName, str]
) -> list[str]:
    """Return a line for each pending key of the host's report that DNS does not show, with why."""
    pending = {
        dkim.KeyName(row["domain"], row["selector"]) for row in rows if row["state"] in PENDING
    }
    return [f"{name}: {why}" for name, why in sorted(missing.items()) if name in pending]


def _require_known_names(estate: Estate, args: t.Mapping[str, t.Any]) -> None:
    """Raise AnsibleActionFail if an option has a name that the estate does not have.

    Without this, a misspelt domain would look like one whose keys were rotated.
    """
    names = {
        name for tenant in estate.tenants for domain in tenant.domains for name in domain.names
    }
    names |= {node.hostname for node in estate.nodes} | {"all"}
    for option in ("rotate", "compromised"):
        unknown = sorted(set(args[option]) - names)
        if unknown:
            raise AnsibleActionFail(
                f"{option}: the estate has no domain and no node {', '.join(unknown)}; allowed: its"
                " domains, its nodes' hostnames, all"
            )


def _evidence(
    resolver: str, keys: dict[dkim.KeyName, DkimKey]
) -> tuple[dict[dkim.KeyName, dkim.Shown], dict[dkim.KeyName, str]]:
    """Return the pending keys that DNS shows, and for the others why it does not."""
    if not keys:
        return {}, {}
    packages.need("reseller.mail.dkim_keys", {"dnspython": query.DNSPYTHON_IMPORT_ERROR})
    return asyncio.run(dkim_seen.look(query.Asker(resolver), keys))


def _print_waiting(node: str, waiting: list[str]) -> None:
    """Print the first waiting keys, and how many more there are."""
    for text in waiting[:MOST_NAMED]:
        terminal.say(f"pending: {node} does not sign yet with {text}")
    if len(waiting) > MOST_NAMED:
        terminal.say(f"pending: and {len(waiting) - MOST_NAMED} more keys of {node}")
