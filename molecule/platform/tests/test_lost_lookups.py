# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host looks up can be lost: deleted by hand, eaten by a broken disk. Then mail waits; none
bounces, and the host helps itself."""

from __future__ import annotations

import typing as t

import pytest
from client import Flow, Host, Message, Outside, wait_until
from conftest import STRANGER, Side

ROOT = "/var/lib/reseller-mail"
FAULTS = {
    "a mailbox file": "rm {root}/current/dovecot/users/{domain}",
    "the right to read a mailbox file": "chmod 000 {root}/current/dovecot/users/{domain}",
    "the list of mailboxes": "rm {root}/current/dovecot/mailboxes",
    "the lists of logins": "rm -r {root}/current/dovecot/logins",
    "the names of domains": "rm {root}/current/dovecot/login_domains",
    "Dovecot's folder": "rm -r {root}/current/dovecot",
    "the right to enter Dovecot's folder": "chmod 700 {root}/current/dovecot",
    "Postfix's mailbox table": (
        "rm {root}/current/postfix/virtual_mailbox_maps.lmdb; postfix reload"
    ),
    "Postfix's folder": "rm -r {root}/current/postfix; postfix reload",
}
"""Each loses something, in the words of the daemons' folders; `reload` makes Postfix open its
tables anew."""


def lose(node: Host, side: Side, fault: str) -> None:
    node.run(fault.format(root=ROOT, domain=side.second.domain))


def knows(node: Host, address: str) -> bool:
    return node.run(f"doveadm user {address}", check=False).returncode == 0


@pytest.fixture
def whole(nodes: dict[str, Host]) -> t.Iterator[None]:
    """Afterwards both hosts have all they need again, also where a test failed."""
    current = {name: node.output(f"readlink {ROOT}/current") for name, node in nodes.items()}
    yield
    for name, node in nodes.items():
        node.run(
            f"ln -sfn {current[name]} {ROOT}/current; systemctl start reseller-mail-repair;"
            " systemctl reload postfix dovecot"
        )


@pytest.mark.usefixtures("whole")
def test_without_the_link_to_its_tables_a_host_defers_and_repairs_itself(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """Nobody runs anything: the host's own timer does it."""
    flows = [
        Flow(outside, side.host, side.second.name, side.second.password) for side in sides.values()
    ]
    with flows[0], flows[1]:
        before = {
            name: node.output(f"readlink {ROOT}/current; rm {ROOT}/current")
            for name, node in nodes.items()
        }
        for name, node in nodes.items():
            assert wait_until(
                lambda node=node: node.run(f"test -e {ROOT}/current", check=False).returncode == 0,
                90,
            )
            assert node.output(f"readlink {ROOT}/current") == before[name]
    for name, flow in zip(nodes, flows, strict=True):
        account = flow.account(queues=nodes.values())
        print(name, account)
        assert account.wrong == []
        log = nodes[name].output("journalctl -u reseller-mail-repair --since -5m -o cat --no-pager")
        assert f"pointed {ROOT}/current to {before[name].removeprefix('generations/')} again" in log


