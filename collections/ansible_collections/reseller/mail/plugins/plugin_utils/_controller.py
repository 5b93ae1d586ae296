# SPDX-License-Identifier: GPL-3.0-or-later
"""What action plugins that work on the controller alone have in common.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.reseller.mail.plugins.plugin_utils._terminal import printed


class ControllerAction(ActionBase):
    """Does its ``work`` on the controller; the host of the play is never asked."""

    _requires_connection = False
    TRANSFERS_FILES = False

    ARGUMENTS: t.ClassVar[t.Mapping[str, t.Any]] = {}
    RULES: t.ClassVar[t.Mapping[str, t.Any]] = {}
    """What holds between arguments, as ``validate_argument_spec`` takes it."""
    PACKAGES: t.ClassVar[t.Mapping[str, t.Optional[Exception]]] = {}
    """Python packages that nothing can be done without, and what came of importing them."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        for package, error in self.PACKAGES.items():
            if error is not None:
                raise AnsibleActionFail(
                    f"{self._task.action} needs the Python package {package} on the controller"
                ) from error
        _spec, args = self.validate_argument_spec(argument_spec=self.ARGUMENTS, **self.RULES)
        result.update(self._worked(args))
        for key in {"msg", "diff"} & result.keys():
            result[key] = _printed(result[key])
        if not self._task.diff or not result.get("diff"):
            result.pop("diff", None)
        return result

    def _worked(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return what ``work`` does; what it raises for people to read is printed by Ansible, so it must be fit for that."""
        try:
            return self.work(args)
        except AnsibleActionFail as error:
            said = str(error.message)
            if printed(said) == said:
                raise
            raise AnsibleActionFail(printed(said)) from None

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """What it is there for, from judged arguments to the task's result; what ``diff`` holds is shown when it is asked for."""
        raise NotImplementedError


def _printed(value: t.Any) -> t.Any:
    """Return the texts in a message or a diff as they may be printed."""
    if isinstance(value, str):
        return printed(value)
    if isinstance(value, dict):
        return {key: _printed(each) for key, each in value.items()}
    return [_printed(each) for each in value] if isinstance(value, list) else value
