# SPDX-License-Identifier: GPL-3.0-or-later
"""Guessing passwords: what it costs a guesser, what it does not cost others, and what an answer
does not tell."""

from __future__ import annotations

import json
import re
import typing as t
import uuid

import pytest
from client import Host, Outside, ansible, wait_until
from conftest import OUTSIDE, Side

UNIT = "reseller-mail-login-limit"
STORE = "/var/lib/reseller-mail/credentials/credentials.db"
CONFIGURATION = (
    "cat /etc/dovecot/dovecot.conf; cat /etc/dovecot/credentials.conf.ext 2>/dev/null || true"
)
COSTLY = "{BLF-CRYPT}$2y$31$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
REFUSAL = "Too many wrong passwords, try again later"
DOORS = (("imap", 0), ("pop3", 0), ("submission", 587), ("submission", 465))


def wrong(user: object, many: int) -> list[tuple[str, str]]:
    return [(str(user), f"wrong-{uuid.uuid4().hex}") for _attempt in range(many)]


@pytest.fixture
def guessed(node: Host) -> t.Iterator[None]:
    """The node forgets what was guessed before the test and in it."""
    node.run(f"systemctl restart {UNIT}")
    yield
    node.run(f"systemctl restart {UNIT}")


@pytest.mark.usefixtures("guessed")
def test_wrong_passwords_are_answered_and_right_ones_from_the_same_address_work(
    outside: Outside, side: Side
) -> None:
    """Before, the 4th was answered with 454, and then the right ones, too."""
    answers = outside.call(
        "logins", host=side.host, protocol="submission", port=465, pairs=wrong(side.user, 12)
    )
    assert {(allowed, text[:5]) for allowed, text in answers} == {(False, "(535,")}
    for protocol, port in DOORS:
        assert outside.may_login(side.host, protocol, side.user.name, side.user.password, port), (
            protocol,
            port,
        )


@pytest.mark.usefixtures("guessed")
def test_most_guesses_made_side_by_side_are_refused_unverified_and_the_owner_gets_in(
    outside: Outside, side: Side
) -> None:
    assert outside.may_login(side.host, "imap", side.user.name, side.user.password)
    pairs = [*wrong(side.user, 40), (side.user.name, side.user.password)]
    *answers, owner = outside.call(
        "logins", host=side.host, protocol="imap", pairs=pairs, at_once=41
    )
    assert not any(allowed for allowed, _text in answers)
    assert sum(REFUSAL in text for _allowed, text in answers) > 20
    assert owner[0]


def delay(node: Host, user: object) -> int:
    """How long the node would let a new password for that user wait now, as it tells Dovecot."""
    question = json.dumps({"login": str(user), "remote": OUTSIDE[1], "pwhash": "a new one"})
    token = "$(sed -n 's/^auth_policy_server_api_header = //p' /etc/dovecot/login-limit.conf)"
    answer = node.run(
        f"curl -s -H \"{token}\" -d @- 'http://127.0.0.1:12341/?command=allow'", stdin=question
    )
    return int(json.loads(answer.stdout)["status"])


@pytest.mark.usefixtures("guessed")
def test_a_wrong_password_counts_alike_at_every_door_and_an_old_one_once(
    outside: Outside, side: Side, node: Host
) -> None:
    (old,) = wrong(side.user, 1)
    outside.call("logins", host=side.host, protocol="imap", pairs=[old] * 5)
    for protocol, port in DOORS[1:]:
        assert not outside.may_login(side.host, protocol, *wrong(side.user, 1)[0], port)
    assert delay(node, side.user) == 0
    assert not outside.may_login(side.host, "imap", *wrong(side.user, 1)[0])
    assert wait_until(lambda: delay(node, side.user)) == 1, "these were five different passwords"
    assert delay(node, side.colleague) == 0


def test_no_right_login_is_refused_however_many_there_are(
    outside: Outside, side: Side, node: Host
) -> None:
    """Postfix's own limit counts right ones, too."""
    assert node.output("postconf -h smtpd_client_auth_rate_limit") == "0"
    answers = outside.call(
        "logins",
        host=side.host,
        protocol="submission",
        port=465,
        pairs=[(side.user.name, side.user.password)] * 12,
        at_once=6,
    )
    assert [text for allowed, text in answers if not allowed] == []


