# SPDX-License-Identifier: GPL-3.0-or-later
"""What action plugins that work on the controller alone have in common.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from . import packages
from .terminal import printed


class ControllerAction(ActionBase):
    """An action that does its ``work`` on the controller and never connects to a host."""

    _requires_connection = False
    TRANSFERS_FILES = False

    ARGUMENTS: t.ClassVar[t.Mapping[str, t.Any]] = {}
    RULES: t.ClassVar[t.Mapping[str, t.Any]] = {}
    """Rules between arguments, in the form that ``validate_argument_spec`` takes."""
    PACKAGES: t.ClassVar[t.Mapping[str, t.Optional[Exception]]] = {}
    """Python packages that the action needs: the error of the import, or None."""

    def run(
        self, tmp: t.Optional[str] = None, task_vars: t.Optional[dict[str, t.Any]] = None
    ) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if any(self.PACKAGES.values()):
            packages.need(self._task.action, self.PACKAGES)
        _spec, args = self.validate_argument_spec(argument_spec=self.ARGUMENTS, **self.RULES)
        result.update(self._worked(args))
        for key in {"msg", "diff"} & result.keys():
            result[key] = _printed(result[key])
        if not self._task.diff or not result.get("diff"):
            result.pop("diff", None)
        return result

    def _worked(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the result of ``work``.

        Ansible prints the message of an AnsibleActionFail, so control characters leave it here.
        """
        try:
            return self.work(args)
        except ImportError as error:
            sentence = packages.at_import_error(self._task.action, error)
            raise AnsibleActionFail(printed(sentence)) from None
        except AnsibleActionFail as error:
            message = str(error.message)
            if printed(message) == message:
                raise
            raise AnsibleActionFail(printed(message)) from None

    def work(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the result of the task for validated arguments.

        Ansible shows ``diff`` of the result only if the run asks for it.
        """
        raise NotImplementedError


def _printed(value: t.Any) -> t.Any:
    """Return a message or a diff with all its texts fit for a terminal."""
    if isinstance(value, str):
        return printed(value)
    if isinstance(value, dict):
        return {key: _printed(each) for key, each in value.items()}
    return [_printed(each) for each in value] if isinstance(value, list) else value
