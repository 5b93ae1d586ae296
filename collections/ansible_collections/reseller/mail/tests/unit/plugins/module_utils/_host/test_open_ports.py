# SPDX-License-Identifier: GPL-3.0-or-later
"""Who listens on a host, and the short listeners for a probe."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import open_ports

if t.TYPE_CHECKING:
    from pathlib import Path

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = "   0: {}:{:04X} 00000000:0000 {} 00000000:00000000 00:00000000 00000000     0        0 {} 1 0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A /proc of a little-endian host: dovecot shares its socket with a younger child."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(
        HEAD
        + ROW.format("00000000", 993, "0A", 101)
        + ROW.format("0100007F", 12341, "0A", 102)
        + ROW.format("0100007F", 40000, "01", 103)
    )
    (tmp_path / "net/tcp6").write_text(
        HEAD
        + ROW.format("00000000000000000000000000000000", 993, "0A", 104)
        + ROW.format("00000000000000000000000001000000", 25, "0A", 105)
        + ROW.format("0000000000000000FFFF00000100007F", 80, "0A", 106)
    )
    for number, name, inodes in ((9, "dovecot", (101, 104)), (10, "imap-login", (101,))):
        (tmp_path / f"{number}/fd").mkdir(parents=True)
        (tmp_path / f"{number}/comm").write_text(f"{name}\n")
        for inode in inodes:
            (tmp_path / f"{number}/fd/{inode}").symlink_to(f"socket:[{inode}]")
    return tmp_path


@pytest.mark.skipif(sys.byteorder != "little", reason="the rows are of a little-endian host")
def test_a_socket_belongs_to_the_oldest_process_that_has_it(proc: Path) -> None:
    assert open_ports.listeners(proc) == [
        {"address": "0.0.0.0", "port": 993, "program": "dovecot"},
        {"address": "127.0.0.1", "port": 80, "program": ""},
        {"address": "127.0.0.1", "port": 12341, "program": ""},
        {"address": "::", "port": 993, "program": "dovecot"},
        {"address": "::1", "port": 25, "program": ""},
    ]


def test_a_kernel_without_ipv6_has_no_second_table(proc: Path) -> None:
    (proc / "net/tcp6").unlink()
    assert {one["address"] for one in open_ports.listeners(proc)} == {"0.0.0.0", "127.0.0.1"}


def test_the_sockets_of_this_process_are_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with open("/proc/self/comm") as name:
            expected = {"address": "127.0.0.1", "port": port, "program": name.read().strip()}
        assert expected in open_ports.listeners()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return t.cast(int, server.getsockname()[1])


def is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def until(claim: t.Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not (done := claim()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return done


def child_ended() -> None:
    os.waitpid(-1, 0)


def test_a_free_port_answers_and_is_closed_after_the_connections() -> None:
    port, begun = free_port(), time.monotonic()
    assert open_ports.listen([port], "token", 2, 30) == [port]
    for _each in range(2):
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            assert connection.makefile().readline() == "token\n"
    child_ended()
    assert time.monotonic() - begun < 20
    assert not is_open(port)


def test_a_port_without_connections_is_closed_after_the_time() -> None:
    port = free_port()
    begun = time.monotonic()
    assert open_ports.listen([port], "token", 9, 0.3) == [port]
    child_ended()
    assert 0.2 < time.monotonic() - begun < 10
    assert not is_open(port)


def test_the_listener_keeps_no_other_file_and_has_a_session_of_its_own() -> None:
    """Otherwise the connection to the controller would wait for it."""
    port = free_port()
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    open_ports.listen([port], "token", 1, 10)
    os.close(writer)
    assert os.read(reader, 1) == b""  # the child has closed its end
    assert is_open(port)
    child_ended()


def test_a_port_that_another_program_has_is_left_out() -> None:
    with (
        socket.create_server(("0.0.0.0", 0)) as four,
        contextlib.ExitStack() as stack,
    ):
        port = four.getsockname()[1]
        with contextlib.suppress(OSError):
            stack.enter_context(socket.create_server(("::", port), family=socket.AF_INET6))
        assert open_ports.listen([port], "token", 1, 1) == []
