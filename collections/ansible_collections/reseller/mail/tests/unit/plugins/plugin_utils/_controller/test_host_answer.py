# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that does not answer is a reason, not an error."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.reseller.mail.plugins.plugin_utils._controller.host_answer import answer_of


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"host": {"now": 1.0}}, ({"now": 1.0}, "")),
        ({"failed": True, "msg": "no such file"}, (None, "no such file")),
        ({"failed": True, "msg": "", "module_stderr": "killed"}, (None, "killed")),
        ({"failed": True}, (None, "the module failed")),
    ],
)
def test_an_answer_is_what_is_wanted_or_why_it_is_not_there(
    answer: dict[str, t.Any], expected: tuple[t.Any, str]
) -> None:
    asked = []

    def execute(*given: t.Any, **more: t.Any) -> dict[str, t.Any]:
        asked.append((given, more))
        return answer

    assert answer_of(execute, "facts", {"root": "/r"}, {"a": 1}, "host") == expected
    assert asked == [(("facts", {"root": "/r"}), {"task_vars": {"a": 1}})]


def test_a_host_that_cannot_be_reached_is_a_reason() -> None:
    def execute(*_given: t.Any, **_more: t.Any) -> dict[str, t.Any]:
        raise AnsibleConnectionFailure("no route")

    assert answer_of(execute, "facts", {}, {}, "host") == (None, "no connection: no route")
