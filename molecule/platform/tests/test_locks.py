# SPDX-License-Identifier: GPL-3.0-or-later
"""No local user can hold up a converge or a renewal."""

from __future__ import annotations

import json

from client import ESTATE, Host, ansible, wait_until
from conftest import Side

LOCKS = ("/var/lib/reseller-mail/.lock", "/var/lib/reseller-mail/sni/.lock")
GRAB = (
    "import fcntl, sys; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)"
)


def test_a_local_user_cannot_hold_our_locks_not_even_those_that_an_earlier_release_made(
    side: Side, node: Host
) -> None:
    for lock in LOCKS:
        node.run(f"touch {lock} && chmod 0644 {lock}")
        assert (
            node.run(
                f"setpriv --reuid=nobody --clear-groups python3 -c '{GRAB}' {lock}", check=False
            ).returncode
            == 0
        ), "the test cannot fail"
    run = ansible(
        "ansible",
        side.node,
        "-m",
        "reseller.mail.generation",
        "-a",
        json.dumps({"estate": str(ESTATE), "node": side.node}),
    )
    assert run.rc == 0, run.output
    node.run("reseller-mail-certificates")
    for lock in LOCKS:
        done = node.run(
            f"setpriv --reuid=nobody --clear-groups python3 -c '{GRAB}' {lock}", check=False
        )
        assert "Permission denied" in done.stderr, f"{lock}: {done.returncode} {done.stderr}"


def test_the_hook_says_who_keeps_it_waiting(node: Host) -> None:
    """With less patience than it has, so that the test has it, too."""
    node.run(
        "sed 's/^PATIENCE = .*/PATIENCE = 0.5/' $(command -v reseller-mail-certificates)"
        " >/run/impatient"
    )
    hold = f"{GRAB}; import time; time.sleep(60)"
    node.run(f"systemd-run --quiet --unit=test-lock python3 -c '{hold}' {LOCKS[1]}")
    try:
        done = wait_until(
            lambda: (done := node.run("python3 /run/impatient", check=False)).returncode and done
        )
    finally:
        node.run("systemctl stop test-lock; rm /run/impatient")
    assert done.returncode == 1
    assert f"{LOCKS[1]} has been locked for 0.5 s by process " in done.stderr
    assert "(python3, user 0): wait until it ends, or end it, and try again" in done.stderr
