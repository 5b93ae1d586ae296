# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody speaks as another: what scripts send, who greets with whose name, and what mail tells
about its sender."""

from __future__ import annotations

import email
import email.policy
import json
import re
import typing as t
import uuid

import dkim
import pytest
from client import Host, Message, Outside, retried, wait_until
from conftest import OUTSIDE, STRANGER, Address, Side
from test_delivery import received, submit, txt
from test_sieve import put

SIEVE_PORT = 10587
ELSEWHERE = "elsewhere@stranger.example"
Speak = t.Callable[..., list[str]]


@pytest.fixture
def rules(outside: Outside, side: Side) -> t.Iterator[t.Callable[[str], None]]:
    """Gives the side's user a script; afterwards none is left."""

    def speak(*commands: str) -> list[str]:
        user = side.user
        return outside.managesieve(side.host, user.name, user.password, *commands)

    def set_script(script: str) -> None:
        answers = speak(put(script), 'SETACTIVE "rules"')
        assert [answer[:2] for answer in answers] == ["OK", "OK"], answers

    yield set_script
    speak('SETACTIVE ""', 'DELETESCRIPT "rules"')


def knock(
    outside: Outside, mailbox: Address, sender: str = STRANGER, header_from: str | None = None
) -> Message:
    """Hand a message in on port 25, as an external host."""
    message = Message.new(sender, mailbox.name, header_from=header_from)
    answers = outside.send(mailbox.host, 25, sender, [mailbox.name], message)
    assert answers["data"][0] == 250, answers
    return message


def parsed(raw: bytes) -> email.message.EmailMessage:
    return t.cast(
        email.message.EmailMessage, email.message_from_bytes(raw, policy=email.policy.SMTP)
    )


def refused(node: Host, message: Message, words: str) -> None:
    """Wait for Dovecot's word that Postfix did not take what a script wanted to send."""
    command = (
        "journalctl -q --no-pager -t dovecot --since -2min"
        f" | grep -F 'msgid=<{message.token}@' | grep -F 'failed to ' || true"
    )
    said = wait_until(lambda: node.output(command))
    assert words in said, said


def test_both_releases_offer_scripts_the_same_and_nothing_that_speaks_as_another(
    outside: Outside, sides: dict[str, Side]
) -> None:
    offered = [set(outside.call("sieve_extensions", host=side.host)) for side in sides.values()]
    assert offered[0] == offered[1]
    assert {"fileinto", "vacation", "reject", "copy", "imap4flags"} <= offered[0]
    dangerous = ("notify", "environment", "editheader", "vnd.dovecot", "report", "execute", "pipe")
    assert [name for name in offered[0] if any(word in name for word in dangerous)] == []


NOTIFY = """require ["enotify"];
notify :from "{victim}" :message "Invoice" "mailto:{to}?body=X-Token:%20{token}";
discard;
"""


def test_a_script_from_before_that_notifies_sends_nothing_and_loses_no_mail(
    outside: Outside, side: Side, node: Host
) -> None:
    """It is there with a binary that was compiled when notify was allowed. Its mail is kept."""
    token, user = uuid.uuid4().hex, side.user
    script = NOTIFY.format(victim=side.other_user, to=ELSEWHERE, token=token)
    home = f"/srv/vmail/{user.domain}/{user.name.partition('@')[0]}"
    received(outside, user, knock(outside, user))  # Dovecot makes the home
    node.run(
        f"mkdir -p {home}/sieve && cat >{home}/sieve/old.sieve && sievec -x +enotify"
        f" {home}/sieve/old.sieve && ln -sfn sieve/old.sieve {home}/.dovecot.sieve && cp"
        f" {home}/sieve/old.svbin {home}/.dovecot.svbin && chown -hR vmail:vmail {home}/sieve"
        f" {home}/.dovecot.sieve {home}/.dovecot.svbin",
        stdin=script,
    )
    try:
        message = knock(outside, user)
        received(outside, user, message)
    finally:
        node.run(f"rm -f {home}/sieve/old.s* {home}/.dovecot.sieve {home}/.dovecot.svbin")
    # What came later through the same queue is there, and the notification is not.
    assert outside.stored(submit(outside, user, ELSEWHERE).token)
    assert outside.stored(token, seconds=0) == []


