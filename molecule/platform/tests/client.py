# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests say and do: messages, calls of `outside`, commands on hosts, playbook runs. No claim
is made here."""

from __future__ import annotations

import base64
import collections
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

import yaml

PROJECT = Path(__file__).parents[3]
BUILD = PROJECT / "build" / "platform"
ESTATE = BUILD / "estate"
"""The scenario's own copy of the example estate (create.yml makes it), so that no run changes the
example's state."""
PASSWORDS = BUILD / "passwords"
"""Where nodes hand their initial passwords over, one CSV file a node."""


def newest_venv() -> Path:
    """The environment with the newest ansible-core, or the only one."""
    newest = PROJECT / ".venv-newest"
    return newest if newest.is_dir() else PROJECT / ".venv"


def wait_until(claim: t.Callable[[], t.Any], seconds: float = 60) -> t.Any:
    """Ask until the answer is true; the last answer when time is up."""
    deadline = time.monotonic() + seconds
    while not (answer := claim()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def retried(host: Host, recipient: str, seconds: float = 60) -> bool:
    """Have Postfix try at once what it deferred for a recipient; return whether it took it up.

    It is asked more than once: a queue manager that restarts for a reload forgets what it was
    asked a moment before.
    """
    deferred = f"""postqueue -j | grep -F '"deferred"' | grep -F '{recipient}' || true"""

    def taken_up() -> bool:
        host.run("postqueue -f")
        time.sleep(0.5)
        return not host.output(deferred)

    return bool(wait_until(taken_up, seconds))


@dataclass(frozen=True)
class Message:
    """A message that can be found again by its token."""

    token: str
    text: str

    @classmethod
    def new(
        cls, sender: str, recipient: str, size: int = 0, header_from: str | None = None
    ) -> Message:
        token = uuid.uuid4().hex
        filler = ("x" * 76 + "\r\n") * (size // 78)
        head = (
            f"From: {header_from or sender}\r\nTo: {recipient}\r\nSubject: platform test"
            f" {token}\r\nX-Token: {token}\r\nMessage-ID: <{token}@test.invalid>\r\nDate:"
            f" {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}\r\n\r\n"
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
    variables = PROJECT / "molecule/platform/vars/hosts.yml"
    return {
        **yaml.safe_load(variables.read_text(encoding="utf-8")),
        "mail_estate_dir": str(estate),
        "dovecot_initial_passwords": f"{PASSWORDS}/{{{{ mail_node }}}}.csv",
    }


def ansible(
    command: str,
    *arguments: str,
    venv: Path | None = None,
    estate: Path = ESTATE,
    environment: t.Mapping[str, str] | None = None,
    variables: t.Mapping[str, str] | None = None,
) -> Run:
    """Run one of Ansible's commands in the project, as an operator does, on the scenario's
    estate."""
    venv = venv or PROJECT / ".venv"
    done = subprocess.run(
        [
            venv / "bin" / command,
            *arguments,
            "--extra-vars",
            json.dumps(settings(estate) | dict(variables or {})),
        ],
        cwd=PROJECT,
        env=_environment()
        | {"PATH": f"{venv / 'bin'}:{os.environ['PATH']}"}
        | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def started(command: str, *arguments: str, estate: Path = ESTATE) -> subprocess.Popen[str]:
    """Start one of Ansible's commands, in a process group of its own; what it prints comes line by
    line."""
    return subprocess.Popen(
        [PROJECT / ".venv" / "bin" / command, *arguments, "-e", json.dumps(settings(estate))],
        cwd=PROJECT,
        env=_environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """Ours without molecule's settings: the tests run Ansible as an operator does, with the
    project's ansible.cfg."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("ANSIBLE_", "MOLECULE_"))
    } | {"ANSIBLE_NOCOLOR": "1"}


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

    def run(
        self, command: str, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self._ssh, command], input=stdin, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(
                f"{self.name}: {command}: rc {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def output(self, command: str) -> str:
        return self.run(command).stdout.strip()


class Outside(Host):
    """The stranger's host, with the functions of outside.py. Passwords go through stdin, never
    through an argument list."""

    def call(self, function: str, **arguments: t.Any) -> t.Any:
        program = (Path(__file__).parent / "outside.py").read_text(encoding="utf-8")
        program += f"\nimport json\nprint(json.dumps({function}(**{arguments!r})))\n"
        return json.loads(self.run("python3 -", stdin=program).stdout)

    def send(
        self,
        host: str,
        port: int,
        sender: str,
        recipients: list[str],
        message: Message,
        **more: t.Any,
    ) -> dict[str, t.Any]:
        return self.call(
            "send",
            host=host,
            port=port,
            sender=sender,
            recipients=recipients,
            message=message.text,
            **more,
        )

    def fetch(self, host: str, user: str, password: str, token: str, **more: t.Any) -> list[bytes]:
        found = self.call("fetch", host=host, user=user, password=password, token=token, **more)
        return [base64.b64decode(message) for message in found]

    def stored(self, token: str, **more: t.Any) -> list[bytes]:
        return [base64.b64decode(message) for message in self.call("stored", token=token, **more)]

    def may_login(self, host: str, protocol: str, user: str, password: str, port: int = 0) -> bool:
        return self.call(
            "login", host=host, protocol=protocol, user=user, password=password, port=port
        )[0]

    def managesieve(self, host: str, user: str, password: str, *commands: str) -> list[str]:
        """Log in to ManageSieve and return the answer to each command."""
        return self.call(
            "managesieve", host=host, user=user, password=password, commands=list(commands)
        )


@dataclass(frozen=True)
class Account:
    """What became of every message of a flow.

    `replies` has all that its sender was told, in turn; the others have a token for every find.
    """

    replies: t.Mapping[str, t.Sequence[tuple[int, str]]]
    arrived: t.Sequence[str]
    bounced: t.Sequence[str]

    @property
    def accepted(self) -> list[str]:
        return [token for token, replies in self.replies.items() if replies[-1][0] == 250]

    @property
    def refused(self) -> dict[str, str]:
        """Refused for good: the sender was told, and sends no more."""
        return {
            token: _text(replies)
            for token, replies in self.replies.items()
            if 500 <= replies[-1][0] < 600
        }

    @property
    def deferred(self) -> dict[str, str]:
        """Put off at least once: by a 4xx, or because nobody answered."""
        return {
            token: _text(replies)
            for token, replies in self.replies.items()
            if any(code < 500 and code != 250 for code, _text in replies)
        }

    @property
    def given_up(self) -> dict[str, str]:
        """Deferred to the end."""
        return {
            token: text
            for token, text in self.deferred.items()
            if token not in self.accepted and token not in self.refused
        }

    @property
    def missing(self) -> list[str]:
        """Accepted, but not in the mailbox."""
        return sorted(set(self.accepted) - set(self.arrived))

    @property
    def doubled(self) -> list[str]:
        """In the mailbox more often than it was sent.

        A message that was out when the connection broke may have been taken.
        """
        counted = collections.Counter(self.arrived)
        sent = {
            token: max(1, sum(code in (1, 250) for code, _text in replies))
            for token, replies in self.replies.items()
        }
        return sorted(token for token, count in counted.items() if count > sent.get(token, 0))

    @property
    def wrong(self) -> list[str]:
        """Everything but: each message was accepted, and is in the mailbox exactly once."""
        found = [f"refused {token}: {text}" for token, text in self.refused.items()]
        found += [f"given up {token}: {text}" for token, text in self.given_up.items()]
        for what in ("missing", "doubled", "bounced"):
            found += [f"{what} {token}" for token in sorted(set(getattr(self, what)))]
        return found

    def __str__(self) -> str:
        figures = {
            name: len(getattr(self, name))
            for name in (
                "accepted",
                "deferred",
                "refused",
                "given_up",
                "missing",
                "doubled",
                "bounced",
            )
        }
        return f"{len(self.replies)} sent: " + ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in figures.items()
        )


def _text(replies: t.Sequence[tuple[int, str]]) -> str:
    return " | ".join(dict.fromkeys(f"{code} {text}" for code, text in replies))


class Flow:
    """Mail that keeps coming in for a mailbox while something else happens, and the account of it.

    It comes from the stranger to port 25 of `host`; with `submit` the owner of that mailbox sends
    it by submission, to `host` as well. `to` is an address that leads to the mailbox, if not its
    own, and `mailbox_host` where the mailbox is, if not at `host`. `message` makes the message. More `connections` send at the same
    time. What is deferred is sent again, for `patience` seconds after the end.
    """

    def __init__(
        self,
        outside: Outside,
        host: str,
        user: str,
        password: str,
        submit: tuple[str, str] | None = None,
        mailbox_host: str = "",
        to: str = "",
        message: t.Callable[[str, str], Message] = Message.new,
        **more: t.Any,
    ) -> None:
        self._outside, self._more, self._message = outside, more, message
        self._name = uuid.uuid4().hex
        self._host, self._mailbox = (
            host,
            {"host": mailbox_host or host, "user": user, "password": password},
        )
        self._submit, self._recipient = submit, to or user
        self._thread = threading.Thread(target=self._run)
        self.sent: list[tuple[str, list[t.Any]]] = []

    def _run(self) -> None:
        sender, password = self._submit or ("someone@stranger.example", None)
        text = self._message(sender, self._recipient).text
        text = re.sub(r"(?m)^(X-Token: |Message-ID: <)\w+", r"\1TOKEN", text)
        login = (
            {"port": 587, "login": sender, "password": password} if self._submit else {"port": 25}
        )
        arguments = {
            "sender": sender,
            "recipient": self._recipient,
            "text": text,
            "running": f"/run/{self._name}",
        }
        self.sent = self._outside.call("flow", host=self._host, **arguments, **login, **self._more)

    def __enter__(self) -> Flow:
        self._outside.run(f"touch /run/{self._name}")
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._outside.run(f"rm -f /run/{self._name}")
        self._thread.join(120 + self._more.get("patience", 60))

    def arrived(self) -> list[str]:
        """Return the tokens that are in the mailbox now, also while the flow goes on."""
        return t.cast("list[str]", self._outside.call("tokens", prefix=self._name, **self._mailbox))

    def account(self, queues: t.Iterable[Host] = (), seconds: float = 60) -> Account:
        """Return what became of the messages, when all have arrived or time is up.

        To be asked after the flow ended. The hosts of `queues` try at once again what they
        deferred, which they would else do minutes later.
        """
        replies = {token: [(code, text) for code, text in answers] for token, answers in self.sent}
        sender = (
            {"host": self._host, "user": self._submit[0], "password": self._submit[1]}
            if self._submit
            else {}
        )

        def now() -> Account:
            for host in queues:
                host.run("postqueue -f")
            arrived, bounced = (
                self._outside.call(what, prefix=self._name, **whose)
                for what, whose in (("tokens", self._mailbox), ("bounced", sender))
            )
            return Account(replies, arrived, bounced)

        account = now()
        deadline = time.monotonic() + seconds
        while set(account.missing) - set(account.bounced) and time.monotonic() < deadline:
            time.sleep(1)
            account = now()
        return account


@contextlib.contextmanager
def instead_of(host: Host, command: str, script: str) -> t.Iterator[None]:
    """Put a script before a command of the host: how daemons' tools are made to fail as a broken
    host would."""
    path = f"/usr/local/sbin/{command}"
    host.run(
        f"test ! -e {path}; cat > {path}; chmod 755 {path}",
        stdin=(
            f"#!/bin/bash\nreal=/usr/bin/{command}; [ -x $real ] ||"
            f" real=/usr/sbin/{command}\n{script}\n"
        ),
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
        replace_once(estate / name, old, new)
    return estate


def replace_once(path: Path, old: str, new: str) -> None:
    """Replace a text of a file, which it must have exactly once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path}: {old!r} stands there {text.count(old)} times"
    path.write_text(text.replace(old, new), encoding="utf-8")
