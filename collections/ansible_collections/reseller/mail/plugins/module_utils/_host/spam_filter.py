# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the spam filter of the host what its symbols mean.

PRIVATE to the collection. Runs on the host, reads only; standard library only.
"""

from __future__ import annotations

import http.client
import json
import socket

CONTROLLER = "/run/rspamd/controller.sock"
"""The socket of rspamd's controller. The role filter has the same path."""
PATIENCE = 5.0
"""Seconds to wait for an answer."""


class _Connection(http.client.HTTPConnection):
    """An HTTP connection to a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def descriptions(path: str = CONTROLLER) -> dict[str, str]:
    """Return rspamd's description of each symbol that has one; empty if rspamd does not answer."""
    connection = _Connection(path)
    try:
        connection.request("GET", "/symbols")
        groups = json.loads(connection.getresponse().read())
        return {
            str(rule["symbol"]): str(rule["description"])
            for group in groups
            for rule in group["rules"]
            if rule.get("description")
        }
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return {}
    finally:
        connection.close()
