# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils._host.mail_log import plain_id
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose import way, way_text
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.answers import (
    answer_of,
    lines_of,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.way import Event
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.way_text import Searched
from ansible_collections.reseller.mail.plugins.plugin_utils._model.printable import json_text


class ActionModule(ControllerAction):
    """Tell the way of a message. The log lines of the hosts come in as an argument."""

    ARGUMENTS = {
        "message_id": {"type": "str", "required": True},
        "since": {"type": "str", "required": True},
        "hosts": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "node": {"type": "str", "required": True},
                "log": {"type": "dict", "required": True},
            },
        },
        "dir": {"type": "path", "default": "build/why"},
    }
    PACKAGES = {"rich": way_text.RICH_IMPORT_ERROR}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Show the way of the message in the terminal, and write it as JSON."""
        try:
            message = plain_id(args["message_id"])
        except ValueError as error:
            raise AnsibleActionFail(f"{args['message_id']}: {error}") from None
        searched, steps = _way(message, args)
        if not steps:
            raise AnsibleActionFail(way_text.unknown(searched))
        data = way_text.as_data(searched, steps)
        folder = os.path.abspath(args["dir"])
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "report.json"), "w", encoding="utf-8") as file:
            file.write(json_text(data))
        width = max(60, terminal.width())
        where = f"\nThe whole report: {folder}/report.json"
        terminal.tell(lambda color: way_text.as_text(searched, steps, width, color) + where)
        return {"changed": False, "dir": folder, **data}


def _way(message: str, args: t.Mapping[str, t.Any]) -> tuple[Searched, list[Event]]:
    """Return what was searched, and the steps on all nodes in order."""
    answers = {str(one["node"]): one for one in args["hosts"]}
    logs, silent = {}, {}
    for node in answers:
        log, why = answer_of(answers, node, "log", "lines")
        if log is None:
            silent[node] = why or "it gave no answer"
        else:
            logs[node] = log
    ids = tuple(dict.fromkeys(str(one) for log in logs.values() for one in log["message_ids"]))
    steps = [
        step
        for node, log in logs.items()
        for step in way.events(node, lines_of(log), ids, log["symbols"])
    ]
    searched = Searched(message, ids, args["since"], tuple(logs), silent)
    return searched, way.in_order(steps)
