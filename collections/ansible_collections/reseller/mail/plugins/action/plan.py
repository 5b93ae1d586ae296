# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.color import ANSIBLE_COLOR, stringc
from ansible.utils.display import Display
from ansible_collections.reseller.mail.plugins.module_utils import _fault_text, _plan, _revision
from ansible_collections.reseller.mail.plugins.module_utils._git import GitError, Repository
from ansible_collections.reseller.mail.plugins.module_utils._plan.data import data
from ansible_collections.reseller.mail.plugins.module_utils._plan.markdown import markdown
from ansible_collections.reseller.mail.plugins.module_utils._plan.text import headline, text

ARGUMENTS = {
    "estate": {"type": "path"},
    "before": {"type": "path"},
    "before_revision": {"type": "str"},
    "after_revision": {"type": "str"},
    "merge": {"type": "bool", "default": False},
    "actor": {"type": "str"},
    "actor_groups": {"type": "list", "elements": "str", "default": []},
    "approvers": {"type": "list", "elements": "str", "default": []},
    "deletions_accepted": {"type": "int", "default": 0},
    "markdown": {"type": "path"},
    "json": {"type": "path"},
}
COLORS = {"+": "green", "-": "red", "~": "yellow", "!": "bright red"}
display = Display()


class ActionModule(ActionBase):
    """Compares two revisions of an estate on the controller."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None) -> dict[str, t.Any]:
        """Prints the plan, writes what is asked for, and fails when the change is refused."""
        result = super().run(tmp, task_vars)
        _spec, args = self.validate_argument_spec(
            argument_spec=ARGUMENTS,
            mutually_exclusive=[("before", "before_revision")],
            required_one_of=[("before", "before_revision")],
            required_by={"after_revision": "before_revision"},
        )
        if args["merge"] and not args["after_revision"]:
            raise AnsibleActionFail("merge needs before_revision and after_revision: it shows what merging the one into the other means")
        # An identity that a pipeline failed to fill in must not turn into a plan that judges nobody.
        if args["actor"] is not None and not args["actor"].strip():
            raise AnsibleActionFail("the actor is empty: give the identity that the forge vouches for, or no actor at all")
        before, after = self._revisions(args)
        who = _plan.Who(args["actor"], tuple(args["actor_groups"]), tuple(args["approvers"])) if args["actor"] else None
        plan = _plan.compare(before, after, who, args["deletions_accepted"])
        self._tell(plan, after)
        try:
            written = [
                _write(args["markdown"], markdown(plan), self._task.check_mode),
                _write(args["json"], json.dumps(data(plan), indent=2, ensure_ascii=False) + "\n", self._task.check_mode),
            ]
        except OSError as error:
            raise AnsibleActionFail(f"the plan cannot be written: {error.filename}: {error.strerror}") from error
        outcome = {**result, "changed": any(written), "plan": data(plan)}
        # Not raised: with an exception Ansible prints the message twice, and the place in the playbook, which is innocent.
        return {**outcome, "failed": True, "msg": _refused(plan)} if plan.refused else outcome

    def _revisions(self, args: dict[str, t.Any]) -> tuple[_revision.Revision, _revision.Revision]:
        estate = _directory(args["estate"], "estate")
        if args["before"]:
            return _revision.of_folder(_directory(args["before"], "estate before")), _revision.of_folder(estate)
        repository = Repository(estate)
        try:
            ours = repository.commit(args["before_revision"])
            if args["after_revision"] is None:
                return _revision.of_commit(repository, ours, args["before_revision"], bare=True), _revision.of_folder(estate)
            theirs = repository.commit(args["after_revision"])
            tree = repository.merged(ours, theirs) if args["merge"] else ""
            return _revision.of_commit(repository, ours, args["before_revision"]), _revision.of_commit(repository, theirs, args["after_revision"], tree)
        except GitError as error:
            raise AnsibleActionFail(str(error)) from error

    def _tell(self, plan: _plan.Plan, after: _revision.Revision) -> None:
        said = text(plan)
        if plan.faults:
            faults = _fault_text.text(plan.faults, _fault_text.Sources(after.files, after.prefix), display.columns if ANSIBLE_COLOR else 120)
            said = f"{faults}\n\n{said}"
        display.display(f"\n{text(plan, _painted) if ANSIBLE_COLOR and not plan.faults else said}\n", screen_only=True)
        display.display(said, log_only=True)


def _painted(sign: str, words: str) -> str:
    return str(stringc(words, COLORS[sign])) if sign in COLORS else words


def _refused(plan: _plan.Plan) -> str:
    if plan.faults:
        return f"{headline(plan)}; each is named above"
    reasons = [plan.deletions] if plan.deletions else []
    if plan.refusals:
        number = "1 edit is" if len(plan.refusals) == 1 else f"{len(plan.refusals)} edits are"
        reasons.insert(0, f"{number} not allowed to {plan.actor}; each is named above")
    return ". ".join(reasons)


def _directory(path: t.Optional[str], what: str) -> str:
    if not path:
        raise AnsibleActionFail("no estate is known: use an inventory with the plugin reseller.mail.estate, or give -e mail_estate_dir=<directory>")
    directory = os.path.abspath(path)
    if not os.path.isdir(directory):
        raise AnsibleActionFail(f"there is no {what} at {directory}: it is no directory")
    return directory


def _write(dest: t.Optional[str], content: str, check_mode: bool) -> bool:
    """Whether the file was not what it should be."""
    if not dest:
        return False
    path = Path(dest)
    if path.is_file() and path.read_bytes() == content.encode():
        return False
    if not check_mode:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    return True
