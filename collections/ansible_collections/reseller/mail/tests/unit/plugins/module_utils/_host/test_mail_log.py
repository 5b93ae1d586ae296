# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a mail host's log is somebody's business."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import mail_log as log
from ansible_collections.reseller.mail.plugins.module_utils._host.timestamps import timestamp
from hypothesis import given
from hypothesis import strategies as st

TAKEN = [
    ("postfix/smtpd", "4F1D2A0C3B: client=mail.stranger.example[10.97.0.5]"),
    (
        "postfix/qmgr",
        "4F1D2A0C3B: from=<someone@stranger.example>, size=500, nrcpt=2 (queue active)",
    ),
    (
        "postfix/lmtp",
        (
            "4F1D2A0C3B: to=<jo@acme.example>, orig_to=<sales@acme.example>, relay=x, dsn=2.0.0,"
            " status=sent (250 2.0.0 Saved)"
        ),
    ),
    (
        "postfix/smtp",
        "4F1D2A0C3B: to=<ann@globex.example>, relay=y, dsn=2.0.0, status=sent (250 ok)",
    ),
]


def lines(*rows: tuple[str, str]) -> list[log.Line]:
    return [
        log.Line(timestamp(1_795_270_000 + nth), program, text, log.kind(text))
        for nth, (program, text) in enumerate(rows)
    ]


def test_of_a_message_to_two_tenants_each_sees_its_own_recipient() -> None:
    jo, ann = (
        [line.text for line in log.own(who, lines(*TAKEN))]
        for who in ("jo@acme.example", "ann@globex.example")
    )
    assert jo == [TAKEN[0][1], TAKEN[1][1], TAKEN[2][1]]
    assert ann == [TAKEN[0][1], TAKEN[1][1], TAKEN[3][1]]


def test_what_the_filter_writes_of_a_message_is_private_to_its_recipients() -> None:
    def filtered(recipients: str) -> log.Line:
        text = (
            "<3f0ffa>; proxy; rspamd_task_write_log: id: <1@x>, qid: <4F1D2A0C3B>, ip: 192.0.2.5,"
            " from: <someone@stranger.example>, (default: F (no action): [1.00/15.00] []), len: 1,"
            f" rcpts: <{recipients}>, mime_rcpts: <jo@acme.example>"
        )
        return lines(("rspamd", text))[0]

    alone, two = filtered("jo@acme.example"), filtered("jo@acme.example,ann@globex.example")
    assert log.own("jo@acme.example", [alone]) == [alone]
    assert log.own("jo@acme.example", [two]) == []
    assert log.own("ann@globex.example", [two]) == []
    assert log.own("someone@stranger.example", [two]) == [two]


def test_an_alias_sees_the_line_of_its_target() -> None:
    assert TAKEN[2][1] in [line.text for line in log.own("sales@acme.example", lines(*TAKEN))]


def test_who_sent_it_sees_what_became_of_it() -> None:
    found = log.own("someone@stranger.example", lines(*TAKEN))
    assert len(found) == len(TAKEN)


@pytest.mark.parametrize(
    ("subject", "text", "whether"),
    [
        ("jo@acme.example", "to=<jo@acme.example>", True),
        ("jo@acme.example", "to=<jo+lists@acme.example>", True),
        ("jo@acme.example", "user=<JO@ACME.EXAMPLE>", True),
        ("jo@acme.example", "to=<mojo@acme.example>", False),
        ("jo@acme.example", "to=<big.jo@acme.example>", False),
        ("jo@acme.example", "to=<jo@acme.example.org>", False),
        ("jo@acme.example", "to=<jo@acmeXexample>", False),
        ("jo@acme.example", "said: no such user jo@acme.example.", True),
        ("acme.example", "to=<ann@acme.example>", True),
        ("acme.example", "to=<ann@sub.acme.example>", False),
        ("acme.example", "to=<ann@acme.example.org>", False),
        ("acme.example", "to=<ann@notacme.example>", False),
    ],
)
def test_a_neighbour_with_a_similar_name_is_somebody_else(
    subject: str, text: str, whether: bool
) -> None:
    assert log.mentions(subject, text) is whether


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            (
                "NOQUEUE: reject: RCPT from x[10.0.0.1]: 550 5.1.1 <jon@acme.example>: Recipient"
                " address rejected"
            ),
            "refused",
        ),
        (
            (
                "4F1D2A0C3B: milter-reject: END-OF-MESSAGE from x[10.0.0.1]: 5.7.1 From is not"
                " yours; from=<a@b.example>"
            ),
            "refused",
        ),
        (
            (
                "imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs):"
                " user=<jo@acme.example>, rip=10.97.0.5"
            ),
            "auth_failed",
        ),
        (
            (
                "imap-login: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs)"
                " (auth_failed): user=<jo@acme.example>"
            ),
            "auth_failed",
        ),
        (
            (
                "warning: x[10.97.0.5]: SASL PLAIN authentication failed: UGFz,"
                " sasl_username=jo@acme.example"
            ),
            "auth_failed",
        ),
        ("imap-login: Login: user=<jo@acme.example>, method=PLAIN, rip=10.97.0.5", "login"),
        ("imap-login: Logged in: user=<jo@acme.example>, method=PLAIN, rip=10.97.0.5", "login"),
        (
            "4F1D2A0C3B: client=x[10.97.0.5], sasl_method=PLAIN, sasl_username=jo@acme.example",
            "login",
        ),
        (TAKEN[2][1], "delivered"),
        (
            "4F1D2A0C3B: to=<x@y.example>, dsn=4.4.1, status=deferred (connect timed out)",
            "deferred",
        ),
        ("4F1D2A0C3B: to=<x@y.example>, dsn=5.1.1, status=bounced (550 no)", "bounced"),
        (TAKEN[1][1], "other"),
    ],
)
def test_what_a_line_amounts_to(text: str, kind: str) -> None:
    assert log.kind(text) == kind


