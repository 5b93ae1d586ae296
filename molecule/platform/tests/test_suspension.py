# SPDX-License-Identifier: GPL-3.0-or-later
"""What suspended tenants, domains and mailboxes can still do, and that nothing is lost meanwhile.

Both nodes have one subject for each combination of inbound, login and submission, at each level.
They are applied at once, and what is asked of them is noted; the tests look at the notes.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import json
import re
import shutil
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from client import ESTATE, Account, Flow, Host, Message, Outside, Run, ansible, wait_until
from conftest import NODES, STRANGER, Side
from test_delivery import submit

INBOUND = {"accept": 250, "hold": 250, "defer": 450, "reject": 550}
ALLOWED = ("allow", "refuse")
LEVELS = ("tenant", "domain", "mailbox")
PASSWORD = "correct horse battery staple 1"
TEXT = "Please call the office"
FORMS: dict[str, dict[str, int]] = {
    "mx1": {
        "jo@acme-mail.example": 450,  # by the domain alias
        "noreply@acme.example": 450,  # its sender address
        "office@acme.example": 450,  # an alias of it alone
        "sales@acme.example": 450,  # an alias of two that are both suspended for abuse
    },
    "mx2": {"info@globex.example": 250},  # also an alias of a mailbox that is only held
}
"""Other addresses of the mailboxes that are suspended for abuse, and their replies."""
FORGET = "DELETE FROM credentials WHERE address LIKE '%-matrix.example'"


@dataclass(frozen=True)
class Subject:
    """A mailbox that is suspended at one level, with one combination of cells."""

    node: str
    level: str
    inbound: str
    login: str
    submission: str

    @property
    def host(self) -> str:
        return f"{self.node}.hosting.example"

    @property
    def cells(self) -> str:
        return f"{self.inbound}-{self.login}-{self.submission}"

    @property
    def domain(self) -> str:
        own = "" if self.level == "mailbox" else f"{self.cells}-"
        return f"{own}{self.level}-{self.node}-matrix.example"

    @property
    def local(self) -> str:
        return self.cells if self.level == "mailbox" else "jo"

    @property
    def address(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def settings(self) -> str:
        return (
            f"inbound: {self.inbound}, login: {self.login}, submission: {self.submission},"
            f" text: {TEXT}"
        )


SUBJECTS = [Subject(*each) for each in itertools.product(NODES, LEVELS, INBOUND, ALLOWED, ALLOWED)]


def _account(node: str, owner: str, domains: t.Iterable[str], more: str = "") -> str:
    names = ", ".join(domains)
    return (
        f"organisation: Matrix\nplan: matrix\nstate: active\nplacement: {node}\n"
        f"default_owner: {owner}\nadmins: [{{address: {owner}}}]\n"
        f"intake: {{expected_mailboxes: 1, dns_contact: {owner}, clients: local, smime: false}}\n"
        f"domains: [{names}]\n{more}"
    )


def matrix(folder: Path, digest: str, *, suspended: bool) -> Path:
    """Return a copy of the estate with all subjects, suspended or not, and people of both nodes."""
    estate = folder / "estate"
    shutil.copytree(ESTATE, estate)
    with (estate / "plans.yml").open("a", encoding="utf-8") as plans:
        plans.write("  - {name: matrix, limits: {}, features: [], mailbox_quota: {default: 1G}}\n")

    def write(tenant: str, name: str, text: str) -> None:
        (estate / "tenants" / tenant).mkdir(exist_ok=True)
        (estate / "tenants" / tenant / f"{name}.yml").write_text(text, encoding="utf-8")

    def boxes(locals_: t.Iterable[str]) -> str:
        each = (f"  - {{name: {local}, password: '{digest}'}}\n" for local in locals_)
        return f"mailboxes:\n{''.join(each)}"

    for node in NODES:
        of = {
            level: [s for s in SUBJECTS if (s.node, s.level) == (node, level)] for level in LEVELS
        }
        for subject in of["tenant"]:
            name = f"{subject.cells}-{node}"
            how = f"suspensions: [{{of: {name}, {subject.settings}}}]\n" if suspended else ""
            write(name, "account", _account(node, subject.address, [subject.domain], how))
            write(name, subject.domain, boxes(["jo"]))
        shared = [*of["domain"], *of["mailbox"]]
        items = (
            f"  - {{of: {s.domain if s.level == 'domain' else s.address}, {s.settings}}}\n"
            for s in shared
        )
        domains = list(dict.fromkeys(s.domain for s in shared))
        owner = shared[0].address
        how = f"suspensions:\n{''.join(items)}" if suspended else ""
        write(f"shared-{node}", "account", _account(node, owner, domains, how))
        for domain in domains:
            write(f"shared-{node}", domain, boxes(s.local for s in shared if s.domain == domain))
    for tenant, abuse, hold in (
        ("acme", "jo@acme.example", "small@acme.example"),
        ("globex", "ann@globex.example", "bob@globex.example"),
    ):
        if not suspended:
            continue
        with (estate / "tenants" / tenant / "account.yml").open("a", encoding="utf-8") as account:
            account.write(
                f"suspensions:\n  - {{of: {abuse}, profile: abuse, reason: secret}}\n"
                f"  - {{of: {hold}, profile: legal_hold}}\n"
            )
    return estate


def apply(estate: Path = ESTATE, *arguments: str) -> Run:
    run = ansible(
        "ansible-playbook",
        "molecule/platform/tests/mailboxes.yml",
        "--diff",
        *arguments,
        estate=estate,
    )
    assert run.rc == 0, run.output
    return run


@dataclass
class Notes:
    """What was seen while the matrix was in force, and after it."""

    replies: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    may_read: dict[str, bool] = field(default_factory=dict)
    may_send: dict[str, bool] = field(default_factory=dict)
    stored: dict[str, list[str]] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    stored_after: dict[str, list[str]] = field(default_factory=dict)
    sessions: dict[str, t.Any] = field(default_factory=dict)
    frozen: dict[str, list[str]] = field(default_factory=dict)
    frozen_after: dict[str, list[str]] = field(default_factory=dict)
    flows: dict[str, Account] = field(default_factory=dict)
    forms: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


def stored(node: Host, token: str) -> list[str]:
    """Return the mailboxes of the matrix that have the message, one entry for each copy.

    Dovecot's cache of header fields has the token as well, and is no copy.
    """
    found = node.output(f"grep -rlF {token} /srv/vmail 2>/dev/null || true")
    paths = [line.split("/") for line in found.splitlines() if re.search("/(new|cur)/", line)]
    return sorted(f"{path[4]}@{path[3]}" for path in paths)


def on_hold(node: Host) -> list[tuple[str, str]]:
    """Return sender and recipient of each message in the hold queue."""
    queue = (json.loads(line) for line in node.output("postqueue -j").splitlines())
    return [
        (one["sender"], to["address"])
        for one in queue
        if one["queue_name"] == "hold"
        for to in one["recipients"]
    ]


@contextlib.contextmanager
def nothing_leaves(nodes: t.Iterable[Host]) -> t.Iterator[None]:
    """Keep in the queue what would leave for other hosts."""
    for node in nodes:
        node.run("postconf -e defer_transports=smtp && postfix reload")
    try:
        yield
    finally:
        for node in nodes:
            node.run("postconf -X defer_transports && postfix reload")


def restore() -> None:
    """Apply the scenario's estate, without the subjects."""
    accepted = {"mail_deletions_accepted": 1000, "generation_deletions_accepted": 1000}
    apply(ESTATE, "-e", json.dumps(accepted))


