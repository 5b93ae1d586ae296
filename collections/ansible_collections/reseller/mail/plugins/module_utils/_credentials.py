# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential store: which address logs in with which hash.

PRIVATE to the collection. The host owns the store (a user changes their own password there), so nothing here is compiled from the
estate's files. Standard library only: this file and ``_hashes`` serve the modules and, installed on the host, ``mail-passwd``.
"""

from __future__ import annotations

import re
import sqlite3
import typing as t
from dataclasses import dataclass, field
from urllib.parse import quote

from ._hashes import (
    NAMES,
    UnfitHash,
    canonical,
    sql_usable,
)  # relative: on the host there is no collection

SCHEMA = """
CREATE TABLE IF NOT EXISTS credentials (
  address TEXT PRIMARY KEY,
  hash TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('initial', 'supplied', 'user', 'operator')),
  created_at TEXT NOT NULL,
  changed_at TEXT NOT NULL
) WITHOUT ROWID
"""
SCHEMES = ("ARGON2ID", "BLF-CRYPT")
"""What we hash with, best first; the first that the host's Dovecot knows is taken."""

DECOY = "CREATE TABLE IF NOT EXISTS decoy (hash TEXT NOT NULL)"
"""One hash that no password is known for: who has no login is verified against it, so that it takes as long as for who has one."""

VIEW = f"CREATE VIEW logins AS SELECT address, hash FROM credentials WHERE {sql_usable('hash')}"
"""What Dovecot reads. A hash that is not accepted is not verified, whichever way it came into the store."""

POLICY = "at least 8 characters with an upper-case letter, a digit and a symbol, without the name or the domain"

