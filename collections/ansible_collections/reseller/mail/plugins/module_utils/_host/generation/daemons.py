# SPDX-License-Identifier: GPL-3.0-or-later
"""A Postfix and a Dovecot that run only to check a staged generation.

PRIVATE to the collection. Runs on the host; standard library only.

They share nothing with the daemons that serve. They have other settings, another queue, other
sockets and logs, and no network port: Postfix listens on a unix socket. Dovecot only answers
questions about users. Both run under the users of their services, so that wrong owners and modes
are found too. They are always stopped.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import signal
import time
import typing as t
from pathlib import Path

from . import probes
from .store import GenerationError, Run, Store

PATIENCE = 10.0
"""Seconds for a daemon to end."""

_MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {room}/queue
data_directory = {room}/data
maillog_file = {room}/mail.log
maillog_file_prefixes = {room}
myhostname = {host}
mydestination =
mynetworks =
inet_interfaces = loopback-only
alias_maps =
alias_database =
local_recipient_maps =
parent_domain_matches_subdomains =
recipient_delimiter = +
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access lmdb:{staging}/postfix/recipient_access
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 10000
in_flow_delay = 0
relay_domains = lmdb:{staging}/postfix/relay_domains
relay_recipient_maps = lmdb:{staging}/postfix/relay_recipient_maps
transport_maps = lmdb:{staging}/postfix/transport_maps
virtual_mailbox_domains = lmdb:{staging}/postfix/virtual_mailbox_domains
virtual_mailbox_maps = lmdb:{staging}/postfix/virtual_mailbox_maps
virtual_alias_domains = lmdb:{staging}/postfix/virtual_alias_domains
virtual_alias_maps = lmdb:{staging}/postfix/virtual_alias_maps
"""

# There is no queue manager: the probes never finish a message, so there is never mail.
_MASTER_CF = """\
check unix - - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
postlog unix-dgram n - n - 1 postlogd
"""

_DOVECOT = {
    12: (
        """\
protocols =
base_dir = {room}/dovecot
state_dir = {room}/dovecot
log_path = {room}/dovecot.log
ssl = no
auth_username_format = %Lu
passdb {{
  driver = passwd-file
  args = username_format=%Lu {staging}/dovecot/logins/doveadm
}}
userdb {{
  driver = passwd-file
  args = username_format=%Lu {staging}/dovecot/users/%Ld
  default_fields = uid=65534 gid=65534 home=/nonexistent
}}
"""
    ),
    13: (
        """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols =
base_dir = {room}/dovecot
state_dir = {room}/dovecot
log_path = {room}/dovecot.log
ssl = no
auth_username_format = %{{user | lower}}
passdb passwd-file {{
  passwd_file_path = {staging}/dovecot/logins/doveadm
}}
userdb passwd-file {{
  passwd_file_path = {staging}/dovecot/users/%{{user | domain | lower}}
  fields {{
    uid:default = 65534
    gid:default = 65534
    home:default = /nonexistent
  }}
}}
"""
    ),
}


_SEVERE = ("fatal:", "error:", "warning:", "panic:", "Error:", "Fatal:", "Panic:")
"""Marks of the lines in the daemons' logs that are shown."""


