# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.reseller.mail.plugins.module_utils._load import load
from ansible_collections.reseller.mail.plugins.module_utils._model import Estate

display = Display()


class ActionModule(ActionBase):
    """Judges an estate on the controller."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        """Prints every fault and fails, or counts what there is."""
        result = super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec({"estate": {"type": "path"}})
        directory = args["estate"]
        if not directory:
            raise AnsibleActionFail("no estate is known: use an inventory with the plugin reseller.mail.estate, or give -e mail_estate_dir=<directory>")
        directory = os.path.abspath(directory)
        if not os.path.isdir(directory):
            raise AnsibleActionFail(f"there is no estate at {directory}: it is no directory")
        estate, faults = load(directory)
        if estate is None:
            for fault in faults:
                display.display(str(fault))
            number = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
            files = len({fault.position.file for fault in faults})
            # Not raised: with an exception Ansible prints the message twice, and the place in the playbook, which is innocent.
            return {**result, "failed": True, "msg": f"the estate {directory} has {number} in {files} file{'s' * (files != 1)}; each is named above"}
        counts = _counts(estate)
        summary = ", ".join(f"{key.replace('_', ' ')} {number}" for key, number in counts.items())
        display.display(f"The estate {directory} is without fault: {summary}.")
        return {**result, "changed": False, "estate": directory, "counts": counts}


def _counts(estate: Estate) -> dict[str, int]:
    domains = [domain for tenant in estate.tenants for domain in tenant.domains]
    return {
        "nodes": len(estate.nodes),
        "plans": len(estate.plans),
        "tenants": len(estate.tenants),
        "domains": len(domains),
        "domain_aliases": sum(len(domain.domain_aliases) for domain in domains),
        "mailboxes": sum(len(domain.mailboxes) for domain in domains),
        "aliases": sum(len(domain.aliases) for domain in domains),
        "sender_addresses": sum(len(domain.sender_addresses) for domain in domains),
    }
