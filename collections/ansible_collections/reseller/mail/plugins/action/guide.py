# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils import _files, _guide, _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged


class ActionModule(ControllerAction):
    """Runs on the controller: writes files there, asks nobody."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "dir": {"type": "path", "default": "build/guide"},
        **_guide.ARGUMENTS,
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        made = _guide.guide(judged(args["estate"]), args)
        files = made.files()
        diffs = _files.put_all(
            Path(args["dir"]), files, bool(self._task.check_mode), _guide.readable
        )
        domains: dict[str, dict[str, t.Any]] = {
            sheet.name: {
                "live": sheet.live,
                "state": sheet.state,
                "open": [
                    {"id": task.id, "state": task.state, "owner": task.owner}
                    for task in sheet.tasks
                    if task.is_open
                ],
            }
            for sheet in made.sheets
        }
        folder = os.path.abspath(args["dir"])
        ready = sum(one["live"] for one in domains.values())
        _terminal.say(
            f"{len(domains)} domains, {ready} of them ready for mail; open {os.path.join(folder, 'index.html')}"
        )
        return {
            "changed": bool(diffs),
            "dir": folder,
            "files": sorted(files),
            "domains": domains,
            "diff": diffs,
        }