@pytest.fixture(scope="module")
def notes(
    outside: Outside,
    sides: dict[str, Side],
    nodes: dict[str, Host],
    tmp_path_factory: pytest.TempPathFactory,
) -> Notes:
    """Suspend, look, and resume; both nodes at the same time."""
    seen = Notes()
    abused = {"mx1": sides["mx1"].user, "mx2": sides["mx2"].user}
    digest = nodes["mx1"].output(f"doveadm pw -s SHA512-CRYPT -r 5000 -p '{PASSWORD}'")
    estate, resumed = (
        matrix(tmp_path_factory.mktemp("matrix"), digest, suspended=suspended)
        for suspended in (True, False)
    )
    held = {"mx1": sides["mx1"].small, "mx2": sides["mx2"].colleague}
    try:
        with contextlib.ExitStack() as stack, concurrent.futures.ThreadPoolExecutor() as pool:
            with nothing_leaves(nodes.values()):
                for name, user in abused.items():
                    seen.tokens[name] = submit(outside, user, STRANGER).token
                    wait_until(lambda node=nodes[name]: "deferred" in node.output("postqueue -j"))
                sessions = {
                    name: pool.submit(
                        outside.call,
                        "open_sessions",
                        host=user.host,
                        user=user.name,
                        password=user.password,
                        recipient=STRANGER,
                    )
                    for name, user in abused.items()
                }
                flows = {
                    name: stack.enter_context(
                        Flow(outside, box.host, box.name, box.password, pause=0.5)
                    )
                    for name, box in held.items()
                }
                wait_until(lambda: all(len(_who(nodes[n], abused[n].name)) > 2 for n in NODES), 20)
                apply(estate)
            seen.sessions = {name: found.result() for name, found in sessions.items()}
            list(pool.map(lambda name: _look(seen, outside, name, nodes[name]), NODES))
            for name, node in nodes.items():
                user = abused[name]
                seen.frozen[name] = [to for sender, to in on_hold(node) if sender == user.name]
                seen.forms[name] = outside.call(
                    "recipients",
                    host=user.host,
                    addresses=[
                        user.name,
                        user.name.replace("@", "+list@"),
                        *FORMS[name],
                        f"postmaster@{user.domain}",
                        f"abuse@{user.domain}",
                    ],
                )
            apply(resumed)
        for name, node in nodes.items():
            seen.flows[name] = flows[name].account(queues=[node])
            wait_until(lambda node=node: not _of_matrix(on_hold(node)))
            seen.stored_after[name] = stored(node, seen.tokens[f"{name} matrix"])
            seen.frozen_after[name] = [
                to for sender, to in on_hold(node) if sender == abused[name].name
            ]
    finally:
        restore()
        for node in nodes.values():
            node.run(
                f"""sqlite3 /var/lib/reseller-mail/credentials/credentials.db "{FORGET}" 2>/dev/null ||"""
                " python3 -c 'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]);"
                " c.commit()'"
                f""" /var/lib/reseller-mail/credentials/credentials.db "{FORGET}" """
            )
            node.run("rm -rf /srv/vmail/*-matrix.example /srv/vmail/.retained/*/*-matrix.example")
    return seen


