# SPDX-License-Identifier: GPL-3.0-or-later
"""What users may send in an hour: to the message, by mailbox, domain and tenant, and what they are
told."""

from __future__ import annotations

import json
import re
import shutil
import typing as t
from dataclasses import dataclass
from pathlib import Path

import client
import pytest
from client import Host, Outside, ansible, wait_until
from conftest import STRANGER, Address, Side
from test_diagnose import diagnose
from test_verify_host import asked, broken

UNIT = "reseller-mail-sending-limit"
DATABASE = "/var/lib/reseller-mail-sending-limit/sent.db"
STOP = f"systemctl stop {UNIT}.socket {UNIT}.service"
START = f"systemctl start {UNIT}.socket {UNIT}.service"
MAILBOX, DOMAIN, TENANT, RECIPIENTS = 8, 11, 13, 3
REACHED = re.compile(
    r"<DATA>: Data command rejected: Sending limit reached: (.+?) sent (\d+) messages in the last"
    r" hour, (\d+) are allowed; try again after 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC, in \d+ min$"
)
ASK = """\
import json, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect("/run/reseller-mail-sending-limit.sock")
answers = link.makefile("rb")
def ask(**fields):
    link.sendall("".join(f"{name}={value}\\n" for name, value in fields.items()).encode() + b"\\n")
    answer = answers.readline().decode().rstrip()
    answers.readline()
    return answer.partition("=")[2]
"""


@dataclass(frozen=True)
class People:
    """Two mailboxes of one domain, one of another domain of the same tenant."""

    one: Address
    same_domain: Address
    same_tenant: Address


@pytest.fixture
def people(side: Side, passwords: dict[str, str]) -> People:
    names = {
        "mx1": ("jo@acme.example", "it@acme.example", "orders@acme-shop.example"),
        "mx2": ("peter@initech.example", "milton@initech.example", "orders@initech-shop.example"),
    }[side.node]
    return People(*(Address(name, side.host, passwords[name]) for name in names))


FOLDER = client.BUILD / "sending_limits"
"""A copy of the estate, with small limits."""


def apply(estate: Path = FOLDER) -> None:
    play = str(Path(__file__).parent / "generation.yml")
    run = ansible("ansible-playbook", play, estate=estate)
    assert run.rc == 0, run.output


def change(path: str, old: str, new: str) -> None:
    file = FOLDER / path
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    file.write_text(text.replace(old, new), encoding="utf-8")


def limit_mailboxes(many: int, before: int = 0) -> None:
    """Set how much jo and peter may send. ``before`` is the limit that they have."""
    for path, name in (
        ("tenants/acme/acme.example.yml", "  - name: jo\n"),
        ("tenants/initech/initech.example.yml", "  - name: peter\n"),
    ):
        rates = "    rate_limits: {messages_per_hour: %d, recipients_per_message: %d}\n"
        old = name + (rates % (before, RECIPIENTS) if before else "")
        change(path, old, name + rates % (many, RECIPIENTS))


@pytest.fixture(scope="module", autouse=True)
def limits() -> t.Iterator[None]:
    """Both nodes have small limits while the tests of this file run."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree(client.ESTATE, FOLDER)
    limit_mailboxes(MAILBOX)
    change(
        "tenants/acme/account.yml",
        "domain_limits:\n  - name: acme.example\n",
        f"sending_limits: {{messages_per_hour: {TENANT}}}\n"
        f"domain_limits:\n  - name: acme.example\n    messages_per_hour: {DOMAIN}\n",
    )
    change(
        "tenants/initech/account.yml",
        "plan: business\n",
        f"plan: business\nsending_limits: {{messages_per_hour: {TENANT},"
        f" domain_messages_per_hour: {DOMAIN}}}\n",
    )
    apply()
    yield
    apply(client.ESTATE)


@pytest.fixture(autouse=True)
def nothing_sent(nodes: dict[str, Host]) -> t.Iterator[None]:
    """What other tests sent within the hour does not count."""
    clear = f"{STOP}; rm -f {DATABASE}*; {START}"
    for host in nodes.values():
        host.run(clear)
    yield
    for host in nodes.values():
        host.run(clear)


def count(node: Host, login: Address, many: int) -> list[str]:
    """Ask the daemon on the node, as Postfix does, about so many messages."""
    program = f"""{ASK}
