# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate for action plugins: loaded, and refused if its files have faults.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleActionFail

from .._judge import limits
from .._load import draft, load, read_files
from .._model.words import listed, meant
from . import packages, run_reports, terminal

if t.TYPE_CHECKING:
    from .._model.estate import Estate, Node
    from .._model.tenant import Tenant
    from .._model.values import Fault


NO_ESTATE = (
    "no estate is known: use an inventory with the plugin reseller.mail.estate, or give -e"
    " mail_estate_dir=<directory>"
)


def folder(path: t.Optional[str], what: str = "estate") -> str:
    """Return the absolute path of the folder with the estate's files.

    Raise AnsibleActionFail if no folder is given, or if it does not exist.
    """
    if not path:
        raise AnsibleActionFail(NO_ESTATE)
    directory = os.path.abspath(path)
    if not os.path.isdir(directory):
        raise AnsibleActionFail(f"there is no {what} at {directory}: it is no directory")
    return directory


def judged(directory: t.Optional[str]) -> Estate:
    """Return the estate; raise AnsibleActionFail if its files have faults."""
    directory = folder(directory)
    try:
        estate, faults = load(directory, run_reports.kept(directory))
    except ImportError as error:
        raise AnsibleActionFail(
            packages.at_import_error(f"the estate {directory}", error)
        ) from None
    if estate is None:
        raise _at_fault(directory, faults)
    return estate


def counted(directory: t.Optional[str]) -> tuple[Estate, dict[str, bytes]]:
    """Return the estate and its files; raise AnsibleActionFail for faults other than limits.

    With faults of limits every object is still known, and the ledger shows which limits are
    exceeded.
    """
    directory = folder(directory)
    kept = run_reports.kept(directory)
    files = {**read_files(directory)[0], **kept}
    estate, faults = draft(directory, kept)
    others = [fault for fault in faults if fault.id not in limits.IDS]
    if others:
        raise _at_fault(directory, others)
    return estate, files


def refused_edit(faults: t.Sequence[Fault]) -> dict[str, t.Any]:
    """Print the faults that edited files would have; return the failure of the task."""
    for fault in faults:
        terminal.say(str(fault))
    return {
        "failed": True,
        "msg": (
            f"nothing was written: the result would have the {len(faults)} faults named above;"
            " correct them first"
        ),
    }


def _at_fault(directory: str, faults: t.Sequence[Fault]) -> AnsibleActionFail:
    number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return AnsibleActionFail(
        f"the estate {directory} has {number}; ansible-playbook reseller.mail.validate names them;"
        f" the first is {faults[0]}"
    )


def tenant_of(estate: Estate, name: str) -> Tenant:
    """Return the tenant of that name; raise AnsibleActionFail if there is none."""
    for tenant in estate.tenants:
        if tenant.name == name:
            return tenant
    names = [tenant.name for tenant in estate.tenants]
    raise AnsibleActionFail(
        f"the estate has no tenant {name}{meant(name, names, alike=0.6)}; allowed: {listed(names)}"
    )


def judged_node(directory: t.Optional[str], name: str) -> tuple[Estate, Node]:
    """Return the estate and one of its nodes; raise AnsibleActionFail for faults or no such
    node."""
    estate = judged(directory)
    try:
        return estate, estate.node(name)
    except KeyError:
        known = ", ".join(sorted(node.name for node in estate.nodes))
        raise AnsibleActionFail(
            f"the estate {directory} has no node {name}; allowed: {known}"
        ) from None
