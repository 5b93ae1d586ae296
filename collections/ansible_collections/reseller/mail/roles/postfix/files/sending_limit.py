#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller-mail-sending-limit: a policy service for Postfix that limits what users send.

Postfix asks at DATA, when all recipients of a submission are known. A message counts once for its
mailbox, its domain and its tenant, wherever its recipients are and whatever its envelope sender is.
It counts for an hour from this time (a sliding window, not a clock hour). What is refused here
does not count.

All connections use one database and one lock. The count and the new entry are one transaction, so
parallel sessions cannot exceed a limit. The database is on the disk: counts survive a restart. The
limits come from the current generation, which is read again after a switch.

If the limits cannot be read or the count cannot be stored, the answer is 451: nothing is sent
without being counted.

Everything above ``serve`` takes its surroundings as arguments. Standard library only.
"""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import math
import os
import socket
import socketserver
import sqlite3
import threading
import time
import typing as t

LOG = logging.getLogger("sending-limit")

HOUR = 3600.0
CLOCK_ERROR = 60.0
"""Entries that are later than now by more seconds are dropped: the clock was wrong."""
CLEANING = 60.0
"""Seconds between two times at which old entries are deleted."""
LONGEST_QUESTION = 65536
MOST_REPORTED = 100
KINDS = ("mailbox", "domain", "tenant")

_TABLES = """
CREATE TABLE IF NOT EXISTS sent (
    instance TEXT PRIMARY KEY, at REAL NOT NULL,
    mailbox TEXT NOT NULL, domain TEXT NOT NULL, tenant TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_at ON sent (at);
CREATE INDEX IF NOT EXISTS sent_mailbox ON sent (mailbox, at);
CREATE INDEX IF NOT EXISTS sent_domain ON sent (domain, at);
CREATE INDEX IF NOT EXISTS sent_tenant ON sent (tenant, at);
CREATE TABLE IF NOT EXISTS refused (
    login TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, used INTEGER NOT NULL,
    allowed INTEGER NOT NULL, at REAL NOT NULL, again REAL, times INTEGER NOT NULL,
    PRIMARY KEY (login, kind)
) WITHOUT ROWID;
"""


class Rules(t.NamedTuple):
    """The limits of one login. None is no limit."""

    tenant: str
    recipients: int | None
    hourly: dict[str, int]
    """By kind, how many messages an hour the mailbox, its domain or its tenant may send."""

    def name_of(self, kind: str, login: str) -> str:
        """Return whose limit one of this kind is."""
        return {"mailbox": login, "domain": login.rpartition("@")[2], "tenant": self.tenant}[kind]


class Full(t.NamedTuple):
    """A limit that is reached. ``again`` is the time at which the next message may be sent."""

    kind: str
    name: str
    used: int
    allowed: int
    again: float | None


def rules_of(value: str) -> Rules:
    """Return the limits in a value of the table: the tenant, and pairs such as ``mailbox=20``."""
    tenant, *pairs = value.split(" ")
    numbers = {name: int(number) for name, _sign, number in (pair.partition("=") for pair in pairs)}
    return Rules(
        tenant,
        numbers.get("recipients"),
        {kind: numbers[kind] for kind in KINDS if kind in numbers},
    )


class Table:
    """The generation's limits by login. They are read again after a switch."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._mark: tuple[int, int, int] | None = None
        self._rows: dict[str, str] = {}

    def find(self, login: str) -> Rules | None:
        """Return the limits of a login, or None if the generation has no such mailbox.

        An older generation, after a rollback, has no limits: its mail is only counted. Raises
        OSError or ValueError if the table cannot be read.
        """
        if self._is_older():
            return Rules("", None, {})
        state = os.stat(self._path)
        mark = (state.st_dev, state.st_ino, state.st_mtime_ns)
        if mark != self._mark:
            with open(self._path, encoding="ascii") as file:
                rows = dict(line.rstrip("\n").split("\t", 1) for line in file)
            self._mark, self._rows = mark, rows
        value = self._rows.get(login)
        return None if value is None else rules_of(value)

    def _is_older(self) -> bool:
        """Return whether the generation was made before there were limits, and so has no folder for
        them."""
        folder = os.path.dirname(self._path)
        return not os.path.lexists(folder) and os.path.isdir(os.path.dirname(folder))


class Counter:
    """What was sent and refused in the last hour. One thread at a time may use it."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=5)
        self._db.execute("PRAGMA journal_mode = WAL")
        # Entries survive a crash of this program. A power failure may lose the newest of them.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_TABLES)
        self._cleaned = -math.inf

    def take(self, login: str, rules: Rules, instance: str, now: float) -> Full | None:
        """Count a message; return the limit that does not allow it, and count nothing then.

        Postfix asks again about the same ``instance`` if it did not get the answer. That counts
        once.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._clean(now)
            full = None
            if not self._is_counted(instance):
                full = self.first_full(login, rules, now)
                if full is None:
                    names = (rules.name_of(kind, login) for kind in KINDS)
                    self._db.execute(
                        "INSERT INTO sent VALUES (?, ?, ?, ?, ?)", (instance, now, *names)
                    )
                else:
                    self.note(login, full, now)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return full

    def _clean(self, now: float) -> None:
        """Delete entries that no longer count, at most once in a while."""
        if 0 <= now - self._cleaned < CLEANING:
            return
        for table in ("sent", "refused"):
            self._db.execute(
                f"DELETE FROM {table} WHERE at <= ? OR at > ?", (now - HOUR, now + CLOCK_ERROR)
            )
        self._cleaned = now

    def _is_counted(self, instance: str) -> bool:
        """Return whether a message was counted before."""
        found = self._db.execute("SELECT 1 FROM sent WHERE instance = ?", (instance,))
        return found.fetchone() is not None

    def first_full(self, login: str, rules: Rules, now: float) -> Full | None:
        """Return the limit that is reached; of several, the one that is free again last."""
        full = [
            one
            for kind, allowed in rules.hourly.items()
            for one in [self._full(kind, rules.name_of(kind, login), allowed, now)]
            if one
        ]
        return max(full, key=lambda one: one.again or now, default=None)

    def _full(self, kind: str, name: str, allowed: int, now: float) -> Full | None:
        """Return the limit of a mailbox, domain or tenant if it is reached.

        There is room again when the oldest of its ``allowed`` newest messages is an hour old.
        """
        row = self._db.execute(
            f"SELECT at FROM sent WHERE {kind} = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?",
            (name, now - HOUR, allowed - 1),
        ).fetchone()
        if row is None:
            return None
        return Full(kind, name, self.used(kind, name, now), allowed, row[0] + HOUR)

    def used(self, kind: str, name: str, now: float) -> int:
        """Return how many messages a mailbox, domain or tenant sent in the last hour."""
        found = self._db.execute(
            f"SELECT count(*) FROM sent WHERE {kind} = ? AND at > ?", (name, now - HOUR)
        )
        return int(found.fetchone()[0])

    def note(self, login: str, full: Full, now: float) -> None:
        """Remember the newest refusal of each limit and login, and how often it was refused."""
        self._db.execute(
            "INSERT INTO refused VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (login, kind) DO"
            " UPDATE SET name = excluded.name, used = excluded.used, allowed = excluded.allowed,"
            " times = CASE WHEN at > excluded.at - ? THEN times + 1 ELSE 1 END,"
            " at = excluded.at, again = excluded.again",
            (login, *full[:4], now, full.again, HOUR),
        )

    def refusals(self, now: float, login: str = "") -> list[dict[str, t.Any]]:
        """Return the refusals of the last hour, the newest first: all, or those of one login."""
        found = self._db.execute(
            "SELECT login, kind, name, used, allowed, at, again, times FROM refused"
            " WHERE at > ? AND (? = '' OR login = ?) ORDER BY at DESC LIMIT ?",
            (now - HOUR, login, login, MOST_REPORTED),
        )
        columns = [column[0] for column in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found]


def clock_time(at: float) -> str:
    """Return a time in UTC, rounded up to a second."""
    utc = datetime.datetime.fromtimestamp(math.ceil(at), datetime.UTC)
    return utc.strftime("%Y-%m-%d %H:%M:%S UTC")


def refusal(full: Full, now: float) -> str:
    """Return Postfix's action for a message that a limit does not allow."""
    if full.kind == "recipients":
        return (
            f"550 5.5.3 Too many recipients: the message has {full.used}, and {full.name} may"
            f" write to {full.allowed} at once"
        )
    whose = {
        "mailbox": full.name,
        "domain": f"all mailboxes of {full.name} together",
        "tenant": f"all mailboxes of {full.name} together",
    }[full.kind]
    again = full.again or now
    return (
        f"450 4.7.1 Sending limit reached: {whose} sent {full.used} messages in the last hour,"
        f" {full.allowed} are allowed; try again after {clock_time(again)}, in"
        f" {max(1, math.ceil((again - now) / 60))} min"
    )


class Service:
    """Answers the questions of Postfix and of the host's administrator."""

    def __init__(
        self, table: Table, counter: Counter, clock: t.Callable[[], float] = time.time
    ) -> None:
        self._table, self._counter, self._clock = table, counter, clock
        self._lock = threading.Lock()

    def answer(self, question: t.Mapping[str, str]) -> str:
        """Return the answer to a question, without the empty line that ends it."""
        try:
            with self._lock:
                if question.get("request") == "reseller_mail_report":
                    return f"report={json.dumps(self.report(question.get('login', '')))}"
                return f"action={self._judge(question)}"
        except Exception as error:
            LOG.error(
                "login=<%s>: not counted: %s",
                printable(question.get("sasl_username", "")),
                error,
                exc_info=not isinstance(error, (OSError, sqlite3.Error)),
            )
            return "action=451 4.3.0 Sending limits cannot be checked now, try again later"

    def _judge(self, question: t.Mapping[str, str]) -> str:
        """Return Postfix's action for a message whose recipients are all known."""
        login, now = question.get("sasl_username", "").lower(), self._clock()
        rules = self._table.find(login)
        if rules is None:
            LOG.warning("login=<%s>: it is no mailbox of this generation", printable(login))
            return "450 4.7.1 This host does not know the mailbox of this login"
        recipients = int(question["recipient_count"])
        full: Full | None
        if rules.recipients is not None and recipients > rules.recipients:
            full = Full("recipients", login, recipients, rules.recipients, None)
            self._counter.note(login, full, now)
        else:
            full = self._counter.take(login, rules, question["instance"], now)
        if full is None:
            return "DUNNO"
        again = "" if full.again is None else f" again={clock_time(full.again).replace(' ', '_')}"
        LOG.warning(
            "login=<%s>: reject: sending limit of %s %s: used=%d allowed=%d recipients=%d%s",
            printable(login),
            full.kind,
            full.name,
            full.used,
            full.allowed,
            recipients,
            again,
        )
        return refusal(full, now)

    def report(self, login: str) -> dict[str, t.Any]:
        """Return what was refused in the last hour; of one login, also what it used of its limits.

        ``again`` is None if the next message is accepted now.
        """
        now = self._clock()
        found: dict[str, t.Any] = {"now": now, "refused": self._counter.refusals(now, login)}
        rules = self._table.find(login) if login else None
        if rules is not None:
            found["limits"] = [
                {
                    "kind": kind,
                    "name": rules.name_of(kind, login),
                    "used": self._counter.used(kind, rules.name_of(kind, login), now),
                    "allowed": allowed,
                }
                for kind, allowed in rules.hourly.items()
            ]
            full = self._counter.first_full(login, rules, now)
            found["again"] = full and full.again
            found["recipients"] = rules.recipients
        return found


def printable(text: str) -> str:
    """Return a text for a line of the log: printable ASCII."""
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:254]


