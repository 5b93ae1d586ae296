# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_config does with real units and users. Unit tests show what it does with files."""

from __future__ import annotations

import json
import typing as t

import pytest
from client import Host, ansible
from conftest import NODES

UNIT = "reseller-mail-test.service"
FILE = f"/etc/systemd/system/{UNIT}"
USER = "reseller-mail-test"
USERS_FILE = "/etc/sysusers.d/reseller-mail-test.conf"
CLEAN = (
    f"systemctl disable --now {UNIT}; systemctl unmask {UNIT}; rm -f {FILE} {USERS_FILE};"
    f" systemctl daemon-reload; userdel {USER}"
)


@pytest.fixture(params=NODES, ids=NODES.get)
def host(request: pytest.FixtureRequest) -> t.Iterator[Host]:
    """A node without the unit and the user of these tests."""
    host = Host(request.param)
    host.run(CLEAN, check=False)
    yield host
    host.run(CLEAN, check=False)


def apply(host: Host, *words: str, **options: t.Any) -> bool:
    """Run the module with Ansible; return whether it changed something."""
    run = ansible(
        "ansible", host.name, "-m", "reseller.mail.host_config", "-a", json.dumps(options), *words
    )
    assert run.rc == 0, run.output
    return f"{host.name} | CHANGED" in run.output


def changes(host: Host, **options: t.Any) -> bool:
    """Return whether a run changes something, after check mode announced the same and did nothing,
    and before a second run changes nothing."""
    before = shown(host)
    announced = apply(host, "--check", **options)
    assert shown(host) == before, "check mode changed the unit"
    assert apply(host, **options) is announced
    assert not apply(host, **options), "the second run changes something"
    return announced


def shown(host: Host) -> dict[str, str]:
    properties = "ActiveState,UnitFileState,LoadState,MainPID,NeedDaemonReload"
    lines = host.output(f"systemctl show {UNIT} --property={properties}").splitlines()
    return dict(line.split("=", 1) for line in lines)


def service(seconds: int) -> dict[str, t.Any]:
    """Return the options that install, start and restart a service."""
    content = (
        f"[Service]\nExecStart=/usr/bin/sleep {seconds}\n\n[Install]\nWantedBy=multi-user.target\n"
    )
    return {
        "files": [{"dest": FILE, "content": content}],
        "units": [{"name": UNIT, "state": "started", "enabled": True, "restart_for": [FILE]}],
    }


def running(host: Host) -> str:
    """Return the command line of the service's process."""
    return host.output(f"tr '\\0' ' ' </proc/{shown(host)['MainPID']}/cmdline").strip()


def test_a_unit_starts_restarts_for_its_new_file_and_can_be_masked(host: Host) -> None:
    assert changes(host, **service(1001))
    assert (shown(host)["ActiveState"], shown(host)["UnitFileState"]) == ("active", "enabled")
    assert running(host) == "/usr/bin/sleep 1001"
    assert changes(host, **service(1002))
    assert running(host) == "/usr/bin/sleep 1002"
    assert changes(host, absent=[FILE], units=[{"name": UNIT, "state": "stopped"}])
    assert (shown(host)["ActiveState"], shown(host)["LoadState"]) == ("inactive", "not-found")
    assert changes(host, units=[{"name": UNIT, "state": "stopped", "masked": True}])
    assert shown(host)["LoadState"] == "masked"


def test_systemd_reads_a_unit_that_an_interrupted_run_only_wrote(host: Host) -> None:
    assert apply(host, **service(1001))
    host.run(f"sleep 1; sed -i s/1001/1003/ {FILE}")
    assert shown(host)["NeedDaemonReload"] == "yes", "the test cannot fail"
    assert changes(host, **service(1003))
    assert shown(host)["NeedDaemonReload"] == "no"


def test_a_user_comes_from_sysusers(host: Host) -> None:
    options = {"name": "test", "users": [{"name": USER, "group": "mail", "home": "/nonexistent"}]}
    assert changes(host, **options)
    entry = host.output(f"getent passwd {USER}").split(":")
    assert entry[5:] == ["/nonexistent", "/usr/sbin/nologin"]
    assert host.output(f"id -gn {USER}") == "mail"
    assert int(entry[2]) < 1000
    host.run(f"userdel {USER}")
    assert changes(host, **options)
