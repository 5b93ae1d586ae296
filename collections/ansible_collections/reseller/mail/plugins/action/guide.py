# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.reseller.mail.plugins.plugin_utils import _files, _guide
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged

ARGUMENTS = {
    "estate": {"type": "path"},
    "dir": {"type": "path", "default": "build/guide"},
    **_guide.ARGUMENTS,
}

display = Display()


class ActionModule(ActionBase):
    """Runs on the controller: writes files there, asks nobody."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        made = _guide.guide(judged(args["estate"]), args)
        files = made.files()
        diffs = _files.put_all(Path(args["dir"]), files, bool(self._task.check_mode), _guide.readable)
        domains = {
            sheet.name: {
                "live": sheet.live,
                "state": sheet.state,
                "open": [{"id": task.id, "state": task.state, "owner": task.owner} for task in sheet.tasks if task.is_open],
            }
            for sheet in made.sheets
        }
        folder = os.path.abspath(args["dir"])
        result.update(changed=bool(diffs), dir=folder, files=sorted(files), domains=domains)
        ready = sum(one["live"] for one in domains.values())
        display.display(f"{len(domains)} domains, {ready} of them ready for mail; open {os.path.join(folder, 'index.html')}")
        if self._task.diff and diffs:
            result["diff"] = diffs
        return result
