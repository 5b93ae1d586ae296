# SPDX-License-Identifier: GPL-3.0-or-later
"""A host says whether mail can leave by the ways that the generation names."""

from __future__ import annotations

import socket
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import outgoing

TABLE = (
    "<>\tsmtp:\n@acme.example\trelay-bulk:[127.0.0.1]:1\n@globex.example\tout-127-0-0-1:\n"
    "@initech.example\tout-192-0-2-1:\n@shop.example\trelay-gone:[127.0.0.1]:1\n"
    "@x.example\tout-192-0-2-9:\n"
)
SETTINGS = """relay-bulk/unix/smtp_tls_security_level = secure
relay-bulk/unix/smtp_sasl_auth_enable = yes
out-127-0-0-1/unix/smtp_bind_address = 127.0.0.1
out-127-0-0-1/unix/smtp_bind_address6 =
out-192-0-2-1/unix/smtp_bind_address = 192.0.2.1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "current" / "postfix"
    folder.mkdir(parents=True)
    (folder / "sender_transport_maps").write_text(TABLE, "utf-8")
    return tmp_path


def found(root: Path) -> dict[str, str]:
    rows = outgoing.ways(lambda _command: (0, SETTINGS, ""), str(root))
    return {f"{one['kind']} {one['name']}": one["error"] for one in rows}


def test_each_way_in_use_has_its_state(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "passwords"
    secret.write_text("bulk acme:the secret\n", "utf-8")
    monkeypatch.setattr(outgoing, "PASSWORDS", str(secret))
    asked: list[t.Any] = []

    def reach(*arguments: t.Any) -> str:
        asked.append(arguments)
        return "connection refused"

    monkeypatch.setattr(outgoing, "reach", reach)
    rows = outgoing.ways(lambda _command: (0, SETTINGS, ""), str(root))
    assert [(one["kind"], one["name"], one["error"]) for one in rows] == [
        ("address", "127.0.0.1", ""),
        ("address", "192.0.2.1", "cannot assign requested address"),
        ("address", "out-192-0-2-9", "Postfix has no transport out-192-0-2-9"),
        ("relay", "127.0.0.1:1", "connection refused"),
        ("relay", "127.0.0.1:1", "Postfix has no transport relay-gone"),
    ]
    assert asked == [("127.0.0.1", 1, ("acme", "the secret"))]


def test_a_relay_without_a_password_is_not_asked(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(outgoing, "PASSWORDS", str(tmp_path / "none"))
    monkeypatch.setattr(outgoing, "_in_use", lambda _path: {"relay-bulk:[127.0.0.1]:1"})
    assert found(root)["relay 127.0.0.1:1"].endswith("has no password for it")


def test_without_a_generation_there_is_no_way(tmp_path: Path) -> None:
    assert outgoing.ways(lambda _command: (0, "", ""), str(tmp_path)) == []


@pytest.fixture
def server() -> t.Iterator[t.Callable[[bytes], int]]:
    """Answers one SMTP session with these lines, one for each line of the client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(answers: bytes) -> None:
            connection, _address = listener.accept()
            with connection, connection.makefile("rb") as stream:
                for line in answers.splitlines(keepends=True):
                    connection.sendall(line)
                    if line[3:4] != b"-" and not stream.readline():
                        return

        def start(answers: bytes) -> int:
            threading.Thread(target=serve, args=(answers,), daemon=True).start()
            return t.cast(int, listener.getsockname()[1])

        yield start


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (b"220 hello\r\n250 relay\r\n", "starttls extension not supported by server."),
        (b"554 5.7.1 go away\r\n", "it answers 554 5.7.1 go away"),
        (b"", "connection unexpectedly closed"),
    ],
)
def test_a_relay_that_mail_cannot_leave_through_says_why(
    server: t.Callable[[bytes], int], answers: bytes, error: str
) -> None:
    assert outgoing.reach("127.0.0.1", server(answers), ("acme", "the secret")).startswith(error)


def test_a_relay_that_is_down_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert outgoing.reach("127.0.0.1", port, None) == "connection refused"
