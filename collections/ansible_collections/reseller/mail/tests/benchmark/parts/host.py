# SPDX-License-Identifier: GPL-3.0-or-later
"""Node mx1 with 100,000 mailboxes: its generation, and its quotas."""

from __future__ import annotations

import itertools
import re
import shutil
from pathlib import Path

from .. import estates, lab
from ..measurement import Commands, Measurement, Run, rounds
from ..process import CACHE, SCRATCH, cold
from ..targets import (
    DOVEADM,
    GENERATION,
    GENERATION_ONE,
    GENERATION_UNCHANGED,
    JUDGE,
    LARGE,
    POSTMAP,
    RAW_WRITE,
    VERIFY_QUOTA,
)

EACH = 50
"""Mailboxes of each tenant."""
FOLDER = SCRATCH / "host"
TABLES = "cd /var/lib/reseller-mail/current/postfix; tables=$(ls | grep -v lmdb); cat $tables"
WRITE = "rm -rf /root/floor; mkdir /root/floor; cp $tables /root/floor; sync -f /root/floor"
MAP = "cd /root/floor; for table in $tables; do postmap lmdb:$table; done"
USERS = "/var/lib/reseller-mail/current/dovecot/all_users"
ASK_DOVECOT = f"doveadm -f json quota get -F {USERS} 2>&1 || true"


def measure() -> list[Measurement]:
    """Return the cost of the generation, of what it cannot avoid, and of verify_quota."""
    lab.ready()
    estates.write(FOLDER, estates.files(LARGE // EACH, EACH, {"mx1": lab.NODES["mx1"]}))
    first: Commands = {
        (GENERATION, LARGE): _first,
        (JUDGE, LARGE): lambda: cold("judge", FOLDER),
    }
    found = [*rounds(first, most=3), *_floor(), *rounds(_changes(), most=3)]
    lab.on_host("mx1", ASK_DOVECOT)  # Dovecot makes the homes of the mailboxes
    quota: Commands = {
        (DOVEADM, LARGE): lambda: lab.on_host("mx1", ASK_DOVECOT)[0],
        (VERIFY_QUOTA, LARGE): _verify_quota,
    }
    found += rounds(quota, most=3)
    lab.generation()
    return found


def _verify_quota() -> Run:
    return lab.module("mx1", "reseller.mail.verify_quota", estate=str(FOLDER), node="mx1")


def _floor() -> list[Measurement]:
    """Return the cost of writing the tables of the generation in service once more."""
    runs = [lab.on_host("mx1", TABLES, WRITE, MAP) for _round in range(3)]
    _read, write, postmap = zip(*runs, strict=True)
    return [Measurement(RAW_WRITE, LARGE, write), Measurement(POSTMAP, LARGE, postmap)]


def _first() -> Run:
    """Install the generation where the small estate was, with an empty cache of the engine."""
    lab.generation()
    shutil.rmtree(CACHE, ignore_errors=True)
    return lab.generation(FOLDER)


def _changes() -> Commands:
    numbers = itertools.count(1)

    def one() -> Run:
        change_quota(FOLDER / "tenants/tenant0/domain0.example.yml", next(numbers))
        return lab.generation(FOLDER)

    return {
        (GENERATION_UNCHANGED, LARGE): lambda: lab.generation(FOLDER),
        (GENERATION_ONE, LARGE): one,
    }


def change_quota(path: Path, megabytes: int) -> None:
    """Give the first mailbox of a file another quota."""
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"quota: \S+", f"quota: {megabytes}M", text, count=1), encoding="utf-8")
