# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils import _promotion, _promotion_report
from ansible_collections.reseller.mail.plugins.module_utils._load import PROMOTED
from ansible_collections.reseller.mail.plugins.plugin_utils import _files, _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import folder, judged
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import decisions, today


class ActionModule(ControllerAction):
    """Runs on the controller: shows where every policy is, and writes down the steps that the evidence carries."""

    ARGUMENTS = {"estate": {"type": "path"}, "log": {"type": "str"}}
    PACKAGES = {"rich": _promotion_report.RICH_IMPORT_ERROR}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        directory = folder(args["estate"])
        decided = decisions(judged(directory), directory, today(), args["log"])
        steps = _promotion.recorded(decided)
        width = max(_terminal.width(), 60)
        _terminal.tell(
            lambda color: (
                _promotion_report.as_table(decided, width, color=color)
                if decided
                else "No domain with mail is served."
            )
        )
        before = _files.text(Path(directory) / PROMOTED)
        diffs = _files.put_all(
            Path(directory),
            {PROMOTED: _promotion.text(steps).encode()} if steps or before else {},
            bool(self._task.check_mode),
        )
        moved = [
            f"{one.track.domain}: {_promotion_report.NAMES[one.track.policy]} {one.before} → {one.step}"
            for one in decided
            if one.step != one.before
        ]
        if moved:
            _terminal.say(f"{len(moved)} to publish: ansible-playbook reseller.mail.site")
        return {
            "changed": bool(diffs),
            "moved": moved,
            "domains": _promotion_report.data(decided),
            "diff": diffs,
        }
