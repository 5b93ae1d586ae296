# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that has nothing to do does nothing."""

from __future__ import annotations

import time

import pytest
from client import Host, Outside, newest_venv, site
from conftest import NODES, Side

FILES = "find /etc /usr /var/lib -xdev {pruned} -type f -newermt @{since} -print | sort"
# Written by daemons as they run, whoever runs Ansible.
LIVE = [
    "/var/lib/systemd",
    "/var/lib/postfix",
    "/var/lib/dovecot",
    "/var/lib/logrotate",
    "/var/lib/apt",
    "/var/lib/fail2ban",
    "/var/lib/redis",
    "/var/lib/rspamd",
]
LOOKS = "(reload -- version|Reloading|SIGUSR1|SIGHUP received|Starting|Stopping|Restarting)"
UNITS = (
    "postfix@-.service postfix.service dovecot.service opendkim@rsa.service nginx.service"
    " reseller-mail-guard.service rspamd.service redis-server@reseller-mail.service"
)


def written(node: Host, since: int) -> list[str]:
    """Files of the platform that changed after a moment."""
    pruned = " ".join(f"-path {path} -prune -o" for path in LIVE)
    return node.output(FILES.format(pruned=pruned, since=since)).splitlines()


def reloaded(node: Host, since: int) -> list[str]:
    """What the daemons and their units said about being reloaded or restarted."""
    units = " ".join(f"-u {unit}" for unit in UNITS.split())
    said = node.run(
        f"journalctl -q --no-pager -o cat --since @{since} {units} | grep -E '{LOOKS}'", check=False
    ).stdout
    return said.splitlines()


@pytest.fixture(scope="module", autouse=True)
def converged() -> None:
    """The run before the second one: other tests leave generations and mailboxes of their own
    behind."""
    run = site()
    assert run.rc == 0, run.output


@pytest.mark.parametrize("check", [False, True], ids=["real run", "check mode"])
def test_the_second_run_changes_nothing_writes_nothing_reloads_nothing(
    check: bool, nodes: dict[str, Host]
) -> None:
    """With the newest ansible-core that is here, on what the oldest one converged."""
    clock = {name: int(node.output("date +%s")) for name, node in nodes.items()}
    time.sleep(1)  # files' times are compared in whole seconds
    run = site(*(["--check"] if check else []), "--diff", venv=newest_venv())
    assert run.rc == 0, run.output
    assert {host: figures["changed"] for host, figures in run.recap.items()} == dict.fromkeys(
        [*NODES, "localhost"], 0
    ), run.output
    # The keys are reported once: neither certificates nor DNS changed after that.
    assert run.output.count("Report the TLS keys of incoming mail") == 1, run.output
    for name, node in nodes.items():
        assert written(node, clock[name] + 1) == []
        assert reloaded(node, clock[name] + 1) == []


def test_a_password_that_its_user_changed_survives_a_run(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """On both nodes, in one run."""
    chosen = "Correct-Horse-7"
    boxes = {name: side.colleague for name, side in sides.items()}
    for name, box in boxes.items():
        nodes[name].run(f"mail-passwd {box.name}", stdin=f"{box.password}\n{chosen}\n")
    try:
        run = site()
        assert run.rc == 0, run.output
        assert {name: run.changed(name) for name in boxes} == dict.fromkeys(boxes, 0), run.output
        for box in boxes.values():
            assert outside.may_login(box.host, "imap", box.name, chosen)
            # Last: Dovecot makes an address that gave a wrong password wait.
            assert not outside.may_login(box.host, "imap", box.name, box.password)
    finally:
        for name, box in boxes.items():
            nodes[name].run(f"mail-passwd --operator {box.name}", stdin=f"{box.password}\n")
