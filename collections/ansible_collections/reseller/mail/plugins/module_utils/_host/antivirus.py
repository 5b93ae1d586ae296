# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about the virus scanner of role filter: what happens without it, and its database.

PRIVATE to the collection. Runs on the host, reads only; standard library only.
"""

from __future__ import annotations

import re
import typing as t
from email.utils import mktime_tz, parsedate_tz
from pathlib import Path

SETTINGS = Path("/etc/rspamd/rspamd.conf.override")
"""The file of role filter that says whether there is a scanner, and what happens without it."""
FOLDER = Path("/var/lib/clamav")
SOCKET = "/run/clamav/clamd.ctl"
UNITS = ("clamav-daemon.service", "clamav-freshclam.service")
DATABASE = ("*.c[lv]d", "*.[hlmn][ds]b")
"""Patterns of database files, as in the role."""

_WHEN_DOWN = re.compile(r'^  antivirus = "(\w+)";$', re.M)
_BUILT = re.compile(rb"ClamAV-VDB:(\d+ \w+ \d{4} \d\d-\d\d [+-]\d{4}):")


def report(settings: Path = SETTINGS, folder: Path = FOLDER) -> dict[str, t.Any]:
    """Return the facts. ``when_down`` is empty if there is no scanner.

    ``database`` is the time in seconds since 1970 of the newest database, or None without any.
    """
    found = _WHEN_DOWN.search(settings.read_text(encoding="utf-8")) if settings.exists() else None
    if found is None:
        return {"when_down": "", "database": None, "units": [], "sockets": []}
    return {
        "when_down": found[1],
        "database": max(
            (built(path) for pattern in DATABASE for path in folder.glob(pattern)), default=None
        ),
        "units": list(UNITS),
        "sockets": [SOCKET],
    }


def built(path: Path) -> float:
    """Return when a database file was built: by its header, or else by its time of change.

    A mirror that is not updated itself also gives old files a new time of change.
    """
    with path.open("rb") as file:
        header = _BUILT.match(file.read(512))
    words = parsedate_tz(header[1].decode("ascii").replace("-", ":", 1)) if header else None
    return float(mktime_tz(words)) if words else path.stat().st_mtime
