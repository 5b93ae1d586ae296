# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong options are refused on the controller, all at once."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.options import (
    OPTIONS,
    faults,
)


def of(**options: t.Any) -> list[str]:
    """Return the faults of a task with these options."""
    checked = ArgumentSpecValidator(OPTIONS).validate(options)
    assert not checked.error_messages
    return faults(checked.validated_parameters)


def test_a_complete_task_has_no_fault() -> None:
    assert not of(
        name="postfix",
        packages=["postfix"],
        users=[{"name": "reseller-mail-guard", "group": "postfix", "uid": 5000}],
        folders=[{"path": "/var/spool/postfix/guard", "mode": "2750"}],
        files=[
            {"dest": "/etc/a", "template": "a.j2", "validate": ["grep", "-q", "x", "%s"]},
            {"dest": "/etc/b", "src": "b"},
            {"dest": "/etc/c", "content": ""},
        ],
        links=[{"path": "/etc/d", "target": "../x"}],
        absent=["/etc/e"],
        units=[{"name": "postfix@-.service", "state": "started"}, {"name": "certbot.timer"}],
    )


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"files": [{"dest": "etc/a", "content": ""}]}, "files: 'etc/a' is not an absolute path"),
        ({"absent": ["/a\nb"]}, "absent: '/a\\nb' is not an absolute path"),
        (
            {"folders": [{"path": "/a"}], "links": [{"path": "/a", "target": "b"}]},
            "links: /a is listed twice",
        ),
        (
            {"folders": [{"path": "/a", "mode": "493"}]},
            "folders: mode '493' of /a is wrong; write four octal digits in quotation marks, such"
            ' as "0644"',
        ),
        ({"files": [{"dest": "/a"}]}, "files: /a needs exactly one of template, src, content"),
        (
            {"files": [{"dest": "/a", "src": "a", "content": "a"}]},
            "files: /a needs exactly one of template, src, content",
        ),
        (
            {"files": [{"dest": "/a", "src": "a", "validate": ["true"]}]},
            "files: validate of /a has no %s, the path of the new file",
        ),
        (
            {"users": [{"name": "a"}]},
            "users: name is needed outside of a role; small letters, digits, - and _ are allowed",
        ),
        ({"name": "r", "users": [{"name": "a b"}]}, "users: name 'a b' is wrong"),
        ({"name": "r", "users": [{"name": "a", "group": "0"}]}, "users: group '0' is wrong"),
        (
            {"name": "r", "users": [{"name": "a", "home": "/a b"}]},
            "users: home '/a b' of a is wrong",
        ),
        (
            {"units": [{"name": "nginx"}]},
            "units: 'nginx' is no unit; write its whole name, such as nginx.service",
        ),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, t.Any], fault: str) -> None:
    assert of(**options) == [fault]


def test_all_faults_are_reported_at_once() -> None:
    assert len(of(absent=["a"], files=[{"dest": "b"}], units=[{"name": "c"}])) == 4
