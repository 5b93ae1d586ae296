# SPDX-License-Identifier: GPL-3.0-or-later
"""The judged estate, for action plugins.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils._load import load

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model import Estate, Node


def judged(directory: str) -> Estate:
    """The estate, when its files have no fault; nothing is done on the word of files that do."""
    if not os.path.isdir(directory):
        raise AnsibleActionFail(f"there is no estate at {directory}: it is no directory")
    estate, faults = load(directory)
    if estate is None:
        number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise AnsibleActionFail(f"the estate {directory} has {number}; ansible-playbook reseller.mail.validate names them; the first is {faults[0]}")
    return estate


def judged_node(directory: str, name: str) -> tuple[Estate, Node]:
    """The judged estate and one of its nodes."""
    estate = judged(directory)
    try:
        return estate, estate.node(name)
    except KeyError:
        known = ", ".join(sorted(node.name for node in estate.nodes))
        raise AnsibleActionFail(f"the estate {directory} has no node {name}; allowed: {known}") from None
