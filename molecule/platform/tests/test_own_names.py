# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes send in their own names passes SPF, DKIM and DMARC at an external host, and nothing
else gets their signature."""

from __future__ import annotations

import asyncio
import re
import typing as t
import uuid
from dataclasses import dataclass

import dkim
import dns.resolver
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._dns import spf as dns_spf
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.query import Asker
from ansible_collections.reseller.mail.plugins.plugin_utils._dns.text_records import dmarc
from client import Host, Message, Outside, wait_until
from conftest import RESOLVER, STRANGER, Side
from test_delivery import submit, txt
from test_identity import ELSEWHERE, parsed, rules

__all__ = ["rules"]

NOWHERE = "nobody@no-such-domain.example"
CRON = "sendmail -i -FCronDaemon -B8BITMIME -oem"


@dataclass(frozen=True)
class Judged:
    """What a receiver learns of a message (RFC 9989 section 5.3). ``spf`` and ``signers`` are
    domains that passed."""

    author: str
    policy: t.Mapping[str, str]
    spf: str
    signers: tuple[str, ...]


def judged(raw: bytes) -> Judged:
    """Judge a message as the external host's Postfix took it: its Received field and Return-Path
    have the client and the sender."""
    message = parsed(raw)
    match = re.search(r"from (\S+) \(\S+ \[(?:IPv6:)?([0-9a-f.:]+)\]\)", str(message["Received"]))
    assert match, raw.decode()
    # With the null sender SPF judges the name in EHLO (RFC 7208 section 2.4).
    domain = str(message["Return-Path"]).strip("<>").rpartition("@")[2] or match[1]
    chain = asyncio.run(dns_spf.evaluate(Asker(RESOLVER), domain, [match[2]]))
    count = len(message.get_all("DKIM-Signature", []))
    signers = [
        (one := dkim.DKIM(raw)).verify(idx=index, dnsfunc=txt) and one.domain.decode()
        for index in range(count)
    ]
    assert all(signers), raw.decode()
    author = message["From"].addresses[0].domain
    return Judged(
        author,
        dmarc(txt(f"_dmarc.{author}".encode()).decode()),
        domain if dict(chain.senders)[match[2]] == "pass" else "",
        tuple(map(str, signers)),
    )


def from_root(node: Host, message: Message, command: str) -> None:
    """Let a program of root hand in a message, as cron does."""
    node.run(command, stdin=message.text.replace("\r", ""))


def only(found: list[bytes]) -> bytes:
    """Return the one message."""
    (raw,) = found
    return raw


def test_a_bounce_passes_at_a_stranger_and_has_no_tenant_s_signature(
    outside: Outside, side: Side, node: Host
) -> None:
    """The message that comes back has a tenant's From, and was refused."""
    message = Message.new(side.user.name, NOWHERE)
    from_root(node, message, f"sendmail -i -f {STRANGER} {NOWHERE}")
    raw = only(outside.stored(message.token))
    assert parsed(raw)["Return-Path"] == "<>"
    assert parsed(raw)["From"].addresses[0].addr_spec == f"MAILER-DAEMON@{side.host}"
    found = judged(raw)
    assert found == Judged(side.host, {"v": "DMARC1", "p": "reject"}, side.host, (side.host,))


def test_mail_of_root_s_programs_passes_at_a_stranger(
    outside: Outside, side: Side, node: Host
) -> None:
    message = Message.new("root", STRANGER)
    from_root(node, message, f"{CRON} {STRANGER}")
    raw = only(outside.stored(message.token))
    assert parsed(raw)["Return-Path"] == f"<root@{side.host}>"
    assert judged(raw) == Judged(side.host, {"v": "DMARC1", "p": "reject"}, side.host, (side.host,))


@pytest.mark.parametrize("forged", ["a tenant", "the provider", "the other node"])
def test_what_a_program_hands_in_in_another_s_name_is_not_signed(
    outside: Outside, side: Side, node: Host, sides: dict[str, Side], forged: str
) -> None:
    """A filter, say, that hands a message in again."""
    other = next(one.host for one in sides.values() if one is not side)
    author = {
        "a tenant": side.user.name,
        "the provider": f"support@{side.host.partition('.')[2]}",
        "the other node": f"MAILER-DAEMON@{other}",
    }[forged]
    message = Message.new(author, STRANGER)
    from_root(node, message, f"sendmail -i -f {ELSEWHERE} {STRANGER}")
    assert parsed(only(outside.stored(message.token)))["DKIM-Signature"] is None


def test_a_redirect_of_a_message_in_the_node_s_name_is_not_signed_and_fails_at_a_stranger(
    outside: Outside, side: Side, nodes: dict[str, Host], rules: t.Callable[[str], None]
) -> None:
    """The other node hands it over: from outside, the filter refuses it."""
    rules(f'redirect "{ELSEWHERE}";\r\n')
    (other,) = (node for name, node in nodes.items() if name != side.node)
    author = f"MAILER-DAEMON@{side.host}"
    forged = Message.new(STRANGER, side.user.name, header_from=author)
    from_root(other, forged, f"sendmail -i -f {STRANGER} {side.user}")
    found = judged(only(outside.stored(forged.token)))
    assert (found.author, found.policy["p"], found.signers) == (side.host, "reject", ())
    assert found.spf == side.user.domain


def test_a_bounce_waits_for_its_signer_and_comes_once(
    outside: Outside, side: Side, node: Host
) -> None:
    token = uuid.uuid4().hex
    node.run("systemctl stop opendkim@node")
    try:
        message = Message.new(side.user.name, NOWHERE)
        text = message.text.replace(f"X-Token: {message.token}", f"X-Token: {token}-1")
        login = {"login": side.user.name, "password": side.user.password}
        answers = outside.send(
            side.host, 587, side.user.name, [NOWHERE], Message(token, text), **login
        )
        assert answers["data"][0] == 250, answers
        waits = f"postqueue -j | grep '\"queue_name\": \"deferred\"' | grep -c -F '{side.user}'"
        assert wait_until(lambda: node.run(waits, check=False).stdout.strip() not in ("", "0"))
        mailbox = {"host": side.host, "user": side.user.name, "password": side.user.password}
        assert outside.call("bounced", prefix=token, **mailbox) == []
    finally:
        node.run("systemctl start opendkim@node && postqueue -f")
    assert wait_until(lambda: outside.call("bounced", prefix=token, **mailbox))
    # What came later through the same queue is there, and no second bounce is.
    assert outside.stored(submit(outside, side.user, STRANGER).token)
    assert outside.call("bounced", prefix=token, **mailbox) == [f"{token}-1"]


@pytest.mark.parametrize("name", ["hosting.example", "alt.hosting.example"])
def test_names_that_send_nothing_of_their_own_let_nobody_send(name: str) -> None:
    policy = dmarc(txt(f"_dmarc.{name}".encode()).decode())
    assert policy["p"] == "reject"
    spf = [one for one in _texts(name) if one.startswith("v=spf1 ")]
    assert len(spf) == 1
    assert spf[0].endswith(" -all")
    assert "include:" not in spf[0], "the premium relay sends for the tenants that use it"


def _texts(name: str) -> list[str]:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [RESOLVER]
    return [b"".join(one.strings).decode() for one in resolver.resolve(name, "TXT")]
