# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a mail host: units, sockets, space, queue, generation, clock.

PRIVATE to the collection. Runs on the host, reads only; standard library only. It decides nothing:
``_verify/host.py`` on the controller does, because it knows what the host is for.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import struct
import time
import typing as t
from pathlib import Path

from . import antivirus, bans, generation, outgoing, sending
from .backup import record as backup_record
from .generation.store import Run
from .retained import report
from .retained.place import RetainedError

SERVICES = (
    "postfix.service",
    "postfix@-.service",
    "dovecot.service",
    "nginx.service",
    "reseller-mail-guard.service",
    "reseller-mail-sending-limit.service",
    "opendkim@rsa.service",
    "opendkim@ed25519.service",
    "opendkim@node.service",
    "postsrsd.service",
    "redis-server@reseller-mail.service",
    "rspamd.service",
    "reseller-mail-login-limit.service",
    "reseller-mail-firewall.service",
    "fail2ban.service",
    "reseller-mail-backup.service",
)
WATCHED = ("reseller-mail*.timer", "reseller-mail*.path", "reseller-mail*.socket", "certbot.timer")
"""Patterns of the project's units that start other units."""

PATIENCE = 5.0
"""Seconds for the answer of a socket: a process that is stuck takes connections and says
nothing."""

_PROPERTIES = "Id,LoadState,ActiveState,UnitFileState"
_MILTERS = ("smtpd_milters", "submission_milters", "sieve_milters", "non_smtpd_milters")
_MILTER = re.compile(r"unix:([^\s,}]+)")
_FILTER = re.compile(r"unix:rspamd/[^}]*default_action=(\w+)")


def runner(run_command: t.Callable[..., tuple[int, str, str]]) -> Run:
    """Return what runs a command with a module's ``run_command``.

    A missing program is an answer as well: 127, as in a shell.
    """

    def run(command: list[str]) -> tuple[int, str, str]:
        try:
            return run_command(command, handle_exceptions=False)
        except OSError as error:
            return 127, "", f"{command[0]}: {error.strerror}"

    return run


def facts(run: Run, root: str, mail: str) -> dict[str, t.Any]:
    """Return all facts as plain values. A part that could not be read has the reason in
    ``error``."""
    now = time.time()
    settings = _postfix_settings(run)
    queue = settings.get("queue_directory") or "/var/spool/postfix"
    watched = _enabled(run)
    scanner = antivirus.report()
    return {
        "now": now,
        "units": _units(run, (*SERVICES, *scanner["units"], *watched)),
        "watched": watched,
        "failed": _failed(run),
        "sockets": [
            *_sockets(settings, queue),
            *({"path": path, "error": _ask(path, _answers_ping)} for path in scanner["sockets"]),
        ],
        "filesystems": [
            filesystem(path) for path in (queue, mail, root, "/") if os.path.isdir(path)
        ],
        "queue": _queue(run, now),
        "filter_down": filter_down(settings.get("smtpd_milters", "")),
        "antivirus": scanner,
        "ways": outgoing.ways(run, root),
        "queue_folder": queue,
        "queue_minimum": _queue_minimum(settings),
        "sending": _sending(),
        "firewall": bans.report(run),
        "backup": backup_record.report(root, now),
        "generation": _generation_facts(run, root),
        "retention": _retention(root, mail, now),
    }


def _postfix_settings(run: Run) -> dict[str, str]:
    """Return the settings of Postfix that the facts need, by name."""
    names = (
        "queue_directory",
        *_MILTERS,
        "smtpd_sasl_path",
        "virtual_transport",
        "quota_status",
        "sending_limit",
        "message_size_limit",
        "queue_minfree",
    )
    _code, output, _errors = run(["postconf", "-x", *names])
    pairs = (line.partition("=") for line in output.splitlines())
    return {name.strip(): value.strip() for name, _sign, value in pairs}


