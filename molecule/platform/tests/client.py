# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests say and do: messages, calls of `world`, commands on hosts, playbook runs. No claim is made here."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import threading
import time
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[3]
BUILD = PROJECT / "build" / "platform"
ESTATE = BUILD / "estate"
"""The scenario's own copy of the example estate (create.yml makes it), so that no run changes the example's state."""
PASSWORDS = BUILD / "passwords"
"""Where nodes hand their initial passwords over, one CSV file a node."""


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


def settings(estate: Path = ESTATE) -> dict[str, t.Any]:
    """The same variables that molecule.yml gives."""
    return {"mail_estate_dir": str(estate), "dovecot_handover": f"{PASSWORDS}/{{{{ mail_node }}}}.csv", "postfix_client_auth_rate": 0}


def ansible(command: str, *arguments: str, venv: Path | None = None, estate: Path = ESTATE, environment: t.Mapping[str, str] | None = None) -> Run:
    """Run one of Ansible's commands in the project, as an operator does, on the scenario's estate."""
    venv = venv or PROJECT / ".venv"
    done = subprocess.run(
        [venv / "bin" / command, *arguments, "--extra-vars", json.dumps(settings(estate))],
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
    """A lab host, reached by the lab's SSH settings."""

    def __init__(self, name: str) -> None:
        self.name = name
        lab = os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab")
        BUILD.mkdir(parents=True, exist_ok=True)
        self._ssh = [
            "ssh",
            "-F",
            f"{lab}/ssh/config",
            "-o",
            "ControlMaster=auto",
            "-o",
            "ControlPersist=60",
            "-o",
            f"ControlPath={lab}/ssh/control/tests-%n",
            name,
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

    def stored(self, token: str, **more: t.Any) -> list[bytes]:
        return [base64.b64decode(message) for message in self.call("stored", token=token, **more)]

    def may_login(self, host: str, protocol: str, user: str, password: str, port: int = 0) -> bool:
        return self.call("login", host=host, protocol=protocol, user=user, password=password, port=port)[0]


class Flow:
    """Mail that keeps coming in for a mailbox while something else happens."""

    def __init__(self, world: World, host: str, user: str, password: str) -> None:
        self._world, self._to = world, {"host": host, "user": user, "password": password}
        self._name = uuid.uuid4().hex
        self._thread = threading.Thread(target=self._run)
        self.sent: list[tuple[str, list[t.Any]]] = []

    def _run(self) -> None:
        text = Message.new("someone@stranger.example", self._to["user"]).text
        text = re.sub(r"(?m)^(X-Token: |Message-ID: <)\w+", r"\1TOKEN", text)
        running = f"/run/{self._name}"
        arguments = {"sender": "someone@stranger.example", "recipient": self._to["user"], "text": text, "running": running}
        self.sent = self._world.call("flow", host=self._to["host"], **arguments)

    def __enter__(self) -> Flow:
        self._world.run(f"touch /run/{self._name}")
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._world.run(f"rm -f /run/{self._name}")
        self._thread.join(120)

    def lost(self) -> list[str]:
        """What went wrong: messages that were refused, are not there, or are there twice. To be asked after the flow ended."""
        refused = [f"{token}: {reply}" for token, reply in self.sent if reply[0] != 250]
        wanted = sorted(token for token, reply in self.sent if reply[0] == 250)
        wait_until(lambda: sorted(self._arrived()) == wanted)
        arrived = sorted(self._arrived())
        return refused + ([] if arrived == wanted else [f"{len(wanted)} accepted, {len(arrived)} in the mailbox"])

    def _arrived(self) -> list[str]:
        return self._world.call("tokens", prefix=self._name, **self._to)


@contextlib.contextmanager
def instead_of(host: Host, command: str, script: str) -> t.Iterator[None]:
    """Put a script before a command of the host: how daemons' tools are made to fail as a broken host would."""
    path = f"/usr/local/sbin/{command}"
    host.run(
        f"test ! -e {path}; cat > {path}; chmod 755 {path}", stdin=f"#!/bin/bash\nreal=/usr/bin/{command}; [ -x $real ] || real=/usr/sbin/{command}\n{script}\n"
    )
    try:
        yield
    finally:
        host.run(f"rm -f {path}")


def changed_estate(folder: Path, changes: t.Mapping[str, tuple[str, str]]) -> Path:
    """A copy of the scenario's estate in which texts of files were replaced, each exactly once."""
    estate = folder / "estate"
    shutil.copytree(ESTATE, estate)
    for name, (old, new) in changes.items():
        text = (estate / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name}: {old!r} stands there {text.count(old)} times"
        (estate / name).write_text(text.replace(old, new), encoding="utf-8")
    return estate
