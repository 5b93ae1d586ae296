# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast passwords may be guessed, decided without a daemon."""

from __future__ import annotations

import heapq
import itertools
import json
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import mail_log
from ansible_collections.reseller.mail.tests.unit.support.programs import program

limit = program("dovecot/files/login_limit.py")
ALLOWED, REFUSED, LONGEST = limit.ALLOWED, limit.REFUSED, limit.LONGEST_DELAY
POSTFIX_WAITS, FAILURE_DELAY = 10, 2


def guess(digest: object, login: str = "jo@acme.example", network: str = "192.0.2.1") -> t.Any:
    return limit.Guess(login, network, str(digest))


def wrong(limiter: t.Any, *guesses: t.Any, now: float = 0.0) -> list[int]:
    """Try the passwords in turn, all of them wrong; return the answers."""
    answers = []
    for one in guesses:
        answers.append(limiter.before(one, now))
        if answers[-1] != REFUSED:
            limiter.after(one, False, now)
    return answers


def guessed(many: int, login: str = "jo@acme.example", network: str = "192.0.2.1") -> t.Any:
    limiter = limit.Limiter()
    wrong(limiter, *(guess(f"wrong {number}", login, network) for number in range(many)))
    return limiter


def test_the_first_wrong_passwords_delay_nobody_and_many_delay_by_a_few_seconds() -> None:
    answers = wrong(limit.Limiter(), *map(guess, range(30)))
    assert answers[:5] == [0] * 5
    assert answers == sorted(answers)
    assert answers[-1] == LONGEST


def test_the_longest_wait_leaves_time_for_the_hash_before_postfix_gives_up() -> None:
    assert LONGEST + FAILURE_DELAY <= POSTFIX_WAITS / 2


def test_one_old_password_is_counted_once_however_often_a_telephone_tries_it() -> None:
    limiter = limit.Limiter()
    assert wrong(limiter, *[guess("old")] * 500) == [ALLOWED] * 500
    assert limiter.before(guess("another", "ann@acme.example"), 0) == ALLOWED


def test_a_password_that_was_right_is_not_delayed_while_others_guess_in_its_network() -> None:
    limiter = limit.Limiter()
    limiter.before(guess("right"), 0)
    limiter.after(guess("right"), True, 0)
    wrong(limiter, *(guess(number) for number in range(300)))
    wrong(limiter, *(guess(number, f"user{number}@acme.example") for number in range(300)))
    assert limiter.before(guess("right"), 1) == ALLOWED


def test_a_password_that_was_right_elsewhere_or_before_a_change_is_as_unknown_as_others() -> None:
    limiter = limit.Limiter()
    limiter.after(guess("right"), True, 0)
    wrong(limiter, *(guess(number) for number in range(19)))
    assert limiter.before(guess("right"), 0) == ALLOWED
    limiter.after(guess("right"), False, 0)
    assert limiter.before(guess("right"), 0) > ALLOWED
    others = guessed(60, network="198.51.100.7")
    others.after(guess("right"), True, 0)
    assert others.before(guess("right", network="203.0.113.9"), 0) > ALLOWED


def test_a_right_password_from_a_new_place_waits_but_is_verified_while_others_guess_from_theirs() -> (
    None
):
    limiter = limit.Limiter()
    for network in range(60):
        wrong(limiter, *(guess(number, network=f"198.51.100.{network}") for number in range(5)))
    assert 0 < limiter.before(guess("right"), 0) <= LONGEST


def test_a_right_password_never_seen_before_works_right_after_a_burst_of_wrong_ones() -> None:
    limiter = guessed(40)
    assert 0 <= limiter.before(guess("right"), 0) <= LONGEST


@pytest.mark.parametrize(
    ("seconds", "delay"), [(0, LONGEST), (limit.WINDOW - 1, LONGEST), (limit.WINDOW + 1, 0)]
)
def test_wrong_passwords_are_forgotten_after_an_hour(seconds: float, delay: int) -> None:
    assert guessed(20).before(guess("right"), seconds) == delay


