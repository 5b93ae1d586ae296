# SPDX-License-Identifier: GPL-3.0-or-later
"""Outgoing mail leaves where the files say: through a relay, from an address of its own, directly, or
with a sender of the node if somebody else wrote it."""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import json
import os
import re
import subprocess
import typing as t
import uuid
from pathlib import Path

import dkim
import pytest
from client import Host, Message, Outside, ansible, changed_estate, retried, wait_until
from conftest import OUTSIDE, STRANGER, Address, Side
from test_delivery import knock, received, submit, txt
from test_ipv6 import trace, without
from test_verify_host import asked

SINK = "/run/relay-sink"
USERS = {"hosting": "the lab's premium relay", "bulk": "the lab's other relay"}
"""What inventories/example/group_vars/mail_nodes.yml has."""
RELAYED = {"mx1": "orders@acme-shop.example", "mx2": "orders@initech-shop.example"}
"""A mailbox on each node whose domain names a relay."""
OWN_ADDRESS = {"mx1": ("10.97.0.13", "fd97::13"), "mx2": ("10.97.0.14", "fd97::14")}
OWN_NAME = {"mx1": "out1.hosting.example", "mx2": "out2.hosting.example"}
MAIN_ADDRESS = {"mx1": ("10.97.0.3", "fd97::3"), "mx2": ("10.97.0.4", "fd97::4")}
FORWARDS = """aliases:
  - {name: away, to: [%s, elsewhere@stranger.example]}
  - {name: round, to: [round@stranger.example]}
"""
SPF_OF_NODE = '"v=spf1 a -all"'
PLAN = "features: [catch_all, relay_domains, branding]\n    addons: [archive]"


def generation(estate: Path) -> None:
    run = ansible("ansible-playbook", "molecule/platform/tests/generation.yml", estate=estate)
    assert run.rc == 0, run.output


