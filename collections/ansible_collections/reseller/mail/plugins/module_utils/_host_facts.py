# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mail host says of itself: units, sockets, space, queue, generation, clock.

PRIVATE to the collection. Runs on the host, reads only; standard library only. Judges nothing: that is done on the
controller (``_verify_host``), which knows what the host is for.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import time
import typing as t
from pathlib import Path

from ansible_collections.reseller.mail.plugins.module_utils import _generation
from ansible_collections.reseller.mail.plugins.module_utils._generation.store import Run

SERVICES = (
    "postfix.service",
    "postfix@-.service",
    "dovecot.service",
    "nginx.service",
    "reseller-mail-guard.service",
    "opendkim@rsa.service",
    "opendkim@ed25519.service",
    "opendkim@node.service",
)
WATCHED = ("reseller-mail*.timer", "reseller-mail*.path", "reseller-mail*.socket", "certbot.timer")
"""Patterns of our units that start others."""

PATIENCE = 5.0
"""Seconds for the answer of a socket: a process that is stuck takes connections and says nothing."""

_PROPERTIES = "Id,LoadState,ActiveState,UnitFileState"
_MILTERS = ("smtpd_milters", "submission_milters", "sieve_milters", "non_smtpd_milters")
_MILTER = re.compile(r"unix:([^\s,}]+)")


def facts(run: Run, root: str, mail: str) -> dict[str, t.Any]:
    """Return all facts as plain values; what could not be found out is told in ``error`` of its part."""
    now = time.time()
    settings = _postfix_settings(run)
    queue = settings.get("queue_directory") or "/var/spool/postfix"
    watched = _enabled(run)
    return {
        "now": now,
        "units": _units(run, (*SERVICES, *watched)),
        "watched": watched,
        "failed": _failed(run),
        "sockets": _sockets(settings, queue),
        "filesystems": [
            _filesystem(path) for path in (queue, mail, root, "/") if os.path.isdir(path)
        ],
        "queue": _queue(run, now),
        "queue_folder": queue,
        "queue_minimum": _queue_minimum(settings),
        "generation": _generation_facts(run, root),
    }


def _postfix_settings(run: Run) -> dict[str, str]:
    names = (
        "queue_directory",
        *_MILTERS,
        "smtpd_sasl_path",
        "virtual_transport",
        "quota_status",
        "message_size_limit",
        "queue_minfree",
    )
    _code, output, _errors = run(["postconf", "-x", *names])
    pairs = (line.partition("=") for line in output.splitlines())
    return {name.strip(): value.strip() for name, _sign, value in pairs}


def _queue_minimum(settings: t.Mapping[str, str]) -> int:
    """Return the free bytes below which Postfix refuses all mail (queue_minfree in postconf(5))."""
    limit, minimum = (settings.get(name, "") for name in ("message_size_limit", "queue_minfree"))
    return max(
        int(minimum) if minimum.isdigit() else 0, int(limit) * 3 // 2 if limit.isdigit() else 0
    )


def _enabled(run: Run) -> list[str]:
    _code, output, _errors = run(
        ["systemctl", "list-unit-files", "--plain", "--no-legend", *WATCHED]
    )
    rows = (line.split() for line in output.splitlines())
    return sorted(row[0] for row in rows if len(row) > 1 and row[1].startswith("enabled"))


def _units(run: Run, names: t.Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what systemd says of each unit; the blocks come in the order in which they were asked for."""
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
    _code, output, _errors = run(
        ["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full"]
    )
    return sorted(line.split()[0] for line in output.splitlines() if line.strip())


def _sockets(settings: t.Mapping[str, str], queue: str) -> list[dict[str, str]]:
    """Return how each socket that Postfix asks answers; ``error`` is empty where it answers well."""
    milters = {path for name in _MILTERS for path in _MILTER.findall(settings.get(name, ""))}
    wanted: list[tuple[str, t.Callable[[socket.socket], str]]] = [
        (path, _greets_as_milter) for path in sorted(milters)
    ]
    transport = settings.get("virtual_transport", "")
    for path, ask in (
        (settings.get("smtpd_sasl_path", ""), _greets_with(b"VERSION")),
        (transport.partition("unix:")[2], _greets_with(b"220")),
        *((path, _is_open) for path in _MILTER.findall(settings.get("quota_status", ""))),
    ):
        if path:
            wanted.append((path, ask))
    return [
        {"path": os.path.join(queue, path), "error": _ask(os.path.join(queue, path), ask)}
        for path, ask in wanted
    ]


def _ask(path: str, ask: t.Callable[[socket.socket], str]) -> str:
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
    return ""


def _greets_with(word: bytes) -> t.Callable[[socket.socket], str]:
    def ask(connection: socket.socket) -> str:
        return (
            ""
            if connection.recv(512).startswith(word)
            else "answers something else than its service"
        )

    return ask


def _greets_as_milter(connection: socket.socket) -> str:
    """Offer a milter every action and every step, as a mail server begins; it must agree to some of them."""
    connection.sendall(struct.pack("!IcIII", 13, b"O", 6, 0x1FF, 0x1FFFFF))
    answer = connection.recv(17)
    connection.sendall(struct.pack("!Ic", 1, b"Q"))
    return "" if answer[4:5] == b"O" else "answers something else than a milter"


def _filesystem(path: str) -> dict[str, t.Any]:
    """Return what is free to everybody, as df counts it: without the blocks that are kept for root."""
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
    """Return how many messages there are, and how long the oldest waits for its first attempt and altogether. What an
    operator has put on hold is counted alone."""
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


def _generation_facts(run: Run, root: str) -> dict[str, t.Any]:
    store = _generation.Store(Path(root))
    found: dict[str, t.Any] = {"current": "", "activated": "", "drift": [], "error": ""}
    try:
        current = store.current()
        found.update(current=current or "", activated=store.activated() or "")
        if current is not None:
            found["drift"] = [str(one) for one in _generation.drift(store, current, run)]
    except (_generation.GenerationError, OSError) as error:
        found["error"] = str(error)
    return found
