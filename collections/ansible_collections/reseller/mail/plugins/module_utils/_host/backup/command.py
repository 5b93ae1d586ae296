# SPDX-License-Identifier: GPL-3.0-or-later
"""Save this mail host, check the repository of its backups, or run restic with its settings.

Exit status: 0 done, 1 it failed (standard error says why), 2 wrong usage.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from ..lock import locked
from . import record, save, settings
from .restic import Restic
from .settings import BackupError, Settings

PATIENCE = 5.0
"""Seconds to wait for another run to end. A run may take hours, so this only bridges its end."""


def main() -> int:
    """Run the command of the arguments and return the exit status."""
    parser = argparse.ArgumentParser(prog="mail-backup", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("run", help="save this host now")
    actions.add_parser("check", help="look for damage in the repository now")
    actions.add_parser("restic", help="run restic, for example: mail-backup restic stats")
    is_restic = sys.argv[1:2] == ["restic"]  # its options are not ours
    arguments = parser.parse_args(sys.argv[1:2] if is_restic else None)
    try:
        wanted = settings.read()
        if is_restic:
            tool = Restic(wanted)
            os.execvpe("restic", tool.command(*sys.argv[2:]), tool.environment())
        os.umask(0o077)
        wanted.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(wanted.state / ".lock", PATIENCE):
            return report(*work(arguments.action, wanted))
    except (BackupError, OSError) as error:
        sys.stderr.write(f"mail-backup: {error}\n")
        return 1


def work(action: str, wanted: Settings) -> tuple[str, list[str]]:
    """Make a backup, or only check the repository; return what was done, and what failed."""
    restic = Restic(wanted)
    if action == "run":
        found = save.run(wanted, restic)
        done = f"saved: snapshot {found.snapshot} of {found.succeeded}"
        return done, [text for text in (found.failure, found.check_failure) if text]
    found = save.checked(wanted, restic, record.read(wanted.state), time.time)
    return "the repository has no damage", [found.check_failure] if found.check_failure else []


def report(done: str, failures: list[str]) -> int:
    """Print what happened and return the exit status."""
    for text in failures:
        sys.stderr.write(f"mail-backup: {text}\n")
    if not failures:
        sys.stdout.write(f"{done}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
