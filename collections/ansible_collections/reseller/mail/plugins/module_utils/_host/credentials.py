# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential store: which address logs in with which hash.

PRIVATE to the collection. The store is on the host, because users change their passwords there. So
nothing here is compiled from the estate's files. Standard library only: the modules use this file
and ``hashes``, and so does ``mail-passwd``, which is installed on the host.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import typing as t
from dataclasses import dataclass, field
from urllib.parse import quote

from .hashes import (  # relative: on the host there is no collection
    NAMES,
    UnfitHash,
    canonical,
    sql_usable,
)

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
"""Schemes for new hashes, best first. The first one that the host's Dovecot knows is used."""

DECOY = "CREATE TABLE IF NOT EXISTS decoy (hash TEXT NOT NULL)"
"""One hash whose password is not known. A login that does not exist is verified with it, so its
answer takes as long as that of a login that exists."""

VIEW = f"CREATE VIEW logins AS SELECT address, hash FROM credentials WHERE {sql_usable('hash')}"
"""What Dovecot reads. It leaves out hashes that are not accepted, however they came into the
store."""

POLICY = (
    "at least 8 characters with an upper-case letter, a digit and a symbol, without the name or the"
    " domain, and no common word with digits or symbols"
)

UNAMBIGUOUS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Characters of initial passwords. People read them aloud and type them, so without 0 O 1 l I o."""

Run = t.Callable[[t.List[str], str], t.Tuple[int, str, str]]
"""Run a command with this standard input; return exit status, output and errors."""


class CredentialError(Exception):
    """A fault of a credential that an operator has to correct. The message has no secret."""


@dataclass(frozen=True)
class Credential:
    """One row of the store: address, hash with its scheme, and who set it."""

    address: str
    hash: str = field(repr=False)
    origin: str


@dataclass(frozen=True)
class Row:
    """A whole row of the store, as it is kept for a mailbox that left the files."""

    address: str
    hash: str = field(repr=False)
    origin: str
    created_at: str
    changed_at: str


class Store:
    """The SQLite file of credentials. It is made if it is missing, unless it is opened read-only.

    Dovecot reads it while this code writes, so it stays in rollback-journal mode: in WAL mode
    readers need write access.
    """

    def __init__(self, path: str, read_only: bool = False) -> None:
        self._db = sqlite3.connect(
            f"file:{quote(path)}?mode={'ro' if read_only else 'rwc'}", timeout=10, uri=True
        )
        if not read_only:
            self._prepare()

    def _prepare(self) -> None:
        """Make the tables and the view that are missing or of an older version."""
        self._db.execute(SCHEMA)
        self._db.execute(DECOY)
        if not self._has_view():
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.execute("DROP VIEW IF EXISTS logins")
                self._db.execute(VIEW)

    def _has_view(self) -> bool:
        """Return whether the view is that of this version."""
        return (
            self._db.execute(
                "SELECT 1 FROM sqlite_master WHERE type = 'view' AND name = 'logins' AND sql = ?",
                (VIEW,),
            ).fetchone()
            is not None
        )

    def is_ready(self, scheme: str) -> bool:
        """Return whether Dovecot finds all that it reads, with a decoy of this scheme."""
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
        """Return the decoy's hash, or None if there is none."""
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
        """Return all addresses that have a credential."""
        return {row[0] for row in self._db.execute("SELECT address FROM credentials")}

    def is_empty(self) -> bool:
        """Return whether no address has a credential."""
        return self._db.execute("SELECT 1 FROM credentials LIMIT 1").fetchone() is None

    def known(self, addresses: t.Iterable[str]) -> t.Set[str]:
        """Return those of the addresses that have a credential."""
        found = "SELECT 1 FROM credentials WHERE address = ?"
        return {address for address in addresses if self._db.execute(found, (address,)).fetchone()}

    def origin(self, address: str) -> t.Optional[str]:
        """Return who set the password of an address, or None for an address without one."""
        row = self._db.execute(
            "SELECT origin FROM credentials WHERE address = ?", (address,)
        ).fetchone()
        return str(row[0]) if row else None

    def put(self, credentials: t.Iterable[Credential], now: str) -> None:
        """Write all rows or none. A row that exists keeps its date of creation."""
        with self._db:
            self._db.executemany(
                "INSERT INTO credentials VALUES (?, ?, ?, ?, ?) ON CONFLICT (address) DO UPDATE SET"
                " hash = excluded.hash, origin = excluded.origin, changed_at = excluded.changed_at",
                [(row.address, row.hash, row.origin, now, now) for row in credentials],
            )

    def row(self, address: str) -> t.Optional[Row]:
        """Return the row of an address, or None if it has none."""
        found = self._db.execute(
            "SELECT address, hash, origin, created_at, changed_at FROM credentials"
            " WHERE address = ?",
            (address,),
        ).fetchone()
        return Row(*found) if found else None

    def remove(self, rows: t.Iterable[Row]) -> None:
        """Remove rows. A password that was changed since a row was read stays."""
        with self._db:
            self._db.executemany(
                "DELETE FROM credentials WHERE address = ? AND hash = ? AND changed_at = ?",
                [(row.address, row.hash, row.changed_at) for row in rows],
            )

    def put_back(self, rows: t.Iterable[Row], replace: bool = False) -> None:
        """Write rows as they were. An address that has a password keeps it, unless ``replace``."""
        verb = "REPLACE" if replace else "IGNORE"
        with self._db:
            self._db.executemany(
                f"INSERT OR {verb} INTO credentials VALUES (?, ?, ?, ?, ?)",
                [
                    (row.address, row.hash, row.origin, row.created_at, row.changed_at)
                    for row in rows
                ],
            )


