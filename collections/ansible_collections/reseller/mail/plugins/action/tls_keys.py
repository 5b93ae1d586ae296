# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import asyncio
import json
import time
import typing as t
from dataclasses import asdict
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._host.timestamps import seconds
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    node_report,
    packages,
    run_reports,
    terminal,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.object_faults import tell
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import query
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.node_report import judged
from ansible_collections.reseller.mail.plugins.plugin_utils._model import mx
from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import TlsKey
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import tls_seen

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._host.keys.tls import Evidence

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
    """The action of tls_keys.

    It sends the host the names under which the host takes mail, and what DNS shows of their next
    keys. It writes the host's report into the estate.
    """

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        """Run the module on the host with the request; write its report, and warn of new keys."""
        super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, node = judged_node(args["estate"], args["node"])
        try:
            now = seconds(args["now"]) if args["now"] else int(time.time())
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        names = mx.names(estate, node)
        known = {
            key.name: key for state in estate.states if state.node == node.name for key in state.tls
        }
        recorded = [asdict(key) for key in known.values()]
        if args["rollover"]:
            # The keys of the host itself: the file can be older, or missing.
            reported = self._report(args, {"names": names, "now": now, "evidence": {}}, task_vars)
            rows = judged(estate, node, "tls", reported.get("tls")).rows
            known = {row["name"]: TlsKey(**row) for row in rows}
        evidence = _evidence(
            args["resolver"],
            {name: known[name].next for name in names if name in known and known[name].next},
        )
        request = {
            "names": names,
            "now": now,
            "evidence": {name: asdict(one) for name, one in evidence.items()},
            "known": recorded,
        }
        result = self._ask(args, request, task_vars)
        if "tls" in result:
            ready = _ready_times(result["tls"])
            report = Path(args["estate"]) / "state" / f"{node.name}.json"
            was_planned = run_reports.is_kept(report)  # a dry run of a rollover came before
            node_report.write(result, args["estate"], estate, node, "tls", self._task.check_mode)
            result["tls"] = [
                {"next": "", **row, "ready": ready.get(row["name"], "")} for row in result["tls"]
            ]
            tell(result)
            if not args["rollover"] and not was_planned:
                _warn_of_unannounced(result["tls"], known, evidence)
        return result

    def _report(
        self,
        args: t.Mapping[str, t.Any],
        request: t.Mapping[str, t.Any],
        task_vars: t.Optional[dict[str, t.Any]],
    ) -> dict[str, t.Any]:
        """Return what the host reports when nothing is changed."""
        check_mode = self._task.check_mode
        self._task.check_mode = True
        try:
            return self._ask({**args, "rollover": False}, request, task_vars)
        finally:
            self._task.check_mode = check_mode

    def _ask(
        self,
        args: t.Mapping[str, t.Any],
        request: t.Mapping[str, t.Any],
        task_vars: t.Optional[dict[str, t.Any]],
    ) -> dict[str, t.Any]:
        """Run the module on the host; return its result."""
        given = {name: value for name, value in args.items() if value is not None}
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.tls_keys",
            module_args={**given, "request": json.dumps(request)},
            task_vars=task_vars,
        )
        return result


def _evidence(resolver: str, keys: dict[str, str]) -> dict[str, Evidence]:
    """Return what DNS shows of the next key of each name. ``keys`` are the keys' digests."""
    if not keys:
        return {}
    packages.need("reseller.mail.tls_keys", {"dnspython": query.DNSPYTHON_IMPORT_ERROR})
    return asyncio.run(tls_seen.look(query.Asker(resolver), keys))


def _ready_times(rows: t.Any) -> dict[str, str]:
    """Return, by name, when the next key may go into service, from the host's report.

    The host may have sent anything, so rows of another form are ignored.
    """
    if not isinstance(rows, list):
        return {}
    return {row["name"]: row["ready"] for row in rows if _has_ready_time(row)}


def _has_ready_time(row: t.Any) -> bool:
    """Return whether a row of the host's report has a name, and a valid time in ``ready``."""
    if not isinstance(row, dict):
        return False
    name, ready = row.get("name"), row.get("ready")
    if not isinstance(name, str) or not isinstance(ready, str):
        return False
    try:
        return bool(seconds(ready))
    except ValueError:
        return False


def _warn_of_unannounced(
    rows: t.Iterable[dict[str, str]],
    known: t.Mapping[str, TlsKey],
    evidence: t.Mapping[str, Evidence],
) -> None:
    """Warn of each key in service that DNS did not show before.

    Its certificate was made or supplied elsewhere. DNS showed the former key, and the next one if
    all servers have it.
    """
    for row in rows:
        name, before = row["name"], known.get(row["name"])
        if before is None:
            continue
        is_next_shown = name in evidence and not evidence[name].why
        if row["current"] not in (before.current, before.next if is_next_shown else ""):
            terminal.warn(
                f"{name} has a new key that DNS did not show before. Senders that verify it by"
                " DNSSEC (DANE) hold their mail back until dns_publish has run and the former TLSA"
                " records have left the caches of resolvers."
            )
