# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the daemon of the sending limits what was sent and refused in the last hour.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import json
import socket
import typing as t

from .timestamps import timestamp

SOCKET = "/run/reseller-mail-sending-limit.sock"
QUESTION = b"request=reseller_mail_report\n"
ANSWER = b"report="
PATIENCE = 5.0
MOST = 1 << 20


def report(login: str = "", path: str = SOCKET) -> dict[str, t.Any]:
    """Return the refusals of the last hour; of one login, also its limits and what it used of them.

    Times are text. Raises OSError if the daemon cannot be asked, and ValueError if it answers
    something else.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(path)
        found = ask(connection, login)
    for row in found["refused"]:
        row["at"], row["again"] = _text(row["at"]), _text(row["again"])
    if "again" in found:
        found["again"] = _text(found["again"])
    return found


def ask(connection: socket.socket, login: str = "") -> dict[str, t.Any]:
    """Return the daemon's answer as it is; raise OSError or ValueError."""
    if any(char < " " for char in login):
        raise ValueError("a login has a control character")
    connection.sendall(QUESTION + f"login={login}\n\n".encode())
    answer = b""
    while not answer.endswith(b"\n\n") and len(answer) < MOST:
        more = connection.recv(65536)
        if not more:
            break
        answer += more
    if not answer.startswith(ANSWER):
        raise ValueError(f"no report: {answer[:100]!r}")
    found = json.loads(answer[len(ANSWER) :])
    if not isinstance(found, dict) or not isinstance(found.get("refused"), list):
        raise ValueError("a report without refusals")
    return found


def _text(at: t.Optional[float]) -> t.Optional[str]:
    """Return a time as text, a fraction of a second rounded up; None for no time."""
    return None if at is None else timestamp(-int(-at // 1))