def questions(lines: t.Iterable[bytes]) -> t.Iterator[dict[str, str]]:
    """Yield the questions of a connection: ``name=value`` lines up to an empty line.

    Raises ValueError for one that is longer than any of Postfix.
    """
    question: dict[str, str] = {}
    size = 0
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\n")
        size += len(line)
        if size > LONGEST_QUESTION:
            raise ValueError("a question is too long")
        if text:
            name, _sign, value = text.partition("=")
            question[name] = value
            continue
        yield question
        question, size = {}, 0


def serve(service: Service, listener: socket.socket) -> None:
    """Answer on a listening socket until SIGTERM. Each connection of Postfix has a thread."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            """Answer the questions of one connection."""
            try:
                for question in questions(iter(lambda: self.rfile.readline(LONGEST_QUESTION), b"")):
                    self.wfile.write(f"{service.answer(question)}\n\n".encode())
            except (OSError, ValueError) as error:
                LOG.info("a connection ended: %s", error)

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

    server = Server("", Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.serve_forever()


def main() -> None:
    """Read the command line and answer on the socket that systemd opened."""
    parser = argparse.ArgumentParser(
        description="Limits what users send. Systemd gives the listening socket."
    )
    parser.add_argument("--limits", required=True, help="table of the current generation")
    parser.add_argument("--database", required=True, help="file with what was sent")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    service = Service(Table(options.limits), Counter(options.database))
    serve(service, socket.socket(fileno=3))  # sd_listen_fds(3): the first one is number 3


if __name__ == "__main__":
    main()