print(json.dumps([ask(sasl_username={login.name!r}, recipient_count=1, instance=f"t.{{number}}")
                  for number in range({many})]))"""
    answers: list[str] = json.loads(node.run("python3 -", stdin=program).stdout)
    return answers


def report(node: Host, login: Address) -> dict[str, t.Any]:
    program = f'{ASK}\nprint(ask(request="reseller_mail_report", login={login.name!r}))'
    found: dict[str, t.Any] = json.loads(node.run("python3 -", stdin=program).stdout)
    return found


def submit(
    outside: Outside, who: Address, many: int = 1, connections: int = 1, **changes: t.Any
) -> list[tuple[int, str]]:
    """Submit mail, by default to the sender itself."""
    mail = (
        changes.get("sender", who.name),
        changes.get("recipients", [who.name]),
        changes.get("author", who.name),
    )
    found = outside.call(
        "submissions",
        host=who.host,
        login=changes.get("login", who.name),
        password=who.password,
        mails=[mail] * many,
        connections=connections,
    )
    return [(code, text) for code, text in found]


def codes(answers: t.Iterable[tuple[int, str]]) -> list[int]:
    return sorted(code for code, _text in answers)


def test_parallel_senders_get_exactly_what_a_mailbox_may_send_and_are_told_when_to_try_again(
    outside: Outside, people: People
) -> None:
    answers = submit(outside, people.one, many=2, connections=10)
    assert codes(answers) == [250] * MAILBOX + [450] * (20 - MAILBOX)
    for text in {text for code, text in answers if code == 450}:
        found = REACHED.search(text)
        assert found, text
        assert found.groups() == (people.one.name, str(MAILBOX), str(MAILBOX))


def test_a_domain_and_a_tenant_are_limited_as_a_whole(
    outside: Outside, node: Host, people: People
) -> None:
    assert count(node, people.one, MAILBOX) == ["DUNNO"] * MAILBOX
    answers = submit(outside, people.same_domain, many=3, connections=3)
    assert codes(answers) == [250] * (DOMAIN - MAILBOX) + [450] * (9 - DOMAIN + MAILBOX)
    refused = " ".join(text for code, text in answers if code == 450)
    assert f"all mailboxes of {people.one.domain} together sent {DOMAIN} messages" in refused
    answers = submit(outside, people.same_tenant, many=2, connections=3)
    assert codes(answers) == [250] * (TENANT - DOMAIN) + [450] * (6 - TENANT + DOMAIN)
    refused = " ".join(text for code, text in answers if code == 450)
    assert f"together sent {TENANT} messages in the last hour, {TENANT} are allowed" in refused


def test_every_submission_counts_once_whoever_gets_it_and_under_every_name(
    outside: Outside, node: Host, side: Side, people: People
) -> None:
    to = [people.same_domain.name, people.same_tenant.name, side.other_user.name]
    assert codes(submit(outside, people.one, recipients=to[:RECIPIENTS])) == [250]
    assert codes(submit(outside, people.one, sender="")) == [250], "a receipt"
    alias = people.one.name.replace("acme", "acme-mail").replace("initech", "initech-mail")
    assert codes(submit(outside, people.one, login=alias)) == [250]
    assert report(node, people.one)["limits"][0]["used"] == 3
    (answer,) = submit(outside, people.one, recipients=[*to, people.one.name])
    assert answer[0] == 550
    assert (
        f"5.5.3 <DATA>: Data command rejected: Too many recipients: the message has 4, and"
        f" {people.one.name} may write to {RECIPIENTS} at once" in answer[1]
    )
    assert report(node, people.one)["limits"][0]["used"] == 3, "what is refused does not count"


def test_counts_survive_a_restart_a_reload_and_a_switch_of_the_generation(
    outside: Outside, nodes: dict[str, Host], passwords: dict[str, str]
) -> None:
    both = {
        name: Address(address, f"{name}.hosting.example", passwords[address])
        for name, address in (("mx1", "jo@acme.example"), ("mx2", "peter@initech.example"))
    }
    for name, host in nodes.items():
        count(host, both[name], MAILBOX - 1)
        host.run(f"kill -9 $(systemctl show -p MainPID --value {UNIT}); postfix reload")
    try:
        limit_mailboxes(MAILBOX + 1, before=MAILBOX)
        apply()
        for who in both.values():
            assert codes(submit(outside, who, many=2, connections=2)) == [250, 250, 450, 450]
    finally:
        limit_mailboxes(MAILBOX, before=MAILBOX + 1)
        apply()


def test_who_reached_a_limit_and_how_far_is_in_the_log_in_verify_and_in_diagnose(
    outside: Outside, node: Host, side: Side, people: People
) -> None:
    who, since = people.one.name, f"@{node.output('date +%s')}"
    count(node, people.one, MAILBOX)
    assert codes(submit(outside, people.one)) == [450]
    line = (
        f"login=<{who}>: reject: sending limit of mailbox {who}: used={MAILBOX} allowed={MAILBOX}"
    )
    assert line in node.output(f"journalctl -t {UNIT} --since {since} -o cat")
    found = asked(side)["host.sending_refused"]
    assert found["state"] == "warn"
    assert f"{who}: mailbox {who} sent {MAILBOX} messages in an hour" in found["found"]
    assert re.search(r"refused 1 times, .* sending works again at \S+Z", found["found"])
    cause, story = diagnose(who, "outbound")
    assert cause == "sending.limited", story
    assert f"mailbox {who} sent {MAILBOX} of {MAILBOX} messages in the last hour" in story
    assert re.search(r"it may send again at 20\S+Z", story)
    log = ansible(
        "ansible",
        side.node,
        "-m",
        "reseller.mail.mail_log_info",
        "-a",
        json.dumps({"subject": who, "since": since}),
        environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    )
    lines = json.loads(log.output.partition("=>")[2])["lines"]
    refused = [row for row in lines if row["kind"] == "refused"]
    assert {row["program"] for row in refused} >= {UNIT, "postfix/submission/smtpd"}, lines


def test_without_the_daemon_submissions_wait_other_mail_does_not_and_verify_names_it(
    outside: Outside, node: Host, side: Side, people: People
) -> None:
    with broken(node, STOP, START):
        (answer,) = submit(outside, people.one)
        assert answer[0] == 451
        assert "Sending limits cannot be checked now, try again later" in answer[1]
        message = client.Message.new(STRANGER, people.one.name)
        sent = outside.send(side.host, 25, STRANGER, [people.one.name], message)
        assert sent["data"][0] == 250
        found = asked(side)
        assert found["host.sending_limit"]["state"] == "fail"
        assert f"{UNIT}.service is inactive" in found["host.sending_limit"]["found"]
    assert codes(submit(outside, people.one)) == [250]


def test_the_daemon_comes_back_and_only_postfix_may_ask_it(node: Host, people: People) -> None:
    pid = node.output(f"systemctl show -p MainPID --value {UNIT}")
    node.run(f"kill -9 {pid}")
    assert wait_until(
        lambda: node.output(f"systemctl show -p MainPID --value {UNIT}") not in ("0", pid)
    )
    assert count(node, people.one, 1) == ["DUNNO"]
    assert node.output("stat -c '%U %G %a' /run/reseller-mail-sending-limit.sock") == (
        "root postfix 660"
    )
    assert node.output(f"stat -c '%U %a' {DATABASE}") == "reseller-mail-sending 600"
