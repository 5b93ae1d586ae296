#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reseller-mail-password: lets users change their password over HTTPS.

nginx passes each request to a socket of systemd. Systemd starts this program for each connection,
which is its standard input. It answers one request and ends, so no process keeps a password.
Dovecot verifies the old password and is given the address of the client, so its limit of guesses
counts here, too. No password is an argument or is logged.

Everything above ``main`` is pure or takes its surroundings as arguments. Standard library only.
"""

from __future__ import annotations

import argparse
import html
import http.server
import importlib
import ipaddress
import re
import socket
import sqlite3
import subprocess
import sys
import typing as t
from pathlib import Path
from urllib.parse import parse_qsl

LIBRARY = "/usr/local/lib/reseller-mail"
MOST = 4096
"""Bytes of a request's body."""
FIELDS = ("user", "curpass", "newpass")
"""The fields of a request, with the names of Roundcube's driver ``httpapi``."""
AGAIN = "again"
"""A field of the page: the new password for the second time."""
FORM = "application/x-www-form-urlencoded"
PLACE = "<!-- answer -->"
"""Where the page has the answer."""

DONE = "Your password is changed. Enter the new one in all your mail programs."
WRONG = "The old password is wrong, or this mailbox may not log in."
LATER = "The password cannot be changed now. Please try again later."
UNREADABLE = "This request cannot be read."
DIFFERENT = "The new passwords are different."


class Request(t.NamedTuple):
    """What a user asks for."""

    user: str
    old: str
    new: str
    again: str


class Answer(t.NamedTuple):
    """An HTTP status and a sentence for the user."""

    status: int
    text: str


Change = t.Callable[[str, str, str, str], Answer]
"""Change the password of a login: its name, the old password, the new one, the client's address."""


def request_of(content_type: str, body: bytes) -> Request | None:
    """Return the request in a form, or None if it is none."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        return None
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=10,
        )
    except ValueError:
        return None
    fields = dict(pairs)
    if len(fields) < len(pairs) or not fields.keys() >= set(FIELDS):
        return None
    user, old, new = (fields[name] for name in FIELDS)
    return Request(user.strip().lower(), old, new, fields.get(AGAIN, new))


def answer_to(content_type: str, body: bytes, remote: str, change: Change) -> Answer:
    """Return the answer to a request."""
    request = request_of(content_type, body)
    if request is None or not is_address(remote):
        return Answer(400, UNREADABLE)
    if request.again != request.new:
        return Answer(422, DIFFERENT)
    return change(request.user, request.old, request.new, remote)


def is_address(text: str) -> bool:
    """Return whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def sentence(text: str) -> str:
    """Return a message of the library as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def changer(library: t.Any, database: str, run: t.Any, auth: str, log: t.Any) -> Change:
    """Return the function that changes passwords in a database.

    ``library`` is the module ``password_change``, ``auth`` the socket at which Dovecot verifies
    passwords, and ``log`` a function for lines of the journal.
    """

    def change(user: str, old: str, new: str, remote: str) -> Answer:
        asked = ("-O", "auth", "test", "-a", auth, "-x", f"rip={remote}")
        try:
            mailbox = library.by_user(database, run, user, old, new, asked)
        except library.NotAllowed:
            return Answer(403, WRONG)
        except library.Weak as error:
            return Answer(422, sentence(str(error)))
        except (library.CredentialError, sqlite3.Error, OSError) as error:
            log(f"no password was changed: {error}")
            return Answer(503, LATER)
        log(f"<{mailbox}> has a new password, set with the old one from {remote}")
        return Answer(200, DONE)

    return change


def serve(connection: socket.socket, change: Change, page: str) -> None:
    """Answer one request on a connection."""

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self) -> None:
            """Change a password. A browser gets the page with the answer, a program its text."""
            length = self.headers.get("Content-Length", "")
            is_short = re.fullmatch("[0-9]{1,5}", length) and int(length) <= MOST
            body = self.rfile.read(int(length)) if is_short else b""
            answer = answer_to(
                self.headers.get("Content-Type", ""),
                body,
                self.headers.get("X-Real-IP", ""),
                change,
            )
            if "text/html" in self.headers.get("Accept", ""):
                alert = f'<p role="alert">{html.escape(answer.text)}</p>'
                self._send(answer.status, "text/html", page.replace(PLACE, alert))
            else:
                self._send(
                    answer.status,
                    "text/plain",
                    "ok" if answer.status == 200 else answer.text,
                )

        def _send(self, status: int, content_type: str, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", f"{content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_words: t.Any) -> None:
            """Keep silent: a request line may have what a user typed."""

    Handler(connection, "", t.cast("t.Any", None))


def doveadm(command: list[str], given: str) -> tuple[int, str, str]:
    """Run doveadm with this standard input."""
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, encoding="utf-8", check=False, timeout=25
        )
    except subprocess.TimeoutExpired:
        return 75, "", "no answer in time"
    return done.returncode, done.stdout, done.stderr


def main() -> None:
    """Read the command line and answer the request on standard input."""
    parser = argparse.ArgumentParser(description="Answers one request to change a password.")
    parser.add_argument("--database", required=True, help="the credential store")
    parser.add_argument("--auth", required=True, help="Dovecot's socket that verifies passwords")
    parser.add_argument("--page", required=True, help="the page with the form")
    options = parser.parse_args()
    sys.path.insert(0, LIBRARY)
    library = importlib.import_module("passwords.password_change")

    def log(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    change = changer(library, options.database, doveadm, options.auth, log)
    serve(socket.socket(fileno=0), change, Path(options.page).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
