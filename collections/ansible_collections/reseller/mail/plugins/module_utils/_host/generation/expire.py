# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete retained mail whose time is over, finish what a killed run began, and measure the rest.

PRIVATE to the collection. Runs on the host, from a timer and without Ansible; standard library
only. The role generation installs it.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

from ..credentials import Store as Logins
from ..retained import rules
from ..retained.place import Entry, Place, RetainedError
from .retention import known
from .store import GenerationError, Store

LOG = logging.getLogger("retention")


def settle(store: Store, place: Place, logins: Logins | None, now: int) -> list[str]:
    """Finish what was begun, and hide what is over; return a sentence for each thing that was done.

    Only for a host whose generation is activated: a run that was killed is finished by the next.
    """
    generation = store.activated()
    if generation is None or store.current() != generation:
        return []
    after = known(store, generation)
    done = []
    place.tidy()
    newest: dict[str, Entry] = {}
    for entry in sorted(place.entries(), key=lambda entry: entry.name):
        newest[entry.address] = entry
    for entry in place.entries():
        until = place.until(entry)
        if rules.returns(entry.address, entry.tenant, after):
            place.bring_back([entry], logins)
            place.hide(entry)
            done.append(f"mail of {entry.address} returned")
        elif until is not None and until <= now:
            place.hide(entry)
            done.append(f"mail of {entry.address}, of tenant {entry.tenant}, is deleted")
        elif newest[entry.address] == entry and entry.address not in after.mailboxes:
            left = rules.Leaving(entry.address, entry.tenant, 0)
            if place.put_away([left], logins, now, generation):
                done.append(f"mail of {entry.address} that came late is kept with the rest")
    return done


def main(root: str, mail: str) -> int:
    """Do all of it; return the exit status. Log what was done."""
    store = Store(Path(root))
    database = store.root / "credentials" / "credentials.db"
    try:
        with store.lock(), Place(Path(mail)) as place:
            if database.exists():
                with Logins(str(database)) as logins:
                    done = settle(store, place, logins, int(time.time()))
            else:
                done = settle(store, place, None, int(time.time()))
        for line in done:
            LOG.info("%s", line)
        # What follows takes long for much mail, and the next run of Ansible need not wait for it.
        with Place(Path(mail)) as place:
            place.sweep()
            for entry in place.entries():
                _measure(place, entry)
    except (GenerationError, RetainedError, OSError) as error:
        LOG.error("%s: %s", mail, error)
        return 1
    return 0


def _measure(place: Place, entry: Entry) -> None:
    """Write the size of an entry into its manifest, once."""
    manifest = place.manifest(entry)
    if not manifest or "checksum" in manifest:
        return
    try:
        place.note_size(entry)
    except FileNotFoundError:  # a run has brought it back meanwhile
        LOG.info("mail of %s was not measured: it is not there any more", entry.address)


if __name__ == "__main__":
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    raise SystemExit(main(sys.argv[1], sys.argv[2]))