def _who(node: Host, user: str) -> list[str]:
    """Return the open sessions of a user."""
    found = node.run("doveadm who -1", check=False).stdout.splitlines()
    return [line for line in found if line.startswith(user)]


def _look(seen: Notes, outside: Outside, name: str, node: Host) -> None:
    """Ask for every subject of a node, from outside: in SMTP at both nodes, and with its login."""
    own = [one for one in SUBJECTS if one.node == name]
    addresses = [one.address for one in own]
    for at in NODES:
        replies = outside.call("recipients", host=f"{at}.hosting.example", addresses=addresses)
        for address, reply in replies.items():
            seen.replies.setdefault(address, {})[at] = tuple(reply)
    message = Message.new(STRANGER, "matrix")
    taken = [one.address for one in own if INBOUND[one.inbound] == 250]
    answers = outside.send(own[0].host, 25, STRANGER, taken, message)
    assert answers["data"][0] == 250, answers
    seen.tokens[f"{name} matrix"] = message.token
    users = [(address, PASSWORD) for address in addresses]
    for what, function in ((seen.may_read, "may_read"), (seen.may_send, "may_send")):
        found = outside.call(function, host=own[0].host, pairs=users)
        what.update(zip(addresses, found, strict=True))
    half = len(taken) // 2  # the others are accepted
    wait_until(lambda: len(_of_matrix(on_hold(node))) >= half)
    wait_until(lambda: len(stored(node, message.token)) >= half)
    seen.stored[name] = stored(node, message.token)
    seen.held[name] = sorted(_of_matrix(on_hold(node)))


def _of_matrix(queue: t.Iterable[tuple[str, str]]) -> list[str]:
    """Return the recipients of the queue that are subjects."""
    return [to for _sender, to in queue if to.endswith("-matrix.example")]


@pytest.fixture(params=list(NODES), ids=list(NODES.values()))
def of(request: pytest.FixtureRequest) -> str:
    """Return the name of a node."""
    return str(request.param)


def test_the_matrix_is_what_the_page_says(notes: Notes, capsys: pytest.CaptureFixture[str]) -> None:
    """Mail that arrives, logins and sending, for every combination at every level."""
    wrong, rows = [], []
    for one in SUBJECTS:
        codes = [notes.replies[one.address][at][0] for at in NODES]
        found = (codes, notes.may_read[one.address], notes.may_send[one.address])
        wanted = ([INBOUND[one.inbound]] * 2, one.login == "allow", one.submission == "allow")
        verdict = "ok" if found == wanted else f"WRONG, not {wanted}"
        rows.append(
            f"| {one.node} | {one.level} | {one.inbound} | {one.login} | {one.submission} |"
            f" {codes[0]} {codes[1]} | {'in' if found[1] else 'out'} |"
            f" {'sends' if found[2] else 'does not'} | {verdict} |"
        )
        if found != wanted:
            wrong.append(rows[-1])
    with capsys.disabled():
        print(
            "\n| node | level | inbound | login | submission | RCPT at mx1, mx2 | login | sending | |"
        )
        print("\n".join(rows))
    assert wrong == []
    assert len(rows) == 2 * 3 * 4 * 2 * 2


