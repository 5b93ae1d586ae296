# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of passwords on the host: by a user, who has the old one, and by an operator.

PRIVATE to the collection. Installed on the host; standard library only. Each function returns the
address of the mailbox, and raises CredentialError if it changes nothing. No message has a password.
"""

from __future__ import annotations

import os
import re
import secrets
import typing as t
from datetime import UTC, datetime
from pathlib import Path

from .common_passwords import chosen_weaknesses
from .credentials import (
    POLICY,
    Credential,
    CredentialError,
    Run,
    Store,
    best_scheme,
    hash_password,
    invent,
)
from .initial_passwords import LOCK, SPOOL, adopt, keep, waiting
from .lock import locked

PATIENCE = 60
"""Seconds that a change of an initial password waits for a run that hands them over."""
LONGEST = 256
"""Characters of a password."""
NO_LOGIN = 77
"""The status of ``doveadm auth test`` for a login that Dovecot refuses (EX_NOPERM)."""
AUTH_TEST = ("auth", "test")
"""The arguments with which doveadm verifies a password that it reads from standard input."""


class NotAllowed(CredentialError):
    """The old password is wrong, or the mailbox may not log in."""


class Weak(CredentialError):
    """The new password breaks the policy."""


class Unavailable(CredentialError):
    """Dovecot could not verify the old password now."""


def by_user(
    database: str, run: Run, address: str, old: str, new: str, asked: t.Sequence[str] = AUTH_TEST
) -> str:
    """Change the password of a mailbox whose old password Dovecot accepts.

    ``asked`` has other arguments with which doveadm verifies it.
    """
    mailbox = authenticated(run, address, old, asked)
    _refuse_weak(new, mailbox)
    if new == old:
        raise Weak("the new password is the old one")
    _set(database, mailbox, _hashed(run, new), "user")
    return mailbox


def by_operator(database: str, run: Run, address: str, new: str) -> str:
    """Change the password of a mailbox without the old one."""
    _refuse_unknown(database, address)
    _refuse_weak(new, address)
    _set(database, address, _hashed(run, new), "operator")
    return address


def generated(database: str, run: Run, address: str) -> str:
    """Give a mailbox a new initial password. The next run of Ansible hands it over."""
    _refuse_unknown(database, address)
    new = invent(address, secrets.choice)
    _set(database, address, _hashed(run, new), "initial", new)
    return address


def authenticated(run: Run, address: str, password: str, asked: t.Sequence[str]) -> str:
    """Return the mailbox of a login whose password is right, as Dovecot knows it.

    Dovecot verifies the password, so a mailbox that is suspended or that left the files cannot
    change it either.
    """
    # Neither an option nor a second line, which could be another answer.
    if not re.fullmatch(r"[^\s@-][^\s@]*@[^\s@]+", address) or re.search(r"[\r\n\0]", password):
        raise NotAllowed("the old password is wrong or the mailbox may not log in")
    status, out, _err = run(["doveadm", *asked, address], f"{password}\n")
    if status == 0:
        found = re.search(r"^\s*user=(\S+)$", out, re.M)
        return found[1] if found else address
    if status == NO_LOGIN:
        raise NotAllowed("the old password is wrong or the mailbox may not log in")
    raise Unavailable(f"Dovecot cannot verify the password now (status {status})")


def _refuse_weak(password: str, address: str) -> None:
    """Raise Weak with all rules that a password breaks."""
    reasons = chosen_weaknesses(password, address)
    if len(password) > LONGEST:
        reasons.append(f"is longer than {LONGEST} characters")
    if reasons:
        raise Weak(f"the new password {'; it '.join(reasons)}; allowed: {POLICY}")


def _refuse_unknown(database: str, address: str) -> None:
    """Raise CredentialError for an address without a credential."""
    with Store(database, read_only=True) as store:
        if store.origin(address) is None:
            raise CredentialError(f"{address} has no credential here")


def _hashed(run: Run, password: str) -> str:
    return hash_password(run, password, best_scheme(run))


def _set(database: str, address: str, hashed: str, origin: str, initial: str = "") -> None:
    """Write the hash, and which initial password now waits for Ansible: the new one, or none."""
    spool = os.path.join(os.path.dirname(database), SPOOL)
    if initial or address in waiting(spool):
        with locked(Path(database).with_name(LOCK), PATIENCE):
            adopt(spool)
            others = {name: text for name, text in waiting(spool).items() if name != address}
            keep(spool, {**others, address: initial} if initial else others)
    with Store(database) as store:
        if store.origin(address) is None:
            raise CredentialError(f"{address} has no credential here")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        store.put([Credential(address, hashed, origin)], now)
