# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: Reseller Mail developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.utils.color import stringc
from ansible_collections.reseller.mail.plugins.module_utils import _fault_text, _plan
from ansible_collections.reseller.mail.plugins.module_utils._plan.data import data
from ansible_collections.reseller.mail.plugins.module_utils._plan.markdown import markdown
from ansible_collections.reseller.mail.plugins.module_utils._plan.text import headline, text
from ansible_collections.reseller.mail.plugins.module_utils._printable import json_text
from ansible_collections.reseller.mail.plugins.module_utils._revision import Revision
from ansible_collections.reseller.mail.plugins.plugin_utils import _revision, _terminal
from ansible_collections.reseller.mail.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.reseller.mail.plugins.plugin_utils._estate import folder
from ansible_collections.reseller.mail.plugins.plugin_utils._files import update
from ansible_collections.reseller.mail.plugins.plugin_utils._git import GitError, Repository

COLORS = {"+": "green", "-": "red", "~": "yellow", "!": "bright red"}


class ActionModule(ControllerAction):
    """Compares two revisions of an estate on the controller."""

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
    RULES = {
        "mutually_exclusive": [("before", "before_revision")],
        "required_one_of": [("before", "before_revision")],
        "required_by": {"after_revision": "before_revision"},
    }

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Prints the plan, writes what is asked for, and fails when the change is refused."""
        if args["merge"] and not args["after_revision"]:
            raise AnsibleActionFail(
                "merge needs before_revision and after_revision: it shows what merging the one into the other means"
            )
        # An identity that a pipeline failed to fill in must not turn into a plan that judges nobody.
        if args["actor"] is not None and not args["actor"].strip():
            raise AnsibleActionFail(
                "the actor is empty: give the identity that the forge vouches for, or no actor at all"
            )
        before, after = self._revisions(args)
        who = (
            _plan.Who(args["actor"], tuple(args["actor_groups"]), tuple(args["approvers"]))
            if args["actor"]
            else None
        )
        plan = _plan.compare(before, after, who, args["deletions_accepted"])
        _terminal.tell(lambda color: _said(plan, after, color))
        texts = {args["markdown"]: markdown(plan), args["json"]: json_text(data(plan))}
        written = [
            update(Path(dest), content.encode(), self._task.check_mode)
            for dest, content in texts.items()
            if dest
        ]
        outcome = {"changed": any(written), "plan": data(plan)}
        # Not raised: with an exception Ansible prints the message twice, and the place in the playbook, which is innocent.
        return {**outcome, "failed": True, "msg": _refused(plan)} if plan.refused else outcome

    def _revisions(self, args: dict[str, t.Any]) -> tuple[Revision, Revision]:
        estate = folder(args["estate"])
        if args["before"]:
            return _revision.of_folder(
                folder(args["before"], "estate before")
            ), _revision.of_folder(estate)
        repository = Repository(estate)
        try:
            ours = repository.commit(args["before_revision"])
            if args["after_revision"] is None:
                return _revision.of_commit(
                    repository, ours, args["before_revision"], bare=True
                ), _revision.of_working_tree(repository, estate)
            theirs = repository.commit(args["after_revision"])
            tree = repository.merged(ours, theirs) if args["merge"] else ""
            return _revision.of_commit(
                repository, ours, args["before_revision"]
            ), _revision.of_commit(repository, theirs, args["after_revision"], tree)
        except GitError as error:
            raise AnsibleActionFail(str(error)) from None


def _said(plan: _plan.Plan, after: Revision, color: bool) -> str:
    said = text(plan, _painted) if color else text(plan)
    if plan.faults:
        return f"{_fault_text.text(plan.faults, _fault_text.Sources(after.files, after.prefix), _terminal.width(), color=color)}\n\n{said}"
    return said


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
