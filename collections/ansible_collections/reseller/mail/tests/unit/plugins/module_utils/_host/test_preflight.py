# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts that preflight reads on a host."""

from __future__ import annotations

import os
import socket
import struct
import threading
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import preflight

if t.TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
postfix:
  Installed: 3.7.11-0+deb12u1
  Candidate: 3.7.11-0+deb12u1
  Version table:
 *** 3.7.11-0+deb12u1 500
        500 http://mirror.example/debian bookworm/main amd64 Packages
certbot:
  Installed: (none)
  Candidate: 2.1.0-4
"""
URIS = """\
'http://mirror.example/debian/dists/bookworm/InRelease' a 0
'http://mirror.example/debian/dists/bookworm-updates/InRelease' b 0
'http://security.debian.org/dists/bookworm-security/InRelease' c 0
'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' d 0
"""


def test_the_release_and_the_memory_are_read() -> None:
    assert preflight.release('ID=debian\nVERSION_ID="12"\nNAME=x\n') == {
        "id": "debian",
        "version_id": "12",
    }
    assert preflight.release("") == {"id": "", "version_id": ""}
    assert preflight.memory("MemTotal:        2048 kB\nMemFree: 1 kB\n") == 2048 * 1024


def test_the_nearest_folder_that_exists_stands_for_one_that_does_not(tmp_path: Path) -> None:
    assert preflight.existing(f"{tmp_path}/srv/vmail") == str(tmp_path)
    assert preflight.existing("/") == "/"


@pytest.mark.parametrize(
    ("answer", "synchronised"),
    [((0, "yes\n", ""), True), ((0, "no\n", ""), False), ((127, "", "not found"), None)],
)
def test_a_clock_of_which_nothing_is_known_is_not_taken_for_a_wrong_one(
    answer: tuple[int, str, str], synchronised: bool | None
) -> None:
    assert preflight.synchronised(lambda _command: answer) is synchronised


def test_versions_are_those_of_apt() -> None:
    found = preflight.packages(
        lambda _command: (0, POLICY, ""), ["postfix", "certbot", "dovecot-core"]
    )
    assert found == {
        "postfix": {"installed": "3.7.11-0+deb12u1", "candidate": "3.7.11-0+deb12u1"},
        "certbot": {"installed": "", "candidate": "2.1.0-4"},
        "dovecot-core": {"installed": "", "candidate": ""},
    }


def test_one_row_has_all_files_with_the_same_mode(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"dkim/d{number}").mkdir(parents=True)
        key = tmp_path / f"dkim/d{number}/s.private"
        key.write_text("")
        key.chmod(0o644 if number == 2 else 0o600)
    rows = preflight.modes(tmp_path, ["dkim/*/*.private", "credentials"])
    assert [(row["mode"], row["number"]) for row in rows] == [(0o600, 2), (0o644, 1)]
    assert rows[1]["path"] == f"{tmp_path}/dkim/d2/s.private"
    assert {row["owner"] for row in rows} == {preflight._user(os.getuid())}


def test_each_mirror_is_asked_once_by_apt_itself() -> None:
    asked = []

    def run(command: list[str]) -> tuple[int, str, str]:
        if command[0] == "apt-get":
            return 0, URIS, ""
        asked.append(command[-2])
        if "security" in command[-2]:
            return 100, "", "W: x\nE: Failed to fetch: timed out\n"
        return 0, "", ""

    assert preflight.mirrors(run) == {
        "http://mirror.example": "",
        "http://security.debian.org": "Failed to fetch: timed out",
    }
    assert sorted(asked) == [
        "http://mirror.example/debian/dists/bookworm/InRelease",
        "http://security.debian.org/dists/bookworm-security/InRelease",
    ]


def answer(flags: int, number: int = 7) -> bytes:
    return struct.pack("!6H", number, flags, 1, 1, 0, 0)


@pytest.mark.parametrize(
    ("packet", "error"),
    [
        (answer(0x81A0), ""),
        (answer(0x8180), "not validated"),
        (answer(0x8182), "the answer has the error code 2"),
        (answer(0x81A0, 8), "the answer belongs to another question"),
        (b"", "the answer belongs to another question"),
    ],
    ids=["validated", "not validated", "SERVFAIL", "another question", "empty"],
)
def test_only_an_answer_with_the_ad_bit_is_validated(packet: bytes, error: str) -> None:
    assert preflight._validated(packet, 7) == error


def test_a_query_is_the_one_of_rfc_1035_with_the_ad_bit() -> None:
    wire = pytest.importorskip("dns.message")
    flags = pytest.importorskip("dns.flags")
    for name in (".", "hosting.example"):
        message = wire.from_wire(preflight.question(name, 7))
        assert message.id == 7
        assert message.flags == flags.RD | flags.AD
        assert str(message.question[0]) == f"{name.rstrip('.')}. IN SOA"


def test_the_ports_that_no_program_has_are_free() -> None:
    assert preflight.free([{"port": 25}, {"port": 22}], [25, 80]) == [80]


def serve(line: bytes) -> int:
    """Return the port of a server that answers one connection with a line."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer_one() -> None:
        with server, server.accept()[0] as connection:
            connection.sendall(line)
            connection.recv(99)

    threading.Thread(target=answer_one, daemon=True).start()
    return t.cast(int, server.getsockname()[1])


@pytest.mark.parametrize(
    ("line", "error"),
    [(b"220 mail ESMTP\r\n", ""), (b"554 go away\r\n", "greets with b'554 go away\\r\\n'")],
)
def test_a_mail_server_outside_must_greet(
    monkeypatch: pytest.MonkeyPatch, line: bytes, error: str
) -> None:
    port, connect = serve(line), socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda pair, timeout: connect((pair[0], port), timeout)
    )
    assert preflight.greeting("127.0.0.1") == error


def test_a_ca_that_cannot_be_read_says_why() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert preflight.acme(f"https://127.0.0.1:{port}/dir", "") == "Connection refused"
    assert preflight.acme("https://127.0.0.1/dir", "/nowhere.pem") == "there is no /nowhere.pem"