def row(message: object, program: str = "postfix/smtpd") -> str:
    return json.dumps(
        {
            "MESSAGE": message,
            "SYSLOG_IDENTIFIER": program,
            "__REALTIME_TIMESTAMP": "1795270000000000",
        }
    )


def test_secrets_and_control_characters_stay_out() -> None:
    found = log.parse(
        "\n".join(
            [
                row("sql(jo@acme.example): Password mismatch (given password: hunter2)"),
                row("Login: user=<jo@acme.example>, session=<aBcD>"),
                row(list(b"\x1b[31mred \xff")),
                "no json",
                row(None),
                json.dumps({"MESSAGE": "no time"}),
            ]
        ),
        timestamp,
    )
    text = "\n".join(line.text for line in found)
    assert "hunter2" not in text
    assert "aBcD" not in text
    assert "\x1b" not in text
    assert found[0].at == timestamp(1_795_270_000)


@given(st.text(), st.text())
def test_hostile_lines_break_nothing(text: str, program: str) -> None:
    log.own("jo@acme.example", log.parse(row(text, program), timestamp))


ID = "20261130.1@shop.example"
QUEUE, RETRY, OTHER = "4F1D2A0C3B", "4F1D2A0C3C", "4F1D2A0C3D"
FILTERED = "<3f0ffa>; proxy; rspamd_task_write_log: id: <{}>, qid: <{}>, ip: 192.0.2.5, x"


def journal(*rows: tuple[str, str, str]) -> list[log.Line]:
    """Return lines of (process, program, text), one a second."""
    return [
        log.Line(timestamp(number), program, text, log.kind(text), number * 1_000_000, process)
        for number, (process, program, text) in enumerate(rows)
    ]


def reading(*lines: log.Line) -> log.Read:
    """Return what reads these lines as journalctl does: the newest first."""

    def read(pattern: str, process: str = "", until: float = float("inf")) -> list[log.Line]:
        return [
            line
            for line in reversed(lines)
            if re.search(pattern, line.text)
            and process in ("", line.process)
            and line.time <= until * 1_000_000
        ]

    return read


def texts(lines: list[log.Line]) -> list[str]:
    return [line.text for line in lines]


GREYLISTED = journal(
    ("7", "postfix/smtpd", "connect from mail.shop.example[192.0.2.5]"),
    (
        "7",
        "postfix/smtpd",
        "Anonymous TLS connection established from mail.shop.example[192.0.2.5]: TLSv1.3 with cipher X",
    ),
    ("8", "postfix/smtpd", "connect from mail.shop.example[192.0.2.5]"),
    ("7", "postfix/smtpd", f"{QUEUE}: client=mail.shop.example[192.0.2.5]"),
    ("9", "postfix/cleanup", f"{QUEUE}: message-id=<{ID}>"),
    ("1", "rspamd", FILTERED.format(ID, QUEUE)),
    (
        "9",
        "postfix/cleanup",
        f"{QUEUE}: milter-reject: END-OF-MESSAGE from x[192.0.2.5]: 4.7.1 Greylisted",
    ),
    ("8", "postfix/smtpd", f"{RETRY}: client=mail.shop.example[192.0.2.5]"),
    ("9", "postfix/cleanup", f"{RETRY}: message-id=<{ID}>"),
    ("1", "rspamd", FILTERED.format(ID, RETRY)),
    (
        "1",
        "rspamd",
        f"<3f0ffa>; lua; reseller_mail.lua:1: filtered qid: <{RETRY}>, to=<jo@acme.example>, x",
    ),
    (
        "5",
        "postfix/lmtp",
        f"{RETRY}: to=<jo@acme.example>, relay=x, dsn=2.0.0, status=sent (250 2.0.0 <jo@acme.example>"
        " SeSSion1 Saved)",
    ),
    ("2", "dovecot", "lmtp(jo@acme.example)<22><SeSSion1>: Error: sieve: a script failed"),
    (
        "2",
        "dovecot",
        f"lmtp(jo@acme.example)<22><SeSSion1>: sieve: msgid=<{ID}>: stored mail into mailbox 'INBOX'",
    ),
)
UNRELATED = journal(
    ("7", "postfix/smtpd", f"{OTHER}: client=mail.shop.example[192.0.2.5]"),
    ("9", "postfix/cleanup", f"{OTHER}: message-id=<2{ID}>"),
    ("1", "rspamd", FILTERED.format(f"2{ID}", OTHER)),
    (
        "2",
        "dovecot",
        f"lmtp(jo@acme.example)<22><SeSSion2>: sieve: msgid=<2{ID}>: stored mail into mailbox 'INBOX'",
    ),
)