UNAMBIGUOUS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""What an initial password is made of: it is read aloud and typed, so without 0 O 1 l I and o."""

Run = t.Callable[[t.List[str], str], t.Tuple[int, str, str]]
"""Runs a command with that standard input; answers status, output, error."""


class CredentialError(Exception):
    """Something about a credential that a person has to mend. Never carries a secret."""


@dataclass(frozen=True)
class Credential:
    """One row as it is written."""

    address: str
    hash: str = field(repr=False)
    origin: str


class Store:
    """The SQLite file, made when it is not there unless it is only to be read.

    Dovecot reads it while we write, so it stays in rollback-journal mode (WAL needs write access to read).
    """

    def __init__(self, path: str, read_only: bool = False) -> None:
        self._db = sqlite3.connect(
            f"file:{quote(path)}?mode={'ro' if read_only else 'rwc'}", timeout=10, uri=True
        )
        if not read_only:
            self._prepare()

    def _prepare(self) -> None:
        self._db.execute(SCHEMA)
        self._db.execute(DECOY)
        if not self._has_view():
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute("DROP VIEW IF EXISTS logins")
                self._db.execute(VIEW)

    def _has_view(self) -> bool:
        return (
            self._db.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = 'logins' AND sql = ?",
                (VIEW,),
            ).fetchone()
            is not None
        )

    def is_ready(self, scheme: str) -> bool:
        """Return whether Dovecot finds all that it asks for, with a decoy of that scheme."""
        tables = {
            row[0]
            for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        return (
            self._has_view()
            and {"credentials", "decoy"} <= tables
            and (self.decoy() or "").startswith(f"{{{scheme}}}")
        )

    def decoy(self) -> t.Optional[str]:
        """Return the hash that stands for all who have no login."""
        row = self._db.execute("SELECT hash FROM decoy").fetchone()
        return str(row[0]) if row else None

    def put_decoy(self, hashed: str) -> None:
        """Replace the decoy."""
        with self._db:
            self._db.execute("DELETE FROM decoy")
            self._db.execute("INSERT INTO decoy VALUES (?)", (hashed,))

    def unusable(self) -> t.Dict[str, str]:
        """Return the addresses whose stored hash is not accepted, each with the reason."""
        found = {}
        for address, hashed in self._db.execute(
            "SELECT address, hash FROM credentials ORDER BY address"
        ):
            try:
                if canonical(hashed) != hashed:
                    found[address] = f"this is not a hash of one of the schemes {', '.join(NAMES)}"
            except UnfitHash as error:
                found[address] = str(error)
        return found

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self._db.close()

    def addresses(self) -> t.Set[str]:
        """Every address that has a credential."""
        return {row[0] for row in self._db.execute("SELECT address FROM credentials")}

    def origin(self, address: str) -> t.Optional[str]:
        """Who set the password, or None for an address without one."""
        row = self._db.execute(
            "SELECT origin FROM credentials WHERE address = ?", (address,)
        ).fetchone()
        return str(row[0]) if row else None

    def put(self, credentials: t.Iterable[Credential], now: str) -> None:
        """Writes all rows or none; an existing row keeps its date of creation."""
        with self._db:
            self._db.executemany(
                "INSERT INTO credentials VALUES (?, ?, ?, ?, ?) ON CONFLICT (address) DO UPDATE"
                " SET hash = excluded.hash, origin = excluded.origin, changed_at = excluded.changed_at",
                [(row.address, row.hash, row.origin, now, now) for row in credentials],
            )


def weaknesses(password: str, address: str) -> t.List[str]:
    """What the policy has against a password, in words; nothing when it is good."""
    name, _at, domain = address.partition("@")
    folded = password.casefold()
    # A name of one or two letters stands in any password by chance.
    forbidden = [
        word
        for word in (name, domain, domain.partition(".")[0])
        if len(word) > 2 and word in folded
    ]
    rules = (
        (len(password) < 8, "is shorter than 8 characters"),
        (not any(c.isupper() for c in password), "has no upper-case letter"),
        (not any(c.isdigit() for c in password), "has no digit"),
        (not any(not c.isalnum() and not c.isspace() for c in password), "has no symbol"),
        (any(not c.isprintable() for c in password), "has control characters"),
        (bool(forbidden), "contains its own name or domain"),
    )
    return [words for broken, words in rules if broken]


def supplied_hash(text: str) -> t.Optional[str]:
    """The hash with its scheme when the text is a hash, None when it is a password."""
    try:
        return canonical(text)
    except UnfitHash as error:
        raise CredentialError(str(error)) from None


def invent(address: str, pick: t.Callable[[str], str]) -> str:
    """An initial password: five groups of four unambiguous characters, 115 bits from a fair pick."""
    while True:
        password = "-".join("".join(pick(UNAMBIGUOUS) for _i in range(4)) for _group in range(5))
        if not weaknesses(password, address):
            return password


def is_invented(text: str) -> bool:
    """Return whether a password can be one that ``invent`` made."""
    return re.fullmatch(rf"[{UNAMBIGUOUS}]{{4}}(-[{UNAMBIGUOUS}]{{4}}){{4}}", text) is not None


def best_scheme(run: Run) -> str:
    """The best scheme the host's Dovecot knows."""
    status, out, err = run(["doveadm", "-O", "pw", "-l"], "")
    for scheme in SCHEMES:
        if status == 0 and scheme in out.split():
            return scheme
    raise CredentialError(
        f"Dovecot offers none of {', '.join(SCHEMES)}: {err.strip() or out.strip()}"
    )


def hash_password(run: Run, password: str, scheme: str) -> str:
    """Hashed by Dovecot itself; the password goes through standard input because every user sees the arguments of a process."""
    # Ansible's run_command stops reading when a second passed without output and the process ended just then, as happens
    # to slow hashes on a busy host: what was printed last is lost and the status is 0. Hashing again harms nobody.
    for _attempt in range(3):
        status, out, err = run(["doveadm", "-O", "pw", "-s", scheme], f"{password}\n{password}\n")
        hashed = out.strip().rpartition("\n")[2]
        if status == 0 and hashed.startswith(f"{{{scheme}}}$"):
            return hashed
        if status != 0:
            break
    raise CredentialError(
        f"doveadm pw -s {scheme} failed with status {status}: {err.strip() or 'it printed no hash'}"
    )
