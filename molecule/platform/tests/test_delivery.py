# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail arrives where the files say."""

from __future__ import annotations

import email
import email.policy
import re
import time

import dkim
import dns.resolver
import pytest
from client import Flow, Host, Message, Outside
from conftest import RESOLVER, STRANGER, Address, Side


def submit(
    outside: Outside, sender: Address, recipient: str, port: int = 587, mail_from: str | None = None
) -> Message:
    """Send as a logged-in user; every answer must be a yes."""
    message = Message.new(mail_from or sender.name, recipient)
    answers = outside.send(
        sender.host,
        port,
        mail_from or sender.name,
        [recipient],
        message,
        login=sender.name,
        password=sender.password,
    )
    assert answers["rcpt"][recipient][0] == 250, answers
    assert answers["data"][0] == 250, answers
    return message


def knock(outside: Outside, host: str, recipient: str) -> Message:
    """A stranger's server hands a message in on port 25."""
    message = Message.new(STRANGER, recipient)
    answers = outside.send(host, 25, STRANGER, [recipient], message)
    assert answers["rcpt"][recipient][0] == 250, answers
    assert answers["data"][0] == 250, answers
    return message


def received(outside: Outside, mailbox: Address, message: Message) -> bytes:
    """The message as it lies in the mailbox: there, and once."""
    found = outside.fetch(mailbox.host, mailbox.name, mailbox.password, message.token)
    assert len(found) == 1, f"{mailbox}: {len(found)} copies of {message.token}"
    return found[0]


def txt(name: bytes, timeout: int = 5) -> bytes:
    """What dkimpy asks of DNS: the validating resolver of the lab."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [RESOLVER]
    answer = resolver.resolve(name.decode(), "TXT", lifetime=timeout)
    return b"".join(answer[0].strings)


@pytest.mark.parametrize("port", [587, 465])
def test_mail_reaches_a_tenant_on_the_other_node_with_a_signature_that_a_stranger_accepts(
    outside: Outside, side: Side, port: int
) -> None:
    message = submit(outside, side.user, side.other_user.name, port)
    raw = received(outside, side.other_user, message)
    verifier = dkim.DKIM(raw)
    assert verifier.verify(dnsfunc=txt), raw.decode()
    assert verifier.domain.decode() == side.user.domain
    assert verifier.selector.decode().split("-")[0] == side.node


def test_a_signature_does_not_survive_a_changed_message(outside: Outside, side: Side) -> None:
    raw = received(outside, side.other_user, submit(outside, side.user, side.other_user.name))
    assert not dkim.verify(raw.replace(b"Hello.", b"Hullo."), dnsfunc=txt)


def test_nodes_hand_mail_to_each_other_over_verified_tls(
    outside: Outside, side: Side, node: Host
) -> None:
    """The connection that took this very message: the process logs it before it says that the
    message was sent."""
    message = submit(outside, side.user, side.other_user.name)
    received(outside, side.other_user, message)
    log = node.output(
        "journalctl -q --no-pager -t postfix/cleanup -t postfix/smtp --since -2min"
    ).splitlines()
    (queue_id,) = [line.split(": ")[1] for line in log if f"message-id=<{message.token}@" in line]
    (sent,) = [
        number
        for number, line in enumerate(log)
        if f" {queue_id}: " in line and "status=sent" in line
    ]
    process = re.search(r"postfix/smtp\[\d+\]", log[sent])[0]
    *_before, connection = [
        line for line in log[:sent] if process in line and " TLS connection established to " in line
    ]
    assert f"Verified TLS connection established to {side.other_user.host}" in connection


@pytest.mark.parametrize("forger", ["stranger", "tenant"])
def test_forged_verdicts_in_the_node_s_name_are_taken_off(
    outside: Outside, side: Side, forger: str
) -> None:
    """Also where a comment, a fold or a quote hides the name (RFC 8601 section 2.2)."""
    sender, login = (
        (STRANGER, {})
        if forger == "stranger"
        else (side.user.name, {"login": side.user.name, "password": side.user.password})
    )
    hidden = [
        side.host,
        side.host,
        f"(a;b) {side.host}",
        f"(a (b;c) d;e) {side.host}",
        f"\r\n {side.host}",
        f'"{side.host}"',
        f'"\\{side.host}"',
    ]
    results = [
        f"Authentication-Results: {name}; dkim=pass header.d=forged.example\r\n" for name in hidden
    ]
    results.append(
        "Authentication-Results: mx.stranger.example; dkim=pass header.d=honest.example\r\n"
    )
    message = Message.new(sender, side.colleague.name)
    message = Message(message.token, "".join(results) + message.text)
    answers = outside.send(
        side.host, 587 if login else 25, sender, [side.colleague.name], message, **login
    )
    assert answers["data"][0] == 250, answers
    raw = received(outside, side.colleague, message).decode()
    assert "honest.example" in raw
    assert "forged.example" not in raw, raw


def test_a_stranger_writes_to_a_tenant(outside: Outside, side: Side) -> None:
    """Through the stranger's own server, which finds the way by MX."""
    message = Message.new(STRANGER, side.user.name)
    assert outside.send("127.0.0.1", 25, STRANGER, [side.user.name], message)["data"][0] == 250
    received(outside, side.user, message)


