# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils._controller import packages, terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import (
    counted,
    tenant_of,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.files import (
    content,
    diff,
    update,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._report import ledger_table
from ansible_collections.reseller.mail.plugins.plugin_utils._report.ledger_data import (
    as_csv,
    as_json,
    report,
)


class ActionModule(ControllerAction):
    """The action of the module: it makes the ledger on the controller, without the host."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "tenants": {"type": "list", "elements": "str", "default": []},
        "output": {"type": "str", "choices": ["table", "json", "csv"], "default": "table"},
        "details": {"type": "str", "choices": ["auto", "near", "all"], "default": "auto"},
        "dest": {"type": "path"},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Show the ledger or write it to ``dest``; return it, too."""
        estate, _files = counted(args["estate"])
        for name in args["tenants"]:
            tenant_of(estate, name)
        data = report(estate, args["tenants"])
        if not args["dest"]:
            terminal.tell(lambda color: self._text(data, args, terminal.width(), color), around="")
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
        """Return the ledger in the chosen format; a table has ``columns`` characters."""
        if args["output"] != "table":
            return as_json(data) if args["output"] == "json" else as_csv(data)
        packages.need("the table of the ledger", {"rich": ledger_table.RICH_IMPORT_ERROR})
        return ledger_table.as_table(data, args["details"], max(columns, 60), color) + "\n"
