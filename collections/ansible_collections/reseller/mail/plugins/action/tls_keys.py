# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import json
import time
import typing as t
from dataclasses import asdict

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils import _dkim, _dns_query, _tls_evidence
from ansible_collections.reseller.mail.plugins.module_utils._compile import _mx
from ansible_collections.reseller.mail.plugins.plugin_utils import _node_report, _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._faults import tell

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._tls_keys import Evidence

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    "source": {"type": "str", "choices": ["acme", "files"], "default": "acme"},
    "ca_bundle": {"type": "path"},
    "rollover": {"type": "bool", "default": False},
    "emergency": {"type": "bool", "default": False},
    "now": {"type": "str", "default": ""},
    "resolver": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):
    """Tells the host under which names it takes mail and what DNS shows of their next keys, and writes down what the host says."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, node = judged_node(args["estate"], args["node"])
        try:
            now = _dkim.seconds(args["now"]) if args["now"] else int(time.time())
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        names = _mx.names(estate, node)
        known = {
            key.name: key for state in estate.states if state.node == node.name for key in state.tls
        }
        evidence = _evidence(
            args["resolver"],
            {name: known[name].next for name in names if name in known and known[name].next},
        )
        orders = {
            "names": names,
            "now": now,
            "evidence": {name: asdict(one) for name, one in evidence.items()},
        }
        given = {name: value for name, value in args.items() if value is not None}
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.tls_keys",
            module_args={**given, "orders": json.dumps(orders)},
            task_vars=task_vars,
        )
        if "tls" in result:
            ready = (
                {row["name"]: row["ready"] for row in result["tls"] if _says_ready(row)}
                if isinstance(result["tls"], list)
                else {}
            )
            _node_report.write(result, args["estate"], estate, node, "tls", self._task.check_mode)
            result["tls"] = [
                {"next": "", **row, "ready": ready.get(row["name"], "")} for row in result["tls"]
            ]
            tell(result)
            told = {
                name: {key.current, key.next if name in evidence and not evidence[name].why else ""}
                for name, key in known.items()
            }
            _tell(
                [
                    key
                    for key in result["tls"]
                    if not args["rollover"]
                    and key["current"] not in told.get(key["name"], (key["current"],))
                ]
            )
        return result


def _evidence(resolver: str, keys: dict[str, str]) -> dict[str, Evidence]:
    if not keys:
        return {}
    if _dns_query.DNSPYTHON_IMPORT_ERROR is not None:
        raise AnsibleActionFail(
            "tls_keys needs the Python package dnspython on the controller"
        ) from _dns_query.DNSPYTHON_IMPORT_ERROR
    return asyncio.run(_tls_evidence.look(_dns_query.Asker(resolver), keys))


def _says_ready(row: t.Any) -> bool:
    """Return whether a host's row says when a key may go into service, in the form of a time."""
    if (
        not isinstance(row, dict)
        or not isinstance(row.get("name"), str)
        or not isinstance(row.get("ready"), str)
    ):
        return False
    try:
        return bool(_dkim.seconds(row["ready"]))
    except ValueError:
        return False


def _tell(keys: list[dict[str, str]]) -> None:
    """Keys that came into service unannounced, by a certificate that was made or supplied elsewhere."""
    for key in keys:
        _terminal.warn(
            f"{key['name']} has a new key that DNS did not show before. Senders that verify it by DNSSEC (DANE) hold their mail back until dns_publish "
            "has run and the former TLSA records are forgotten."
        )