def test_a_tenant_writes_to_a_stranger(outside: Outside, side: Side) -> None:
    message = submit(outside, side.user, STRANGER)
    (raw,) = outside.stored(message.token)
    assert dkim.verify(raw, dnsfunc=txt), raw.decode()


def test_an_alias_delivers_to_its_mailbox(outside: Outside, side: Side) -> None:
    received(outside, side.second, knock(outside, side.host, side.alias))


def test_an_alias_reaches_a_mailbox_on_the_other_node(
    outside: Outside, sides: dict[str, Side]
) -> None:
    message = knock(outside, sides["mx1"].host, "sales@acme.example")
    received(outside, sides["mx1"].user, message)
    received(outside, sides["mx2"].user, message)


def test_a_domain_alias_delivers_to_the_domain_s_mailbox(outside: Outside, side: Side) -> None:
    received(outside, side.second, knock(outside, side.host, side.domain_alias))


def test_a_catch_all_takes_what_has_no_mailbox(outside: Outside, side: Side) -> None:
    received(outside, side.catch_all_to, knock(outside, side.host, side.catch_all))


def test_a_plus_address_delivers_to_its_mailbox(outside: Outside, side: Side) -> None:
    local, _at, domain = side.user.name.partition("@")
    received(outside, side.user, knock(outside, side.host, f"{local}+list@{domain}"))


def test_a_sender_address_sends_and_receives(outside: Outside, side: Side) -> None:
    message = submit(outside, side.second, STRANGER, mail_from=side.sender_address)
    (raw,) = outside.stored(message.token)
    assert email.message_from_bytes(raw, policy=email.policy.SMTP)["From"] == side.sender_address
    assert dkim.verify(raw, dnsfunc=txt), raw.decode()
    received(outside, side.second, knock(outside, side.host, side.sender_address))


def test_a_relay_domain_hands_its_mail_on(outside: Outside, side: Side) -> None:
    recipient = f"archive@{side.relay_domain}"
    message = knock(outside, side.host, recipient)
    assert len(outside.stored(message.token)) == 1


@pytest.mark.parametrize("role", ["postmaster", "abuse"])
def test_role_addresses_reach_the_owner(outside: Outside, side: Side, role: str) -> None:
    received(outside, side.owner, knock(outside, side.host, f"{role}@{side.user.domain}"))


def test_a_reload_of_dovecot_doubles_no_message(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """Certificates are renewed while mail comes in. What Dovecot has stored it also confirms, or
    Postfix would deliver it again."""
    flows = {
        name: Flow(outside, side.host, side.second.name, side.second.password, connections=4)
        for name, side in sides.items()
    }
    with flows["mx1"], flows["mx2"]:
        for _reload in range(8):
            for node in nodes.values():
                node.run("systemctl reload dovecot")
            time.sleep(0.5)
    for flow in flows.values():
        account = flow.account(queues=nodes.values())
        assert len(account.accepted) > 20, account
        assert account.wrong == [], account
