# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases for users of the tenant only, names of users, forwards, and automatic replies."""

from __future__ import annotations

import email
import email.header
import email.policy
import email.utils
import shutil
import typing as t
import uuid
from pathlib import Path

import dkim
import pytest
from client import ESTATE, Host, Message, Outside, ansible, wait_until
from conftest import STRANGER, Address, Side
from test_delivery import received, submit, txt
from test_sieve import put

SINK = "stranger.example"
BOXES = """
  - {{name: kept, quota: 1M, forward: {{to: [kept.{node}@{sink}]}}}}
  - {{name: gone, quota: 1M, forward: {{to: [gone.{node}@{sink}], keep_copy: false}}}}
  - {{name: clean, quota: 1M, forward: {{to: [clean.{node}@{sink}], skip_spam: true}}}}
  - {{name: moved, quota: 1M, forward: {{to: [moved.{node}@{sink}], skip_spam: true, keep_copy: false}}}}
  - {{name: round, quota: 1M, hidden: true, forward: {{to: [round.{node}@{sink}]}}}}
"""
ALIASES = """
  - {name: staff, to: [PEOPLE], internal_only: true}
  - {name: doorway, to: [staff]}
  - {name: secret, to: [PEOPLE], hidden: true}
"""
NAME = 'Péter "the" Gibbons, 漢字 and more than fits into one encoded word of a header'
EDITS = {
    "tenants/acme/acme.example.yml": (
        ("mailboxes:\n", f"mailboxes:{BOXES.format(node='mx1', sink=SINK)}"),
        ("\naliases:\n", f"\naliases:{ALIASES.replace('PEOPLE', 'it, jo')}"),
    ),
    "tenants/initech/initech.example.yml": (
        ("mailboxes:\n", f"mailboxes:{BOXES.format(node='mx2', sink=SINK)}"),
        ("  - name: peter\n", f"  - name: peter\n    display_name: '{NAME}'\n"),
        (
            "\naliases:\n",
            "\naliases:\n  - {name: office, to: [peter], may_send: true}"
            + ALIASES.replace("PEOPLE", "milton, peter"),
        ),
    ),
}


class People(t.NamedTuple):
    """Who is on a node: two users of one tenant, and the names of their domain."""

    insider: Address
    colleague: Address
    outsiders: tuple[Address, ...]
    domains: tuple[str, str]
    name: str

    def at(self, local: str) -> str:
        return f"{local}@{self.domains[0]}"

    @property
    def internal(self) -> list[str]:
        """Return forms of the address of the alias."""
        own, other = self.domains
        return [
            f"staff@{own}",
            f"STAFF@{own.title()}",
            f"staff+x@{own}",
            f"staff@{other}",
            f"Staff+y@{other.upper()}",
            f'"staff"@{own}',
            f'"st\\aff"@{other}',
            f"@relay.{SINK}:staff@{own}",
            f"staff@{own}.",
        ]


@pytest.fixture
def people(side: Side, passwords: dict[str, str]) -> People:
    if side.node == "mx1":
        domains = ("acme.example", "acme-mail.example")
        return People(side.user, side.colleague, (side.other_user,), domains, "Jo Doe")
    milton = Address("milton@initech.example", side.host, passwords["milton@initech.example"])
    domains = ("initech.example", "initech-mail.example")
    return People(side.second, milton, (side.user, side.other_user), domains, NAME)


def applied(estate: Path) -> None:
    run = ansible(
        "ansible-playbook", "molecule/platform/tests/generation.yml", "--diff", estate=estate
    )
    assert run.rc == 0, run.output


