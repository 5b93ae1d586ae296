# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import json
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils import (
    _dkim,
    _dkim_evidence,
    _dns_query,
    _state,
)
from ansible_collections.reseller.mail.plugins.module_utils._compile import opendkim
from ansible_collections.reseller.mail.plugins.plugin_utils import _node_report, _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._faults import tell

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import DkimKey, Estate

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    "rotate": {"type": "list", "elements": "str", "default": []},
    "compromised": {"type": "list", "elements": "str", "default": []},
    "compromised_before": {"type": "str", "default": ""},
    "overlap_days": {"type": "int", "default": _dkim.OVERLAP_DAYS},
    "settle_minutes": {"type": "int", "default": 0},
    "now": {"type": "str", "default": ""},
    "resolver": {"type": "str", "default": ""},
}
TOLD = 20
"""As many waiting keys are named; the rest are counted."""


class ActionModule(ActionBase):
    """Tells the host what the model wants and what DNS shows, and writes down on the controller what the host says of its keys."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, node = judged_node(args["estate"], args["node"])
        _known(estate, args)
        try:
            now = _dkim.seconds(args["now"]) if args["now"] else int(time.time())
            before = (
                _dkim.seconds(args["compromised_before"]) if args["compromised_before"] else now
            )
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        mine = [key for state in estate.states if state.node == node.name for key in state.dkim]
        shown, missing = _evidence(
            args["resolver"],
            {
                _dkim.KeyName(key.domain, key.selector): key
                for key in mine
                if key.state in _dkim.PENDING
            },
        )
        signs = opendkim.algorithms_of(estate, node)
        days = opendkim.rotate_days_of(estate, node)
        orders = {
            "node": node.name,
            "now": now,
            "wanted": [
                [name, algorithm, days[name]] for name in sorted(signs) for algorithm in signs[name]
            ],
            "shown": [
                [name.domain, name.selector, one.public, one.servers]
                for name, one in sorted(shown.items())
            ],
            "known": [{name: getattr(key, name) for name in _state.KEY} for key in mine],
            "taken": opendkim.taken(estate, node),
            "overlap": args["overlap_days"] * _dkim.DAY,
            "settle": args["settle_minutes"] * 60,
            "compromised_before": before,
            **{
                name: list(signs) if "all" in args[name] else args[name]
                for name in ("rotate", "compromised")
            },
        }
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.dkim_keys",
            module_args={**args, "orders": json.dumps(orders)},
            task_vars=task_vars,
        )
        if "dkim" in result:
            _node_report.write(result, args["estate"], estate, node, "dkim", self._task.check_mode)
            waits = {
                _dkim.KeyName(key["domain"], key["selector"])
                for key in result["dkim"]
                if key["state"] in _dkim.PENDING
            }
            result["waiting"] = [
                f"{name}: {why}" for name, why in sorted(missing.items()) if name in waits
            ]
            _tell(node.name, result["waiting"])
            tell(result)
        return result


def _known(estate: Estate, args: t.Mapping[str, t.Any]) -> None:
    """A misspelt domain must not look like one whose keys were rotated."""
    names = {
        name for tenant in estate.tenants for domain in tenant.domains for name in domain.names
    }
    names |= {node.hostname for node in estate.nodes} | {"all"}
    for option in ("rotate", "compromised"):
        unknown = sorted(set(args[option]) - names)
        if unknown:
            raise AnsibleActionFail(
                f"{option}: the estate has no domain and no node {', '.join(unknown)}"
            )


def _evidence(
    resolver: str, keys: dict[_dkim.KeyName, DkimKey]
) -> tuple[dict[_dkim.KeyName, _dkim.Shown], dict[_dkim.KeyName, str]]:
    if not keys:
        return {}, {}
    if _dns_query.DNSPYTHON_IMPORT_ERROR is not None:
        raise AnsibleActionFail(
            "dkim_keys needs the Python package dnspython on the controller"
        ) from _dns_query.DNSPYTHON_IMPORT_ERROR
    return asyncio.run(_dkim_evidence.look(_dns_query.Asker(resolver), keys))


def _tell(node: str, waiting: list[str]) -> None:
    for text in waiting[:TOLD]:
        _terminal.say(f"pending: {node} does not sign yet with {text}")
    if len(waiting) > TOLD:
        _terminal.say(f"pending: and {len(waiting) - TOLD} more keys of {node}")
