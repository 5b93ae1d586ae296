#!/usr/bin/python3 -I
# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the spam filter with a message that a user moved into or out of Junk.

Dovecot runs it as vmail: ``learn spam|ham ADDRESS``, with the message on standard input. A mailbox
can train with so many messages an hour only, so that a stolen password cannot spoil the statistics
of its domain. More are ignored, and the host's log says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import syslog
import time
import typing as t
from pathlib import Path

CONTROLLER = "/run/rspamd/controller.sock"
MOST, SECONDS = 100, 3600
"""How many messages one mailbox can train with, and in which time."""
SECONDS_TO_LEARN = 8
"""Dovecot waits 10 seconds for the program."""


def admitted(times: t.Sequence[float], now: float) -> list[float]:
    """Return the times of training that count, with the present one if it is admitted."""
    recent = [one for one in times if now - SECONDS < one <= now]
    return [*recent, now] if len(recent) < MOST else recent


def is_admitted(record: Path, now: float) -> bool:
    """Note one more training in a mailbox's record; return False if there were too many.

    There is no lock: of two sessions that train at the same time one may not be counted.
    """
    before = record.read_text(encoding="ascii").split() if record.exists() else []
    after = admitted([float(one) for one in before], now)
    new = record.with_name(f"{record.name}.{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text("".join(f"{one}\n" for one in after), encoding="ascii")
    new.replace(record)
    return after[-1] == now


def main(kind: str, address: str) -> int:
    """Train with the message on standard input; return the exit status of rspamc."""
    syslog.openlog("reseller-mail-learn")
    if not is_admitted(Path(os.environ["HOME"], ".learned"), time.time()):
        syslog.syslog(
            f"<{address}> trained with {MOST} messages in the last hour, ignored one more"
        )
        return 0
    done = subprocess.run(
        ["rspamc", "-h", CONTROLLER, "-d", address, f"learn_{kind}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS_TO_LEARN,
        check=False,
    )
    answer = " ".join(done.stdout.decode("utf-8", "replace").split())
    syslog.syslog(f"<{address}> {kind}: {answer[:300]}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