def side_by_side(
    limiter: t.Any, guesses: t.Iterable[t.Any], connections: int, seconds: int, hashing: float = 0.1
) -> int:
    """Guess with so many connections for so long, each as soon as its last guess is answered;
    return how many were verified."""
    verified, source = 0, iter(guesses)
    busy: list[tuple[float, int, t.Any]] = [(0.0, number, None) for number in range(connections)]
    while True:
        now, number, done = heapq.heappop(busy)
        if now > seconds:
            return verified
        if done is not None:
            limiter.after(done, False, now - FAILURE_DELAY)
            verified += 1
        one = next(source)
        answer = limiter.before(one, now)
        if answer == REFUSED:
            heapq.heappush(busy, (now + FAILURE_DELAY, number, None))
        else:
            heapq.heappush(busy, (now + answer + hashing + FAILURE_DELAY, number, one))


@pytest.mark.parametrize("connections", [10, 60])
def test_many_connections_guess_no_faster_at_one_account(connections: int) -> None:
    """Anvil's penalty let 40 connections guess as fast as the processor hashed, more than 3 times a
    second."""
    assert (
        side_by_side(limit.Limiter(), map(guess, itertools.count()), connections, 600) < 600 * 0.3
    )


def test_many_connections_of_one_network_are_slowed_over_all_accounts() -> None:
    each = (guess(number, f"user{number % 1000}@acme.example") for number in itertools.count())
    assert side_by_side(limit.Limiter(), each, 60, 600) < 600 * 1.2


def test_many_networks_that_guess_at_one_account_share_its_limit() -> None:
    each = (guess(number, network=f"198.51.100.{number % 100}") for number in itertools.count())
    assert side_by_side(limit.Limiter(), each, 60, 600) < 600


def test_an_office_that_connects_at_once_with_right_passwords_is_not_refused() -> None:
    limiter = limit.Limiter()
    people = [guess("right", f"user{number}@acme.example") for number in range(50)]
    assert REFUSED not in [limiter.before(one, 0) for one in people]
    for one in people:
        limiter.after(one, True, 1)
    assert [limiter.before(one, 2) for one in people] == [ALLOWED] * 50


def test_a_mail_program_opens_several_connections_after_many_wrong_passwords() -> None:
    limiter = guessed(30)
    assert REFUSED not in [limiter.before(guess("right"), 0) for _connection in range(6)]
    assert limiter.before(guess("other"), 0) == REFUSED


def test_an_attempt_that_is_never_reported_does_not_block_for_good() -> None:
    limiter = guessed(30)
    assert limiter.before(guess("lost"), 0) != REFUSED
    assert limiter.before(guess("right"), 1) == REFUSED
    assert limiter.before(guess("right"), limit.PENDING + 1) != REFUSED


def test_memory_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "MOST_KEYS", 10)
    limiter = limit.Limiter()
    for number in range(50):
        limiter.after(
            guess(number, f"user{number}@x.example", f"198.51.100.{number}"), number % 2 == 0, 0
        )
    assert max(len(table) for table in (limiter._right, *limiter._counters)) <= 10
    wrong(limiter, *map(guess, range(500)))
    assert (
        max(len(counter.wrong) for table in limiter._counters for counter in table.values())
        <= limit.MOST_COUNTED + 1
    )


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_an_ipv6_customer_has_a_network_and_an_ipv4_one_an_address(
    address: str, network: str
) -> None:
    assert limit.network_of(address) == network


def question(**more: t.Any) -> bytes:
    return json.dumps(
        {"login": "JO@acme.example", "pwhash": "0123", "remote": "192.0.2.1", **more}
    ).encode()


def test_dovecot_is_answered_and_others_are_not() -> None:
    service = limit.Service("the token")
    assert service.answer("allow", "the token", question()) == {"status": 0, "msg": ""}
    for token, body in (
        ("another", question()),
        ("", question()),
        ("the token", b"no json"),
        ("the token", b"[]"),
    ):
        assert service.answer("allow", token, body) is None


def test_a_refusal_says_why_and_is_not_counted_as_a_wrong_password() -> None:
    service = limit.Service("the token", clock=lambda: 0.0, limiter=guessed(30))
    service.limiter.before(guess("pending"), 0)
    answer = service.answer("allow", "the token", question())
    assert (answer["status"], answer["msg"]) == (-1, "Too many wrong passwords, try again later")
    before = len(service.limiter._counters[1]["jo@acme.example"].wrong)
    service.answer("report", "the token", question(success=False, policy_reject=True))
    assert len(service.limiter._counters[1]["jo@acme.example"].wrong) == before