def test_logins_go_on_while_the_limit_is_away(outside: Outside, side: Side, node: Host) -> None:
    try:
        node.run(f"systemctl stop {UNIT}.socket {UNIT}.service")
        for protocol, port in DOORS:
            assert outside.may_login(
                side.host, protocol, side.user.name, side.user.password, port
            ), (
                protocol,
                port,
            )
        assert not outside.may_login(side.host, "imap", *wrong(side.user, 1)[0])
    finally:
        node.run(f"systemctl start {UNIT}.socket {UNIT}.service")


def test_the_limit_is_confined_and_comes_back(node: Host) -> None:
    pid = node.output(f"systemctl show -p MainPID --value {UNIT}")
    assert int(node.output(f"awk '/^Uid/ {{print $2}}' /proc/{pid}/status")) > 60000, (
        "a user of its own"
    )
    node.run(f"kill -9 {pid}")
    assert node.output(
        f"for i in $(seq 50); do sleep 0.2; systemctl show -p MainPID --value {UNIT} | grep -vx -e"
        f" 0 -e {pid} && break; done"
    )
    assert node.output("stat -c '%U %G %a' /etc/dovecot/login-limit.conf") == "root dovecot 640"
    assert (
        node.output(
            "curl -s -o /dev/null -w '%{http_code}' -d '{}'"
            " 'http://127.0.0.1:12341/?command=report'"
        )
        == "403"
    )


def asked(node: Host, address: str) -> tuple[str, str]:
    """What Dovecot's own query finds for an address."""
    found = re.search(r"(?:password|passdb_sql)_query = (.*)", node.output(CONFIGURATION))
    assert found is not None
    query = re.sub(r"%u|%\{user\}", address, found[1]).replace("%{passdb:store}", "logins")
    program = (
        f"import sqlite3, json; print(json.dumps(sqlite3.connect('file:{STORE}?mode=ro',"
        f" uri=True).execute({query!r}).fetchall()))"
    )
    ((user, hashed),) = json.loads(node.run("python3 -", stdin=program).stdout)
    return user, hashed


def test_an_unknown_address_takes_the_work_of_a_known_one(
    outside: Outside, side: Side, node: Host
) -> None:
    _user, known = asked(node, side.user.name)
    cost = known[: known.index("$", known.index("p="))]
    hashes = set()
    for unknown in (f"nobody@{side.user.domain}", "nobody@nowhere.example"):
        user, hashed = asked(node, unknown)
        assert (user, hashed[: len(cost)]) == (unknown, cost)
        hashes.add(hashed)
        assert not outside.may_login(side.host, "imap", unknown, side.user.password)
    assert len(hashes) == 1
    assert hashes != {known}


def test_a_suspended_address_is_denied_only_after_its_password_was_verified(node: Host) -> None:
    text = node.output(CONFIGURATION)
    places = [
        text.index(word)
        for word in (
            "driver = sql\n",
            "passdb generation" if "passdb generation" in text else "dovecot/logins/%s",
            "/dovecot/users/",
        )
    ]
    assert places == sorted(places)


def test_a_stored_hash_that_would_take_hours_stops_nobody_and_is_told(
    outside: Outside, side: Side, node: Host
) -> None:
    """As a store of an earlier version may hold it: a row that no check has seen."""
    program = (
        f"import sqlite3, sys; db = sqlite3.connect('{STORE}'); address ="
        f" '{side.colleague}'\nprint(db.execute('SELECT hash FROM credentials WHERE address = ?',"
        " (address,)).fetchone()[0])\ndb.execute('UPDATE credentials SET hash = ? WHERE address ="
        " ?', ({hashed!r}, address)); db.commit()"
    )
    before = node.run("python3 -", stdin=program.replace("{hashed!r}", repr(COSTLY))).stdout.strip()
    try:
        assert not outside.may_login(
            side.host, "imap", side.colleague.name, side.colleague.password
        )
        assert outside.may_login(side.host, "imap", side.user.name, side.user.password)
        run = ansible("ansible", side.node, "--module-name=reseller.mail.credential_store")
        assert run.rc == 0, run.output
        assert f"{side.colleague} cannot log in: cost of this BLF-CRYPT hash is 31" in " ".join(
            run.output.split()
        )
        assert COSTLY.rpartition("$")[2] not in run.output
        assert "changed: false" in run.output
    finally:
        node.run("python3 -", stdin=program.replace("{hashed!r}", repr(before)))
    assert outside.may_login(side.host, "imap", side.colleague.name, side.colleague.password)
