# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible_collections.reseller.mail.plugins.module_utils import _promotion_report
from ansible_collections.reseller.mail.plugins.module_utils._finding import as_dicts
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import folder, judged
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import decisions, today


class ActionModule(ControllerAction):
    """Runs on the controller and changes nothing."""

    ARGUMENTS = {"estate": {"type": "path"}}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        directory = folder(args["estate"])
        decided = decisions(judged(directory), directory, today())
        return {
            "changed": False,
            "findings": as_dicts(_promotion_report.findings(decided)),
            "domains": _promotion_report.data(decided),
        }