class Room:
    """A folder under /run for the daemons of a check.

    Its name depends on the store alone, so the next run finds and stops what a killed run left.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self._run = run
        self._path = (
            Path("/run") / f"reseller-mail-{hashlib.sha256(bytes(store.root)).hexdigest()[:8]}"
        )

    @property
    def postfix(self) -> Path:
        """Return the folder with Postfix's settings.

        postmap uses it too, so that it does not depend on those of the Postfix that serves.
        """
        return self._path / "postfix"

    def __enter__(self) -> Room:
        self._clear()
        # Not 0700: the users of the daemons must be able to enter.
        self._path.mkdir(mode=0o755)
        self._path.chmod(0o755)
        self.postfix.mkdir(mode=0o755)
        self.postfix.chmod(0o755)
        self._write("postfix/main.cf", "compatibility_level = 3.6\n")
        return self

    def __exit__(self, *_error: object) -> None:
        self._clear()

    def start(self, staging: Path, debian: int) -> None:
        """Start both on the staged generation; raise GenerationError if one does not start."""
        self._start_postfix(staging)
        self._start_dovecot(staging, debian)

    def faults(self, files: t.Mapping[str, str]) -> t.Iterator[str]:
        """Yield what the daemons answer wrongly, then what they logged."""
        found = [
            *probes.postfix_faults(files, str(self._path / "queue" / "private" / "check")),
            *probes.dovecot_faults(files, str(self._path / "dovecot" / "auth-userdb")),
        ]
        yield from found
        if found:
            yield from self._complaints()

    def _start_postfix(self, staging: Path) -> None:
        """Start Postfix with folders and settings in the room."""
        owner = pwd.getpwnam("postfix").pw_uid
        for name in (
            "data",
            "queue",
            "queue/pid",
            "queue/private",
            "queue/public",
            "queue/incoming",
            "queue/active",
        ):
            folder = self._path / name
            folder.mkdir(mode=0o755)
            if name not in ("queue", "queue/pid"):
                os.chown(folder, owner, -1)
        self._write(
            "postfix/main.cf", _MAIN_CF.format(room=self._path, staging=staging, host=probes.HOST)
        )
        self._write("postfix/master.cf", _MASTER_CF)
        # -w returns when the daemon listens. -e ends it after 60 seconds, also when this process is
        # killed before it can stop the daemon.
        self._command(
            "Postfix", ["/usr/lib/postfix/sbin/master", "-c", str(self.postfix), "-w", "-e", "60"]
        )

    def _start_dovecot(self, staging: Path, debian: int) -> None:
        """Start Dovecot with the settings of the Debian release."""
        (self._path / "dovecot").mkdir(mode=0o755)
        settings = self._write(
            "dovecot.conf", _DOVECOT[debian].format(room=self._path, staging=staging)
        )
        self._command("Dovecot", ["dovecot", "-c", str(settings)])

    def _write(self, name: str, text: str) -> Path:
        """Write a file of settings and return its path."""
        path = self._path / name
        path.write_text(text, "ascii")
        path.chmod(0o644)
        # With a new modification time Postfix would wait for some seconds before it reads the file.
        os.utime(path, (0, 0))
        return path

    def _command(self, what: str, command: list[str]) -> None:
        """Start a daemon; raise GenerationError with its output and log if it fails."""
        # Daemons keep the output they were started with, so a pipe would never end.
        output = self._path / "start.log"
        code, _output, _errors = self._run(
            ["sh", "-c", 'exec "$@" > "$0" 2>&1 < /dev/null', str(output), *command]
        )
        if code:
            reasons = [*output.read_text("utf-8", "replace").splitlines(), *self._complaints()]
            raise GenerationError(
                f"the check's {what} does not start: {'; '.join(reasons) or f'exit status {code}'}"
            )

    def _complaints(self) -> t.Iterator[str]:
        """Yield the errors and warnings in the last 50 lines of each daemon's log."""
        for log in ("mail.log", "dovecot.log"):
            with contextlib.suppress(FileNotFoundError):
                for line in (self._path / log).read_text("utf-8", "replace").splitlines()[-50:]:
                    if any(word in line for word in _SEVERE):
                        yield line

    def _clear(self) -> None:
        """Stop the daemons of this room and remove it."""
        # Postfix's master ends its children. Dovecot's would wait a second for them, and longer for
        # a client. If it is killed, they end at once.
        for pid_file, number in (
            ("queue/pid/master.pid", signal.SIGTERM),
            ("dovecot/master.pid", signal.SIGKILL),
        ):
            with contextlib.suppress(FileNotFoundError, ValueError):
                _end(int((self._path / pid_file).read_text("ascii")), number, str(self._path))
        if self._path.exists():
            shutil.rmtree(self._path)


def _end(pid: int, number: int, room: str) -> None:
    """End a daemon of this room. If another process has its pid by now, do nothing."""
    process = Path(f"/proc/{pid}")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if room in (process / "cmdline").read_text("utf-8", "replace"):
            os.kill(pid, number)
            deadline = time.monotonic() + PATIENCE
            while process.exists():
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.005)
