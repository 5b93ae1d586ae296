# SPDX-License-Identifier: GPL-3.0-or-later
"""Node mx1 with 100,000 mailboxes: its generation, its quotas, its DKIM keys, and whole runs.

The first passwords are left out: the store of credentials has all mailboxes before. To hash 100,000
passwords takes hours, whoever does it. No name of a tenant needs a certificate, and the provider
manages no DNS: part `dns` measures both.
"""

from __future__ import annotations

import itertools
import re
import shutil
import typing as t
from pathlib import Path

from .. import estates, lab
from ..measurement import Commands, Measurement, Run, rounds
from ..process import CACHE, SCRATCH, cold
from ..targets import (
    DKIM_KEYS,
    DOVEADM,
    GENERATION,
    GENERATION_ONE,
    GENERATION_UNCHANGED,
    JUDGE,
    KEYS,
    LARGE,
    POSTMAP,
    RAW_WRITE,
    TENANTS_FIRST,
    TENANTS_ONE,
    TENANTS_UNCHANGED,
    VERIFY_QUOTA,
)

FOLDER, SMALL = SCRATCH / "host", SCRATCH / "host-before"
"""The large estate, and a small one, which a first run replaces."""
EACH = LARGE // KEYS
"""Mailboxes of each tenant."""
TABLES = "cd /var/lib/reseller-mail/current/postfix; tables=$(ls | grep -v lmdb); cat $tables"
WRITE = "rm -rf /root/floor; mkdir /root/floor; cp $tables /root/floor; sync -f /root/floor"
MAP = "cd /root/floor; for table in $tables; do postmap lmdb:$table; done"
USERS = "/var/lib/reseller-mail/current/dovecot/all_users"
ASK_DOVECOT = f"doveadm -f json quota get -F {USERS} 2>&1 || true"
STORE = "/var/lib/reseller-mail/credentials/credentials.db"
ADDRESSES = f"cp {USERS} /root/addresses"
FILL = f"""
python3 - <<'END'
import sqlite3
day = "2026-01-01T00:00:00Z"
digest = "{{BLF-CRYPT}}$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
with sqlite3.connect("{STORE}") as database, open("/root/addresses") as lines:
    database.executemany(
        "INSERT OR IGNORE INTO credentials VALUES (?, ?, 'supplied', ?, ?)",
        [(line.strip(), digest, day, day) for line in lines],
    )
END
"""
"""Gives all mailboxes of the large estate a credential."""
EMPTY = f"""
rm -rf /srv/vmail/domain* /srv/vmail/.retained
python3 - <<'END'
import sqlite3
with sqlite3.connect("{STORE}") as database:
    database.execute("DELETE FROM credentials")
END
"""
"""Removes mail and credentials, so that nothing is retained when the mailboxes leave."""
FORGET_KEYS = (
    "find /var/lib/reseller-mail/dkim -mindepth 1 -maxdepth 1"
    " ! -name 'domain*' ! -name 'mx1.*' ! -name '.*' -exec rm -r {} +"
)
"""Removes the keys of the domains that the example estate has: a run tells of keys that it cannot use,
and fails."""


def measure() -> list[Measurement]:
    """Return the cost of the generation, of verify_quota, and of whole runs, with their floors."""
    lab.ready()
    lab.CONVERGED.unlink()  # the hosts get another platform, and other tenants
    write(FOLDER, KEYS)
    write(SMALL, 1)
    first: Commands = {
        (GENERATION, LARGE): lambda: _anew(lambda: lab.generation(FOLDER)),
        (JUDGE, LARGE): lambda: cold("judge", FOLDER),
    }
    changes = _changes(GENERATION_UNCHANGED, GENERATION_ONE, lambda: lab.generation(FOLDER))
    found = [*rounds(first, most=2), *_floor(), *rounds(changes, most=3)]
    lab.on_host("mx1", ASK_DOVECOT)  # Dovecot makes the homes of the mailboxes
    quota: Commands = {
        (DOVEADM, LARGE): lambda: lab.on_host("mx1", ASK_DOVECOT)[0],
        (VERIFY_QUOTA, LARGE): _verify_quota,
    }
    return [*found, *rounds(quota, most=2), *_runs()]


def write(folder: Path, tenants: int) -> None:
    """Write an estate of so many tenants on node mx1."""
    texts = estates.files(tenants, EACH, {"mx1": lab.NODES["mx1"]})
    shutil.rmtree(folder, ignore_errors=True)
    estates.write(folder, estates.quiet(texts, managed=False))
    lab.report_node(folder)


def _runs() -> list[Measurement]:
    """Return the cost of the DKIM keys, and of playbook `tenants`."""
    _play("reseller.mail.site", "--tags", "platform")
    lab.on_host("mx1", ADDRESSES, FILL, FORGET_KEYS)
    keys = lab.module("mx1", "reseller.mail.dkim_keys", estate=str(FOLDER), node="mx1")
    first: Commands = {(TENANTS_FIRST, LARGE): lambda: _anew(_tenants, EMPTY, FILL)}
    found = [Measurement(DKIM_KEYS, KEYS, (keys,)), *rounds(first, most=1)]
    return found + rounds(_changes(TENANTS_UNCHANGED, TENANTS_ONE, _tenants), most=3)


def _verify_quota() -> Run:
    return lab.module("mx1", "reseller.mail.verify_quota", estate=str(FOLDER), node="mx1")


def _floor() -> list[Measurement]:
    """Return the cost of writing the tables of the generation in service once more."""
    runs = [lab.on_host("mx1", TABLES, WRITE, MAP) for _round in range(3)]
    _read, write, postmap = zip(*runs, strict=True)
    return [Measurement(RAW_WRITE, LARGE, write), Measurement(POSTMAP, LARGE, postmap)]


def _anew(run: t.Callable[[], Run], before: str = "true", after: str = "true") -> Run:
    """Run it where the small estate was, with an empty cache of the engine.

    ``before`` and ``after`` are commands for the host around the change to the small estate.
    """
    lab.on_host("mx1", before)
    lab.generation(SMALL)
    lab.on_host("mx1", after)
    shutil.rmtree(CACHE, ignore_errors=True)
    return run()


def _play(playbook: str, *arguments: str) -> Run:
    """Run a playbook with the large estate."""
    return lab.play(
        playbook, *arguments, mail_estate_dir=str(FOLDER), mail_deletions_accepted=10**9
    )


def _tenants() -> Run:
    return _play("reseller.mail.tenants")


NUMBERS = itertools.count(1)
"""Quotas in megabytes, so that each change is one."""


def _changes(unchanged: str, one: str, run: t.Callable[[], Run]) -> Commands:
    """Return a run without a change and a run with one changed mailbox."""

    def changed() -> Run:
        change_quota(FOLDER / "tenants/tenant0/domain0.example.yml", next(NUMBERS))
        return run()

    return {(unchanged, LARGE): run, (one, LARGE): changed}


def change_quota(path: Path, megabytes: int) -> None:
    """Give the first mailbox of a file another quota."""
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"quota: \S+", f"quota: {megabytes}M", text, count=1), encoding="utf-8")
