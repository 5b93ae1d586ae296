# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that reaches one node only leaves the other with an older generation. It must not refuse
what is valid by now."""

from __future__ import annotations

import contextlib
import time
import typing as t

import pytest
from client import Flow, Host, Message, Outside, changed_estate, wait_until
from conftest import STRANGER, Address, Side
from test_generation import CHANGES, generation

if t.TYPE_CHECKING:
    from pathlib import Path

LIMITS = {"mx1": "tenant_acme,localhost", "mx2": "mx2,localhost"}
"""Which node is told of the change: once as the README says, once by the node's name."""
REFUSAL_KEPT = 4
"""Seconds after which a node has forgotten that another one refused an address: the three of the
role's README, and the one that Postfix rounds away."""


def reply(outside: Outside, host: str, address: str) -> str:
    """What a host answers a stranger to an address."""
    answers = outside.send(host, 25, STRANGER, [address], Message.new(STRANGER, address))
    return " ".join(map(str, answers["rcpt"][address]))


def reply_to(outside: Outside, host: str, login: Address, address: str) -> str:
    """What a host answers one of its own people."""
    message = Message.new(login.name, address)
    answers = outside.send(
        host, 587, login.name, [address], message, login=login.name, password=login.password
    )
    return " ".join(map(str, answers["rcpt"][address]))


@pytest.fixture
def changed(tmp_path: Path) -> t.Iterator[dict[str, Path]]:
    """An estate with one address more, for each node; afterwards the nodes are given the old one
    again."""
    estates = {}
    for node, (file, change) in zip(LIMITS, CHANGES.items(), strict=True):
        (tmp_path / node).mkdir()
        estates[node] = changed_estate(tmp_path / node, {file: change})
    yield estates
    assert generation().rc == 0


def test_an_address_that_one_node_alone_was_told_of_works_everywhere(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], changed: dict[str, Path]
) -> None:
    for told, side in sides.items():
        (older,) = (other for name, other in sides.items() if name != told)
        new = f"brand-new@{side.user.domain}"
        # It is asked for a moment before it comes, so that the older node has just heard that it
        # does not exist.
        assert reply(outside, older.host, new).startswith("550")
        forgotten = time.monotonic() + REFUSAL_KEPT
        serving = nodes[older.node].output("readlink /var/lib/reseller-mail/current")
        run = generation(changed[told], "--limit", LIMITS[told])
        assert run.rc == 0, run.output
        assert list(run.recap) == [told]
        assert nodes[older.node].output("readlink /var/lib/reseller-mail/current") == serving
        sender = (older.user.name, older.user.password)
        kept = {"mailbox_host": side.host, "to": new}
        flows = [
            Flow(outside, older.host, side.user.name, side.user.password, submit=sender, **kept),
            Flow(outside, older.host, side.user.name, side.user.password, **kept),
        ]
        time.sleep(max(0.0, forgotten - time.monotonic()))
        with flows[0], flows[1]:
            wait_until(lambda: False, 3)
        for flow in flows:
            account = flow.account(queues=nodes.values())
            print(told, account)
            assert len(account.replies) > 1
            assert account.wrong == []


def test_a_wrong_address_of_the_other_node_is_refused_while_it_is_typed(
    side: Side, outside: Outside
) -> None:
    wrong = f"no-such-person@{side.other_user.domain}"
    assert reply_to(outside, side.host, side.user, wrong).startswith("550")
    assert reply(outside, side.host, wrong).startswith("550")
    assert reply_to(outside, side.host, side.user, side.other_user.name).startswith("250")


def test_while_the_serving_node_is_away_the_unknown_wait_and_the_known_are_taken(
    side: Side, outside: Outside, nodes: dict[str, Host]
) -> None:
    (other,) = (host for name, host in nodes.items() if name != side.node)
    with contextlib.ExitStack() as away:
        other.run("systemctl stop postfix")
        away.callback(other.run, "systemctl start postfix")
        unknown = f"nobody-knows@{side.other_user.domain}"
        # The example estate has one backup MX of other nodes. What it does not know, it refuses.
        refused = {"mx1": "450", "mx2": "550"}[side.node]
        assert reply(outside, side.host, unknown).startswith(refused)
        assert reply_to(outside, side.host, side.user, unknown).startswith(refused)
        assert reply(outside, side.host, side.other_user.name).startswith("250")
    nodes[side.node].run("postqueue -f")


def test_a_domain_whose_mail_comes_here_is_not_refused_for_good_before_it_is_known(
    side: Side, outside: Outside
) -> None:
    """DNS may know a tenant before this node does: as the backup of the node that was told, say."""
    dns1 = Host("dns1")

    def zone(*lines: str) -> None:
        text = "".join(f"{line}\n" for line in lines)
        dns1.run(
            "knsupdate -k /etc/knot/update.key",
            stdin=f"server 10.97.0.2\nzone example\n{text}send\nquit\n",
        )

    zone(f"update add to-come.example. 5 MX 20 {side.host}.")
    try:
        assert wait_until(lambda: reply(outside, side.host, "jo@to-come.example").startswith("450"))
    finally:
        zone("update delete to-come.example. MX")
    assert "Relay access denied" in reply(outside, side.host, "jo@stranger.example")
