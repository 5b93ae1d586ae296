# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils import _compile, _deletions
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._faults import tell

ARGUMENTS = {
    "state": {"type": "str", "choices": ["present", "previous"], "default": "present"},
    "estate": {"type": "path"},
    "node": {"type": "str"},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    "keep": {"type": "int", "default": 5},
    "deletions_accepted": {"type": "int", "default": 0},
}


class ActionModule(ActionBase):
    """Judges and compiles on the controller, ships one file, and lets the host do the rest."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _result, args = self.validate_argument_spec(
            argument_spec=ARGUMENTS, required_if=[("state", "present", ("estate", "node"))]
        )
        try:
            if args["state"] == "present":
                estate, node = judged_node(args["estate"], args["node"])
                args["deletion_guard"] = _deletions.shares(estate)
                args["artefact"] = self._ship(_compile.artefact(estate, node, args["root"]).pack())
            result: dict[str, t.Any] = self._execute_module(
                module_name="reseller.mail.generation", module_args=args, task_vars=task_vars
            )
            tell(result)
            return result
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _ship(self, packed: bytes) -> str:
        """Also in check mode: the host compares contents, and the file lies in the task's own temporary folder."""
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        remote = self._connection._shell.join_path(self._connection._shell.tmpdir, "artefact")
        with tempfile.NamedTemporaryFile(prefix="reseller-mail-") as file:
            file.write(packed)
            file.flush()
            os.fchmod(file.fileno(), 0o600)
            self._transfer_file(file.name, remote)
        self._fixup_perms2((self._connection._shell.tmpdir, remote))
        return str(remote)
