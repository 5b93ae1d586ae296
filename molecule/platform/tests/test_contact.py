# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail for the nodes themselves and for the provider's domain reaches the person whom the estate
names, and nothing else is open there."""

from __future__ import annotations

import dataclasses
import re
import typing as t
import uuid
from pathlib import Path

import client
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._load import load
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import contact as verify_contact
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector
from client import ESTATE, Host, Message, Outside
from conftest import NODES, RESOLVER, STRANGER, Address, Side

NODE_ROLES = ("root", "postmaster", "abuse", "mailer-daemon")
PROVIDER = "hosting.example"
PROVIDER_ROLES = ("postmaster", "abuse", "hostmaster", "noc", "security")


@pytest.fixture
def contact(sides: dict[str, Side]) -> Address:
    """It lives on mx1, so that what mx2 takes goes on to the other node."""
    assert f"contact: {sides['mx1'].owner}" in (ESTATE / "estate.yml").read_text(encoding="utf-8")
    return sides["mx1"].owner


@pytest.fixture
def prefix() -> str:
    return uuid.uuid4().hex


def numbered(sender: str, recipient: str, token: str) -> Message:
    message = Message.new(sender, recipient)
    return Message(token, message.text.replace(message.token, token))


def arrived(outside: Outside, contact: Address, prefix: str, count: int) -> list[str]:
    """The tokens in the contact's mailbox, when so many are there or time is up."""
    arguments = {
        "host": contact.host,
        "user": contact.name,
        "password": contact.password,
        "prefix": prefix,
    }
    client.wait_until(lambda: len(outside.call("tokens", **arguments)) >= count)
    return sorted(outside.call("tokens", **arguments))


def test_mail_for_a_role_reaches_the_contact(
    outside: Outside, side: Side, contact: Address, prefix: str
) -> None:
    recipients = [f"{role}@{side.host}" for role in NODE_ROLES] + [
        f"{role}@{PROVIDER}" for role in PROVIDER_ROLES
    ]
    recipients += [
        f"Postmaster+x@{PROVIDER.upper()}",
        "postmaster",
    ]  # RFC 5321 section 2.3.5: a host's postmaster needs no domain
    tokens = [
        f"{prefix}-{recipient.partition('@')[0]}-{number}"
        for number, recipient in enumerate(recipients)
    ]
    for recipient, token in zip(recipients, tokens, strict=True):
        answers = outside.send(
            side.host, 25, STRANGER, [recipient], numbered(STRANGER, recipient, token)
        )
        assert (answers["data"] or answers["rcpt"][recipient])[0] == 250, (recipient, answers)
    assert arrived(outside, contact, prefix, len(tokens)) == sorted(tokens)


def test_what_the_host_itself_writes_reaches_the_contact(
    outside: Outside, node: Host, contact: Address, prefix: str
) -> None:
    """As cron does, and programs that say localhost."""
    for number, recipient in enumerate(("root", "root@localhost", "postmaster")):
        node.run(
            f"printf 'To: {recipient}\\nSubject: cron\\nX-Token: {prefix}-{number}\\n\\nHello.\\n'"
            f" | sendmail {recipient}"
        )
    assert arrived(outside, contact, prefix, 3) == [f"{prefix}-{number}" for number in range(3)]


def test_the_world_finds_the_nodes_behind_the_provider_s_domain(
    outside: Outside, contact: Address, prefix: str
) -> None:
    answer = Host("dns1").output(f"kdig @{RESOLVER} {PROVIDER} MX +short")
    assert sorted(answer.splitlines()) == [f"10 {node}.{PROVIDER}." for node in sorted(NODES)]
    outside.run(
        f"printf 'To: postmaster@{PROVIDER}\\nSubject: x\\nX-Token: {prefix}\\n\\nHello.\\n' |"
        f" sendmail -f {STRANGER} postmaster@{PROVIDER}"
    )
    assert arrived(outside, contact, prefix, 1) == [prefix]


def test_no_other_name_exists_there_and_nothing_is_relayed(outside: Outside, side: Side) -> None:
    unknown = [
        f"{name}@{domain}" for domain in (side.host, PROVIDER) for name in ("nobody", "it", "mail")
    ] + [f"hostmaster@{side.host}", f"root@{PROVIDER}"]
    foreign = [
        f"victim%elsewhere.example@{PROVIDER}",
        f"postmaster@www.{PROVIDER}",
        "postmaster@elsewhere.example",
    ]
    for recipients, codes in ((unknown, {550}), (foreign, {550, 554})):
        answers = outside.send(
            side.host, 25, STRANGER, recipients, Message.new(STRANGER, recipients[0])
        )
        assert {
            recipient: code
            for recipient, (code, _text) in answers["rcpt"].items()
            if code not in codes
        } == {}
        assert answers["data"] is None