def weaknesses(password: str, address: str) -> t.List[str]:
    """Return which rules of the policy a password breaks; none when it is good.

    For a password that a person chose, use ``common_passwords.chosen_weaknesses``.
    """
    name, _at, domain = address.partition("@")
    folded = password.casefold()
    # A name of one or two letters is in many passwords by chance.
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
    """Return the hash with its scheme if the text is a hash, None if it is a password.

    Raise CredentialError for a hash that is not accepted.
    """
    try:
        return canonical(text)
    except UnfitHash as error:
        raise CredentialError(str(error)) from None


@dataclass(frozen=True)
class FirstPasswords:
    """What becomes of the passwords and hashes of new mailboxes. All by address, and all secret.

    Attributes:
        hashes: hashes that the tenants' files have, with their schemes.
        clear: passwords that have still to be hashed.
        faults: why a mailbox gets no credential. These are not secret.
    """

    hashes: t.Mapping[str, str] = field(repr=False)
    clear: t.Mapping[str, str] = field(repr=False)
    faults: t.Mapping[str, str]


def first_passwords(
    addresses: t.Iterable[str], supplied: t.Mapping[str, str], invented: t.Mapping[str, str]
) -> FirstPasswords:
    """Return the hash or password of each new mailbox: that of the files, or the invented one."""
    hashes: t.Dict[str, str] = {}
    clear: t.Dict[str, str] = {}
    faults: t.Dict[str, str] = {}
    for address in addresses:
        text = supplied.get(address, "")
        try:
            given = supplied_hash(text)
        except CredentialError as error:
            faults[address] = str(error)
            continue
        if given:
            hashes[address] = given
        else:
            clear[address] = text or invented[address]
    return FirstPasswords(hashes, clear, faults)


def to_hand_over(
    waiting: t.Mapping[str, str],
    invented: t.Mapping[str, str],
    supplied: t.Container[str],
    faults: t.Container[str],
) -> t.Dict[str, str]:
    """Return the initial passwords that the controller still has to write, by address.

    A password that the files have by now replaces one that waits, unless it is at fault.
    """
    kept = {
        address: text
        for address, text in waiting.items()
        if address not in supplied or address in faults
    }
    new = {address: text for address, text in invented.items() if address not in faults}
    return {**kept, **new}


def not_received(waiting: t.Mapping[str, str], received: t.Mapping[str, str]) -> t.Dict[str, str]:
    """Return the initial passwords that still wait when a controller has confirmed others.

    ``received`` has the digests of the passwords that it wrote. A password that replaced one of
    them since then still waits.
    """
    return {
        address: text for address, text in waiting.items() if received.get(address) != digest(text)
    }


def digest(password: str) -> str:
    """Return the digest by which a controller confirms that it wrote an initial password.

    An initial password has 115 random bits, so its digest does not reveal it.
    """
    return hashlib.sha256(password.encode()).hexdigest()


def invent(address: str, pick: t.Callable[[str], str]) -> str:
    """Return an initial password: five groups of four characters that are easy to distinguish.

    It has 115 random bits if ``pick`` is fair.
    """
    while True:
        password = "-".join("".join(pick(UNAMBIGUOUS) for _i in range(4)) for _group in range(5))
        if not weaknesses(password, address):
            return password


def is_invented(text: str) -> bool:
    """Return whether a password can be one that ``invent`` made."""
    return re.fullmatch(rf"[{UNAMBIGUOUS}]{{4}}(-[{UNAMBIGUOUS}]{{4}}){{4}}", text) is not None


def best_scheme(run: Run) -> str:
    """Return the best scheme that the host's Dovecot knows, or raise CredentialError."""
    status, out, err = run(["doveadm", "-O", "pw", "-l"], "")
    for scheme in SCHEMES:
        if status == 0 and scheme in out.split():
            return scheme
    raise CredentialError(
        f"Dovecot offers none of {', '.join(SCHEMES)}: {err.strip() or out.strip()}"
    )


def hash_password(run: Run, password: str, scheme: str) -> str:
    """Return the hash that Dovecot makes of a password, or raise CredentialError.

    Every user sees the arguments of a process, so the password is given as standard input.
    """
    # Ansible's run_command stops reading when there was no output for a second and the process ends
    # just then. That happens with slow hashes on a busy host. Then the last output is lost and the
    # status is 0. Hashing again does no harm.
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
