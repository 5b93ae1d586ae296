# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests say and do: messages, calls of `world`, commands on hosts, playbook runs. No claim is made here."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import time
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[3]
BUILD = PROJECT / "build" / "platform"
ESTATE = BUILD / "estate"
"""The scenario's own copy of the example estate (create.yml makes it), so that no run changes the example's state."""


def newest_venv() -> Path:
    """The environment with the newest ansible-core, or the only one."""
    newest = PROJECT / ".venv-newest"
    return newest if newest.is_dir() else PROJECT / ".venv"


def wait_until(claim: t.Callable[[], t.Any], seconds: float = 30) -> t.Any:
    """Ask until the answer is true; the last answer when time is up."""
    deadline = time.monotonic() + seconds
    while not (answer := claim()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


@dataclass(frozen=True)
class Message:
    """A message that can be found again by its token."""

    token: str
    text: str

    @classmethod
    def new(cls, sender: str, recipient: str, size: int = 0, header_from: str | None = None) -> Message:
        token = uuid.uuid4().hex
        filler = ("x" * 76 + "\r\n") * (size // 78)
        head = (
            f"From: {header_from or sender}\r\nTo: {recipient}\r\nSubject: platform test {token}\r\nX-Token: {token}\r\n"
            f"Message-ID: <{token}@test.invalid>\r\nDate: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}\r\n\r\n"
        )
        return cls(token, f"{head}Hello.\r\n{filler}")


@dataclass(frozen=True)
class Run:
    """What a playbook run said."""

    rc: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        return {
            host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", figures)}
            for host, figures in re.findall(r"^(\S+)\s+: (ok=.*)$", self.output, re.M)
        }

    def changed(self, host: str) -> int:
        return self.recap[host]["changed"]


def ansible(command: str, *arguments: str, venv: Path | None = None, estate: Path = ESTATE, environment: t.Mapping[str, str] | None = None) -> Run:
    """Run one of Ansible's commands in the project, on the scenario's estate."""
    venv = venv or PROJECT / ".venv"
    done = subprocess.run(
        [venv / "bin" / command, *arguments, *(["-e", f"mail_estate_dir={estate}"] if command == "ansible-playbook" else [])],
        cwd=PROJECT,
        env=_environment() | {"PATH": f"{venv / 'bin'}:{os.environ['PATH']}"} | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def _environment() -> dict[str, str]:
    """Ours without molecule's settings: the tests run Ansible as an operator does, with the project's ansible.cfg."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MOLECULE_"))} | {"ANSIBLE_NOCOLOR": "1"}


def site(*arguments: str, **options: t.Any) -> Run:
    return ansible("ansible-playbook", "playbooks/site.yml", *arguments, **options)


class Host:
    """A lab host, reached as Ansible reaches it."""

    def __init__(self, name: str, variables: dict[str, t.Any]) -> None:
        self.name = name
        self._ssh = [
            "ssh",
            *("-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={BUILD}/ssh-%C"),
            *("-i", variables["ansible_ssh_private_key_file"]),
            *shlex.split(variables.get("ansible_ssh_common_args", "")),
            f"{variables.get('ansible_user', 'root')}@{variables['ansible_host']}",
        ]

    def run(self, command: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run([*self._ssh, command], input=stdin, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"{self.name}: {command}: rc {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def output(self, command: str) -> str:
        return self.run(command).stdout.strip()


class World(Host):
    """The stranger's host, with the functions of world.py. Passwords go through stdin, never through an argument list."""

    def call(self, function: str, **arguments: t.Any) -> t.Any:
        program = (Path(__file__).parent / "world.py").read_text(encoding="utf-8")
        program += f"\nimport json\nprint(json.dumps({function}(**{arguments!r})))\n"
        return json.loads(self.run("python3 -", stdin=program).stdout)

    def send(self, host: str, port: int, sender: str, recipients: list[str], message: Message, **more: t.Any) -> dict[str, t.Any]:
        return self.call("send", host=host, port=port, sender=sender, recipients=recipients, message=message.text, **more)

    def fetch(self, host: str, user: str, password: str, token: str, **more: t.Any) -> list[bytes]:
        found = self.call("fetch", host=host, user=user, password=password, token=token, **more)
        return [base64.b64decode(message) for message in found]

    def may_login(self, host: str, protocol: str, user: str, password: str) -> bool:
        return self.call("login", host=host, protocol=protocol, user=user, password=password)[0]


def hosts() -> dict[str, dict[str, t.Any]]:
    """The inventory's hosts with their variables, as Ansible sees them."""
    seen = json.loads(
        subprocess.run([PROJECT / ".venv/bin/ansible-inventory", "--list"], cwd=PROJECT, env=_environment(), capture_output=True, text=True, check=True).stdout
    )
    return seen["_meta"]["hostvars"]
