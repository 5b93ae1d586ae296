# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller.mail.host_config in a role, run by Ansible on this machine."""

from __future__ import annotations

import copy
import getpass
import grp
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.reseller.mail.plugins.action.host_config import ActionModule
from ansible_collections.reseller.mail.tests.unit.support.running import ansible

US = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}
TEMPLATE = """\
{% for name in names %}
# {{ name }}
{% endfor %}
  {% if true %}
indented
  {% endif %}
{% include 'part.j2' %}

last, with a line after it
"""


class Role:
    """A role with one task, and the folder that it configures."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.host = folder / "host"
        self.role = folder / "home/roles/example"
        for path in (self.host, self.role / "tasks", self.role / "templates", self.role / "files"):
            path.mkdir(parents=True)
        self.write("templates/a.j2", TEMPLATE)
        self.write("templates/part.j2", "part {{ names | length }}\n")
        self.write("files/b", "read\n")
        self.write("files/key", "KEY\n")

    def write(self, path: str, text: str) -> None:
        (self.role / path).write_text(text, encoding="utf-8")

    def run(
        self, options: dict[str, t.Any], *words: str, more: t.Sequence[dict[str, t.Any]] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run the role, and more tasks. The result of its first task is then in ``self.result``."""
        record = {
            "ansible.builtin.copy": {
                "content": "{{ done | to_json }}",
                "dest": str(self.home / "result.json"),
            },
            "check_mode": False,
            "diff": False,
        }
        tasks = [
            {"reseller.mail.host_config": options, "register": "done", "ignore_errors": True},
            record,
            *more,
        ]
        self.write("tasks/main.yml", json.dumps(tasks))
        play = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {
                "names": ["ä", "b"],
                "ansible_python_interpreter": sys.executable,
                "__here": str(self.host),
            },
            "roles": ["example"],
        }
        (self.home / "play.yml").write_text(json.dumps([play]), encoding="utf-8")
        (self.home / "result.json").unlink(missing_ok=True)
        done = ansible(self.home, "playbook", "play.yml", *words, ANSIBLE_ROLES_PATH="roles")
        assert done.returncode == 0, done.stdout + done.stderr
        self.result = json.loads((self.home / "result.json").read_text(encoding="utf-8"))
        return done

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.host)): path.read_bytes() if path.is_file() else b"folder"
            for path in self.host.rglob("*")
        }


@pytest.fixture
def role(tmp_path: Path) -> Role:
    return Role(tmp_path)


def task(**more: t.Any) -> dict[str, t.Any]:
    return {
        "packages": [],
        "folders": [{"path": "{{ __here }}/d", **US}],
        "files": [
            {"dest": "{{ __here }}/d/a", "template": "a.j2", **US},
            {"dest": "{{ __here }}/d/b", "src": "b", **US},
            {"dest": "{{ __here }}/d/c", "content": "{{ names | join }}", **US},
            {"dest": "{{ __here }}/d/key", "src": "key", "secret": True, "mode": "0600", **US},
        ],
        **more,
    }


def test_check_mode_announces_what_the_run_does_and_a_second_run_does_nothing(role: Role) -> None:
    announced_output = role.run(task(), "--check", "--diff").stdout
    announced = role.result
    assert role.files() == {}
    output = role.run(task(), "--diff").stdout
    assert role.result == announced
    assert announced["changed_paths"] == [
        f"{role.host}/{path}" for path in ("d", "d/a", "d/b", "d/c", "d/key")
    ]
    assert role.files()["d/b"] == b"read\n"
    assert role.files()["d/c"] == "äb".encode()
    for shown in (announced_output, output):
        assert "+read" in shown
        assert "+# ä" in shown
        assert "d/key" in shown
        assert "KEY" not in shown
    role.run(task(), "--diff")
    assert role.result["changed"] is False
    assert (role.result["changed_paths"], role.result["diff"]) == ([], [])


def test_a_template_has_the_bytes_that_ansible_gives_it(role: Role) -> None:
    template = {"ansible.builtin.template": {"src": "a.j2", "dest": str(role.home / "expected")}}
    role.run(task(), more=[template])
    assert role.files()["d/a"] == (role.home / "expected").read_bytes()


def test_a_refused_file_changes_no_file_and_the_message_names_it(role: Role) -> None:
    role.run(task())
    before = role.files()
    refused = task()
    refused["files"][1].update(
        src="key", validate=["sh", "-c", "echo no such setting; exit 3", "%s"]
    )
    refused["files"][2]["content"] = "new"
    for words in ([], ["--check"]):
        role.run(refused, *words)
        assert role.result["failed"] is True
        assert f"sh refuses the new {role.host}/d/b: no such setting" in role.result["msg"]
        assert role.files() == before


