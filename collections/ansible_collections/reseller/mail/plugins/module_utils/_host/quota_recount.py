# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare what Dovecot counts for the quota with the mail on the disk, and let it count anew.

PRIVATE to the collection. Runs on the host; standard library only. A module compares with it, and
the role dovecot installs it as a program with a timer.

Dovecot keeps a sum for each folder and adds to it. A sum that is wrong once stays wrong.
"""

# A program of the host runs it, too, without a module whose run_command it could call.
# pylint: disable=ansible-bad-function

from __future__ import annotations

import logging
import os
import subprocess
import sys
import typing as t

from .mail_on_disk import count
from .quota import Quota, parse

LOG = logging.getLogger("quota")

USERS = ("-F", "-")
"""How doveadm reads addresses from its standard input."""
GET = ("-f", "tab", "quota", "get")
RECALCULATE = ("quota", "recalc")

Ask = t.Callable[[t.Sequence[str]], t.Sequence[Quota]]
"""Asks Dovecot again about some addresses."""


def with_disk(quotas: t.Iterable[Quota], mail: str, ask: Ask) -> list[Quota]:
    """Return the quotas with what the disk has.

    Mail may have come or gone since Dovecot was asked. So it is asked again about the mailboxes
    that differ.
    """
    seen = {one.address: _seen(one, mail) for one in quotas}
    doubtful = [address for address, one in seen.items() if differs(one)]
    if doubtful:
        seen.update((one.address, _seen(one, mail)) for one in ask(doubtful))
    return list(seen.values())


def _seen(quota: Quota, mail: str) -> Quota:
    """Return a quota with what the disk has."""
    local, _at, domain = quota.address.rpartition("@")
    found = count(os.path.join(mail, domain, local))
    return quota._replace(disk=found.size, disk_messages=found.messages)


def differs(quota: Quota) -> bool:
    """Return whether Dovecot counts something else than the disk has.

    Dovecot reports the size in KiB, rounded up.
    """
    if quota.disk is None:
        return False
    return (quota.used, quota.messages) != (-(-quota.disk // 1024) * 1024, quota.disk_messages)


def heal(users_file: str, mail: str, doveadm: t.Callable[..., str]) -> list[Quota]:
    """Let Dovecot count anew where it differs from the disk; return what still differs."""

    def ask(addresses: t.Sequence[str]) -> list[Quota]:
        return parse(doveadm(*GET, *USERS, addresses=addresses))

    quotas = parse(doveadm(*GET, "-F", users_file))
    wrong = {one.address: one for one in with_disk(quotas, mail, ask) if differs(one)}
    if not wrong:
        LOG.info("Dovecot counts what the disk has, in all %d mailboxes", len(quotas))
        return []
    doveadm(*RECALCULATE, *USERS, addresses=list(wrong))
    after = with_disk(ask(list(wrong)), mail, ask)
    for one in after:
        before = wrong[one.address]
        LOG.info(
            "%s: Dovecot counted %d bytes, %d messages, and the disk has %d bytes, %d messages:"
            " recalculated",
            one.address,
            before.used,
            before.messages,
            one.disk,
            one.disk_messages,
        )
    return [one for one in after if differs(one)]


def run_doveadm(*arguments: str, addresses: t.Sequence[str] = ()) -> str:
    """Return what doveadm prints. It names mailboxes that fail, and goes on with the others."""
    done = subprocess.run(
        ["doveadm", *arguments],
        input="".join(f"{address}\n" for address in addresses),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        LOG.warning("doveadm %s: exit status %d", " ".join(arguments), done.returncode)
    return done.stdout


def main(users_file: str, mail: str) -> int:
    """Do all of it; return the exit status."""
    if not os.path.exists(users_file) or not os.path.getsize(users_file):
        LOG.info("there are no mailboxes")
        return 0
    try:
        left = heal(users_file, mail, run_doveadm)
    except (ValueError, OSError) as error:
        LOG.error("%s: %s", users_file, error)
        return 1
    for one in left:
        LOG.error("%s: Dovecot still counts %d bytes", one.address, one.used)
    return 1 if left else 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    raise SystemExit(main(sys.argv[1], sys.argv[2]))