FORGERIES = {
    "another's From": 'vacation :handle "{token}" :from "{victim}" "Away.";',
    "header lines of its own": (
        'vacation :handle "{token}" :mime'
        ' "X-Sieve: x\r\nX-Sieve-Redirected-From: x\r\nFrom: {victim}\r\n\r\nAway.";'
    ),
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_reply_with_another_s_address_is_not_sent_and_the_message_is_kept(
    outside: Outside, side: Side, node: Host, rules: t.Callable[[str], None], how: str
) -> None:
    script = FORGERIES[how].format(victim=side.colleague, token=uuid.uuid4().hex)
    rules(f'require "vacation";\r\n{script}\r\n')
    message = knock(outside, side.user)
    refused(node, message, "550 5.7.1")
    received(outside, side.user, message)
    assert outside.stored(f"<{message.token}@", header="In-Reply-To", seconds=0) == []


def test_a_rejection_comes_from_the_postmaster_of_the_owner_s_domain(
    outside: Outside, side: Side, rules: t.Callable[[str], None]
) -> None:
    rules('require "reject";\r\nif true { reject "No, thank you."; }\r\n')
    message = knock(outside, side.user)
    (raw,) = outside.stored(f"Rejected: platform test {message.token}", header="Subject")
    answer = parsed(raw)
    assert answer["Return-Path"] == "<>"
    assert answer["From"].addresses[0].addr_spec == f"postmaster@{side.user.domain}"


def test_a_stranger_s_message_is_redirected_in_the_user_s_name(
    outside: Outside, side: Side, rules: t.Callable[[str], None]
) -> None:
    rules(f'redirect "{ELSEWHERE}";\r\n')
    (raw,) = outside.stored(knock(outside, side.user).token)
    assert parsed(raw)["Return-Path"] == f"<{side.user}>"
    assert parsed(raw)["From"].addresses[0].addr_spec == STRANGER


def test_a_colleague_s_message_is_redirected_with_the_signature_that_it_has(
    outside: Outside, side: Side, rules: t.Callable[[str], None]
) -> None:
    rules(f'redirect "{ELSEWHERE}";\r\n')
    (raw,) = outside.stored(submit(outside, side.colleague, side.user.name).token)
    assert dkim.verify(raw, dnsfunc=txt), raw.decode()
    assert parsed(raw)["From"].addresses[0].addr_spec == side.colleague.name


def from_host(node: Host, mailbox: Address, sender: str, header_from: str) -> Message:
    """Hand a forged message in on the host itself, where the filter does not refuse it."""
    message = Message.new(sender, mailbox.name, header_from=header_from)
    node.run(f"sendmail -i -f '{sender}' {mailbox}", stdin=message.text.replace("\r", ""))
    return message


def test_a_redirect_confirms_no_forged_from_of_the_same_domain(
    outside: Outside, side: Side, node: Host, rules: t.Callable[[str], None]
) -> None:
    """SPF passes for what the node sends, so its envelope must not align (RFC 7489 section
    3.1.2)."""
    rules(f'redirect "{ELSEWHERE}";\r\n')
    spellings = ("{0}", "boss: {0};", "(x) {0}, y@stranger.example")
    forged = [spelling.format(side.colleague) for spelling in spellings]
    for message in [from_host(node, side.user, STRANGER, header) for header in forged]:
        (raw,) = outside.stored(message.token)
        assert parsed(raw)["Return-Path"] == "<>", raw.decode()
        assert side.colleague.name in str(parsed(raw)["From"])


def test_a_redirect_confirms_no_forged_from_of_the_provider(
    outside: Outside, side: Side, node: Host, rules: t.Callable[[str], None]
) -> None:
    """With the null sender SPF judges the node's own name. If no envelope is left, the message is
    kept."""
    rules(f'redirect "{ELSEWHERE}";\r\n')
    forged = f"billing@{side.host.partition('.')[2]}"
    (raw,) = outside.stored(from_host(node, side.user, STRANGER, forged).token)
    assert parsed(raw)["Return-Path"] == f"<{side.user}>"
    message = from_host(node, side.user, "", forged)
    refused(node, message, "550 5.7.1")
    received(outside, side.user, message)
    assert outside.stored(message.token, seconds=0) == []


def test_what_a_script_sends_is_deferred_and_comes_once_when_postfix_does_not_take_it_now(
    outside: Outside, side: Side, node: Host, rules: t.Callable[[str], None]
) -> None:
    rules(f'redirect "{ELSEWHERE}";\r\nkeep;\r\n')
    main_cf = "/etc/postfix/main.cf"
    node.run(
        f"cp -p {main_cf} {main_cf}.kept"
        " && postconf -e sieve_milters=unix:guard/absent.sock && postfix reload"
    )
    try:
        message = knock(outside, side.user)
        waits = f"postqueue -j | grep -F '{side.user}' | grep -c 'emporary'"
        assert wait_until(lambda: node.run(waits, check=False).stdout.strip() not in ("", "0"))
    finally:
        node.run(f"mv {main_cf}.kept {main_cf} && postfix reload")
    assert retried(node, side.user.name)
    received(outside, side.user, message)
    assert len(outside.stored(message.token)) == 1


def test_only_dovecot_may_hand_over_what_scripts_send(side: Side, node: Host) -> None:
    message = f"From: {side.user}\r\nSubject: none\r\n\r\nHello."
    program = f"""import smtplib
with smtplib.SMTP("127.0.0.1", {SIEVE_PORT}, timeout=20) as smtp:
    try:
        smtp.sendmail("{side.user}", ["{STRANGER}"], {message!r})
    except smtplib.SMTPDataError as error:
        print(error.smtp_code, error.smtp_error.decode())
"""
    said = node.run("runuser -u www-data -- python3 -", stdin=program).stdout
    assert said.startswith("550 "), said
    assert "Only Dovecot" in said
    listening = node.output(f"ss -Hltn sport = :{SIEVE_PORT}").split()
    assert listening[3] == f"127.0.0.1:{SIEVE_PORT}"
    assert node.output("postconf -h authorized_submit_users") == "root"


def greeted(host: Host, side: Side, greetings: list[str]) -> dict[str, str]:
    """Return what a node answers to a recipient from a host that greets so."""
    program = f"""import json, smtplib
answers = {{}}
for greeting in {greetings!r}:
    with smtplib.SMTP("{side.host}", 25, local_hostname=greeting, timeout=30) as smtp:
        smtp.ehlo()
        smtp.mail("{STRANGER}")
        code, text = smtp.rcpt("{side.user}")
        answers[greeting] = f"{{code}} {{text.decode()}}"
print(json.dumps(answers))
"""
    return t.cast("dict[str, str]", json.loads(host.run("python3 -", stdin=program).stdout))


def test_an_external_host_does_not_greet_with_a_name_of_ours(
    outside: Outside, side: Side, sides: dict[str, Side]
) -> None:
    """Names and addresses of both nodes, domains of both, and names that lead to a node."""
    names = [name for one in sides.values() for name in (one.host.upper(), one.user.domain)]
    names += [
        "[10.97.0.3]",
        "[IPv6:fd97::3]",
        f"{side.host}.",
        side.domain_alias.partition("@")[2].title(),
    ]
    answers = greeted(outside, side, [*names, side.relay_domain, f"autoconfig.{side.user.domain}"])
    assert [said for said in answers.items() if not said[1].startswith(("550 5.7.1", "501 "))] == []


def test_a_node_greets_as_it_likes(
    side: Side, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    other = next(one for one in sides.values() if one is not side)
    answers = greeted(nodes[other.node], side, [other.host, other.user.domain])
    assert [said[:3] for said in answers.values()] == ["250", "250"], answers


def test_a_tenant_s_own_host_greets_with_the_domain_that_leads_to_it(
    outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """A web server with the domain's address. Both nodes take its mail."""
    domain, dns1 = sides["mx1"].user.domain, Host("dns1")

    def let_lead_to_world(update: str) -> None:
        lines = f"server 10.97.0.2\nzone {domain}.\n{update}\nsend\n"
        dns1.run("knsupdate -k /etc/knot/update.key", stdin=lines)
        wanted = set(OUTSIDE) if "add" in update else set()
        for node in nodes.values():
            known = f"getent ahosts {domain} | cut -d' ' -f1"
            assert wait_until(lambda: set(node.output(known).split()) == wanted), node.name  # noqa: B023 called at once

    let_lead_to_world(
        "".join(
            f"update add {domain}. 1 {'AAAA' if ':' in one else 'A'} {one}\n" for one in OUTSIDE
        )
    )
    try:
        answers = [greeted(outside, side, [domain])[domain] for side in sides.values()]
    finally:
        let_lead_to_world(f"update delete {domain}. A\nupdate delete {domain}. AAAA")
    assert [said[:3] for said in answers] == ["250", "250"], answers


MARKS = (
    "X-Spam-Flag: YES",
    "x-sPAM-fLAG: YES",
    "X-Spam-Flag : YES",
    "X-Spam-Flag:\r\n YES",
    "X-Spam: Yes",
    "X-Spam-Status: Yes, score=99",
)


@pytest.mark.parametrize("forger", ["stranger", "tenant"])
def test_a_spam_mark_from_outside_is_taken_off(outside: Outside, side: Side, forger: str) -> None:
    box = side.colleague
    sender, login = (
        (STRANGER, {})
        if forger == "stranger"
        else (side.user.name, {"login": side.user.name, "password": side.user.password})
    )
    message = Message.new(sender, box.name)
    marks = "".join(f"{mark}\r\n" for mark in (*MARKS, *MARKS))
    message = Message(message.token, f"{marks}{message.text}")
    answers = outside.send(side.host, 587 if login else 25, sender, [box.name], message, **login)
    assert answers["data"][0] == 250, answers
    raw = received(outside, box, message)
    fields = [name for name in parsed(raw) if name.lower().startswith("x-spam")]
    own = ["X-Spam-Status", "X-Spam-Tenths"] if forger == "stranger" else []
    assert sorted(fields) == own, raw.decode()
    assert b"score=99" not in raw, raw.decode()


def test_what_a_node_marked_as_spam_goes_to_junk(
    outside: Outside, side: Side, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """What a filter of the estate found, the mailbox's node obeys."""
    other = next(one for one in sides.values() if one is not side)
    message = Message.new(STRANGER, side.user.name, header_from=f"{STRANGER}\r\nX-Spam-Flag: YES")
    nodes[other.node].run(
        f"sendmail -i -f {STRANGER} {side.user}", stdin=message.text.replace("\r", "")
    )
    user = side.user
    found = outside.fetch(user.host, user.name, user.password, message.token, folder="Junk")
    assert len(found) == 1
    assert outside.fetch(user.host, user.name, user.password, message.token, seconds=0) == []


def hidden(raw: bytes, host: str) -> str:
    """Return the queue id in the one Received field of a node, which tells no more than it must."""
    fields = [str(field) for field in parsed(raw).get_all("Received") or []]
    (field,) = [field for field in fields if f"by {host} (Postfix)" in field]
    date = r"\w{3}, [ \d]\d \w{3} \d{4} [\d:]{8} [+-]\d{4} \(\w+\)"
    match = re.fullmatch(rf"by {re.escape(host)} \(Postfix\) with ESMTPSA id (\w+); {date}", field)
    assert match, field
    return match[1]


@pytest.mark.parametrize(("port", "greeting"), [(587, "x)<by>(y;z"), (465, "[10.97.0.5]")])
def test_submitted_mail_does_not_tell_where_its_sender_was(
    outside: Outside, side: Side, node: Host, port: int, greeting: str
) -> None:
    """The field stays a valid trace field (RFC 5322 section 3.6.7), and the log keeps the
    address."""
    user, message = side.user, Message.new(side.user.name, STRANGER)
    answers = outside.send(
        side.host,
        port,
        user.name,
        [STRANGER],
        message,
        login=user.name,
        password=user.password,
        greeting=greeting,
    )
    assert answers["data"][0] == 250, answers
    (raw,) = outside.stored(message.token)
    queue_id = hidden(raw, side.host)
    for told in ("outside.stranger.example", *OUTSIDE, "by(y"):
        assert told not in raw.decode().partition(f"({side.host} [")[2], raw.decode()
    logged = node.output(f"journalctl -q --no-pager --since -2min | grep '{queue_id}: client='")
    assert any(f"[{address}]" in logged for address in OUTSIDE)


def test_a_submission_by_ipv6_does_not_tell_where_its_sender_was(
    outside: Outside, side: Side, node: Host
) -> None:
    """A program on the node itself logs in."""
    message = Message.new(side.user.name, STRANGER)
    program = f"""import smtplib, ssl, sys
context = ssl.create_default_context()
context.check_hostname = False
with smtplib.SMTP("::1", 587, local_hostname="laptop.invalid", timeout=30) as smtp:
    smtp.starttls(context=context)
    smtp.login({side.user.name!r}, {side.user.password!r})
    smtp.sendmail({side.user.name!r}, [{STRANGER!r}], {message.text!r})
"""
    node.run("python3 -", stdin=program)
    (raw,) = outside.stored(message.token)
    assert hidden(raw, side.host)
    assert b"laptop" not in raw
    before = raw.partition(b"by mail.stranger.example ")[2]  # the stranger's host names the node
    assert side.host.encode() in before
    assert b"IPv6" not in before


def test_what_an_external_host_s_mail_passed_is_told(outside: Outside, side: Side) -> None:
    """Port 25 keeps its trace, and a field that a user wrote gets no further than that user could
    write."""
    raw = received(outside, side.user, knock(outside, side.user))
    traces = [f"(mail.stranger.example [{'IPv6:' * (':' in one)}{one}])" for one in OUTSIDE]
    assert any(trace.encode() in raw for trace in traces)
    message = Message.new(side.user.name, side.colleague.name)
    written = (
        "Received: from a (b [192.0.2.1]) by c with ESMTP id d; Sat, 28 Nov 2026 10:00:00 +0000"
    )
    message = Message(message.token, f"{written}\r\n{message.text}")
    login = {"login": side.user.name, "password": side.user.password}
    recipient = side.colleague.name
    answers = outside.send(side.host, 587, side.user.name, [recipient], message, **login)
    assert answers["data"][0] == 250, answers
    raw = received(outside, side.colleague, message)
    assert written.encode() in raw
    assert not any(address.encode() in raw for address in OUTSIDE)
