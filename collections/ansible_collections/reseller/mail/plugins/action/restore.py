# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.module_utils._host import one_text
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import judged_node
from ansible_collections.reseller.mail.plugins.plugin_utils._model.suspension import Place, find

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate

ARGUMENTS = {
    "estate": {"type": "path", "required": True},
    "node": {"type": "str", "required": True},
    "subject": {"type": "str", "default": ""},
    "whole_node": {"type": "bool", "default": False},
    "folder": {"type": "str", "default": ""},
    "snapshot": {"type": "str", "default": "latest"},
    "over_existing": {"type": "bool", "default": False},
    "root": {"type": "path", "default": "/var/lib/reseller-mail"},
}


class ActionModule(ActionBase):
    """Find the mailboxes of the subject in the estate, and let the host restore them."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        """Return the result of the module; that of another node without asking it."""
        super().run(tmp, task_vars)
        _result, args = self.validate_argument_spec(argument_spec=ARGUMENTS)
        estate, node = judged_node(args["estate"], args["node"])
        if bool(args["subject"]) == args["whole_node"]:
            raise AnsibleActionFail("either subject or whole_node is needed, and not both")
        addresses: list[str] = []
        if args["subject"]:
            place = _place(estate, args["subject"])
            if args["folder"] and not place.mailbox:
                raise AnsibleActionFail(
                    f"a folder belongs to one mailbox, and {args['subject']} is none; nothing was"
                    " restored"
                )
            if place.tenant.placement != node.name:
                return {"changed": False, "here": False}
            addresses = _addresses(place)
        elif args["folder"]:
            raise AnsibleActionFail("a folder belongs to one mailbox; nothing was restored")
        result: dict[str, t.Any] = self._execute_module(
            module_name="reseller.mail.restore",
            module_args={**args, "mailboxes": one_text.pack(addresses)},
            task_vars=task_vars,
        )
        return {"here": True, **result}


def _place(estate: Estate, subject: str) -> Place:
    """Return what the subject names; raise AnsibleActionFail if the estate does not have it."""
    try:
        return find(estate.tenants, subject)
    except LookupError as error:
        raise AnsibleActionFail(
            f"{error.args[0]}; nothing was restored. What left the files must be in them again"
            " before it comes back"
        ) from None


def _addresses(place: Place) -> list[str]:
    """Return the addresses of the mailboxes of a tenant, a domain or a mailbox."""
    if place.mailbox:
        return [place.mailbox.address]
    domains = [place.domain] if place.domain else place.tenant.domains
    return [mailbox.address for domain in domains for mailbox in domain.mailboxes]