@pytest.fixture(scope="module", autouse=True)
def _estate(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """Give both nodes the aliases and forwards of this file; take them back afterwards."""
    folder = tmp_path_factory.mktemp("addresses") / "estate"
    shutil.copytree(ESTATE, folder)
    for name, edits in EDITS.items():
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1, f"{name}: {old!r} is there {text.count(old)} times"
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    applied(folder)
    yield
    applied(ESTATE)


def asked(
    outside: Outside, host: str, sender: str, recipients: list[str], user: Address | None = None
) -> list[str]:
    """Return a node's answers to the recipients, which are sent exactly as they are."""
    login = {"login": user.name, "password": user.password} if user else {}
    lines = [] if user else ["EHLO outside.stranger.example\r\n"]
    lines.append(f"MAIL FROM:<{sender}>\r\n")
    lines += [f"RCPT TO:<{one}>\r\n" for one in recipients]
    replies = outside.call("converse", host=host, port=587 if user else 25, lines=lines, **login)
    return [reply.strip() for reply in replies[-len(recipients) :]]


def folders(node: Host, mailbox: str, token: str) -> list[str]:
    """Return the folders of a mailbox that have the message, as often as they have it."""
    command = f"doveadm -f tab fetch -u {mailbox} mailbox header X-Token {token}"
    return node.output(command).splitlines()[1:]


def parsed(raw: bytes) -> email.message.EmailMessage:
    return t.cast(
        email.message.EmailMessage, email.message_from_bytes(raw, policy=email.policy.SMTP)
    )


def knock(
    outside: Outside, host: str, to: str, sender: str = STRANGER, fields: str = ""
) -> Message:
    """Hand a message in on port 25, as an external host."""
    message = Message.new(sender, to, header_from=f"{sender or STRANGER}{fields}")
    answers = outside.send(host, 25, sender, [to], message)
    assert answers["data"][0] == 250, answers
    return message


@pytest.mark.parametrize("entry", ["its node", "the other node"])
def test_from_outside_an_internal_alias_is_refused_in_every_form(
    outside: Outside, side: Side, sides: dict[str, Side], people: People, entry: str
) -> None:
    """No envelope sender helps: those of the tenant's users, and none."""
    other = next(one for one in sides.values() if one is not side)
    host = side.host if entry == "its node" else other.host
    for sender in (STRANGER, people.insider.name, ""):
        answers = asked(outside, host, sender, people.internal[:6])
        assert [one for one in answers if not one.startswith("550 5.7.1 ")] == []
        assert all("Only users of the same organisation" in one for one in answers)
    rest = asked(outside, host, STRANGER, people.internal[6:])
    assert [one for one in rest if not one.startswith("5")] == []


def test_users_of_the_tenant_write_to_it_in_every_form(outside: Outside, people: People) -> None:
    answers = asked(
        outside, people.insider.host, people.insider.name, people.internal[:6], people.insider
    )
    assert [one for one in answers if not one.startswith("250 ")] == []
    for to, port in ((people.at("staff"), 587), (f"staff@{people.domains[1]}", 465)):
        message = submit(outside, people.insider, to, port)
        for mailbox in (people.insider, people.colleague):
            received(outside, mailbox, message)


def test_users_of_other_tenants_are_refused_when_they_submit(
    outside: Outside, people: People
) -> None:
    """On every node, with the null sender too. The session goes on with other recipients."""
    for outsider in people.outsiders:
        for sender in (outsider.name, ""):
            to = [*people.internal, people.insider.name]
            *answers, last = asked(outside, outsider.host, sender, to, outsider)
            assert [one for one in answers if not one.startswith("5")] == []
            assert all("Only users of the same" in one for one in answers[:6]), answers
            assert last.startswith("250 "), last


@pytest.fixture
def script(outside: Outside, people: People) -> t.Iterator[t.Callable[..., None]]:
    """Gives users scripts; afterwards they have none."""
    given: list[Address] = []

    def speak(user: Address, *commands: str) -> list[str]:
        return outside.managesieve(user.host, user.name, user.password, *commands)

    def give(user: Address, text: str) -> None:
        given.append(user)
        answers = speak(user, put(text), 'SETACTIVE "rules"')
        assert [answer[:2] for answer in answers] == ["OK", "OK"], answers

    yield give
    for user in given:
        speak(user, 'SETACTIVE ""', 'DELETESCRIPT "rules"')


def test_a_user_s_script_sends_nothing_from_outside_to_it_and_the_message_is_kept(
    outside: Outside, people: People, script: t.Callable[..., None]
) -> None:
    for user in (people.insider, people.outsiders[0]):
        script(user, f'redirect "{people.at("staff")}";\r\n')
        message = knock(outside, user.host, user.name)
        received(outside, user, message)
        colleague = people.colleague
        assert (
            outside.fetch(
                colleague.host, colleague.name, colleague.password, message.token, seconds=0
            )
            == []
        )


def test_a_public_alias_of_the_tenant_is_a_permission(outside: Outside, people: People) -> None:
    message = knock(outside, people.insider.host, people.at("doorway"))
    received(outside, people.colleague, message)


def test_an_alias_with_may_send_is_a_from_of_its_mailboxes_and_of_nobody_else(
    outside: Outside, people: People
) -> None:
    office = people.at("office")
    submit(outside, people.insider, STRANGER, mail_from=office)
    for user, sender in (
        (people.colleague, office),
        *((one, office) for one in people.outsiders),
        (people.insider, people.at("staff")),
        (people.insider, people.at("doorway")),
    ):
        login = {"login": user.name, "password": user.password}
        message = Message.new(sender, STRANGER)
        answers = outside.send(user.host, 587, sender, [STRANGER], message, **login)
        assert answers["rcpt"][STRANGER][0] == 553, answers
        answers = outside.send(user.host, 587, user.name, [STRANGER], message, **login)
        assert answers["data"][0] == 550, answers


def test_a_from_without_a_name_gets_the_user_s_and_the_signature_is_valid(
    outside: Outside, people: People
) -> None:
    (raw,) = outside.stored(submit(outside, people.insider, STRANGER).token)
    # Not with a policy: there Python keeps the space between two encoded words.
    written = email.message_from_bytes(raw)["From"]
    name, address = email.utils.parseaddr(written)
    assert address == people.insider.name
    assert str(email.header.make_header(email.header.decode_header(name))) == people.name
    assert dkim.verify(raw, dnsfunc=txt), raw.decode()


def test_a_from_with_a_name_stays_as_it_is(outside: Outside, people: People) -> None:
    user = people.insider
    message = Message.new(user.name, STRANGER, header_from=f"The boss <{user.name}>")
    login = {"login": user.name, "password": user.password}
    answers = outside.send(user.host, 587, user.name, [STRANGER], message, **login)
    assert answers["data"][0] == 250, answers
    (raw,) = outside.stored(message.token)
    assert f"From: The boss <{user.name}>".encode() in raw


def test_the_address_book_has_names_and_nobody_who_is_hidden(
    node: Host, people: People, side: Side
) -> None:
    tenant = people.domains[0].partition(".")[0]
    book = f"/var/lib/reseller-mail/current/address_book/{tenant}"
    for kind in ("ldif", "vcf"):
        text = node.run(f"runuser -u www-data -- cat {book}.{kind}").stdout
        assert people.insider.name in text
        assert people.at("staff") in text
        assert not [one for one in ("round@", "secret@", side.other_user.name) if one in text]
        assert node.output(f"stat -c '%U %G %a' {book}.{kind}") == "root www-data 640"
        assert node.run(f"runuser -u nobody -- cat {book}.{kind}", check=False).returncode != 0
    assert f"FN:{people.name}".replace(",", "\\,") in text.replace("\r", "").replace("\n ", "")


@pytest.mark.parametrize(("local", "copies"), [("kept", 1), ("gone", 0)])
def test_a_forward_sends_on_and_keeps_a_copy_as_its_file_says(
    outside: Outside, node: Host, people: People, local: str, copies: int
) -> None:
    message = knock(outside, people.insider.host, people.at(local))
    (raw,) = outside.stored(message.token)
    assert parsed(raw)["Delivered-To"] == f"{local}.{node.name}@{SINK}"
    found = [] if copies == 0 else ["INBOX"]
    assert wait_until(lambda: folders(node, people.at(local), message.token) == found, 20)


def filtered(outside: Outside, node: Host, to: str, sender: str) -> Message:
    """Send a message that a filter of the estate marked as spam: from another node."""
    message = Message.new(STRANGER, to, header_from=f"{sender}\r\nX-Spam-Flag: YES")
    node.run(f"sendmail -i -f {sender} {to}", stdin=message.text.replace("\r", ""))
    return message


@pytest.mark.parametrize(("local", "copies"), [("clean", ["INBOX"]), ("moved", [])])
def test_a_forward_that_skips_spam_leaves_spam_in_junk_and_sends_on_the_rest(
    outside: Outside,
    node: Host,
    nodes: dict[str, Host],
    people: People,
    local: str,
    copies: list[str],
) -> None:
    box = people.at(local)
    (other,) = [one for name, one in nodes.items() if name != node.name]
    spam = filtered(outside, other, box, STRANGER)
    assert wait_until(lambda: folders(node, box, spam.token) == ["Junk"], 30)
    message = knock(outside, people.insider.host, box)
    (raw,) = outside.stored(message.token)
    assert parsed(raw)["Delivered-To"] == f"{local}.{node.name}@{SINK}"
    assert parsed(raw)["Return-Path"] == f"<{box}>"
    assert wait_until(lambda: folders(node, box, message.token) == copies, 20)
    assert outside.stored(spam.token, seconds=0) == []


MACHINES = {
    "a list": "List-Id: <news.stranger.example>",
    "a list to write to": "List-Post: <mailto:news@stranger.example>",
    "a program": "Auto-Submitted: auto-generated",
    "another reply": "Auto-Submitted: auto-replied",
    "a bulk sender": "Precedence: bulk",
    "a list of old": "Precedence: list",
}


def test_an_automatic_reply_answers_people_and_no_list_bounce_or_spam(
    outside: Outside,
    people: People,
    nodes: dict[str, Host],
    script: t.Callable[..., None],
) -> None:
    user, run = people.insider, uuid.uuid4().hex
    script(user, f'require "vacation";\r\nvacation :handle "{run}" "Away.";\r\n')
    silent = [
        knock(outside, user.host, user.name, f"m{nth}.{run}@{SINK}", f"\r\n{field}")
        for nth, field in enumerate(MACHINES.values())
    ]
    silent.append(knock(outside, user.host, user.name, ""))
    silent.append(knock(outside, user.host, user.name, f"owner-news.{run}@{SINK}"))
    silent.append(knock(outside, user.host, user.name, f"MAILER-DAEMON@{SINK}"))
    (node,) = [one for name, one in nodes.items() if f"{name}." in user.host]
    tokens = f"doveadm -f tab fetch -u {user} hdr.x-token header X-Token ''"
    assert wait_until(lambda: {one.token for one in silent} <= set(node.output(tokens).split()))
    (other,) = [one for name, one in nodes.items() if f"{name}." not in user.host]
    spam = filtered(outside, other, user.name, f"s.{run}@{SINK}")
    found = outside.fetch(user.host, user.name, user.password, spam.token, folder="Junk")
    assert len(found) == 1
    person = knock(outside, user.host, user.name, f"person.{run}@{SINK}")
    assert len(outside.stored(f"<{person.token}@", header="In-Reply-To")) == 1
    answered = [
        one.token
        for one in (*silent, spam)
        if outside.stored(f"<{one.token}@", header="In-Reply-To", seconds=0)
    ]
    assert answered == []


def test_users_who_redirect_to_each_other_make_no_loop_and_lose_no_mail(
    outside: Outside, people: People, nodes: dict[str, Host], script: t.Callable[..., None]
) -> None:
    one, two = people.insider, people.outsiders[-1]
    script(one, f'redirect "{two}";\r\n')
    script(two, f'redirect "{one}";\r\n')
    message = knock(outside, one.host, one.name)

    def copies() -> int:
        return sum(
            len(folders(node, user.name, message.token))
            for user in (one, two)
            for name, node in nodes.items()
            if f"{name}." in user.host
        )

    assert wait_until(lambda: copies() > 0, 30)
    queues = f"postqueue -j | grep -F -e '{one}' -e '{two}' || true"
    assert wait_until(lambda: not any(node.output(queues) for node in nodes.values()), 30)
    assert copies() == 1


def test_a_loop_through_another_host_ends_and_its_sender_gets_the_message_back(
    outside: Outside, node: Host, people: People
) -> None:
    back = f"round.{node.name}@{SINK}"
    outside.run("cp -a /etc/postfix/main.cf /run/")
    try:
        outside.run(
            f"postconf -e 'virtual_alias_maps=inline:{{ {back}={people.at('round')} }}'"
            " && postfix reload"
        )
        message = knock(outside, people.insider.host, people.at("round"))
        returned = outside.stored(message.token)
        assert b"too many hops" in returned[0], returned[0].decode()
    finally:
        outside.run("cp -a /run/main.cf /etc/postfix/ && postfix reload")
    assert len(outside.stored(message.token, seconds=0)) == 1
    assert 1 < len(folders(node, people.at("round"), message.token)) <= 15
