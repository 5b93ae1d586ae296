# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils import _state
from ansible_collections.reseller.mail.plugins.module_utils._compile import opendkim
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "recreate": {"type": "list", "elements": "str", "default": []},
    "path": {"type": "path", "default": "/var/lib/reseller-mail/dkim"},
}


class ActionModule(ActionBase):
    """Wants the model's keys on the host, and writes down on the controller what the host says of them."""

    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, node = judged_node(args["estate"], args["node"])
        keys = [{"domain": name, "selector": node.dkim_selector} for name in opendkim.names(estate, node)]
        result = self._execute_module(module_name="reseller.mail.dkim_keys", module_args={**args, "keys": keys}, task_vars=task_vars)
        if "dkim" in result:
            self._report(Path(args["estate"]) / "state" / f"{node.name}.json", _state.text(node.name, result["dkim"]), result)
        return result

    def _report(self, path: Path, text: str, result: dict[str, t.Any]) -> None:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return
        # In check mode no key was made, so the text would be short of those; the host's own lines say what is coming.
        if self._task.check_mode:
            return
        draft = path.with_name(f".{path.name}.new")  # the loader passes over hidden files; another host may be loading now
        try:
            path.parent.mkdir(exist_ok=True)
            draft.write_text(text, encoding="utf-8")
            os.replace(draft, path)
        except OSError as error:
            result.update(failed=True, msg=f"{path} cannot be written: {error.strerror}")
            return
        result["changed"] = True
        result.setdefault("diff", {}).setdefault("prepared", "")
        result["diff"]["prepared"] += f"~ state {path.name}\n"
