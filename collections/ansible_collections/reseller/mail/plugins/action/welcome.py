# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils import _guide, _welcome
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    files as controller_files,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import (
    guide,
    object_faults,
    terminal,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged
from ansible_collections.reseller.mail.plugins.plugin_utils._model.words import listed, meant
from ansible_collections.reseller.mail.plugins.plugin_utils._welcome import contracts

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate

OWNER_ONLY = 0o600
"""The mode of the files: they have what a client pays and the names of people."""


class ActionModule(ControllerAction):
    """Write the welcome packs on the controller. Asks no host and no name server."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "dir": {"type": "path", "default": "build/welcome"},
        "tenants": {"type": "list", "elements": "str", "default": []},
        "contracts": {"type": "path"},
        "verified": {"type": "bool", "default": True},
        **guide.ARGUMENTS,
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write the packs; write nothing if the contracts or the names of tenants have faults."""
        estate = judged(args["estate"])
        given, faults = _contracts(args["contracts"], estate)
        faults += _unknown(args["tenants"], estate)
        if faults:
            for fault in faults:
                terminal.say(fault)
            number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
            # Not an exception: with one Ansible prints the message twice, and a place in the
            # playbook, which is not the cause.
            return {
                "changed": False,
                "failed": True,
                "msg": f"nothing was written: {number}, named above",
            }
        inputs = _inputs(args, given)
        return self._write(args["dir"], _welcome.packs(estate, inputs, args["tenants"]), inputs)

    def _write(
        self, directory: str, packs: t.Iterable[_welcome.Pack], inputs: _welcome.Inputs
    ) -> dict[str, t.Any]:
        """Write each pack when it is made, and print which tenants get none."""
        folder, check_mode = os.path.abspath(directory), bool(self._task.check_mode)
        diffs: list[dict[str, str]] = []
        written: dict[str, list[str]] = {}
        held: dict[str, list[str]] = {}
        changed = 0
        for pack in packs:
            if pack.held:
                held[pack.tenant] = list(pack.held)
                continue
            found = controller_files.put_all(
                Path(folder, pack.tenant), pack.files, check_mode, guide.readable, OWNER_ONLY
            )
            changed += len(found)
            diffs += found if self._task.diff else []
            written[pack.tenant] = sorted(pack.files)
        self._tell(folder, written, held, inputs)
        return {
            "changed": bool(changed),
            "dir": folder,
            "checked": inputs.checked,
            "packs": written,
            "held": held,
            "diff": diffs,
        }

    def _tell(
        self,
        folder: str,
        written: t.Mapping[str, t.Sequence[str]],
        held: t.Mapping[str, t.Sequence[str]],
        inputs: _welcome.Inputs,
    ) -> None:
        """Print how many packs there are, and why the others are held back."""
        lines = [f"{name}: {'; '.join(reasons)}" for name, reasons in held.items()]
        for line in object_faults.some(lines):
            terminal.say(f"held back: {line}")
        done = "would write" if self._task.check_mode else "wrote"
        when = f"verify checked at {inputs.checked}" if inputs.checked else "verify has no report"
        terminal.say(
            f"{done} the packs of {len(written)} tenants into {folder}; held back: {len(held)};"
            f" {when}"
        )


def _inputs(
    args: t.Mapping[str, t.Any], given: t.Mapping[str, contracts.Contract]
) -> _welcome.Inputs:
    """Return what packs are made of."""
    found, checked = guide.findings(args)
    return _welcome.Inputs(
        found,
        checked,
        given,
        guide.logos(args["logos"]),
        (Path(_guide.__file__).parent / "guide.css").read_text(encoding="utf-8"),
        (Path(_welcome.__file__).parent / _welcome.STYLE).read_text(encoding="utf-8"),
        args["verified"],
    )


def _contracts(
    path: t.Optional[str], estate: Estate
) -> tuple[dict[str, contracts.Contract], list[str]]:
    """Return the contracts of a file, and its faults as lines."""
    if not path:
        return {}, []
    content = controller_files.content(Path(path))
    if content is None:
        raise AnsibleActionFail(f"there is no file of contracts at {path}")
    found, faults = contracts.read(path, content, estate)
    return found, list(map(str, faults))


def _unknown(names: t.Iterable[str], estate: Estate) -> list[str]:
    """Return a line for each name that no tenant has."""
    known = [tenant.name for tenant in estate.tenants]
    return [
        f"the estate has no tenant {name}{meant(name, known)}; allowed: {listed(known)}"
        for name in names
        if name not in known
    ]
