# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program behind the page for passwords answers to a request."""

from __future__ import annotations

import socket
import typing as t
from urllib.parse import urlencode

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import password_change
from ansible_collections.reseller.mail.plugins.module_utils._host.credentials import (
    Credential,
    Store,
)
from ansible_collections.reseller.mail.tests.unit.support.programs import ROLES, program

if t.TYPE_CHECKING:
    from pathlib import Path

change = program("passwords/files/https_change.py")
PAGE = (ROLES / "passwords/files/page.html").read_text(encoding="utf-8")
OLD, NEW, JO = "Right-Pass-1", "Other-Päss-2 &=+", "jo@acme.example"
GOOD = {"user": JO, "curpass": OLD, "newpass": NEW}
REMOTE = "2001:db8::8"


class Lab:
    """A store with one mailbox, a Dovecot, and the journal."""

    def __init__(self, folder: Path) -> None:
        self.database = str(folder / "credentials.db")
        with Store(self.database) as store:
            store.put(
                [Credential(JO, "{ARGON2ID}$argon2id$old", "initial")], "2026-01-01T00:00:00Z"
            )
        self.journal: list[str] = []
        self.commands: list[list[str]] = []
        self.status = 0

    def run(self, command: list[str], given: str) -> tuple[int, str, str]:
        self.commands.append(command)
        if "-l" in command:
            return 0, "ARGON2ID", ""
        if "pw" in command:
            return 0, "{ARGON2ID}$argon2id$new\n", ""
        return (self.status, f"  user={JO}\n", "") if given == f"{OLD}\n" else (77, "", "")

    def ask(
        self,
        fields: t.Mapping[str, str] | bytes,
        accept: str = "*/*",
        head: str = "",
        method: str = "POST",
        content_type: str = "application/x-www-form-urlencoded",
    ) -> tuple[int, str, str]:
        """Return the status, the headers and the body of the answer."""
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        length = "" if "Content-Length" in head else f"Content-Length: {len(body)}\r\n"
        asked = (
            f"{method} /password/change HTTP/1.0\r\nX-Real-IP: {REMOTE}\r\nAccept: {accept}\r\n"
            f"Content-Type: {content_type}\r\n{length}{head}\r\n"
        )
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.sendall(asked.encode() + body)
            ours.shutdown(socket.SHUT_WR)
            log = self.journal.append
            one = change.changer(password_change, self.database, self.run, "/auth", log)
            change.serve(theirs, one, PAGE)
            theirs.close()
            answer = b"".join(iter(lambda: ours.recv(65536), b"")).decode()
        head, _empty, text = answer.partition("\r\n\r\n")
        return int(head.split()[1]), head, text

    @property
    def origin(self) -> str | None:
        with Store(self.database) as store:
            return store.origin(JO)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_a_program_gets_ok_as_roundcube_expects_it(lab: Lab) -> None:
    status, _head, text = lab.ask(GOOD)
    assert (status, text, lab.origin) == (200, "ok", "user")
    assert lab.journal == [f"<{JO}> has a new password, set with the old one from {REMOTE}"]


def test_dovecot_is_told_who_asks_and_no_argument_has_a_password(lab: Lab) -> None:
    lab.ask(GOOD)
    assert lab.commands[0] == [
        *("doveadm", "-O", "auth", "test", "-a", "/auth", "-x", f"rip={REMOTE}", JO)
    ]
    assert not any(word in part for line in lab.commands for part in line for word in (OLD, NEW))


def test_a_browser_gets_the_page_with_the_answer(lab: Lab) -> None:
    status, head, text = lab.ask({**GOOD, "again": NEW}, accept="text/html,*/*;q=0.8")
    assert (status, "text/html" in head) == (200, True)
    assert f'<p role="alert">{change.DONE}</p>' in text
    assert not any(word in text for word in (OLD, NEW, JO))


@pytest.mark.parametrize(
    ("fields", "status", "text"),
    [
        ({**GOOD, "curpass": "Wrong-Pass-1"}, 403, "The old password is wrong"),
        ({**GOOD, "user": "ann@acme.example", "curpass": "x"}, 403, "The old password is wrong"),
        ({**GOOD, "newpass": "Summer2026!"}, 422, "The new password is a common password"),
        ({**GOOD, "newpass": OLD}, 422, "The new password is the old one."),
        ({**GOOD, "again": "Another-Pass-3"}, 422, "The new passwords are different."),
        ({"user": JO, "curpass": OLD}, 400, "This request cannot be read."),
        (b"user=a&user=b&curpass=x&newpass=y", 400, "This request cannot be read."),
        (b"user=%FF&curpass=x&newpass=y", 400, "This request cannot be read."),
        (b"\xff", 400, "This request cannot be read."),
        (b"", 400, "This request cannot be read."),
    ],
)
def test_what_is_refused_is_told_why_and_changes_nothing(
    lab: Lab, fields: t.Mapping[str, str] | bytes, status: int, text: str
) -> None:
    answer = lab.ask(fields)
    assert (answer[0], answer[2].startswith(text)) == (status, True), answer
    assert (lab.origin, lab.journal) == ("initial", [])
    assert not any(word in answer[2] for word in (OLD, NEW))


@pytest.mark.parametrize(
    "options",
    [
        {"head": "Content-Length: 5000\r\n"},
        {"head": "Content-Length: -1\r\n"},
        {"content_type": "application/json"},
        {"method": "GET"},
    ],
)
def test_what_is_no_form_is_not_read(lab: Lab, options: dict[str, str]) -> None:
    status, _head, _text = lab.ask(GOOD, **options)
    assert status in (400, 501)
    assert (lab.origin, lab.commands) == ("initial", [])


def test_a_request_without_the_clients_address_is_refused() -> None:
    body = urlencode(GOOD).encode()
    answer = change.answer_to(change.FORM, body, "", lambda *_words: pytest.fail("was asked"))
    assert answer.status == 400


def test_what_fails_on_the_host_is_logged_without_what_the_user_typed(lab: Lab) -> None:
    lab.status = 75
    assert lab.ask(GOOD)[::2] == (503, change.LATER)
    assert lab.origin == "initial"
    assert lab.journal == [
        "no password was changed: Dovecot cannot verify the password now (status 75)"
    ]


def test_the_page_has_the_fields_that_the_program_reads() -> None:
    for name in (*change.FIELDS, change.AGAIN):
        assert f'name="{name}"' in PAGE
    assert change.PLACE in PAGE
