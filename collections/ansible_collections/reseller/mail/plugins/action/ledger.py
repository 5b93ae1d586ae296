# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils import _ledger_table
from ansible_collections.reseller.mail.plugins.module_utils._ledger_report import (
    as_csv,
    as_json,
    report,
)
from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import counted, tenant_of
from ansible_collections.reseller.mail.plugins.plugin_utils._files import content, diff, update


class ActionModule(ControllerAction):
    """Counts on the controller; the host of the play is never asked."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "tenants": {"type": "list", "elements": "str", "default": []},
        "output": {"type": "str", "choices": ["table", "json", "csv"], "default": "table"},
        "details": {"type": "str", "choices": ["auto", "near", "all"], "default": "auto"},
        "dest": {"type": "path"},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        estate, _files = counted(args["estate"])
        for name in args["tenants"]:
            tenant_of(estate, name)
        data = report(estate, args["tenants"])
        if not args["dest"]:
            _terminal.tell(
                lambda color: self._text(data, args, _terminal.width(), color), around=""
            )
            return {"changed": False, "ledger": data}
        dest, wanted = Path(args["dest"]), self._text(data, args, 120, False).encode()
        shown = diff(str(dest), content(dest), wanted)
        changed = update(dest, wanted, self._task.check_mode)
        return {
            "changed": changed,
            "ledger": data,
            "dest": args["dest"],
            "diff": shown if changed else {},
        }

    def _text(
        self, data: dict[str, t.Any], args: dict[str, t.Any], columns: int, color: bool
    ) -> str:
        if args["output"] != "table":
            return as_json(data) if args["output"] == "json" else as_csv(data)
        if _ledger_table.RICH_IMPORT_ERROR is not None:
            raise AnsibleActionFail(
                "the ledger's table needs the Python package rich on the controller; output: json or csv do without"
            ) from (_ledger_table.RICH_IMPORT_ERROR)
        return _ledger_table.as_table(data, args["details"], max(columns, 60), color) + "\n"
