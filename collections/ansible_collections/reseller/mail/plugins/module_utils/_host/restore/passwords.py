# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored passwords of a snapshot come back into the credential store of the host.

PRIVATE to the collection. Runs on the host; standard library only.
"""

from __future__ import annotations

import contextlib
import sqlite3
import typing as t
from urllib.parse import quote

from ..credentials import Store

MADE_BY_A_RUN = ("initial", "supplied")
"""Origins of passwords that a run of the collection set, and no person."""


def put_back(
    store: str, saved: str, addresses: t.Optional[t.Iterable[str]], taken: str
) -> list[str]:
    """Bring back the passwords of addresses, or of all; return those whose password came back.

    A password stays if it is older than the snapshot, or if the user or an operator set it. So only
    the first password that a run gave to a new mailbox in place of the saved one is replaced.
    ``taken`` is the time of the snapshot, such as 2026-11-29T02:31:07Z.
    """
    with Store(store):
        pass  # makes what is missing in it
    with contextlib.ExitStack() as stack:
        now = stack.enter_context(contextlib.closing(sqlite3.connect(store, timeout=30)))
        then = stack.enter_context(
            contextlib.closing(sqlite3.connect(f"file:{quote(saved)}?mode=ro", uri=True))
        )
        if addresses is None:
            addresses = [row[0] for row in then.execute("SELECT address FROM credentials")]
        with now:
            now.execute("BEGIN IMMEDIATE")
            back = [address for address in addresses if _comes_back(now, then, address, taken)]
            for table, columns in _tables(now, then).items():
                for address in back:
                    _copy(now, then, table, columns, address)
    return back


def _comes_back(
    now: sqlite3.Connection, then: sqlite3.Connection, address: str, taken: str
) -> bool:
    """Return whether the saved password of an address replaces what the store has."""
    query = "SELECT origin, changed_at FROM credentials WHERE address = ?"
    saved = then.execute(query, (address,)).fetchone()
    present = now.execute(query, (address,)).fetchone()
    if saved is None:
        return False
    if present is None:
        return True
    return present[0] in MADE_BY_A_RUN and present[1] > taken


def _tables(now: sqlite3.Connection, then: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the tables with rows for addresses, and the columns that both stores have."""
    found = {}
    for table in _names(now) & _names(then):
        both = _columns(now, table) & _columns(then, table)
        if "address" in both:
            found[table] = sorted(both)
    return found


def _names(store: sqlite3.Connection) -> set[str]:
    return {row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _columns(store: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in store.execute(f'PRAGMA table_info("{table}")')}


def _copy(
    now: sqlite3.Connection,
    then: sqlite3.Connection,
    table: str,
    columns: t.Sequence[str],
    address: str,
) -> None:
    """Copy the rows of an address in place of those that the store has."""
    names = ", ".join(f'"{one}"' for one in columns)
    rows = then.execute(f'SELECT {names} FROM "{table}" WHERE address = ?', (address,)).fetchall()
    now.execute(f'DELETE FROM "{table}" WHERE address = ?', (address,))
    marks = ", ".join("?" * len(columns))
    now.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)