def test_what_senders_are_told_is_the_provider_s_text(notes: Notes) -> None:
    for one in SUBJECTS:
        if one.inbound in ("defer", "reject"):
            for _code, text in notes.replies[one.address].values():
                assert TEXT in text


def test_accepted_mail_is_in_the_mailbox_and_held_mail_in_the_queue_and_later_in_the_mailbox(
    notes: Notes, of: str
) -> None:
    accepted, held = (
        sorted(one.address for one in SUBJECTS if (one.node, one.inbound) == (of, inbound))
        for inbound in ("accept", "hold")
    )
    assert notes.stored[of] == accepted
    assert notes.held[of] == held
    assert notes.stored_after[of] == sorted([*accepted, *held])


def test_mail_that_comes_while_a_mailbox_is_held_is_all_there_afterwards_and_once(
    notes: Notes, of: str
) -> None:
    account = notes.flows[of]
    assert account.wrong == [], account
    assert len(account.accepted) > 3


def test_open_sessions_end_with_the_suspension(notes: Notes, of: str) -> None:
    """IMAP and POP3 at once, submission with the next message."""
    found = notes.sessions[of]
    assert found["imap"] == found["pop3"] == "closed", found
    assert found["submission"][0] == 421, found


def test_with_abuse_all_names_are_deferred_but_what_others_read_and_the_roles(
    notes: Notes, of: str, sides: dict[str, Side]
) -> None:
    user, replies = sides[of].user, notes.forms[of]
    assert {address: reply[0] for address, reply in replies.items()} == {
        user.name: 450,
        user.name.replace("@", "+list@"): 450,
        **FORMS[of],
        f"postmaster@{user.domain}": 250,
        f"abuse@{user.domain}": 250,
    }


def test_with_abuse_queued_mail_of_the_sender_is_held_and_stays_so(notes: Notes, of: str) -> None:
    assert notes.frozen[of] == [STRANGER]
    assert notes.frozen_after[of] == [STRANGER]


def test_held_mail_of_a_sender_is_listed_released_and_deleted(
    notes: Notes, outside: Outside, sides: dict[str, Side], nodes: dict[str, Host]
) -> None:
    """Released on one node, deleted on the other."""

    def handle(subject: str, state: str) -> Run:
        values = {"held_mail_subject": subject, "held_mail_state": state}
        run = ansible("ansible-playbook", "reseller.mail.held_mail", "-e", json.dumps(values))
        assert run.rc == 0, run.output
        return run

    first, second = (sides[name].user.name for name in NODES)
    assert STRANGER in handle(first, "listed").output
    handle(first, "released")
    assert wait_until(lambda: outside.stored(notes.tokens["mx1"]))
    handle(second, "deleted")
    assert [one for name in NODES for one in on_hold(nodes[name]) if STRANGER in one] == []
    assert outside.stored(notes.tokens["mx2"], seconds=1) == []


def test_one_command_stops_a_mailbox_and_one_lets_it_work_again(
    outside: Outside, side: Side, tmp_path: Path
) -> None:
    """The file changes in these lines alone, and the password stays."""
    estate = tmp_path / "estate"
    shutil.copytree(ESTATE, estate)
    (tenant,) = (path.parent for path in estate.glob(f"tenants/*/{side.user.domain}.yml"))
    account = tenant / "account.yml"
    before = account.read_bytes()
    others = {p: p.read_bytes() for p in tenant.parent.rglob("*.yml") if p != account}

    def run(playbook: str, **values: str) -> Run:
        given = {f"{playbook}_{name}": value for name, value in values.items()}
        return ansible(
            "ansible-playbook", f"reseller.mail.{playbook}", "-e", json.dumps(given), estate=estate
        )

    def works() -> tuple[bool, int]:
        login = outside.may_login(side.host, "imap", side.user.name, side.user.password)
        (reply,) = outside.call("recipients", host=side.host, addresses=[side.user.name]).values()
        return login, reply[0]

    wrong = run("suspend", subject="nobody@" + side.user.domain, profile="abuse")
    assert wrong.rc != 0
    assert "is no mailbox" in wrong.output
    assert account.read_bytes() == before
    try:
        start = time.monotonic()
        stopped = run("suspend", subject=side.user.name, profile="abuse", reason="it's spam: #1")
        took = time.monotonic() - start
        assert stopped.rc == 0, stopped.output
        assert works() == (False, 450), f"after {took:.0f} s"
        text = account.read_text(encoding="utf-8")
        assert text.startswith(before.decode())
        assert "reason: 'it''s spam: #1'" in text
    finally:
        again = run("resume", subject=side.user.name)
    assert again.rc == 0, again.output
    assert works() == (True, 250)
    assert account.read_bytes() == before
    assert others == {path: path.read_bytes() for path in others}
