# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module on a host answers to an action that reports findings.

PRIVATE to the collection. Runs on the controller.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure


def answer_of(
    execute: t.Callable[..., dict[str, t.Any]],
    module: str,
    args: t.Mapping[str, t.Any],
    task_vars: t.Any,
    wanted: str,
) -> tuple[t.Optional[t.Any], str]:
    """Return the result ``wanted`` of a module on the host, or None and the reason.

    A host that is down is a finding, not the end of the report. ``execute`` is the action's
    ``_execute_module``.
    """
    try:
        answer = execute(module, args, task_vars=task_vars)
    except AnsibleConnectionFailure as error:
        return None, f"no connection: {error.message}"
    if wanted not in answer:
        return None, str(answer.get("msg") or answer.get("module_stderr") or "the module failed")
    return answer[wanted], ""
