# SPDX-License-Identifier: GPL-3.0-or-later
"""The key with which one node reads the mail of another, and the waiting for deliveries."""

from __future__ import annotations

import os
import stat
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.moving import channel, deliveries

MINE = "ssh-ed25519 AAAA me@home"
KEY = "ssh-ed25519 BBBB reseller-mail-move-acme"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ssh/authorized_keys"
    monkeypatch.setattr(channel, "KEYS", path)
    return path


def test_the_key_reads_one_folder_for_some_days_and_then_goes(keys: Path) -> None:
    keys.parent.mkdir()
    keys.write_text(f"{MINE}\n")
    keys.chmod(0o640)
    for _again in range(2):
        channel.authorize("acme", KEY, ["192.0.2.2", "2001:db8::2"], "/srv/vmail", "vmail")
    first, line = keys.read_text().splitlines()
    assert first == MINE
    assert line.startswith('restrict,from="192.0.2.2,2001:db8::2",expiry-time="20')
    assert '"/usr/sbin/runuser -u vmail -- /usr/bin/rrsync -ro /srv/vmail" ssh-ed25519' in line
    channel.authorize("acme", KEY, ["192.0.2.2"], "/srv/vmail/.retained/acme", "")
    assert 'command="/usr/bin/rrsync -ro /srv/vmail/.retained/acme"' in keys.read_text()
    assert stat.S_IMODE(keys.stat().st_mode) == 0o640
    assert channel.revoke("acme")
    assert keys.read_text() == f"{MINE}\n"
    assert not channel.revoke("acme")


def test_a_host_without_keys_gets_the_file_and_has_none_to_take_away(keys: Path) -> None:
    assert not channel.revoke("acme")
    channel.authorize("acme", KEY, ["192.0.2.2"], "/srv/vmail", "vmail")
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600


def test_the_key_is_made_once_and_deleted(tmp_path: Path) -> None:
    commands: list[list[str]] = []

    def run(command: list[str]) -> tuple[int, str, str]:
        commands.append(command)
        Path(f"{command[-1]}.pub").write_text(f"{KEY}\n")
        return 0, "", ""

    assert channel.public_key(tmp_path, "acme", run) == KEY
    assert channel.public_key(tmp_path, "acme", run) == KEY
    assert len(commands) == 1
    channel.forget(tmp_path, "acme")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(channel.ChannelError, match="no entropy"):
        channel.public_key(tmp_path, "acme", lambda _command: (1, "", "no entropy"))


def test_the_host_key_is_pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "HOST_KEYS", tmp_path)
    (tmp_path / "ssh_host_ed25519_key.pub").write_text("ssh-ed25519 CCCC root@mx1\n")
    assert channel.host_keys() == ["ssh-ed25519 CCCC"]
    folder = channel.folder(tmp_path, "acme")
    folder.mkdir(parents=True)
    asked: dict[str, t.Any] = {}

    def run(command: list[str], **more: str) -> tuple[int, str, str]:
        asked.update(command=command, **more)
        return 24, "", "vanished"

    source = channel.Source("2001:db8::1", 2222, channel.host_keys())
    channel.fetch(tmp_path, "acme", source, ["a/b"], "/into", run, is_served=True)
    assert (folder / "known_hosts").read_text() == "[2001:db8::1]:2222 ssh-ed25519 CCCC\n"
    assert asked["command"][-2:] == ["root@[2001:db8::1]:.", "."]
    assert (asked["cwd"], asked["data"]) == ("/into", "a/b\n")
    with pytest.raises(channel.ChannelError, match="rsync: 24"):
        channel.fetch(tmp_path, "acme", source, ["a/b"], "/into", run, is_served=False)
    asked.clear()
    channel.fetch(tmp_path, "acme", source, [], "/into", run, is_served=False)
    assert not asked
    assert channel.Source("192.0.2.1", 22, []).known_as == "192.0.2.1"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_it_waits_for_deliveries_that_began_before_and_for_no_others() -> None:
    clock = Clock()

    def running() -> dict[int, float]:
        return {1: 105.0, **({2: 99.0} if clock.now < 110 else {})}

    assert deliveries.wait(100.0, lambda: clock.now, clock.sleep, running)
    assert 110 <= clock.now < 111
    assert not deliveries.wait(200.0, lambda: clock.now, clock.sleep, lambda: {1: 150.0})


def test_a_delivery_is_a_process_of_postfix(tmp_path: Path) -> None:
    for number, name, program in (
        (7, "lmtp", "/usr/lib/postfix/sbin/lmtp"),
        (8, "lmtp", "/usr/lib/dovecot/lmtp"),
        (9, "smtp", "/usr/lib/postfix/sbin/smtp"),
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "stat").write_text(f"{number} ({name}) S {' '.join(['0'] * 18)} 500 0\n")
        (folder / "exe").symlink_to(program)
    (tmp_path / "10").mkdir()
    (tmp_path / "10/stat").write_text("10 (lmtp")
    found = deliveries.processes(tmp_path)
    assert list(found) == [7]
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    assert found[7] == pytest.approx(boot + 500 / os.sysconf("SC_CLK_TCK"), abs=1)
