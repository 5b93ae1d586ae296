# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils import _explain_table, _names
from ansible_collections.reseller.mail.plugins.module_utils._explain import explain
from ansible_collections.reseller.mail.plugins.module_utils._nodes import meant
from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import judged

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.estate import Estate


class ActionModule(ControllerAction):
    """Looks on the controller; the host of the play is never asked."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "subject": {"type": "str", "required": True},
        "said": {"type": "bool", "default": False},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Prints every value with its place, and returns them."""
        estate = judged(args["estate"])
        subject = _normal(args["subject"])
        try:
            values = [
                found
                for found in explain(estate, subject)
                if found.level != "default" or not args["said"]
            ]
        except LookupError:
            raise AnsibleActionFail(_unknown(estate, subject)) from None
        if _explain_table.RICH_IMPORT_ERROR is None:
            _terminal.tell(
                lambda color: _explain_table.as_table(
                    _names.spoken(subject), values, _terminal.width(), color
                ),
                around="",
            )
        else:
            _terminal.warn(
                "the table needs the Python package rich on the controller; the values are returned"
            )
        return {"changed": False, "subject": subject, "effective": _explain_table.as_data(values)}


def _normal(subject: str) -> str:
    """The subject as the model writes it; what is none stays as it is, and is told as unknown."""
    try:
        return (
            _names.address(subject)
            if "@" in subject
            else _names.domain(subject)
            if "." in subject
            else subject
        )
    except ValueError:
        return subject


def _unknown(estate: Estate, subject: str) -> str:
    if "@" in subject:
        kind, names = (
            "mailbox",
            [
                box.address
                for tenant in estate.tenants
                for domain in tenant.domains
                for box in domain.mailboxes
            ],
        )
    elif "." in subject:
        kind, names = (
            "domain",
            [domain.name for tenant in estate.tenants for domain in tenant.domains],
        )
    else:
        kind, names = "tenant", [tenant.name for tenant in estate.tenants]
    return f"the estate has no {kind} {subject}{meant(subject, names, alike=0.6)}; allowed: the address of a mailbox, a domain, a tenant"
