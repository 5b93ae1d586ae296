# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged
from ansible_collections.reseller.mail.plugins.plugin_utils._model import names as model_names
from ansible_collections.reseller.mail.plugins.plugin_utils._model.words import meant
from ansible_collections.reseller.mail.plugins.plugin_utils._report import explain_table
from ansible_collections.reseller.mail.plugins.plugin_utils._report.explain import explain

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate


class ActionModule(ControllerAction):
    """Explains the values of one subject on the controller. It contacts no host."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "subject": {"type": "str", "required": True},
        "set_only": {"type": "bool", "default": False},
    }

    PACKAGES = {"rich": explain_table.RICH_IMPORT_ERROR}

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Print every value with its place, and return the values."""
        estate = judged(args["estate"])
        subject = _normal(args["subject"])
        try:
            values = [
                found
                for found in explain(estate, subject)
                if found.level != "default" or not args["set_only"]
            ]
        except LookupError:
            raise AnsibleActionFail(_unknown(estate, subject)) from None
        terminal.tell(
            lambda color: explain_table.as_table(
                model_names.spoken(subject), values, terminal.width(), color
            ),
            around="",
        )
        return {"changed": False, "subject": subject, "effective": explain_table.as_data(values)}


def _normal(subject: str) -> str:
    """Return the subject in its normal form. A text that is no name is returned unchanged."""
    try:
        return (
            model_names.address(subject)
            if "@" in subject
            else model_names.domain(subject)
            if "." in subject
            else subject
        )
    except ValueError:
        return subject


def _unknown(estate: Estate, subject: str) -> str:
    """Return the message for a subject that the estate does not have."""
    domains = [domain for tenant in estate.tenants for domain in tenant.domains]
    if "@" in subject:
        kind = "address"
        names = [
            each.address
            for domain in domains
            for each in (*domain.mailboxes, *domain.aliases, *domain.sender_addresses)
        ]
    elif "." in subject:
        kind, names = "domain", [name for domain in domains for name in domain.names]
    else:
        kind, names = "tenant", [tenant.name for tenant in estate.tenants]
    return (
        f"the estate has no {kind} {subject}{meant(subject, names, alike=0.6)}; allowed: an"
        " address, a domain, a domain alias, a tenant"
    )
