# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.plugin_utils._change.rewrite import (
    CannotEdit,
    hand_over,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._change.transfer import (
    Transfer,
    not_admins,
    transfer,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.action import (
    ControllerAction,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.estate import (
    counted,
    refused_edit,
    tenant_of,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.files import (
    diff,
    write_edited,
)
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.ledger import Usage
from ansible_collections.reseller.mail.plugins.plugin_utils._judge.limits import amount
from ansible_collections.reseller.mail.plugins.plugin_utils._load import build
from ansible_collections.reseller.mail.plugins.plugin_utils._model.names import address
from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import COUNTERS
from ansible_collections.reseller.mail.plugins.plugin_utils._model.words import listed

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.plugin_utils._model.tenant import Tenant


class ActionModule(ControllerAction):
    """Rewrite the tenant's files on the controller. The host of the play is not contacted."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "tenant": {"type": "str", "required": True},
        "source": {"type": "str", "required": True},
        "target": {"type": "str", "required": True},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Write the files with the new owner and print the result; write nothing on a fault."""
        estate, files = counted(args["estate"])
        tenant = tenant_of(estate, args["tenant"])
        source, target = _admins(tenant, args["source"], args["target"])
        outcome = transfer(estate, tenant.name, source, target)
        if outcome.missing:
            return {"failed": True, **_refusal(outcome, source, target)}
        after = _rewritten(tenant, files, source, target)
        mended, faults = build({**files, **after})
        if faults:
            return refused_edit(faults)
        if mended.tenants != outcome.estate.tenants:
            raise AnsibleActionFail(
                f"nothing was written: {listed(after)} cannot be rewritten safely; change the"
                " owners by hand"
            )
        if after and not self._task.check_mode:
            write_edited(args["estate"], files, after)
        moved = {key: getattr(outcome.moved, key) for key in (*COUNTERS[:5], "unlimited")}
        _print_result(tenant, source, target, outcome, sorted(after))
        diffs = [diff(path, files[path], after[path]) for path in sorted(after)]
        changes = [{"kind": change.kind, "name": change.name} for change in outcome.changes]
        return {
            "changed": bool(after),
            "files": sorted(after),
            "changes": changes,
            "moved": moved,
            "diff": diffs,
        }


def _admins(tenant: Tenant, *written: str) -> list[str]:
    """Return both addresses in the form of the files; fail if one is no admin of the tenant."""
    try:
        source, target = (address(text) for text in written)
    except ValueError as error:
        raise AnsibleActionFail(f"{error}; allowed: an address such as jo@acme.example") from None
    unknown = not_admins(tenant, source, target)
    if unknown:
        allowed = listed(admin.address for admin in tenant.admins)
        raise AnsibleActionFail(
            f"{unknown[0]} is no admin of tenant {tenant.name}, and a transfer stays within a"
            f" tenant; allowed: {allowed}"
        )
    if source == target:
        raise AnsibleActionFail(f"source and target are both {source}; allowed: two admins")
    return [source, target]


def _rewritten(
    tenant: Tenant, files: t.Mapping[str, bytes], source: str, target: str
) -> dict[str, bytes]:
    """Return the tenant's files that change, by their path in the estate."""
    after = {}
    for domain in tenant.domains:
        path = f"tenants/{tenant.name}/{domain.name}.yml"
        try:
            text = hand_over(files[path], source, target, domain.owner == source)
        except CannotEdit:
            raise AnsibleActionFail(
                f"nothing was written: the owner cannot be added to {path} automatically; write"
                f" owner: {target} into it by hand"
            ) from None
        if text != files[path]:
            after[path] = text
    return after


def _refusal(outcome: Transfer, source: str, target: str) -> dict[str, t.Any]:
    """Print by how much each limit of the receiver is too low; return the failure."""
    missing = []
    for one in outcome.missing:
        word = one.key.replace("_", " ")
        needed = "an unlimited amount" if one.needed is None else amount(one.key, one.needed)
        more = (
            "it must be unlimited"
            if one.amount is None
            else f"raise it by {amount(one.key, one.amount)}"
        )
        terminal.say(
            f"the limit of {target} for {word} is too low: {needed} would be added,"
            f" {amount(one.key, one.left)} are left; {more}"
        )
        missing.append(
            {"counter": one.key, "needed": one.needed, "left": one.left, "missing": one.amount}
        )
    words = ", ".join(one.key.replace("_", " ") for one in outcome.missing)
    return {
        "msg": (
            f"nothing was written: the limits of {target} are too low for what {source} owns"
            f" ({words}); each is named above"
        ),
        "missing": missing,
    }


def _print_result(
    tenant: Tenant, source: str, target: str, outcome: Transfer, paths: t.Sequence[str]
) -> None:
    """Print what was transferred, and in which files."""
    if not outcome.changes:
        terminal.say(f"{source} owns nothing in tenant {tenant.name}.")
        return
    terminal.say(
        f"{source} → {target}: {_amounts(outcome.moved)}; in"
        f" {', '.join(paths) if len(paths) < 4 else f'{len(paths)} files'}."
    )
    if tenant.default_owner == source:
        terminal.say(
            f"{source} stays the account's default_owner: new domains without an owner are charged"
            " to it."
        )


def _amounts(moved: Usage) -> str:
    """Return what was transferred, counter by counter."""
    amounts = {
        key.replace("_", " "): amount(key, getattr(moved, key))
        for key in COUNTERS
        if getattr(moved, key)
    }
    if moved.unlimited:
        amounts["unlimited mailboxes"] = str(moved.unlimited)
    return ", ".join(f"{key} {number}" for key, number in amounts.items())