def test_nobody_sends_as_the_provider(outside: Outside, side: Side) -> None:
    sender = f"postmaster@{PROVIDER}"
    message = Message.new(sender, STRANGER)
    answers = outside.send(
        side.host,
        587,
        sender,
        [STRANGER],
        message,
        login=side.user.name,
        password=side.user.password,
    )
    assert answers["rcpt"][STRANGER][0] == 553, answers


def verified(**provider: t.Any) -> dict[str, str]:
    """What verify says of the nodes as they are, by subject, with these keys of the provider
    changed."""
    estate, faults = load(str(ESTATE))
    assert estate is not None, faults
    changed = dataclasses.replace(estate, provider=dataclasses.replace(estate.provider, **provider))
    return {
        f"{one.id} {one.subject}": f"{one.state}: {one.found}"
        for one in verify_contact.findings(Connector(RESOLVER), changed)
    }


@pytest.fixture
def refused() -> t.Iterator[str]:
    """A domain whose MX is a node that does not take its mail: one whose own address is the node's
    is refused, not put off."""
    key = "knsupdate -k /etc/knot/update.key /dev/stdin"
    dns1, zone = Host("dns1"), f"server 10.97.0.2\nzone {PROVIDER}.\n"
    name = f"refused.{PROVIDER}."
    dns1.run(
        key, stdin=f"{zone}add {name} 1 MX 10 mx1.{PROVIDER}.\nadd {name} 1 A 10.97.0.3\nsend\n"
    )
    yield f"refused.{PROVIDER}"
    dns1.run(key, stdin=f"{zone}del {name} MX\ndel {name} A\nsend\n")


def test_verify_asks_every_host_for_postmaster(refused: str) -> None:
    hosts = [f"{node}.{PROVIDER}" for node in NODES]
    found = {f"mail.postmaster postmaster@{host}": f"ok: {host}: 250" for host in hosts}
    found |= {
        f"mail.postmaster postmaster@{PROVIDER}": (
            "ok: " + "; ".join(f"{host}: 250" for host in hosts)
        ),
        "mail.contact provider": "ok: it@acme.example",
    }
    assert verified() == found
    assert verified(domain=refused)[f"mail.postmaster postmaster@{refused}"].startswith(
        f"fail: mx1.{PROVIDER}: 554 "
    )
    assert (
        verified(domain="legacy-nowhere.example")[
            "mail.postmaster postmaster@legacy-nowhere.example"
        ]
        == "na: legacy-nowhere.example has no MX"
    )
    assert verified(contact=None)["mail.contact provider"].startswith("warn: no person")


@pytest.fixture
def elsewhere(tmp_path: Path) -> t.Iterator[None]:
    """Both nodes with a contact whose mail is somebody else's."""
    changed = client.changed_estate(
        tmp_path, {"estate.yml": ("contact: it@acme.example", f"contact: {STRANGER}")}
    )
    generation = str(Path(__file__).parent / "generation.yml")
    try:
        run = client.ansible("ansible-playbook", generation, "--diff", estate=changed)
        assert run.rc == 0, run.output
        assert f"+ role address postmaster@{PROVIDER} to {STRANGER}" in run.output
        yield
    finally:
        run = client.ansible("ansible-playbook", generation)
        assert run.rc == 0, run.output


@pytest.mark.usefixtures("elsewhere")
def test_a_contact_elsewhere_is_written_to(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host], prefix: str
) -> None:
    for name, side in sides.items():
        incoming = Message.new("sender@mail.stranger.example", f"abuse@{PROVIDER}")
        answers = outside.send(
            side.host, 25, "sender@mail.stranger.example", [f"abuse@{PROVIDER}"], incoming
        )
        assert answers["data"][0] == 250, answers
        nodes[name].run(
            f"printf 'Subject: cron\\nX-Token: {prefix}-{name}\\n\\nHello.\\n' | sendmail root"
        )
        (stored,) = outside.stored(incoming.token)
        # As with every alias, mail of an external sender leaves with a sender of the node.
        path = rf"^Return-Path: <SRS0=\S+=mail\.stranger\.example=sender@{side.host}>"
        assert re.search(path.encode(), stored, re.M), stored.decode()
        assert len(outside.stored(f"{prefix}-{name}")) == 1