@pytest.mark.parametrize("message", [ID, QUEUE, RETRY])
def test_a_message_is_found_with_all_its_attempts(message: str) -> None:
    lines, ids = log.about_message(reading(*GREYLISTED, *UNRELATED), message)
    assert ids == [ID]
    assert texts(lines) == texts(GREYLISTED)


def test_a_message_that_no_line_names_has_none() -> None:
    lines, ids = log.about_message(reading(*GREYLISTED), "3@shop.example")
    assert (lines, ids) == ([], ["3@shop.example"])


def test_a_message_without_a_message_id_is_found_by_its_queue_id() -> None:
    rows = journal(
        ("7", "postfix/smtpd", f"{QUEUE}: client=x[192.0.2.5]"),
        ("9", "postfix/cleanup", f"{QUEUE}: message-id=<>"),
    )
    lines, ids = log.about_message(reading(*rows), QUEUE)
    assert (texts(lines), ids) == (texts(rows), [])


@pytest.mark.parametrize(
    "hostile",
    [
        ("postfix/cleanup", f"{OTHER}: message-id=<{QUEUE}: message-id=<{ID}>"),
        ("postfix/cleanup", f"{OTHER}: message-id=<1@x> msgid=<{ID}>: stored"),
        ("rspamd", FILTERED.format(f"1@x>, qid: <{QUEUE}>, id: <{ID}", OTHER)),
        ("rspamd", f"<3f0ffa>; proxy; x: id: <1@x filtered qid: <{QUEUE}>, to=<x>"),
        ("dovecot", f"lmtp(jo@acme.example)<22><SeSSion2>: sieve: msgid=<x{ID}>: discarded"),
        ("dovecot", f"lmtp(jo@acme.example)<22><SeSSion2>: sieve: msgid=<x msgid=<{ID}>: y>: z"),
        ("dovecot", "lmtp(jo@acme.example)<22><SeSSion2>: sieve: msgid=<x<SeSSion1>: y>: z"),
    ],
)
def test_the_message_id_of_another_message_adds_no_line(hostile: tuple[str, str]) -> None:
    (line,) = journal(("3", *hostile))
    lines, _ids = log.about_message(reading(*GREYLISTED, line), ID)
    assert line.text not in texts(lines)


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        (f" <{ID}> ", ID),
        (f"Message-ID: <{ID}>", ID),
        (ID, ID),
        ("a b@x", "a b@x"),
        ("4fGk3z1Qhqz9sW", "4fGk3z1Qhqz9sW"),
    ],
)
def test_a_message_id_is_taken_as_people_copy_it(given: str, plain: str) -> None:
    assert log.plain_id(given) == plain


@pytest.mark.parametrize("given", ["", "<>", "a\x1b[31m@x", "a\nb", "a\u202eb", "x" * 901])
def test_what_is_no_message_id_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="a Message-ID or a queue id has"):
        log.plain_id(given)


@given(st.text(min_size=1).filter(str.isprintable))
def test_any_message_id_is_searched_as_it_is(message: str) -> None:
    lines, _ids = log.about_message(reading(*GREYLISTED), message)
    assert lines == [] or message in {ID, QUEUE, RETRY}


def test_lines_of_one_second_keep_their_order() -> None:
    late = log.Line(timestamp(1), "a", "second", "other", 1_000_002)
    early = log.Line(timestamp(1), "z", "first", "other", 1_000_001)
    assert log.in_order([late, early, late]) == [early, late]