@pytest.fixture(scope="module", autouse=True)
def estate(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """Serve an estate with relays, outbound addresses and forwards; afterwards the usual one."""
    shop = (
        "mailboxes:\n  - name: orders\n",
        "outgoing_relay: bulk\nmailboxes:\n  - name: orders\n",
    )
    changes = {
        "estate.yml": ("tenants: [umbrella]", "tenants: [umbrella, acme, initech]"),
        "plans.yml": (PLAN, PLAN.replace("branding]", "branding, outbound_address]")),
        "tenants/acme/account.yml": (
            "placement: mx1\n",
            "placement: mx1\noutbound_address: 10.97.0.13\n",
        ),
        "tenants/initech/account.yml": (
            "placement: mx2\n",
            "placement: mx2\noutbound_address: fd97::14\n",
        ),
        "tenants/globex/account.yml": (
            "placement: mx2\n",
            "placement: mx2\ndefaults: {premium_relay: true, spf: {tail: -all}}\n",
        ),
        "tenants/acme/acme-shop.example.yml": shop,
        "tenants/initech/initech-shop.example.yml": shop,
        "tenants/acme/acme.example.yml": ("aliases:\n", FORWARDS % "jo"),
        "tenants/initech/initech.example.yml": ("aliases:\n", FORWARDS % "milton"),
    }
    folder = tmp_path_factory.mktemp("outgoing")
    generation(changed_estate(folder, changes))
    yield
    (folder / "usual").mkdir()
    generation(changed_estate(folder / "usual", {}))


@pytest.fixture(scope="module")
def certificate(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate for the relay from the lab's authority, on the outside host."""
    folder = tmp_path_factory.mktemp("certificate")
    authority = Path(os.environ.get("LAB_HOSTS_DIR", "/var/lib/reseller-mail-lab")) / "ca"
    script = """
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj /CN=relay \
        -keyout "$0/relay.pem" -out "$0/relay.csr"
    echo subjectAltName=DNS:smtp.relay.example > "$0/ext"
    openssl x509 -req -in "$0/relay.csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" -days 2 -sha256 \
        -set_serial 4711 -extfile "$0/ext" >> "$0/relay.pem"
    """
    subprocess.run(["sh", "-ec", script, folder, authority], check=True, capture_output=True)
    pem = (folder / "relay.pem").read_text(encoding="utf-8")
    outside.run(f"mkdir -p {SINK}; umask 077; cat > {SINK}/relay.pem", stdin=pem)
    return f"{SINK}/relay.pem"


@contextlib.contextmanager
def relay(
    outside: Outside, port: int, certificate: str, users: t.Mapping[str, str] = USERS
) -> t.Iterator[None]:
    """The relay of the estate takes mail on a port of the outside host."""
    program = (Path(__file__).parent / "smtp_sink.py").read_text(encoding="utf-8")
    outside.run(f"rm -f {SINK}/*.json; cat > {SINK}/sink.py", stdin=program)
    outside.run(f"cat > {SINK}/users; chmod 600 {SINK}/users", stdin=json.dumps(dict(users)))
    outside.run(
        f"systemd-run --quiet --unit=relay-sink-{port} --property=StandardInput=file:{SINK}/users"
        f" python3 {SINK}/sink.py {SINK} {port} {certificate}"
    )
    try:
        assert wait_until(lambda: f":{port} " in outside.output("ss -lnt"))
        yield
    finally:
        outside.run(f"systemctl stop relay-sink-{port}")


def taken(outside: Outside, port: int, message: Message, seconds: float = 30) -> dict[str, t.Any]:
    """Return what the relay kept of a message."""

    def found() -> list[dict[str, t.Any]]:
        lines = outside.output(f"cat {SINK}/{port}.json 2>/dev/null || true").splitlines()
        kept = [json.loads(line) for line in lines]
        return [one for one in kept if message.token in base64.b64decode(one["data"]).decode()]

    (one,) = wait_until(found, seconds) or [{}]
    return one


def why_deferred(node: Host, message: Message, seconds: float = 30) -> str:
    """Return why the node deferred a message; empty if it did not."""

    def reason() -> str:
        log = node.output(
            "journalctl -q --no-pager -t postfix/cleanup -t postfix/submission-cleanup"
            f" --since -5min | grep -F 'message-id=<{message.token}@' || true"
        )
        queue_id = log.split("]: ")[1].split(":")[0] if log else "none"
        queue = node.output("postqueue -j").splitlines()
        waiting = [one for one in map(json.loads, queue) if one["queue_id"] == queue_id]
        return waiting[0]["recipients"][0].get("delay_reason", "") if waiting else ""

    return t.cast(str, wait_until(reason, seconds))


def flushed(node: Host, message: Message) -> str:
    """Have Postfix try again what it knows to be down, and return why it deferred a message."""
    node.run("postqueue -f")
    return why_deferred(node, message, seconds=2)


def nothing_arrived(outside: Outside, message: Message) -> bool:
    return not outside.stored(message.token, seconds=1)


def mailbox(side: Side, passwords: dict[str, str], name: str) -> Address:
    return Address(name, side.host, passwords[name])


def test_mail_of_a_domain_with_a_relay_leaves_through_it_with_verified_tls_and_a_login(
    outside: Outside, side: Side, passwords: dict[str, str], certificate: str
) -> None:
    sender = mailbox(side, passwords, RELAYED[side.node])
    with relay(outside, 587, certificate):
        message = submit(outside, sender, STRANGER)
        kept = taken(outside, 587, message)
    assert (kept["user"], kept["tls"]) == ("bulk", "TLSv1.3")
    assert kept["client"] in MAIN_ADDRESS[side.node]
    assert sender.name in kept["sender"]
    assert nothing_arrived(outside, message)


def test_the_premium_relay_gets_the_mail_of_its_tenant_and_mail_between_tenants_stays_inside(
    outside: Outside, sides: dict[str, Side], certificate: str
) -> None:
    side = sides["mx2"]
    with relay(outside, 465, certificate):
        message = submit(outside, side.user, STRANGER)
        inside = submit(outside, side.user, side.other_user.name)
        kept = taken(outside, 465, message)
        received(outside, side.other_user, inside)
        assert not taken(outside, 465, inside, seconds=0)
    assert (kept["user"], kept["tls"]) == ("hosting", "TLSv1.3")
    assert dkim.verify(base64.b64decode(kept["data"]), dnsfunc=txt)
    assert nothing_arrived(outside, message)


def test_mail_waits_while_the_relay_is_down_or_shows_a_wrong_certificate(
    outside: Outside, side: Side, node: Host, passwords: dict[str, str], certificate: str
) -> None:
    """It never leaves directly, although the recipient's own host takes mail."""
    sender = mailbox(side, passwords, RELAYED[side.node])
    message = submit(outside, sender, STRANGER)
    assert "Connection refused" in why_deferred(node, message)
    with relay(outside, 587, "/etc/postfix/tls.pem"):
        second = submit(outside, sender, "second@stranger.example")
        assert wait_until(lambda: "not verified" in flushed(node, second))
        assert not taken(outside, 587, second, seconds=0)
    assert nothing_arrived(outside, message)
    assert nothing_arrived(outside, second)
    with relay(outside, 587, certificate):
        for one, recipient in ((message, STRANGER), (second, "second@stranger.example")):
            assert retried(node, recipient)
            assert taken(outside, 587, one)["user"] == "bulk"


def test_verify_shows_whether_the_node_reaches_each_relay_and_may_log_in(
    outside: Outside, side: Side, certificate: str
) -> None:
    with relay(outside, 465, certificate):
        with relay(outside, 587, certificate, {"bulk": "another password"}):
            wrong = asked(side)["host.relays"]
        down = asked(side)["host.relays"]
        with relay(outside, 587, certificate):
            well = asked(side)["host.relays"]
    assert wrong["state"] == down["state"] == "fail"
    assert wrong["found"] == "smtp.relay.example:587: it refuses the login: 535 5.7.8 wrong"
    assert down["found"] == "smtp.relay.example:587: connection refused"
    assert well["state"] == "ok", well
    assert well["found"] == "smtp.relay.example:587, smtp.relay.example:465"


def test_no_user_of_the_host_but_root_can_read_the_relay_s_password(node: Host) -> None:
    path = "/etc/postfix/relay_passwords"
    assert node.output(f"stat -c '%U %a' {path}") == "root 600"
    secret = USERS["bulk"]
    assert secret in node.output(f"cat {path}")
    places = "/etc/postfix/*.cf /var/lib/reseller-mail/current/"
    assert node.run(f'grep -rF "{secret}" {places}', check=False).returncode == 1
    assert secret not in node.output(
        "journalctl -q --no-pager --since -30min | grep -i relay || true"
    )


@pytest.mark.parametrize("family", [0, 1], ids=["IPv4", "IPv6"])
def test_a_tenant_s_mail_leaves_from_its_own_address_with_its_own_name(
    outside: Outside, side: Side, node: Host, family: int
) -> None:
    """The name in EHLO, the reverse record, the address record and SPF agree."""
    sender = side.second
    other = 1 - family
    # Both know that the other family is gone: or else the submission would wait for an answer.
    with without(node, OUTSIDE[other]), without(outside, MAIN_ADDRESS[side.node][other]):
        message = submit(outside, sender, STRANGER)
        (raw,) = outside.stored(message.token)
    address, name = OWN_ADDRESS[side.node][family], OWN_NAME[side.node]
    shown = f"IPv6:{address}" if family else address
    assert trace(raw, "mail.stranger.example") == f"{name} ({name} [{shown}])"
    spf = str(outside.call("txt_now", name="hosting.example"))
    assert f"ip{6 if family else 4}:{address}" in spf


def test_a_neighbour_s_mail_leaves_from_the_node_s_address(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """The notices of the node itself as well: they have no tenant's address."""
    for name, host in nodes.items():
        token = uuid.uuid4().hex
        text = f"From: root\nTo: {STRANGER}\nX-Token: {token}\n\nHello.\n"
        host.run(f"sendmail -f root {STRANGER}", stdin=text)
        (raw,) = outside.stored(token)
        client = trace(raw, "mail.stranger.example")
        assert client.startswith(f"{sides[name].host} ({sides[name].host} [")
        assert any(f"{one}]" in client for one in MAIN_ADDRESS[name])


def test_mail_waits_while_the_host_does_not_have_the_tenant_s_address(
    outside: Outside, side: Side, node: Host
) -> None:
    addresses = OWN_ADDRESS[side.node]
    node.run(f"ip addr del {addresses[0]}/24 dev host0; ip addr del {addresses[1]}/64 dev host0")
    try:
        message = submit(outside, side.second, STRANGER)
        assert why_deferred(node, message) == "server configuration error"
        assert nothing_arrived(outside, message)
        missing = asked(side)["host.outbound"]
        assert missing["state"] == "fail"
        assert all(f"{one}: cannot assign" in missing["found"] for one in addresses)
    finally:
        node.run(
            f"ip addr add {addresses[0]}/24 dev host0;"
            f" ip addr add {addresses[1]}/64 dev host0 nodad"
        )
    assert retried(node, STRANGER)
    (raw,) = outside.stored(message.token)
    assert OWN_NAME[side.node] in trace(raw, "mail.stranger.example")
    assert asked(side)["host.outbound"]["state"] == "ok"


def signed(message: Message) -> tuple[Message, t.Callable[..., bytes]]:
    """Return the message with its author's signature, and what DNS says about the key."""
    key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout
    public = subprocess.run(
        ["openssl", "rsa", "-pubout", "-outform", "DER"], input=key, capture_output=True, check=True
    ).stdout
    record = b"v=DKIM1; p=" + base64.b64encode(public)
    raw = message.text.encode()
    field = dkim.sign(raw, b"author", b"stranger.example", key, include_headers=[b"from", b"to"])
    return Message(message.token, field.decode() + message.text), lambda *_a, **_k: record


def forward(outside: Outside, side: Side) -> tuple[Message, bytes, str]:
    """Send a signed message to an address that leads outside. Return it as it came there, and its
    envelope sender."""
    address = f"away@{side.second.domain}"
    message, key = signed(Message.new(STRANGER, address))
    answers = outside.send(side.host, 25, STRANGER, [address], message)
    assert answers["data"][0] == 250, answers
    (raw,) = outside.stored(message.token)
    assert dkim.verify(raw, dnsfunc=key), raw.decode()
    (path,) = re.findall(rb"^Return-Path: <(.*)>", raw, re.M)
    return message, raw, path.decode()


def test_a_forwarded_message_leaves_with_a_sender_of_the_node_and_its_signature_stays_valid(
    outside: Outside, side: Side, passwords: dict[str, str]
) -> None:
    message, raw, sender = forward(outside, side)
    assert re.fullmatch(
        rf"SRS0=[A-Za-z0-9+/]{{8}}=[A-Z2-7]{{2}}=stranger\.example=someone@{side.host}", sender
    )
    client = trace(raw, "mail.stranger.example")
    assert any(f"{one}]" in client for one in MAIN_ADDRESS[side.node]), client
    assert str(outside.call("txt_now", name=side.host)) == SPF_OF_NODE.strip('"')
    kept = "jo@acme.example" if side.node == "mx1" else "milton@initech.example"
    copy = received(outside, mailbox(side, passwords, kept), message)
    parsed = email.message_from_bytes(copy, policy=email.policy.SMTP)
    assert parsed["Return-Path"] == f"<{STRANGER}>"


def test_a_bounce_of_a_forwarded_message_returns_to_its_author(
    outside: Outside, side: Side
) -> None:
    _message, _raw, sender = forward(outside, side)
    bounce = Message.new("mailer-daemon@stranger.example", sender)
    answers = outside.send(side.host, 25, "", [sender], bounce)
    assert answers["data"][0] == 250, answers
    (raw,) = outside.stored(bounce.token)
    assert b"Return-Path: <>" in raw
    assert re.search(rb"^\s+for <someone@stranger\.example>", raw, re.M), raw.decode()


def test_a_forged_sender_of_the_node_is_refused(outside: Outside, side: Side) -> None:
    """Also with another time: the hash covers it, so a valid address does not become younger."""
    _message, _raw, sender = forward(outside, side)
    prefix, hash_, stamp, rest = sender.split("=", 3)
    for forged in (
        "=".join((prefix, hash_[::-1], stamp, rest)),
        "=".join((prefix, hash_, ("A" if stamp[0] != "A" else "B") + stamp[1], rest)),
        sender.replace("=someone@", "=victim@"),
        sender.replace("stranger.example", "acme.example"),
        sender.replace("SRS0=", "SRS1="),
    ):
        answers = outside.send(side.host, 25, "", [forged], Message.new("x@x.example", forged))
        assert answers["rcpt"][forged][0] == 550, (forged, answers)


def test_a_loop_between_two_forwards_ends_with_one_bounce_to_the_author(
    outside: Outside, side: Side, node: Host
) -> None:
    address = f"round@{side.second.domain}"
    before = outside.output("postconf -h virtual_alias_maps")
    loop = f"inline:{{ round@stranger.example={address} }}"
    outside.run(f"postconf -e 'virtual_alias_maps = {loop}'; postfix reload")
    try:
        message = knock(outside, side.host, address)
        (raw,) = outside.stored(message.token)
    finally:
        outside.run(f"postconf -e 'virtual_alias_maps = {before}'; postfix reload")
    assert b"too many hops" in raw
    assert re.search(rb"^(Delivered-To|X-Original-To): someone@stranger\.example", raw, re.M)
    assert "round@" not in node.output("postqueue -j")


def test_only_postfix_reaches_the_listener_that_changes_senders(node: Host) -> None:
    program = (
        "import smtplib\n"
        "with smtplib.SMTP('127.0.0.1', 10588) as smtp:\n"
        "    smtp.ehlo()\n"
        "    smtp.mail('someone@stranger.example')\n"
        "    smtp.rcpt('someone@stranger.example')\n"
        "    print(smtp.data('Subject: x\\r\\n\\r\\nx')[0])\n"
    )
    assert node.run("runuser -u www-data -- python3 -", stdin=program).stdout.strip() == "550"
