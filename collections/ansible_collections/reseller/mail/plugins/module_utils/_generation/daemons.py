# SPDX-License-Identifier: GPL-3.0-or-later
"""A Postfix and an auth-only Dovecot of our own, started on a staged generation to be asked, and always stopped.

PRIVATE to the collection. Runs on the host; standard library only.

They share nothing with the live daemons: own settings, queue, sockets and log, no network port (Postfix listens on a
unix socket). Both run under their own users, so that wrong owners and modes are found too.
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

# No queue manager: what the probes begin is never finished, so there is never mail.
_MASTER_CF = """\
verdict unix - - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
postlog unix-dgram n - n - 1 postlogd
"""

_DOVECOT = {
    12: """\
protocols =
base_dir = {room}/dovecot
state_dir = {room}/dovecot
log_path = {room}/dovecot.log
ssl = no
auth_username_format = %Lu
passdb {{
  driver = passwd-file
  args = username_format=%Lu {staging}/dovecot/logins
}}
userdb {{
  driver = passwd-file
  args = username_format=%Lu {staging}/dovecot/users/%Ld
  default_fields = uid=65534 gid=65534 home=/nonexistent
}}
""",
    13: """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols =
base_dir = {room}/dovecot
state_dir = {room}/dovecot
log_path = {room}/dovecot.log
ssl = no
auth_username_format = %{{user | lower}}
passdb passwd-file {{
  passwd_file_path = {staging}/dovecot/logins
}}
userdb passwd-file {{
  passwd_file_path = {staging}/dovecot/users/%{{user | domain | lower}}
  fields {{
    uid:default = 65534
    gid:default = 65534
    home:default = /nonexistent
  }}
}}
""",
}


class Room:
    """A folder under /run for the verdict's daemons. Its name follows from the store, so that whatever a killed run
    left behind is found and stopped by the next."""

    def __init__(self, store: Store, run: Run) -> None:
        self._run = run
        self._path = (
            Path("/run") / f"reseller-mail-{hashlib.sha256(bytes(store.root)).hexdigest()[:8]}"
        )

    @property
    def postfix(self) -> Path:
        """The folder with Postfix's settings; also for postmap, which must not depend on the live ones."""
        return self._path / "postfix"

    def __enter__(self) -> Room:
        self._clear()
        # Not 0700: the daemons' own users have to pass.
        self._path.mkdir(mode=0o755)
        self._path.chmod(0o755)
        self.postfix.mkdir(mode=0o755)
        self.postfix.chmod(0o755)
        self._write("postfix/main.cf", "compatibility_level = 3.6\n")
        return self

    def __exit__(self, *_error: object) -> None:
        self._clear()

    def start(self, staging: Path, debian: int) -> None:
        """Starts both on the staged generation."""
        self._start_postfix(staging)
        self._start_dovecot(staging, debian)

    def faults(self, files: t.Mapping[str, str]) -> t.Iterator[str]:
        """What the daemons answer wrongly."""
        found = [
            *probes.postfix_faults(files, str(self._path / "queue" / "private" / "verdict")),
            *probes.dovecot_faults(files, str(self._path / "dovecot" / "auth-userdb")),
        ]
        yield from found
        if found:
            yield from self._complaints()

    def _start_postfix(self, staging: Path) -> None:
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
        # -w answers when the daemon listens; -e ends it should this process be killed before it can.
        self._command(
            "Postfix", ["/usr/lib/postfix/sbin/master", "-c", str(self.postfix), "-w", "-e", "60"]
        )

    def _start_dovecot(self, staging: Path, debian: int) -> None:
        (self._path / "dovecot").mkdir(mode=0o755)
        settings = self._write(
            "dovecot.conf", _DOVECOT[debian].format(room=self._path, staging=staging)
        )
        self._command("Dovecot", ["dovecot", "-c", str(settings)])

    def _write(self, name: str, text: str) -> Path:
        path = self._path / name
        path.write_text(text, "ascii")
        path.chmod(0o644)
        # Postfix waits for seconds until settings that were written just now have settled.
        os.utime(path, (0, 0))
        return path

    def _command(self, what: str, command: list[str]) -> None:
        # Daemons keep the output they were started with; a pipe would never end.
        said = self._path / "start.log"
        code, _output, _errors = self._run(
            ["sh", "-c", 'exec "$@" > "$0" 2>&1 < /dev/null', str(said), *command]
        )
        if code:
            reasons = [*said.read_text("utf-8", "replace").splitlines(), *self._complaints()]
            raise GenerationError(
                f"the verdict's {what} does not start: {'; '.join(reasons) or f'exit status {code}'}"
            )

    def _complaints(self) -> t.Iterator[str]:
        """What the daemons wrote into their log beside information."""
        for log in ("mail.log", "dovecot.log"):
            with contextlib.suppress(FileNotFoundError):
                for line in (self._path / log).read_text("utf-8", "replace").splitlines()[-50:]:
                    if any(
                        word in line
                        for word in (
                            "fatal:",
                            "error:",
                            "warning:",
                            "panic:",
                            "Error:",
                            "Fatal:",
                            "Panic:",
                        )
                    ):
                        yield line

    def _clear(self) -> None:
        # Postfix's master takes its children along. Dovecot's would wait a second for them, and longer for a client; those of a
        # killed one end at once by themselves.
        for pid_file, number in (
            ("queue/pid/master.pid", signal.SIGTERM),
            ("dovecot/master.pid", signal.SIGKILL),
        ):
            with contextlib.suppress(FileNotFoundError, ValueError):
                _end(int((self._path / pid_file).read_text("ascii")), number, str(self._path))
        if self._path.exists():
            shutil.rmtree(self._path)


def _end(pid: int, number: int, room: str) -> None:
    """Ends one of our daemons; a pid that went to a stranger meanwhile is left alone."""
    process = Path(f"/proc/{pid}")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if room in (process / "cmdline").read_text("utf-8", "replace"):
            os.kill(pid, number)
            deadline = time.monotonic() + PATIENCE
            while process.exists():
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.005)
