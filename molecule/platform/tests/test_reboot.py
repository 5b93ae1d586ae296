# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is booted again serves as before, without anybody's help."""

from __future__ import annotations

import dkim
import pytest
from client import Host, Outside, wait_until
from conftest import Side
from test_delivery import knock, received, submit, txt

GATES = {
    "reseller-mail-guard.service",
    "opendkim@rsa.service",
    "opendkim@ed25519.service",
    "opendkim@node.service",
    "rspamd.service",
    "dovecot.service",
}
"""What Postfix asks about every message."""


def started(host: Host) -> str:
    """When the first process began; empty while the host does not answer."""
    return host.run("ps -o lstart= 1", check=False).stdout


@pytest.fixture
def rebooted(node: Host) -> Host:
    """The node after a reboot that it was asked for itself."""
    before = started(node)
    node.run("systemctl reboot", check=False)
    assert wait_until(lambda: (now := started(node)) and now != before, 60), (
        f"{node.name} does not come back"
    )
    return node


def test_a_host_that_reboots_serves_mail_again(
    rebooted: Host, outside: Outside, side: Side
) -> None:
    assert (
        rebooted.run("systemctl is-system-running --wait", check=False).stdout.strip() == "running"
    ), rebooted.output("systemctl --failed")
    message = knock(outside, side.host, side.user.name)
    assert message.token.encode() in received(outside, side.user, message)
    signed = received(outside, side.other_user, submit(outside, side.user, side.other_user.name))
    assert dkim.verify(signed, dnsfunc=txt)


def test_postfix_starts_after_everything_that_it_asks(node: Host, side: Side) -> None:
    unit = {"mx1": "postfix@-.service", "mx2": "postfix.service"}[side.node]
    after = set(node.output(f"systemctl show --property=After --value {unit}").split())
    assert after >= GATES, f"{unit} may start before {', '.join(sorted(GATES - after))}"
