# SPDX-License-Identifier: GPL-3.0-or-later
"""The judged estate, for action plugins.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils._judge import limits
from ansible_collections.reseller.mail.plugins.module_utils._judge._index import listed
from ansible_collections.reseller.mail.plugins.module_utils._load import build, load, read_files
from ansible_collections.reseller.mail.plugins.module_utils._nodes import meant

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate, Node
    from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant
    from ansible_collections.reseller.mail.plugins.module_utils._model.values import Fault


NO_ESTATE = "no estate is known: use an inventory with the plugin reseller.mail.estate, or give -e mail_estate_dir=<directory>"


def folder(path: t.Optional[str], what: str = "estate") -> str:
    """The folder with the estate's files, as an absolute path."""
    if not path:
        raise AnsibleActionFail(NO_ESTATE)
    directory = os.path.abspath(path)
    if not os.path.isdir(directory):
        raise AnsibleActionFail(f"there is no {what} at {directory}: it is no directory")
    return directory


def judged(directory: t.Optional[str]) -> Estate:
    """The estate, when its files have no fault; nothing is done on the word of files that do."""
    directory = folder(directory)
    estate, faults = load(directory)
    if estate is None:
        raise _at_fault(directory, faults)
    return estate


def counted(directory: t.Optional[str]) -> tuple[Estate, dict[str, bytes]]:
    """The estate and its files, when nothing but limits is at fault: then every object is known, and the ledger tells where it is too much."""
    directory = folder(directory)
    files, wrong = read_files(directory)
    estate, faults = build(files, wrong)
    others = [fault for fault in faults if fault.id not in limits.IDS]
    if others:
        raise _at_fault(directory, others)
    return estate, files


def _at_fault(directory: str, faults: t.Sequence[Fault]) -> AnsibleActionFail:
    number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return AnsibleActionFail(
        f"the estate {directory} has {number}; ansible-playbook reseller.mail.validate names them; the first is {faults[0]}"
    )


def tenant_of(estate: Estate, name: str) -> Tenant:
    """The tenant of that name."""
    for tenant in estate.tenants:
        if tenant.name == name:
            return tenant
    names = [tenant.name for tenant in estate.tenants]
    raise AnsibleActionFail(
        f"the estate has no tenant {name}{meant(name, names, alike=0.6)}; allowed: {listed(names)}"
    )


def judged_node(directory: t.Optional[str], name: str) -> tuple[Estate, Node]:
    """The judged estate and one of its nodes."""
    estate = judged(directory)
    try:
        return estate, estate.node(name)
    except KeyError:
        known = ", ".join(sorted(node.name for node in estate.nodes))
        raise AnsibleActionFail(
            f"the estate {directory} has no node {name}; allowed: {known}"
        ) from None
