# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import tempfile
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile
from ansible_collections.reseller.mail.plugins.plugin_utils._compile import moving
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.object_faults import tell

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate, Node

ARGUMENTS = {
    "state": {"type": "str", "choices": ["present", "previous"], "default": "present"},
    "estate": {"type": "path"},
    "node": {"type": "str"},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
    "keep": {"type": "int", "default": 5},
    "deletions_accepted": {"type": "int", "default": 0},
    "mail": {"type": "path", "default": "/srv/vmail"},
    "purge_confirmed": {"type": "list", "elements": "str", "default": []},
    "moving": {"type": "str", "default": ""},
    "moving_from": {"type": "str", "default": ""},
    "moving_step": {
        "type": "str",
        "choices": ["arriving", "leaving", "moved", "arrived"],
        "default": "moved",
    },
}


class ActionModule(ActionBase):
    """The action of generation.

    It validates and compiles the estate on the controller. It ships one file to the host, unless
    the host has it already.
    """

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        """Ship the artefact, unless the previous generation is wanted, and run the module."""
        super().run(tmp, task_vars)
        _result, args = self.validate_argument_spec(
            argument_spec=ARGUMENTS, required_if=[("state", "present", ("estate", "node"))]
        )
        try:
            if args["state"] == "present":
                estate, node = judged_node(args["estate"], args["node"])
                args["keys_reported"] = any(
                    state.dkim for state in estate.states if state.node == node.name
                )
                args["deletion_guard"] = estate.deletion_guard.shares()
                artefact = _artefact(estate, node, args)
                args["digest"] = artefact.digest
            result = self._on_host(args, task_vars)
            if result.pop("lacks_artefact", False):
                terminal.say(f"{args['node']}: installing and checking a new generation")
                args["artefact"] = self._ship(artefact.pack())
                result = self._on_host(args, task_vars)
            tell(result)
            return result
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _on_host(
        self, args: dict[str, t.Any], task_vars: t.Optional[dict[str, t.Any]]
    ) -> dict[str, t.Any]:
        """Run the module on the host; return its result."""
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.generation", module_args=args, task_vars=task_vars
        )
        return result

    def _ship(self, packed: bytes) -> str:
        """Copy the artefact to the task's temporary folder on the host; return its path there.

        This is done also in check mode, because the host compares the contents.
        """
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


def _artefact(estate: Estate, node: Node, args: dict[str, t.Any]) -> _compile.Artefact:
    """Return what the node looks up, at this step of a tenant's move."""
    if not args["moving_from"]:
        return _compile.artefact(estate, node, args["root"])
    steps = {
        "arriving": moving.arriving,
        "leaving": moving.leaving,
        "moved": moving.moved,
        "arrived": moving.arrived,
    }
    return steps[args["moving_step"]](
        estate, node, args["root"], args["moving"], args["moving_from"]
    )
