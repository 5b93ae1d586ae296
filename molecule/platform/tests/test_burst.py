# SPDX-License-Identifier: GPL-3.0-or-later
"""Many messages for one mailbox at the same moment."""

from __future__ import annotations

import uuid

from client import Host, Outside, retried, wait_until
from conftest import Side

COUNT = 120
SUBMIT = r"""
for number in $(seq {count}); do
    printf 'From: root@%s\nTo: {to}\nSubject: burst\nX-Token: {prefix}-%s\n\nHello.\n' "$(hostname -f)" "$number" | sendmail {to}
done
"""


def test_a_burst_for_one_mailbox_is_delivered_without_deferrals(
    side: Side, node: Host, outside: Outside
) -> None:
    """Postfix holds all of it back, then lets go: it delivers as many at a time as it ever does."""
    prefix = uuid.uuid4().hex
    since = node.output("date +%s")
    try:
        node.run("postconf -e defer_transports=lmtp; postfix reload")
        node.run(SUBMIT.format(count=COUNT, to=side.second, prefix=prefix))
        assert wait_until(
            lambda: int(node.output("find /var/spool/postfix/deferred -type f | wc -l")) >= COUNT
        ), "the burst is not in the queue"
    finally:
        node.run("postconf -X defer_transports; postfix reload")
    assert retried(node, side.second.name)

    def arrived() -> list[str]:
        return outside.call(
            "tokens",
            prefix=prefix,
            host=side.host,
            user=side.second.name,
            password=side.second.password,
        )

    wait_until(lambda: len(arrived()) >= COUNT, 60)
    assert sorted(arrived()) == sorted(f"{prefix}-{number}" for number in range(1, COUNT + 1))
    log = node.output(f"journalctl SYSLOG_FACILITY=2 --since @{since} -o cat --no-pager")
    assert "said: 451" not in log, "Dovecot put off what Postfix gave it"
