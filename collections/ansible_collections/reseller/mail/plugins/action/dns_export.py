# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._compile.dns import records, zone_fragment
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "dir": {"type": "path", "default": "build/dns"},
    "domains": {"type": "str", "default": "unmanaged", "choices": ["unmanaged", "all"]},
}


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


class ActionModule(ActionBase):
    """Runs on the controller: writes the records that somebody else has to publish, one zone fragment a domain."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: t.Any = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate = judged(args["estate"])
        found = records(estate)
        wanted = sorted({record.domain for record in found if args["domains"] == "all" or not record.managed})
        files, diffs = {}, []
        for domain in wanted:
            path, text = os.path.join(args["dir"], f"{domain}.zone"), zone_fragment(found, domain)
            before = _read(path)
            if before != text:
                files[path] = text
                diffs.append({"before_header": path, "after_header": path, "before": before, "after": text})
        if files and not self._task.check_mode:
            os.makedirs(args["dir"], exist_ok=True)
            for path, text in files.items():
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
        result.update(changed=bool(files), domains=wanted, dir=os.path.abspath(args["dir"]))
        if self._task.diff and diffs:
            result["diff"] = diffs
        return result
