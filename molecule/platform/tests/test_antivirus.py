# SPDX-License-Identifier: GPL-3.0-or-later
"""With the virus scanner, attachments with a virus are refused. While it cannot scan, mail with
attachments waits or is accepted, as the settings say, and nothing gets lost.

The scanner is off by default. It is on for these tests only. No mirror of ClamAV can be reached
from the lab, so its database is one signature, of the test file of EICAR."""

from __future__ import annotations

import email
import typing as t
import uuid

import client
import pytest
from client import Flow, Host, Message, Outside, wait_until
from conftest import STRANGER, Side
from test_delivery import received
from test_filter import archive, hand_in, header, in_junk, is_nowhere, stopped, with_attachment
from test_verify_host import asked

EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"
CLAMD = "clamav-daemon.socket clamav-daemon.service"
ONCE = "clamav-freshclam-once.timer clamav-freshclam-once.service"
"""Debian 13's second way to update the database."""
DATABASE = "/var/lib/clamav/local.ndb"
SIGNATURE = f"Eicar-Test-Signature:0:*:{EICAR.encode().hex()}\n"
REFUSAL = "Message refused: it has the virus Eicar-Test-Signature"
LATER = "4.7.1 The message cannot be scanned for viruses now, try again later"


def apply(**variables: t.Any) -> str:
    """Apply the role with these variables to both nodes."""
    done = client.site("--tags", "filter", variables=variables)
    assert done.rc == 0, done.output
    return done.output


@pytest.fixture(scope="module", autouse=True)
def first_run(nodes: dict[str, Host]) -> t.Iterator[str]:
    """The output of the run that turns the scanner on. Afterwards it is off again."""
    try:
        yield apply_to_filters(nodes, filter_antivirus=True)
    finally:
        apply()
        for node in nodes.values():
            node.run(f"rm -f {DATABASE}")
    for node in nodes.values():
        units = f"{CLAMD} clamav-freshclam reseller-mail-antivirus.path {ONCE}"
        assert set(node.output(f"systemctl is-active {units} || true").split()) == {"inactive"}
        assert set(node.output(f"systemctl is-enabled {units} || true").split()) == {"disabled"}


@pytest.fixture(scope="module")
def database(nodes: dict[str, Host]) -> None:
    """Both nodes have a database, which appears as freshclam writes one. clamd starts by itself."""
    for node in nodes.values():
        node.run(
            f"cat >{DATABASE}.new; chown clamav: {DATABASE}.new; mv {DATABASE}.new {DATABASE}",
            stdin=SIGNATURE,
        )
    for name, node in nodes.items():
        assert wait_until(lambda node=node: is_scanning(node), 30), name


@pytest.fixture(scope="module")
def accepting(nodes: dict[str, Host], database: None) -> None:
    """What cannot be scanned is accepted."""
    apply_to_filters(nodes, filter_antivirus=True, filter_antivirus_when_down="accept")


def apply_to_filters(nodes: dict[str, Host], **variables: t.Any) -> str:
    """Apply other variables. The filter's new processes take the mail then."""
    before = {name: filters(node) for name, node in nodes.items()}
    output = apply(**variables)
    for name, node in nodes.items():
        assert wait_until(lambda name=name, node=node: filters(node) - before[name]), name
    return output


def filters(node: Host) -> set[str]:
    """Return the processes that filter mail."""
    return set(node.output("pgrep -f '^rspamd: rspamd_proxy'").split())


def is_scanning(node: Host) -> bool:
    return node.run("test -S /run/clamav/clamd.ctl", check=False).returncode == 0


def unique(content: str = "") -> bytes:
    """Return a file that the filter has not seen: it remembers results."""
    return f"{content}\r\n{uuid.uuid4().hex}\r\n".encode()


def with_text_attachment(sender: str, recipient: str) -> Message:
    """A message of a flow. The flow replaces the token in the attachment, too."""
    plain = Message.new(sender, recipient)
    head = plain.text.partition("\r\n\r\n")[0]
    attached = (
        "Content-Type: text/plain; name=list.txt\r\n"
        f"Content-Disposition: attachment; filename=list.txt\r\n\r\nX-Token: {plain.token}\r\n"
    )
    mixed = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return Message(plain.token, f"{head}\r\n{mixed}--b\r\n\r\nHello.\r\n--b\r\n{attached}--b--\r\n")


