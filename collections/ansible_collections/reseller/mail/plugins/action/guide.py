# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    files as controller_files,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import guide, terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged


class ActionModule(ControllerAction):
    """Write the pages on the controller. Asks no host and no name server."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "dir": {"type": "path", "default": "build/guide"},
        **guide.ARGUMENTS,
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write the files; return their names and the state of each domain."""
        made = guide.guide(judged(args["estate"]), args)
        files = made.files()
        diffs = controller_files.put_all(
            Path(args["dir"]), files, bool(self._task.check_mode), guide.readable
        )
        domains: dict[str, dict[str, t.Any]] = {
            sheet.name: {
                "live": sheet.live,
                "state": sheet.state,
                "open": [
                    {"id": task.id, "state": task.state, "owner": task.owner}
                    for task in sheet.open_tasks
                ],
                "suspended": sheet.suspended,
            }
            for sheet in made.sheets
        }
        folder = os.path.abspath(args["dir"])
        ready = sum(one["live"] for one in domains.values())
        terminal.say(
            f"{len(domains)} domains, {ready} of them ready for mail; open"
            f" {os.path.join(folder, 'index.html')}"
        )
        return {
            "changed": bool(diffs),
            "dir": folder,
            "files": sorted(files),
            "domains": domains,
            "diff": diffs,
        }