@pytest.mark.usefixtures("whole")
def test_whatever_lookup_is_lost_mail_waits_and_comes_once(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """One loss after the other, each repaired as the timer would, while mail comes in at both
    hosts."""
    flows = [
        Flow(outside, side.host, side.second.name, side.second.password) for side in sides.values()
    ]
    with flows[0], flows[1]:
        for what, fault in FAULTS.items():
            for name, node in nodes.items():
                lose(node, sides[name], fault)
            wait_until(lambda: False, 2)  # mail in the meantime
            for name, node in nodes.items():
                node.run("systemctl start reseller-mail-repair")
                assert wait_until(
                    lambda name=name, node=node: knows(node, sides[name].second.name)
                ), what
    for name, flow in zip(nodes, flows, strict=True):
        account = flow.account(queues=nodes.values())
        print(name, account)
        assert account.wrong == []
        assert not nodes[name].output("find /var/spool/postfix/deferred -type f")


@pytest.mark.usefixtures("whole")
def test_a_lost_lookup_is_told_from_an_address_that_does_not_exist(
    side: Side, node: Host, outside: Outside
) -> None:
    """To people who log in, too; a mailbox that left the files is still refused at once."""

    def lmtp(address: str) -> str:
        script = (
            "import smtplib\nlmtp ="
            " smtplib.LMTP('/var/spool/postfix/private/dovecot-lmtp')\nlmtp.ehlo('x')\nlmtp.mail('')\n"
            f"print(*lmtp.rcpt('{address}'))\n"
        )
        return node.run("python3 -", stdin=script).stdout

    gone = f"left-the-files@{side.user.domain}"
    assert lmtp(side.user.name).startswith("250")
    assert lmtp(gone).startswith("550")
    node.run(
        f"mv {ROOT}/current {ROOT}/current.away; sleep 1.1"
    )  # Dovecot looks at a file once a second
    try:
        assert lmtp(side.user.name).startswith("451")
        assert lmtp(gone).startswith("451")
        ok, reason = outside.call(
            "login",
            host=side.host,
            protocol="imap",
            user=side.user.name,
            password=side.user.password,
        )
        assert not ok
        assert "[UNAVAILABLE]" in reason
    finally:
        node.run(f"mv {ROOT}/current.away {ROOT}/current")
    assert wait_until(lambda: lmtp(side.user.name).startswith("250"))


def test_a_credential_store_that_is_away_is_no_wrong_password(
    side: Side, node: Host, outside: Outside
) -> None:
    store = f"{ROOT}/credentials/credentials.db"
    node.run(f"mv {store} {store}.away; doveadm reload")
    try:
        ok, reason = outside.call(
            "login",
            host=side.host,
            protocol="imap",
            user=side.user.name,
            password=side.user.password,
        )
    finally:
        node.run(f"mv {store}.away {store}; doveadm reload")
    assert not ok
    assert "[UNAVAILABLE]" in reason
    assert wait_until(
        lambda: outside.may_login(side.host, "imap", side.user.name, side.user.password)
    )


def test_files_that_somebody_altered_are_left_to_the_next_run(
    side: Side, node: Host, outside: Outside
) -> None:
    """The repair brings back what is lost, and nothing else."""
    table = f"{ROOT}/current/dovecot/all_users"
    node.run(f"cp -p {table} {table}.was; echo '# by hand' >>{table}")
    try:
        node.run("systemctl start reseller-mail-repair")
        assert "# by hand" in node.output(f"cat {table}")
    finally:
        node.run(f"mv {table}.was {table}")
    answers = outside.send(
        side.host, 25, STRANGER, [side.user.name], Message.new(STRANGER, side.user.name)
    )
    assert answers["data"][0] == 250


@pytest.mark.usefixtures("whole")
def test_without_the_list_of_logins_nobody_is_let_in_and_nobody_is_told_that_the_password_is_wrong(
    side: Side, node: Host, outside: Outside
) -> None:
    """A suspended mailbox is one that is not in the list, so its loss must not let anybody in."""
    # Dovecot looks at a file again after a second.
    node.run(f"mv {ROOT}/current/dovecot/logins/imap {ROOT}/current/dovecot/imap.away; sleep 1.1")
    try:
        ok, reason = outside.call(
            "login",
            host=side.host,
            protocol="imap",
            user=side.user.name,
            password=side.user.password,
        )
        assert not ok
        assert "[UNAVAILABLE]" in reason
        assert knows(node, side.user.name)
    finally:
        node.run(f"mv {ROOT}/current/dovecot/imap.away {ROOT}/current/dovecot/logins/imap")
    assert wait_until(
        lambda: outside.may_login(side.host, "imap", side.user.name, side.user.password)
    )
