# SPDX-License-Identifier: GPL-3.0-or-later
"""The account that the tests of faults rest on: it must see each of the things that can go wrong
with a message."""

from __future__ import annotations

import time

from client import Account, Flow, Host, Outside, wait_until
from conftest import Side

TAKEN, LATER, NEVER, CUT = (
    (250, "2.0.0 Ok"),
    (451, "4.3.0 Later"),
    (550, "5.1.1 Never"),
    (1, "the connection broke"),
)


def test_the_account_tells_what_became_of_every_message() -> None:
    replies = {
        "good": [TAKEN],
        "late": [LATER, TAKEN],
        "no": [NEVER],
        "waits": [LATER, LATER],
        "lost": [TAKEN],
        "twice": [TAKEN],
        "back": [TAKEN],
    }
    account = Account(replies, arrived=["good", "late", "twice", "twice"], bounced=["back"])
    assert account.wrong == [
        "refused no: 550 5.1.1 Never",
        "given up waits: 451 4.3.0 Later",
        "missing back",
        "missing lost",
        "doubled twice",
        "bounced back",
    ]
    assert set(account.deferred) == {"late", "waits"}


def test_a_message_sent_again_after_a_broken_connection_may_come_twice_but_not_thrice() -> None:
    assert Account({"cut": [CUT, TAKEN]}, ["cut", "cut"], []).wrong == []
    assert Account({"cut": [CUT, TAKEN]}, ["cut", "cut", "cut"], []).wrong == ["doubled cut"]


def test_mail_keeps_flowing_around_a_server_that_is_away(
    side: Side, node: Host, outside: Outside
) -> None:
    """Nobody answers for a while: the stranger's mail host waits, then every message comes.

    A message that Postfix was handing to Dovecot when it was stopped comes once more (RFC 5321
    section 6.1 allows it).
    """
    with Flow(outside, side.host, side.second.name, side.second.password) as flow:
        time.sleep(1)
        node.run("systemctl stop postfix")
        time.sleep(2)
        node.run("systemctl start postfix")
    account = flow.account()
    assert account.deferred, account
    assert [wrong for wrong in account.wrong if not wrong.startswith("doubled ")] == [], account


def test_what_came_back_to_its_sender_is_counted(side: Side, node: Host, outside: Outside) -> None:
    """To a stranger and to a sender of ours. Postfix is made to misunderstand Dovecot: every
    message is delivered, and bounces."""
    try:
        node.run(
            "postconf -e 'lmtp_reply_filter = regexp:{ {/^250 .*Saved/ 550 5.3.0 not so} }';"
            " postfix reload"
        )
        with Flow(outside, side.host, side.second.name, side.second.password) as from_outside:
            wait_until(lambda: len(from_outside.arrived()) > 2)
        with Flow(
            outside,
            side.host,
            side.second.name,
            side.second.password,
            submit=(side.user.name, side.user.password),
        ) as from_inside:
            wait_until(lambda: len(from_inside.arrived()) > 2)
        accounts = []
        for flow in (from_outside, from_inside):
            wait_until(lambda flow=flow: len(flow.account().bounced) == len(flow.sent))
            accounts.append(flow.account())
    finally:
        node.run("postconf -X lmtp_reply_filter; postfix reload")
    for account in accounts:
        assert len(account.accepted) > 2
        assert sorted(account.accepted) == sorted(account.bounced) == sorted(account.arrived), (
            account
        )
        assert len(account.wrong) == len(account.bounced), account