def test_no_secret_is_printed_at_the_highest_verbosity(role: Role) -> None:
    secret = task()
    secret["files"][2].update(content="KEY2", secret=True)
    done = role.run(secret, "-vvvvv", "--diff")
    assert role.files()["d/c"] == b"KEY2"
    assert "KEY" not in done.stdout.replace("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "")
    assert "KEY" not in done.stderr
    assert "KEY" not in json.dumps(role.result)


def test_wrong_options_are_refused_before_anything_is_read(role: Role) -> None:
    wrong = task(units=[{"name": "nginx"}], absent=["relative"])
    wrong["files"][0]["src"] = "no such file"
    role.run(wrong)
    assert role.result["msg"].count("\n") == 2
    assert "needs exactly one of template, src, content" in role.result["msg"]
    assert role.files() == {}


def test_a_unit_may_be_given_without_its_state(role: Role) -> None:
    """systemd may be missing here. Then the module stops when it asks about the units."""
    role.run(task(units=[{"name": "no-such-unit.service", "enabled": False}]))
    assert "state" not in role.result.get("msg", "")
    assert role.files()["d/b"] == b"read\n"


def test_an_undefined_variable_of_a_template_changes_nothing(role: Role) -> None:
    role.write("templates/a.j2", "{{ no_such_variable }}\n")
    role.run(task())
    assert role.result["failed"] is True
    assert "no_such_variable" in role.result["msg"]
    assert role.files() == {}


class Recorded(ActionModule):
    """The action with a host that answers as it is set up, and Ansible's habit of adding entries to
    the options of a module."""

    def __init__(self, check_mode: bool, **answers: list[dict[str, t.Any]]) -> None:
        self._task = SimpleNamespace(check_mode=check_mode)
        self._play_context = SimpleNamespace(no_log=False)
        self._connection = SimpleNamespace(_play_context=self._play_context)
        self._vars: dict[str, t.Any] = {}
        self.answers = answers
        self.calls: list[tuple[str, dict[str, t.Any]]] = []

    def _execute_module(
        self, module_name: str, module_args: dict[str, t.Any], task_vars: t.Any
    ) -> dict[str, t.Any]:
        name = module_name.rpartition(".")[2]
        self.calls.append((name, copy.deepcopy(module_args)))
        module_args["_ansible_check_mode"] = self._task.check_mode
        return self.answers[name].pop(0)

    def install(self) -> dict[str, t.Any]:
        """Go on after the host has answered that some packages are missing."""
        return self._with_packages(
            {"changed": True, "packages": ["postfix"], "diff": []}, ARGS, ["postfix"]
        )


POSTFIX = {"name": "postfix", "question": "q", "vtype": "select", "value": "v"}
ARGS = {
    "packages": ["openssl", "postfix"],
    "debconf": [POSTFIX, {**POSTFIX, "name": "openssl"}],
    "package_lists_max_age": 60,
}
APT = {
    "name": ["openssl", "postfix"],
    "install_recommends": False,
    "update_cache": True,
    "cache_valid_time": 60,
}
GOOD: dict[str, t.Any] = {"changed": True}


def test_missing_packages_are_installed_with_their_answers_and_the_host_goes_on() -> None:
    done = {"changed": False, "packages": [], "changed_paths": ["/a"], "diff": []}
    action = Recorded(False, debconf=[GOOD], apt=[GOOD], host_config=[done])
    result = action.install()
    assert action.calls == [("debconf", POSTFIX), ("apt", APT), ("host_config", ARGS)]
    assert (result["changed"], result["packages"]) == (True, ["postfix"])
    assert result["changed_paths"] == ["/a"]
    assert [diff["after"] for diff in result["diff"]] == ["postfix\n"]


def test_check_mode_asks_apt_and_shows_what_the_host_answered_first() -> None:
    action = Recorded(True, debconf=[GOOD], apt=[GOOD])
    assert action.install()["packages"] == ["postfix"]
    assert [name for name, _args in action.calls] == ["debconf", "apt"]


def test_packages_that_cannot_be_installed_end_the_task() -> None:
    failed = {"failed": True, "msg": "E: no such package"}
    action = Recorded(False, debconf=[GOOD], apt=[failed])
    assert action.install() == failed
    virtual = Recorded(False, debconf=[GOOD], apt=[GOOD], host_config=[{"packages": ["postfix"]}])
    with pytest.raises(AnsibleActionFail, match=r"dpkg has no package postfix"):
        virtual.install()
