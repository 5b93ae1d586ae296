# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.module_utils._judge._index import listed
from ansible_collections.reseller.mail.plugins.module_utils._judge.limits import amount
from ansible_collections.reseller.mail.plugins.module_utils._ledger import Usage
from ansible_collections.reseller.mail.plugins.module_utils._load import build
from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import COUNTERS
from ansible_collections.reseller.mail.plugins.module_utils._names import address
from ansible_collections.reseller.mail.plugins.module_utils._rewrite import CannotEdit, hand_over
from ansible_collections.reseller.mail.plugins.module_utils._transfer import (
    Transfer,
    strangers,
    transfer,
)
from ansible_collections.reseller.mail.plugins.plugin_utils import _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import counted, tenant_of
from ansible_collections.reseller.mail.plugins.plugin_utils._files import Changed, diff, replace_all

if t.TYPE_CHECKING:
    from ansible_collections.reseller.mail.plugins.module_utils._model.tenant import Tenant


class ActionModule(ControllerAction):
    """Rewrites the tenant's files on the controller; the host of the play is never asked."""

    ARGUMENTS = {
        "estate": {"type": "path"},
        "tenant": {"type": "str", "required": True},
        "source": {"type": "str", "required": True},
        "target": {"type": "str", "required": True},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        estate, files = counted(args["estate"])
        tenant = tenant_of(estate, args["tenant"])
        source, target = _admins(tenant, args["source"], args["target"])
        outcome = transfer(estate, tenant.name, source, target)
        if outcome.missing:
            return {"failed": True, **_refusal(outcome, source, target)}
        after = _rewritten(tenant, files, source, target)
        mended, faults = build({**files, **after})
        if faults:
            for fault in faults:
                _terminal.say(str(fault))
            return {
                "failed": True,
                "msg": f"nothing was written: the result would have the {len(faults)} faults named above",
            }
        if mended.tenants != outcome.estate.tenants:
            raise AnsibleActionFail(
                f"nothing was written: {listed(after)} cannot be rewritten safely; change the owners by hand"
            )
        if after and not self._task.check_mode:
            _write(args["estate"], files, after)
        moved = {key: getattr(outcome.moved, key) for key in (*COUNTERS[:5], "unlimited")}
        _tell(tenant, source, target, outcome, sorted(after))
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
    try:
        source, target = (address(text) for text in written)
    except ValueError as error:
        raise AnsibleActionFail(f"{error}; allowed: an address such as jo@acme.example") from None
    unknown = strangers(tenant, source, target)
    if unknown:
        allowed = listed(admin.address for admin in tenant.admins)
        raise AnsibleActionFail(
            f"{unknown[0]} is no admin of tenant {tenant.name}, within which a transfer stays; allowed: {allowed}"
        )
    if source == target:
        raise AnsibleActionFail(f"{source} cannot hand over to itself")
    return [source, target]


def _rewritten(
    tenant: Tenant, files: t.Mapping[str, bytes], source: str, target: str
) -> dict[str, bytes]:
    """The tenant's files that change."""
    after = {}
    for domain in tenant.domains:
        path = f"tenants/{tenant.name}/{domain.name}.yml"
        try:
            text = hand_over(files[path], source, target, domain.owner == source)
        except CannotEdit:
            raise AnsibleActionFail(
                f"nothing was written: {path} has no place for its new owner; write owner: {target} into it by hand"
            ) from None
        if text != files[path]:
            after[path] = text
    return after


def _write(directory: str, before: t.Mapping[str, bytes], after: t.Mapping[str, bytes]) -> None:
    try:
        replace_all(directory, before, after)
    except Changed as error:
        raise AnsibleActionFail(
            f"nothing was written: {error} was changed meanwhile; run it again"
        ) from None
    except OSError as error:
        raise AnsibleActionFail(
            f"{error.filename or os.path.abspath(directory)} could not be written: {error.strerror}"
        ) from None


def _refusal(outcome: Transfer, source: str, target: str) -> dict[str, t.Any]:
    """All or nothing: what the receiver lacks, counter by counter."""
    missing = []
    for one in outcome.missing:
        word = one.key.replace("_", " ")
        needed = "without limit" if one.needed is None else amount(one.key, one.needed)
        more = (
            "its limit would have to go"
            if one.amount is None
            else f"{amount(one.key, one.amount)} are missing"
        )
        _terminal.say(
            f"{target} lacks room for {word}: {needed} would come, {amount(one.key, one.left)} are left; {more}"
        )
        missing.append(
            {"counter": one.key, "needed": one.needed, "left": one.left, "missing": one.amount}
        )
    words = ", ".join(one.key.replace("_", " ") for one in outcome.missing)
    return {
        "msg": f"nothing was written: {target} has no room for what {source} owns ({words}); each is named above",
        "missing": missing,
    }


def _tell(
    tenant: Tenant, source: str, target: str, outcome: Transfer, paths: t.Sequence[str]
) -> None:
    if not outcome.changes:
        _terminal.say(f"{source} owns nothing in tenant {tenant.name}.")
        return
    _terminal.say(
        f"{source} → {target}: {_amounts(outcome.moved)}; in {', '.join(paths) if len(paths) < 4 else f'{len(paths)} files'}."
    )
    if tenant.default_owner == source:
        _terminal.say(
            f"{source} stays the account's default_owner: domains that are added without an owner go to its account."
        )


def _amounts(moved: Usage) -> str:
    amounts = {
        key.replace("_", " "): amount(key, getattr(moved, key))
        for key in COUNTERS
        if getattr(moved, key)
    }
    if moved.unlimited:
        amounts["unlimited mailboxes"] = str(moved.unlimited)
    return ", ".join(f"{key} {number}" for key, number in amounts.items())
