# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._change.rewrite import CannotEdit
from ansible_collections.reseller.mail.plugins.plugin_utils._change.suspend import resume, suspend
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import (
    counted,
    refused_edit,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.files import (
    diff,
    write_edited,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._model.suspension import (
    PROFILES,
    Place,
    find,
    in_effect,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._model.words import listed

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.estate import Estate


class ActionModule(ControllerAction):
    """Edit the tenant's account on the controller. The host of the play is not contacted."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "subject": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "profile": {"type": "str", "default": ""},
        "reason": {"type": "str", "default": ""},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write the account and print what holds now; write nothing on a fault."""
        estate, files = counted(args["estate"])
        place = _place(estate, args["subject"])
        path = f"tenants/{place.tenant.name}/account.yml"
        text = self._edited(estate, place, files[path], path, args)
        mended, faults = build({**files, path: text})
        if faults:
            return refused_edit(faults)
        is_changed = text != files[path]
        if is_changed and not self._task.check_mode:
            write_edited(args["estate"], files, {path: text})
        state = _print_state(mended, place.name)
        return {
            "changed": is_changed,
            "file": path,
            "tenant": place.tenant.name,
            "suspended": state,
            "diff": [diff(path, files[path], text)] if is_changed else [],
        }

    def _edited(
        self, estate: Estate, place: Place, content: bytes, path: str, args: dict[str, t.Any]
    ) -> bytes:
        """Return the new account; raise AnsibleActionFail if it cannot be what is asked for."""
        tenant, name = place.tenant, place.name
        if tenant.state in ("pending", "terminated"):
            raise AnsibleActionFail(
                f"tenant {tenant.name} is {tenant.state}: hosts do not serve it; nothing was"
                " written"
            )
        try:
            if args["state"] == "present":
                known = [*PROFILES, *(one.name for one in estate.suspension_profiles)]
                if args["profile"] and args["profile"] not in known:
                    raise AnsibleActionFail(
                        f"there is no suspension profile {args['profile']}; allowed:"
                        f" {listed(dict.fromkeys(known))}; nothing was written"
                    )
                wanted = (name, args["profile"], args["reason"])
                if wanted in [(one.of, one.profile, one.reason) for one in tenant.suspensions]:
                    return content
                return suspend(content, *wanted)
            text = resume(content, name, tenant.name)
        except CannotEdit:
            raise AnsibleActionFail(
                f"nothing was written: {path} cannot be edited automatically; change suspensions"
                " in it by hand"
            ) from None
        if text == content and in_effect(*place.levels) is None:
            raise AnsibleActionFail(f"{name} is not suspended; nothing was written")
        return text


def _place(estate: Estate, subject: str) -> Place:
    """Return what the subject names; raise AnsibleActionFail if it is nothing to suspend."""
    try:
        return find(estate.tenants, subject)
    except LookupError as error:
        raise AnsibleActionFail(f"{error.args[0]}; nothing was written") from None


def _print_state(estate: Estate, name: str) -> bool:
    """Print what holds for the subject after the edit; return whether it is suspended."""
    place = find(estate.tenants, name)
    cells = in_effect(*place.levels)
    if cells is None:
        terminal.say(f"{name} is not suspended.")
        return False
    levels = ("tenant", "domain", "mailbox")
    by = [
        f"{level} {one.address if level == 'mailbox' else one.name}"
        for level, one in zip(levels, place.levels, strict=False)
        if one.state == "suspended"
    ]
    terminal.say(
        f"{name} is suspended ({', '.join(by)}): inbound {cells.inbound}, login {cells.login},"
        f" submission {cells.submission}, queued {cells.queued}."
    )
    return True