def test_without_a_database_the_run_says_so_and_attachments_wait(
    outside: Outside, side: Side, node: Host, first_run: str
) -> None:
    assert "clamd has no virus database yet" in first_run
    assert not is_scanning(node)
    assert hand_in(outside, side, with_attachment(side, "plan.pdf", unique())) == [451, LATER]
    plain = Message.new(STRANGER, side.user.name)
    assert hand_in(outside, side, plain)[0] == 250
    findings = asked(side)
    assert findings["host.antivirus_database"]["state"] == "fail"
    assert "there is none" in findings["host.antivirus_database"]["found"]
    assert findings["host.antivirus"]["state"] == "blocked"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("eicar.txt", unique(EICAR)),
        ("eicar.zip", archive("folder/eicar.txt", unique(EICAR))),
        ("outer.zip", archive("inner.zip", archive("eicar.txt", unique(EICAR)))),
    ],
    ids=["plain", "in-archive", "in-archive-in-archive"],
)
def test_a_virus_is_refused_and_named(
    outside: Outside, side: Side, database: None, name: str, content: bytes
) -> None:
    message = with_attachment(side, name, content)
    code, text = hand_in(outside, side, message)
    assert (code, REFUSAL in text) == (554, True), text
    assert is_nowhere(outside, side.user, message)


def test_what_users_submit_is_scanned_too(outside: Outside, side: Side, database: None) -> None:
    user, message = side.user, with_attachment(side, "eicar.zip", archive("x.txt", unique(EICAR)))
    message = Message(message.token, message.text.replace(STRANGER, user.name, 1))
    answers = outside.send(
        side.host, 587, user.name, [STRANGER], message, login=user.name, password=user.password
    )
    assert answers["data"][0] == 554, answers
    assert REFUSAL in answers["data"][1]


def test_a_role_address_gets_what_people_report_to_it(
    outside: Outside, side: Side, database: None
) -> None:
    message = with_attachment(side, "eicar.txt", unique(EICAR))
    assert hand_in(outside, side, message, f"postmaster@{side.user.domain}")[0] == 250
    assert header(in_junk(outside, side.owner, message))["X-Spam-Flag"] == "YES"


def test_a_clean_attachment_arrives_as_it_was_sent(
    outside: Outside, side: Side, database: None
) -> None:
    content = unique()
    message = with_attachment(side, "plan.pdf", content)
    assert hand_in(outside, side, message)[0] == 250
    parts = email.message_from_bytes(received(outside, side.user, message)).walk()
    assert content in [part.get_payload(decode=True) for part in parts]


def test_no_program_has_a_tcp_port(node: Host, database: None) -> None:
    assert node.output("ss -ltnpH | grep clam || true") == ""
    assert node.output("stat -c '%a %U:%G' /run/clamav/clamd.ctl") == "660 clamav:_rspamd"


def test_the_age_of_the_database_is_a_finding(side: Side, node: Host, database: None) -> None:
    node.run(f"touch -d '8 days ago' {DATABASE}")
    try:
        findings = asked(side)
    finally:
        node.run(f"touch {DATABASE}")
    found = findings["host.antivirus_database"]
    assert (found["state"], found["found"]) == ("warn", "8 days old")
    assert findings["host.antivirus"]["state"] == "ok", findings["host.antivirus"]


def test_while_the_scanner_is_down_attachments_wait_at_their_sender_and_then_arrive(
    outside: Outside, side: Side, node: Host, database: None
) -> None:
    who = (side.host, side.user.name, side.user.password)
    with (
        Flow(outside, *who, message=with_text_attachment) as flow,
        stopped(node, CLAMD),
    ):
        assert hand_in(outside, side, with_attachment(side, "a.pdf", unique())) == [451, LATER]
        found = asked(side)["host.antivirus"]
    account = flow.account([node])
    assert account.wrong == [], account
    assert account.deferred, "the flow must meet the scanner while it is down"
    assert found["state"] == "fail"
    assert "mail with attachments is deferred" in found["found"]


def test_what_cannot_be_scanned_is_accepted_if_the_settings_say_so(
    outside: Outside, side: Side, node: Host, accepting: None
) -> None:
    who = (side.host, side.user.name, side.user.password)
    with (
        Flow(outside, *who, message=with_text_attachment) as flow,
        stopped(node, CLAMD),
    ):
        message = with_attachment(side, "eicar.txt", unique(EICAR))
        assert hand_in(outside, side, message)[0] == 250
        received(outside, side.user, message)
    account = flow.account([node])
    assert (account.wrong, account.deferred) == ([], {}), account
