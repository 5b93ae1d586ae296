# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils import _promotion_report
from ansible_collections.reseller.mail.plugins.module_utils._finding import as_dicts
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import folder, judged
from ansible_collections.reseller.mail.plugins.plugin_utils._promotion import decisions, today


class ActionModule(ActionBase):
    """Runs on the controller and changes nothing."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(argument_spec={"estate": {"type": "path"}})
        directory = folder(args["estate"])
        decided = decisions(judged(directory), directory, today())
        result.update(changed=False, findings=as_dicts(_promotion_report.findings(decided)), domains=_promotion_report.data(decided))
        return result
