# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import folder, judged
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.promotion import (
    decisions,
    today,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import report
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.finding import as_dicts


class ActionModule(ControllerAction):
    """Return the state of every policy. Runs on the controller and changes nothing."""

    ARGUMENTS = {"estate": {"type": "path"}}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return every policy as a finding and as data."""
        directory = folder(args["estate"])
        decided = decisions(judged(directory), directory, today())
        return {
            "changed": False,
            "findings": as_dicts(report.findings(decided)),
            "domains": report.data(decided),
        }
