# SPDX-License-Identifier: GPL-3.0-or-later
"""What a message's log lines mean in plain words."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.mail_log import Line, kind
from ansible_collections.reseller.mail.plugins.module_utils._host.timestamps import timestamp
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose import symbols, way, way_text
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.way import Event
from ansible_collections.reseller.mail.plugins.plugin_utils._diagnose.way_text import Searched
from hypothesis import given
from hypothesis import strategies as st

ID = "20261130.1@shop.example"
Q, R = "4F1D2A0C3B", "4F1D2A0C3C"
CLIENT = "mail.shop.example[192.0.2.5]"
MEANINGS = {"MISSING_DATE": "Message date is missing"}


def lines(*rows: tuple[str, str], start: int = 0) -> list[Line]:
    """Return lines of (program, text), one a second, of a process for each program."""
    return [
        Line(timestamp(second), program, text, kind(text), second * 1_000_000, program)
        for second, (program, text) in enumerate(rows, start)
    ]


def steps(*rows: tuple[str, str], node: str = "mx1", start: int = 0) -> list[Event]:
    return way.events(node, lines(*rows, start=start), [ID], MEANINGS)


def one(program: str, text: str) -> Event:
    (event,) = steps((program, text))
    return event


def filtered(found: str, score: str = "7.30", more: str = "", mid: str = ID) -> tuple[str, str]:
    return (
        "rspamd",
        f"<3f0ffa>; proxy; rspamd_task_write_log: id: <{mid}>, qid: <{Q}>, ip: 192.0.2.5, from:"
        f" <ads@shop.example>, (default: F (no action): [{score}/15.00] [{found}]), len: 500, time:"
        f" 3.0ms, dns req: 3, digest: <1>, rcpts: <jo@acme.example>, mime_rcpts: <x>{more}",
    )


def settings(**changes: str) -> tuple[str, str]:
    values = {
        "to": "<jo@acme.example>",
        "score": "7.3",
        "junk": "6.0",
        "reject": "15.0",
        "greylist": "never",
        "list": "none",
        "dmarc": "none",
        "content": "none",
        "refuses": "no",
        **changes,
    }
    text = ", ".join(f"{name}={value}" for name, value in values.items())
    return "rspamd", f"<3f0ffa>; lua; reseller_mail.lua:540: filtered qid: <{Q}>, {text}"


def test_who_hands_a_message_in_is_told_with_tls_and_login() -> None:
    tls = f"Anonymous TLS connection established from {CLIENT}: TLSv1.3 with cipher TLS_X (256/256)"
    program = "postfix/submission/smtpd"
    login = f"{Q}: client={CLIENT}, sasl_method=PLAIN, sasl_username=jo@acme.example"
    (event,) = steps((program, f"connect from {CLIENT}"), (program, tls), (program, login))
    assert (event.kind, event.queue) == ("received", Q)
    assert event.text == (
        "received from mail.shop.example [192.0.2.5], TLSv1.3 (TLS_X), logged in as"
        " jo@acme.example at port 587"
    )


def test_the_newest_connection_of_the_process_counts() -> None:
    tls = f"Trusted TLS connection established from {CLIENT}: TLSv1.3 with cipher TLS_X (256/256)"
    rows = [("postfix/smtpd", f"connect from {CLIENT}"), ("postfix/smtpd", tls)]
    taken = ("postfix/smtpd", f"{Q}: client={CLIENT}")
    assert "TLSv1.3 (TLS_X, certificate trusted), no login" in steps(*rows, taken)[0].text
    assert "no TLS, no login" in steps(*rows, rows[0], taken)[0].text
    assert "TLS not known" in steps(taken)[0].text


@pytest.mark.parametrize(
    ("program", "text", "kind_", "words"),
    [
        ("postfix/sieve/smtpd", f"{Q}: client=localhost[127.0.0.1]", "received", "a Sieve script"),
        ("postfix/srs-in/smtpd", f"{Q}: client=localhost[127.0.0.1]", "received", "SRS"),
        ("postfix/pickup", f"{Q}: uid=0 from=<root>", "received", "a program of the host"),
        (
            "postfix/qmgr",
            f"{Q}: from=<a@shop.example>, size=500, nrcpt=1 (queue active)",
            "queued",
            "from <a@shop.example>, 500 bytes, 1 recipient",
        ),
        (
            "postfix/smtp",
            f"{Q}: to=<x@y.example>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1,"
            " status=deferred (connect to y.example[192.0.2.9]:25: timed out)",
            "deferred",
            "x@y.example: not delivered yet, it is tried again: connect to y.example",
        ),
        (
            "postfix/smtp",
            f"{Q}: to=<x@y.example>, orig_to=<office@acme.example>, relay=mx[1.2.3.4]:25, delay=1,"
            " delays=1/0/0/0, dsn=5.1.1, status=bounced (host mx said: 550 no)",
            "bounced",
            "x@y.example (by way of office@acme.example): not delivered, it is given up",
        ),
        ("postfix/bounce", f"{Q}: sender non-delivery notification: {R}", "bounced", R),
        (
            "postfix/srs/smtp",
            f"{Q}: to=<x@y.example>, relay=127.0.0.1[127.0.0.1]:10027, delay=1, delays=1/0/0/0,"
            f" dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {R})",
            "handed_over",
            "with a sender of this host (SRS)",
        ),
        (
            "postfix/hold/smtp",
            f"{Q}: to=<x@y.example>, relay=127.0.0.1[127.0.0.1]:10028, delay=1, delays=1/0/0/0,"
            f" dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {R})",
            "held",
            "on hold",
        ),
        (
            "opendkim",
            f"{Q}: DKIM-Signature field added (s=mx1, d=acme.example)",
            "signed",
            "for acme.example, selector mx1",
        ),
    ],
)
def test_what_a_line_means(program: str, text: str, kind_: str, words: str) -> None:
    event = one(program, text)
    assert (event.kind, event.queue) == (kind_, Q)
    assert words in event.text


@pytest.mark.parametrize("text", ["removed", "message-id=<x>", "warning: header Subject: x"])
def test_lines_that_say_nothing_are_left_out(text: str) -> None:
    assert steps(("postfix/qmgr", f"{Q}: {text}")) == []


def refusal(reply: str) -> tuple[str, str]:
    return (
        "postfix/cleanup",
        f"{Q}: milter-reject: END-OF-MESSAGE from {CLIENT}: {reply}; from=<ads@shop.example>"
        " to=<jo@acme.example> proto=ESMTP helo=<mail.shop.example>",
    )


@pytest.mark.parametrize(
    ("reply", "kind_", "outcome"),
    [
        ("5.7.1 Gtube pattern", "refused", "refused: 5.7.1 Gtube pattern"),
        ("4.7.1 Greylisted, try again later", "delayed", "greylisted, and not sent again yet"),
        ("4.7.1 Service unavailable", "delayed", "refused for now: 4.7.1 Service unavailable"),
    ],
)
def test_a_refusal_after_the_content_is_told_with_its_reply(
    reply: str, kind_: str, outcome: str
) -> None:
    event = one(*refusal(reply))
    assert event.kind == kind_
    assert "after its content was received" in event.text
    assert reply in event.text
    assert event.outcome == {"jo@acme.example": outcome}


def test_a_score_is_told_with_the_senders_results_and_the_meaning_of_symbols() -> None:
    found = (
        "MISSING_DATE(1.00){},R_SPF_SOFTFAIL(0.50){~all:c;},DMARC_POLICY_REJECT(2.00)"
        "{shop.example : no valid SPF, no valid DKIM;reject;},R_DKIM_NA(0.00){},TINY(0.01){}"
    )
    event = one(*filtered(found))
    assert event.text == "filtered: score 7.30"
    assert event.details == (
        "SPF: softfail (~all:c)",
        "DKIM: no signature",
        "DMARC: fail, and the domain asks to refuse it (p=reject) (shop.example : no valid SPF, no"
        " valid DKIM, reject)",
        "+2.0 DMARC_POLICY_REJECT shop.example : no valid SPF, no valid DKIM, reject",
        "+1.0 MISSING_DATE Message date is missing",
        "+0.5 R_SPF_SOFTFAIL ~all:c",
    )


def test_a_message_that_comes_again_is_told_to_have_passed_greylisting() -> None:
    found = "R_SPF_ALLOW(-0.20){+mx:c;},GREYLIST(0.00){pass;body;}"
    assert "greylisting: pass, body" in one(*filtered(found)).details


def test_a_forced_action_and_mail_of_nodes_are_told() -> None:
    gtube = ', forced: reject "Gtube pattern"; score=nan (set by gtube)'
    assert one(*filtered("GTUBE(0.00){}", "0.00", gtube)).text == (
        "filtered: score 0.00; reject, whatever the score: Gtube pattern"
    )
    before = f', forced: no action "{way.FILTERED_BEFORE}"; score=nan (set by reseller_mail)'
    assert "filtered it before" in one(*filtered("", "0.00", before)).text


@pytest.mark.parametrize(
    ("changes", "text", "detail"),
    [
        ({}, "the sender is in no list", "into Junk, because of its score"),
        ({"junk": "never"}, "Junk from never", None),
        ({"score": "5.9"}, "score 5.9", None),
        (
            {"list": "allow d:acme.example @shop.example"},
            "a list of the domain acme.example allows shop.example",
            "the score does not count, because the sender is allowed",
        ),
        (
            {"list": "block e 192.0.2.0/24", "refuses": "yes"},
            "a list of the estate blocks 192.0.2.0/24",
            "this mailbox refuses it: the sender is blocked",
        ),
        (
            {"dmarc": "reject", "refuses": "yes"},
            "",
            "this mailbox refuses it: it fails DMARC, and the domain of its author asks to refuse that",
        ),
        ({"score": "20.0", "refuses": "yes"}, "", "this mailbox refuses it: its score"),
        ({"dmarc": "junk"}, "", "into Junk, because it fails DMARC"),
        ({"content": "junk"}, "", "into Junk, because of its content: an attachment, or a virus"),
        ({"content": "reject"}, "", "refused, because of its content: an attachment, or a virus"),
    ],
)
def test_what_a_mailbox_decides_is_told_with_its_thresholds(
    changes: dict[str, str], text: str, detail: str | None
) -> None:
    event = one(*settings(**changes))
    assert event.text.startswith("jo@acme.example: score ")
    assert text in event.text
    assert (event.details[0] if event.details else None) == detail


DELIVERED = (
    "postfix/lmtp",
    f"{Q}: to=<jo@acme.example>, relay=mx1[private/dovecot-lmtp], delay=1, delays=1/0/0/0, dsn=2.0.0,"
    " status=sent (250 2.0.0 <jo@acme.example> SeSSion1 Saved)",
)


def stored(text: str) -> tuple[str, str]:
    return "dovecot", f"lmtp(jo@acme.example)<22><SeSSion1>: {text}"


@pytest.mark.parametrize(
    ("text", "kind_", "outcome"),
    [
        (f"sieve: msgid=<{ID}>: stored mail into mailbox 'Junk'", "stored", "in the folder Junk"),
        (f"msgid=<{ID}>: saved mail to INBOX", "stored", "in the folder INBOX"),
        (
            f"sieve: msgid=<{ID}>: fileinto action: stored mail into mailbox 'a b'",
            "stored",
            "in the folder a b",
        ),
        (
            f"sieve: msgid=<{ID}>: failed to store into mailbox 'INBOX': Quota exceeded",
            "script",
            "failed to store",
        ),
        (f"sieve: msgid=<{ID}>: forwarded to <x@y.example>", "script", "forwarded to x@y.example"),
        (f"sieve: msgid=<{ID}>: discarded", "script", "discarded"),
    ],
)
def test_dovecot_says_where_a_message_is(text: str, kind_: str, outcome: str) -> None:
    (event,) = steps(DELIVERED, stored(text))
    assert event.kind == kind_
    assert outcome in event.outcome["jo@acme.example"]


def test_a_script_that_fails_is_told_and_is_not_what_became_of_the_message() -> None:
    failed = "Execution of script 'personal/x' failed, but implicit keep was successful"
    found = steps(
        DELIVERED,
        stored(f"sieve: msgid=<{ID}>: stored mail into mailbox 'INBOX'"),
        stored(f"sieve: {failed}"),
    )
    assert [step.kind for step in found] == ["stored", "script"]
    assert found[1].text == f"jo@acme.example: {failed}"
    assert way.outcomes(found) == {"jo@acme.example": "in the folder INBOX"}


def test_a_delivery_that_dovecot_did_not_log_is_still_told() -> None:
    (event,) = steps(DELIVERED)
    assert event.text == "jo@acme.example: delivered into the mailbox"


def test_the_message_id_cannot_imitate_what_dovecot_did() -> None:
    hostile = f"{ID}>: stored mail into mailbox 'INBOX"
    for written in (f"<{hostile}>", f"<{ID}>", f"<{ID}...", "unspecified"):
        row = stored(f"sieve: msgid={written}: stored mail into mailbox 'Junk'")
        (event,) = way.events("mx1", lines(row), [hostile], {})
        assert event.outcome == {"jo@acme.example": "in the folder Junk"}, written


def test_a_retry_that_is_accepted_counts_and_not_the_greylisting() -> None:
    found = steps(
        refusal("4.7.1 Greylisted, try again later"),
        stored(f"sieve: msgid=<{ID}>: stored mail into mailbox 'INBOX'"),
    )
    assert way.outcomes(found) == {"jo@acme.example": "in the folder INBOX"}
    assert way.outcomes(found[:1]) == {"jo@acme.example": "greylisted, and not sent again yet"}


def test_what_another_node_took_over_is_told_by_its_own_steps() -> None:
    over = (
        "postfix/smtp",
        f"{Q}: to=<team@globex.example>, relay=mx2.hosting.example[192.0.2.2]:25, delay=1,"
        f" delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {R})",
    )
    there = (
        "postfix/lmtp",
        DELIVERED[1].replace(Q, R).replace("jo@acme.example", "ann@globex.example"),
    )
    first = steps(over)
    assert way.outcomes(first) == {
        "team@globex.example": "handed over to mx2.hosting.example[192.0.2.2]:25"
    }
    both = first + steps(there, node="mx2", start=5)
    assert way.outcomes(both) == {"ann@globex.example": "delivered"}


def test_a_report_has_the_steps_in_words_and_as_data() -> None:
    searched = Searched(ID, (ID,), "-48h", ("mx1", "mx2"), {"alt": "unreachable"})
    found = steps(
        filtered("MISSING_DATE(1.00){}"), settings(), stored(f"msgid=<{ID}>: saved mail to INBOX")
    )
    text = way_text.as_text(searched, found, 200)
    first, *_rest, last, silent = text.splitlines()
    assert first == f"<{ID}>"
    assert (last, silent) == (
        "jo@acme.example: in the folder INBOX",
        "alt was not searched: unreachable",
    )
    assert "+1.0 MISSING_DATE Message date is missing" in text
    data = json.loads(json.dumps(way_text.as_data(searched, found)))
    assert data["outcomes"] == {"jo@acme.example": "in the folder INBOX"}
    assert [step["kind"] for step in data["steps"]] == ["filtered", "settings", "stored"]


def test_what_settings_decide_comes_after_the_score() -> None:
    """rspamd writes its lines in the other order."""
    found = steps(settings(), filtered("A(1.00){}"), refusal("5.7.1 Message refused as spam"))
    assert [step.kind for step in found] == ["settings", "filtered", "refused"]
    ordered = way.in_order([found[2], found[0], found[1]])
    assert [step.kind for step in ordered] == ["filtered", "settings", "refused"]


def test_an_unknown_message_is_a_sentence_with_what_was_searched() -> None:
    sentence = way_text.unknown(Searched(ID, (ID,), "-48h", ("mx1",), {"mx2": "no route"}))
    assert (
        f"{ID}: the logs of mx1 since -48h have no line about it; mx2 was not searched" in sentence
    )
    assert "why_since" in sentence


def test_nothing_of_a_sender_is_shown_raw() -> None:
    searched = Searched(ID, (ID,), "-48h", ("mx1",), {})
    hostile = "\x1b[31m\u202ex\r"
    event = Event("t", 0, "mx1", "stored", Q, hostile, (hostile,), {hostile: hostile})
    text = way_text.as_text(searched, [event], 200)
    assert all(char.isprintable() or char == "\n" for char in text)


@given(st.text(), st.sampled_from(["rspamd", "dovecot", "opendkim", "postfix/smtpd", "postfix"]))
def test_hostile_lines_break_nothing(text: str, program: str) -> None:
    for start in ("", f"{Q}: ", f"lmtp(x)<1><y>: sieve: msgid=<{ID}>: "):
        way.outcomes(steps((program, start + text)))
    list(symbols.explained(symbols.read(text), {}))


def test_every_kind_of_step_is_named() -> None:
    made: set[t.Any] = {*way_text.SIGNS}
    assert made <= set(way.KINDS)
