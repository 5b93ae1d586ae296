# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.plugin_utils._controller import files, terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import folder, judged
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.promotion import (
    decisions,
    today,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import PROMOTED
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import decide, report


class ActionModule(ControllerAction):
    """Show every policy on the controller, and write the steps that have enough evidence."""

    ARGUMENTS = {"estate": {"type": "path"}, "log": {"type": "str"}}
    PACKAGES = {"rich": report.RICH_IMPORT_ERROR}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write ``state/promoted_domains.json``; return every policy and the new steps."""
        directory = folder(args["estate"])
        decided = decisions(judged(directory), directory, today(), args["log"])
        steps = decide.steps_made(decided)
        width = max(terminal.width(), 60)
        terminal.tell(
            lambda color: (
                report.as_table(decided, width, color=color)
                if decided
                else "The hosts serve no domain with mail."
            )
        )
        before = files.text(Path(directory) / PROMOTED)
        diffs = files.put_all(
            Path(directory),
            {PROMOTED: decide.text(steps).encode()} if steps or before else {},
            bool(self._task.check_mode),
        )
        moved = [
            f"{one.track.domain}: {report.NAMES[one.track.policy]} {one.before} → {one.step}"
            for one in decided
            if one.step != one.before
        ]
        if moved:
            terminal.say(f"{len(moved)} to publish: ansible-playbook reseller.mail.site")
        return {
            "changed": bool(diffs),
            "moved": moved,
            "domains": report.data(decided),
            "diff": diffs,
        }