PROTOCOL = {"refused": "yes", "other_service": "yes"}


def report(daemon: t.Any, **more: t.Any) -> None:
    body = {"login": "jo@acme.example", "typed": "jo@acme.example", "pwhash": "1", **more}
    daemon.answer("report", "t", json.dumps({"remote": "192.0.2.1", **body}).encode())


@pytest.mark.parametrize(("service", "protocol"), [("pop3", "pop3"), ("smtp", "submission")])
def test_a_right_password_with_a_refused_protocol_is_named_in_the_log(
    service: str, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = limit.Service("t", clock=lambda: 0.0)
    report(limiter, success=False, service=service, refused="yes", other_service="yes")
    assert caplog.messages == [
        f"<jo@acme.example> from 192.0.2.1: refused, the mailbox may not use {protocol}"
    ]
    assert mail_log.kind(caplog.messages[0]) == "protocol_refused"
    report(limiter, success=False, service=service, **PROTOCOL, remote="2001:db8::7")
    assert caplog.messages[1].startswith("<jo@acme.example> from 2001:db8::7: refused, ")
    report(limiter, success=False, service=service, refused="yes", other_service="")
    report(limiter, success=False, service=service, refused="", other_service="yes")
    report(limiter, success=True, service=service, refused="yes", other_service="yes")
    assert len(caplog.messages) == 2


def test_a_refused_protocol_counts_as_a_wrong_password_and_leaves_known_what_is_right() -> None:
    limiter = limit.Service("t", clock=lambda: 0.0)
    for number in range(20):
        report(limiter, success=False, pwhash=str(number), service="pop3", **PROTOCOL)
    assert limiter.limiter.before(guess("another"), 0.0) > ALLOWED
    known = limit.Limiter()
    known.after(guess("right"), True, 0)
    wrong(known, *(guess(number) for number in range(30)))
    known.after(guess("right"), False, 0, refused=True)
    assert known.before(guess("right"), 1) == ALLOWED
    known.after(guess("right"), False, 2)
    assert known.before(guess("right"), 3) > ALLOWED


def test_who_asks_from_the_host_itself_is_not_limited() -> None:
    service = limit.Service("the token")
    for number in range(100):
        service.answer(
            "report", "the token", question(remote="", pwhash=str(number), success=False)
        )
    assert service.answer("allow", "the token", question(remote=""))["status"] == ALLOWED


ALIAS = {"login": "JO@acme-mail.example", "typed": "JO@acme-mail.example"}
U_LABELS = {"login": "jo@bücher.example", "typed": "JO@BÜCHER.example"}


def tried(service: t.Any, password: str, name: t.Mapping[str, str], success: bool = False) -> int:
    """Ask as Dovecot does: its digest has the login in it, which is the mailbox's own when it
    reports."""
    status = service.answer(
        "allow", "the token", question(**name, pwhash=f"{password} {name['login']}")
    )["status"]
    if status != REFUSED:
        service.answer(
            "report",
            "the token",
            question(typed=name["typed"], pwhash=f"{password} jo@acme.example", success=success),
        )
    return int(status)


@pytest.mark.parametrize("name", [ALIAS, U_LABELS])
def test_guesses_at_all_names_of_a_mailbox_are_guesses_at_it(name: t.Mapping[str, str]) -> None:
    service = limit.Service("the token", clock=lambda: 0.0, limiter=guessed(9))
    assert tried(service, "wrong", name) == 0, "nobody knows yet what this is a name of"
    assert tried(service, "wrong, too", name) == guessed(10).before(guess("new"), 0) == 2
    assert len(service.limiter._counters[1]["jo@acme.example"].wrong) == 11
    others = service.answer(
        "allow", "the token", question(login="it@acme-mail.example", typed="it@acme-mail.example")
    )
    assert others["status"] == ALLOWED


def test_a_right_password_is_known_under_the_name_it_was_given_with_and_nothing_stays_unfinished() -> (
    None
):
    service = limit.Service("the token", clock=lambda: 0.0)
    for _login in range(3):
        assert tried(service, "right", ALIAS, success=True) == ALLOWED
    wrong(service.limiter, *(guess(f"wrong {number}") for number in range(30)))
    assert [tried(service, "right", ALIAS, success=True) for _login in range(100)] == [
        ALLOWED
    ] * 100
    assert not service.limiter._counters[1]["jo@acme.example"].pending
    assert tried(service, "wrong", ALIAS) == LONGEST


def test_an_old_password_counts_once_under_another_name_too() -> None:
    service = limit.Service("the token", clock=lambda: 0.0)
    for _attempt in range(30):
        assert tried(service, "old", ALIAS) == ALLOWED
    assert len(service.limiter._counters[1]["jo@acme.example"].wrong) <= 2, (
        "once before the name was known, once after"
    )


def test_a_name_that_became_a_domain_of_its_own_is_an_account_of_its_own() -> None:
    service = limit.Service("the token", clock=lambda: 0.0)
    tried(service, "wrong", ALIAS)
    assert service.domains == {"acme-mail.example": "acme.example"}
    service.answer("report", "the token", question(**ALIAS, policy_reject=True))
    assert service.domains, "a refused attempt was not looked up"
    service.answer("report", "the token", question(**ALIAS, success=False))
    assert not service.domains


def test_no_more_names_are_remembered_than_fit() -> None:
    service = limit.Service("the token", clock=lambda: 0.0)
    for number in range(limit.MOST_KEYS + 10):
        service._learn(f"alias{number}.example", "acme.example")
    assert len(service.domains) == limit.MOST_KEYS


def test_a_login_that_is_no_utf_8_is_limited_like_any_other() -> None:
    service = limit.Service("the token", clock=lambda: 0.0)
    body = b'{"login": "jo@b\xff.example", "pwhash": "0123", "remote": "192.0.2.1"}'
    assert service.answer("allow", "the token", body) == {"status": ALLOWED, "msg": ""}
    assert "jo@b?.example" in service.limiter._counters[1]


def test_neither_password_nor_dovecots_digest_of_it_is_remembered() -> None:
    service = limit.Service("the token")
    service.answer("report", "the token", question(pwhash="0123456789abcdef", success=True))
    assert "0123456789abcdef" not in repr(service.limiter.__dict__)
    assert "the token" not in repr(service)


def test_the_token_is_what_dovecot_reads() -> None:
    assert (
        limit.token_of(
            "auth_policy_hash_nonce = x\nauth_policy_server_api_header = X-Token: 0a1b\n"
        )
        == "0a1b"
    )
    with pytest.raises(ValueError, match="X-Token"):
        limit.token_of("auth_policy_hash_nonce = x\n")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines for fail2ban."""
    return [text for text in caplog.messages if text.startswith("wrong password")]


def test_each_new_wrong_password_is_a_line_with_the_network_before_what_the_client_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    service = limit.Service("t", clock=lambda: 0.0)
    report(service, success=False, pwhash="1")
    report(service, success=False, pwhash="1")
    report(service, success=False, pwhash="2", remote="2001:db8:1:2:3::4")
    report(service, success=False, pwhash="3", login="a from 192.0.2.9\nfor@x", typed="a@x")
    report(service, success=False, pwhash="4", policy_reject=True)
    report(service, success=False, pwhash="5", **PROTOCOL)
    report(service, success=True, pwhash="6")
    assert said(caplog) == [
        "wrong password from 192.0.2.1 for jo@acme.example",
        "wrong password from 2001:db8:1:2::/64 for jo@acme.example",
        "wrong password from 192.0.2.1 for a?from?192.0.2.9?for@x",
    ]


def test_who_logged_in_from_a_network_has_it_not_banned_and_others_there_have(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    now = [0.0]
    service = limit.Service("t", clock=lambda: now[0])
    report(service, success=True, pwhash="right")
    report(service, success=False, pwhash="wrong")
    assert said(caplog) == []
    report(service, success=False, pwhash="wrong", login="it@acme.example")
    report(service, success=False, pwhash="wrong", remote="192.0.2.2")
    assert len(said(caplog)) == 2
    now[0] = limit.REMEMBERED + 1
    report(service, success=False, pwhash="another")
    assert len(said(caplog)) == 3