def filter_down(milters: str) -> str:
    """Return what Postfix does if the filter among its milters does not answer; empty without a
    filter."""
    found = _FILTER.search(milters)
    return found[1] if found else ""


def _queue_minimum(settings: t.Mapping[str, str]) -> int:
    """Return the free bytes below which Postfix refuses all mail (queue_minfree in postconf(5))."""
    limit, minimum = (settings.get(name, "") for name in ("message_size_limit", "queue_minfree"))
    return max(
        int(minimum) if minimum.isdigit() else 0, int(limit) * 3 // 2 if limit.isdigit() else 0
    )


def _enabled(run: Run) -> list[str]:
    """Return the enabled units that start other units, sorted."""
    _code, output, _errors = run(
        ["systemctl", "list-unit-files", "--plain", "--no-legend", *WATCHED]
    )
    rows = (line.split() for line in output.splitlines())
    return sorted(row[0] for row in rows if len(row) > 1 and row[1].startswith("enabled"))


def _units(run: Run, names: t.Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the states of each unit.

    ``systemctl show`` prints a block for each unit, in the order of its arguments.
    """
    _code, output, _errors = run(["systemctl", "show", f"--property={_PROPERTIES}", *names])
    blocks = (
        dict(line.partition("=")[::2] for line in block.splitlines())
        for block in output.strip().split("\n\n")
    )
    return {
        name: {
            "load": block.get("LoadState", ""),
            "active": block.get("ActiveState", ""),
            "enabled": block.get("UnitFileState", ""),
        }
        for name, block in zip(names, blocks, strict=False)
    }


def _failed(run: Run) -> list[str]:
    """Return all units that failed, sorted."""
    _code, output, _errors = run(
        ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full"]
    )
    return sorted(line.split()[0] for line in output.splitlines() if line.strip())


def sockets(run: Run) -> dict[str, t.Any]:
    """Return the folder of Postfix's queue, and how each socket that Postfix uses answers."""
    settings = _postfix_settings(run)
    queue = settings.get("queue_directory") or "/var/spool/postfix"
    return {"sockets": _sockets(settings, queue), "queue_folder": queue}


def _sockets(settings: t.Mapping[str, str], queue: str) -> list[dict[str, str]]:
    """Return the sockets that Postfix connects to; ``error`` is empty where one answers as its
    service does."""
    milters = {path for name in _MILTERS for path in _MILTER.findall(settings.get(name, ""))}
    wanted: list[tuple[str, t.Callable[[socket.socket], str]]] = [
        (path, _greets_as_milter) for path in sorted(milters)
    ]
    transport = settings.get("virtual_transport", "")
    for path, ask in (
        (settings.get("smtpd_sasl_path", ""), _greets_with(b"VERSION")),
        (transport.partition("unix:")[2], _greets_with(b"220")),
        *((path, _is_open) for path in _MILTER.findall(settings.get("quota_status", ""))),
        *((path, _reports) for path in _MILTER.findall(settings.get("sending_limit", ""))),
    ):
        if path:
            wanted.append((path, ask))
    return [
        {"path": os.path.join(queue, path), "error": _ask(os.path.join(queue, path), ask)}
        for path, ask in wanted
    ]


def _ask(path: str, ask: t.Callable[[socket.socket], str]) -> str:
    """Connect to a socket and return why it does not answer well; empty when it does."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(path)
            return ask(connection)
    except FileNotFoundError:
        return "does not exist"
    except TimeoutError:
        return f"takes connections and does not answer within {PATIENCE:g} s"
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _is_open(_connection: socket.socket) -> str:
    """Return no error: it is enough that the socket takes connections."""
    return ""


def _answers_ping(connection: socket.socket) -> str:
    """Return an error unless clamd answers (clamd(8))."""
    connection.sendall(b"zPING\0")
    return "" if connection.recv(16) == b"PONG\0" else "answers something else than clamd"


def _reports(connection: socket.socket) -> str:
    """Return an error unless the daemon of the sending limits answers."""
    try:
        sending.ask(connection)
    except ValueError:
        return "answers something else than its service"
    return ""


def _sending() -> dict[str, t.Any]:
    """Return what the sending limits refused in the last hour."""
    try:
        return {"refused": sending.report()["refused"], "error": ""}
    except (OSError, ValueError) as error:
        return {"refused": [], "error": str(error)}


def _greets_with(word: bytes) -> t.Callable[[socket.socket], str]:
    """Return a function that returns an error unless a service begins its greeting with a word."""

    def ask(connection: socket.socket) -> str:
        return (
            ""
            if connection.recv(512).startswith(word)
            else "answers something else than its service"
        )

    return ask


def _greets_as_milter(connection: socket.socket) -> str:
    """Offer a milter every action and every step; return an error unless it agrees to some.

    A mail server begins a session in this way.
    """
    connection.sendall(struct.pack("!IcIII", 13, b"O", 6, 0x1FF, 0x1FFFFF))
    answer = connection.recv(17)
    connection.sendall(struct.pack("!Ic", 1, b"Q"))
    return "" if answer[4:5] == b"O" else "answers something else than a milter"


def filesystem(path: str) -> dict[str, t.Any]:
    """Return the size of a file system and what is free of it, in bytes and in inodes.

    Blocks that are reserved for root do not count, as in df(1).
    """
    found = os.statvfs(path)
    used = found.f_blocks - found.f_bfree
    return {
        "path": path,
        "device": os.stat(path).st_dev,
        "size": (used + found.f_bavail) * found.f_frsize,
        "free": found.f_bavail * found.f_frsize,
        "inodes": found.f_files - found.f_ffree + found.f_favail,
        "inodes_free": found.f_favail,
    }


def _queue(run: Run, now: float) -> dict[str, t.Any]:
    """Return how many messages wait, and for how many seconds the oldest ones do.

    ``oldest_new`` is the oldest one that still waits for its first attempt, ``oldest`` the oldest
    of all. Messages that an operator has put on hold are counted separately.
    """
    code, output, errors = run(["postqueue", "-j"])
    if code:
        return {"error": errors.strip() or f"postqueue -j: exit status {code}"}
    ages: dict[str, list[float]] = {}
    for line in output.splitlines():
        try:
            row = json.loads(line)
            ages.setdefault(str(row["queue_name"]), []).append(now - float(row["arrival_time"]))
        except (ValueError, KeyError, TypeError):
            return {"error": f"postqueue -j wrote a line that cannot be read: {line[:100]}"}
    held = ages.pop("hold", [])
    new = [age for queue, of in ages.items() if queue != "deferred" for age in of]
    every = [age for of in ages.values() for age in of]
    return {
        "messages": len(every),
        "held": len(held),
        "oldest_new": max(new, default=0.0),
        "oldest": max(every, default=0.0),
        "error": "",
    }


def _retention(root: str, mail: str, now: float) -> dict[str, t.Any]:
    """Return what is retained of mailboxes that left the files, and what no file knows."""
    store = generation.Store(Path(root))
    try:
        known = generation.known(store, store.activated())
        return {**report.facts(Path(root), Path(mail), known, now), "error": ""}
    except (RetainedError, sqlite3.Error, OSError) as error:
        return {"error": str(error)}


def _generation_facts(run: Run, root: str) -> dict[str, t.Any]:
    """Return which generation is current and which is activated, and how its files differ."""
    store = generation.Store(Path(root))
    found: dict[str, t.Any] = {"current": "", "activated": "", "drift": [], "error": ""}
    try:
        current = store.current()
        found.update(current=current or "", activated=store.activated() or "")
        if current is not None:
            found["drift"] = [str(one) for one in generation.drift(store, current, run)]
    except (generation.GenerationError, OSError) as error:
        found["error"] = str(error)
    return found
