# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until Postfix has ended the deliveries into mailboxes that it began with older lookups.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
from pathlib import Path

GRACE = 1.0
"""Seconds after a reload in which Postfix's old queue manager may still have begun a delivery."""
PATIENCE = 180.0
"""Seconds to wait. A process that is busy with other mail ends after 100 deliveries."""

Now = t.Callable[[], float]


def processes(proc: Path = Path("/proc")) -> dict[int, float]:
    """Return when each process began that hands Postfix's mail to Dovecot, by its number."""
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for stat in proc.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # processes end meanwhile
            name, _bracket, rest = stat.read_text("utf-8").partition("(")[2].rpartition(")")
            program = os.readlink(stat.parent / "exe")
            if name == "lmtp" and "postfix" in program:
                found[int(stat.parent.name)] = boot + int(rest.split()[19]) / ticks
    return found


def wait(
    since: float,
    now: Now = time.time,
    sleep: t.Callable[[float], None] = time.sleep,
    of: t.Callable[[], dict[int, float]] = processes,
) -> bool:
    """Wait until no delivery runs that began before ``since``; return whether that is so."""
    begin = now()
    while now() < since + GRACE or any(start <= since + GRACE for start in of().values()):
        if now() > begin + PATIENCE:
            return False
        sleep(0.1)
    return True
