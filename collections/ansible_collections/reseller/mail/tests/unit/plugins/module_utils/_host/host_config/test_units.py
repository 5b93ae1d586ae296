# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd shows of units, and the steps from there to what is wanted."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config import units
from ansible_collections.reseller.mail.plugins.module_utils._host.host_config.wanted import (
    HostConfigError,
    Unit,
)

# What Debian 12 prints for these units.
OUTPUT = """\
LoadState=loaded
ActiveState=active
UnitFileState=enabled
NeedDaemonReload=no

LoadState=masked
ActiveState=inactive
UnitFileState=masked
NeedDaemonReload=yes

LoadState=not-found
ActiveState=inactive
UnitFileState=
NeedDaemonReload=no
"""
RUNNING = units.Shown(True, True, "enabled", False, False)
MASKED = units.Shown(True, False, "masked", True, True)
UNKNOWN = units.Shown(False, False, "", False, False)
INSTALLED = units.Shown(True, False, "disabled", False, False)
FAILED = units.Shown(True, False, "enabled", False, False, failed=True)


def test_one_question_is_enough_for_all_units() -> None:
    asked = []

    def command(words: t.Sequence[str]) -> tuple[int, str, str]:
        asked.append(words)
        return 0, OUTPUT, ""

    names = ["nginx.service", "opendkim.service", "x.timer"]
    shown = units.shown(names, command)
    assert shown == dict(zip(names, (RUNNING, MASKED, UNKNOWN), strict=True))
    assert [words[-3:] for words in asked] == [names]
    assert units.shown([], command) == {}
    assert len(asked) == 1


def test_an_answer_about_fewer_units_is_refused() -> None:
    with pytest.raises(HostConfigError, match="Failed to connect to bus"):
        units.shown(["a.service"], lambda words: (1, "", "Failed to connect to bus"))
    with pytest.raises(HostConfigError, match=r"systemctl show a.service"):
        units.shown(["a.service"], lambda words: (0, OUTPUT, ""))


@pytest.mark.parametrize(
    ("unit", "state", "steps"),
    [
        (Unit("a", "started", True), RUNNING, []),
        (Unit("a", "started", True), INSTALLED, ["enable", "start"]),
        (Unit("a", "started", True, False), MASKED, ["unmask", "enable", "start"]),
        (Unit("a", "stopped", False, True), RUNNING, ["stop", "disable", "mask"]),
        (Unit("a", "stopped", False, True), MASKED, []),
        (Unit("a", "stopped", False), UNKNOWN, []),
        (Unit("a", "stopped", False), FAILED, ["reset-failed", "disable"]),
        (Unit("a", "started"), FAILED, ["start"]),
        (Unit("a"), FAILED, []),
        (Unit("a"), RUNNING, []),
        (Unit("a", enabled=True), units.Shown(True, True, "static", False, False), []),
        (Unit("a", enabled=False), units.Shown(True, True, "static", False, False), []),
        (Unit("a", "started", restart_for=("/etc/x",)), RUNNING, ["restart"]),
        (Unit("a", "started", restart_for=("/etc/x",)), INSTALLED, ["start"]),
        (Unit("a", "stopped", restart_for=("/etc/x",)), RUNNING, ["stop"]),
        (Unit("a", restart_for=("/etc/x",)), INSTALLED, []),
        (Unit("a", "started", restart_for=("/etc/y",)), RUNNING, []),
    ],
)
def test_only_what_differs_is_done(unit: Unit, state: units.Shown, steps: list[str]) -> None:
    assert units.steps(unit, state, {"/etc/x"}) == steps


def test_systemd_reads_the_links_of_all_units_once_between_stops_and_starts() -> None:
    planned = [("start", "a"), ("enable", "b"), ("restart", "b"), ("stop", "c"), ("mask", "c")]
    assert units.commands([*planned, ("enable", "d")]) == [
        ("stop", "c"),
        ("--no-reload", "mask", "c"),
        ("--no-reload", "enable", "b", "d"),
        ("daemon-reload",),
        ("start", "a"),
        ("restart", "b"),
    ]
    assert units.commands([("start", "a")]) == [("start", "a")]
    assert units.commands([("reset-failed", "a")]) == [("reset-failed", "a")]


@pytest.mark.parametrize(
    ("unit", "path", "comes"),
    [
        ("a.service", "/etc/systemd/system/a.service", True),
        ("a@b.service", "/etc/systemd/system/a@.service", True),
        ("a@b.service", "/etc/systemd/system/a@b.service", True),
        ("a.service", "/etc/systemd/system/a.timer", False),
        ("a.service", "/etc/a.service", False),
        ("a.service", "/etc/systemd/system/b.service.d/a.service.conf", False),
    ],
)
def test_a_unit_comes_with_its_file(unit: str, path: str, comes: bool) -> None:
    assert units.comes_with(unit, [path]) is comes


def test_systemd_reads_units_and_their_parts() -> None:
    assert units.is_unit_path("/etc/systemd/system/certbot.service.d/reseller-mail.conf")
    assert not units.is_unit_path("/etc/systemd/system.conf")
    assert not units.is_unit_path("/etc/nginx/nginx.conf")
