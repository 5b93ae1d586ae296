# SPDX-License-Identifier: GPL-3.0-or-later
"""How much users may send, decided without Postfix: windows, sums, parallel sessions, restarts."""

from __future__ import annotations

import json
import os
import socket
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.tests.unit.support.programs import program

limit = program("postfix/files/sending_limit.py")
JO, IT, ANN = "jo@acme.example", "it@acme.example", "ann@acme-shop.example"
LIMITS = {
    JO: "acme recipients=5 mailbox=3 domain=5 tenant=6",
    IT: "acme domain=5 tenant=6",
    ANN: "acme tenant=6",
    "free@globex.example": "globex",
}
START = 1_800_000_000.0


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


class Daemon:
    """The service on a folder of its own; what it says, and its restart."""

    def __init__(self, folder: Path) -> None:
        self.table = folder / "current" / "sending" / "mailboxes"
        self.table.parent.mkdir(parents=True)
        self.database, self.clock = folder / "sent.db", Clock()
        self.serial = 0
        self.write(LIMITS)
        self.restart()

    def write(self, limits: t.Mapping[str, str]) -> None:
        """Switch to a generation with these limits."""
        new = self.table.with_name("new")
        new.write_text("".join(f"{login}\t{value}\n" for login, value in sorted(limits.items())))
        new.replace(self.table)

    def restart(self) -> None:
        self.service = limit.Service(
            limit.Table(str(self.table)), limit.Counter(str(self.database)), self.clock
        )

    def ask(self, login: str, recipients: int = 1, instance: str = "") -> str:
        self.serial += 1
        return str(
            self.service.answer(
                {
                    "request": "smtpd_access_policy",
                    "protocol_state": "DATA",
                    "sasl_username": login,
                    "recipient_count": str(recipients),
                    "instance": instance or f"i.{self.serial}",
                }
            )
        ).removeprefix("action=")

    def sent(self, login: str, many: int) -> list[str]:
        """Return the first words of the answers to so many messages."""
        return [self.ask(login).split(" ")[0] for _message in range(many)]

    def report(self, login: str = "") -> dict[str, t.Any]:
        answer = self.service.answer({"request": "reseller_mail_report", "login": login})
        found: dict[str, t.Any] = json.loads(answer.removeprefix("report="))
        return found


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon(tmp_path)


def test_a_mailbox_sends_what_it_may_and_no_more_until_an_hour_after_the_first(
    daemon: Daemon,
) -> None:
    for _minute in range(3):
        assert daemon.ask(JO) == "DUNNO"
        daemon.clock.now += 60
    assert daemon.ask(JO) == (
        "450 4.7.1 Sending limit reached: jo@acme.example sent 3 messages in the last hour, 3 are"
        " allowed; try again after 2027-01-15 09:00:00 UTC, in 57 min"
    )
    daemon.clock.now = START + 3599.9
    assert daemon.sent(JO, 1) == ["450"]
    daemon.clock.now = START + 3600.1
    assert daemon.sent(JO, 2) == ["DUNNO", "450"], "one message is an hour old, the next is not"


def test_what_is_refused_does_not_count(daemon: Daemon) -> None:
    daemon.sent(JO, 100)
    daemon.clock.now += 3601
    assert daemon.sent(JO, 4) == ["DUNNO"] * 3 + ["450"]


def test_a_domain_and_a_tenant_count_all_their_mailboxes(daemon: Daemon) -> None:
    assert daemon.sent(JO, 3) == ["DUNNO"] * 3
    assert daemon.sent(IT, 3) == ["DUNNO"] * 2 + ["450"]
    assert "all mailboxes of acme.example together sent 5 messages" in daemon.ask(IT)
    assert daemon.sent(ANN, 2) == ["DUNNO", "450"]
    assert "all mailboxes of acme together sent 6 messages" in daemon.ask(ANN)
    assert daemon.sent("free@globex.example", 20) == ["DUNNO"] * 20


def test_of_several_limits_the_answer_names_the_one_that_is_free_last(daemon: Daemon) -> None:
    daemon.write({JO: "acme mailbox=1 tenant=1"})
    daemon.write({JO: "acme mailbox=1 tenant=2", ANN: "acme tenant=2"})
    assert daemon.sent(ANN, 1) == ["DUNNO"]
    daemon.clock.now += 600
    assert daemon.sent(JO, 1) == ["DUNNO"]
    assert daemon.report(JO)["again"] == START + 600 + 3600
    assert "jo@acme.example sent 1 messages" in daemon.ask(JO)


def test_too_many_recipients_are_refused_for_good_and_not_counted(daemon: Daemon) -> None:
    assert daemon.ask(JO, 5) == "DUNNO"
    assert daemon.ask(JO, 6) == (
        "550 5.5.3 Too many recipients: the message has 6, and jo@acme.example may write to 5 at"
        " once"
    )
    assert daemon.sent(JO, 3) == ["DUNNO", "DUNNO", "450"]


def test_parallel_sessions_send_exactly_what_is_allowed(daemon: Daemon) -> None:
    daemon.write({f"m{number}@acme.example": "acme domain=100" for number in range(20)})
    answers: list[str] = []

    def session(number: int) -> None:
        for message in range(20):
            answers.append(daemon.ask(f"m{number}@acme.example", instance=f"{number}.{message}"))

    threads = [threading.Thread(target=session, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 400
    assert answers.count("DUNNO") == 100
    assert {answer[:9] for answer in answers} == {"DUNNO", "450 4.7.1"}


def test_a_second_process_on_the_same_database_counts_with_the_first(daemon: Daemon) -> None:
    """The count and the new entry are one transaction."""
    other = limit.Service(
        limit.Table(str(daemon.table)), limit.Counter(str(daemon.database)), daemon.clock
    )
    first, accepted = daemon.service, 0
    for number in range(10):
        daemon.service = (first, other)[number % 2]
        accepted += daemon.ask(JO) == "DUNNO"
    assert accepted == 3


def test_counts_survive_a_restart_and_a_switch_of_the_generation(daemon: Daemon) -> None:
    assert daemon.sent(JO, 2) == ["DUNNO"] * 2
    daemon.restart()
    assert daemon.sent(JO, 2) == ["DUNNO", "450"]
    daemon.write({**LIMITS, JO: "acme mailbox=4"})
    assert daemon.sent(JO, 2) == ["DUNNO", "450"]
    daemon.write({**LIMITS, JO: "acme mailbox=2"})
    assert "sent 4 messages in the last hour, 2 are allowed" in daemon.ask(JO)
    daemon.write({**LIMITS, JO: "acme"})
    assert daemon.sent(JO, 9) == ["DUNNO"] * 9


def test_what_was_sent_without_a_limit_counts_for_one_that_is_set_later(daemon: Daemon) -> None:
    daemon.write({JO: "acme"})
    daemon.sent(JO, 3)
    daemon.write({JO: "acme mailbox=3"})
    assert daemon.sent(JO, 1) == ["450"]


def test_a_question_that_postfix_repeats_counts_once(daemon: Daemon) -> None:
    assert [daemon.ask(JO, instance="same") for _time in range(5)] == ["DUNNO"] * 5
    assert daemon.sent(JO, 3) == ["DUNNO", "DUNNO", "450"]


def test_a_login_that_the_generation_does_not_have_waits(daemon: Daemon) -> None:
    assert daemon.ask("gone@acme.example") == (
        "450 4.7.1 This host does not know the mailbox of this login"
    )
    assert daemon.ask("").startswith("450 ")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda daemon: daemon.table.unlink(),
        lambda daemon: daemon.write({JO: "acme mailbox=many"}),
        lambda daemon: daemon.table.write_text("no table\n"),
        lambda daemon: daemon.service._counter._db.execute("DROP TABLE sent"),
    ],
)
def test_nothing_is_sent_uncounted(daemon: Daemon, spoil: t.Callable[[Daemon], object]) -> None:
    spoil(daemon)
    assert daemon.ask(JO) == ("451 4.3.0 Sending limits cannot be checked now, try again later")


def test_an_older_generation_without_limits_sends_and_counts(daemon: Daemon) -> None:
    """A rollback to it must not stop all submissions."""
    daemon.table.unlink()
    daemon.table.parent.rmdir()
    assert daemon.sent(JO, 3) == ["DUNNO"] * 3
    daemon.table.parent.mkdir()
    daemon.write(LIMITS)
    assert daemon.sent(JO, 1) == ["450"]


def test_a_host_without_a_generation_sends_nothing(daemon: Daemon) -> None:
    daemon.table.unlink()
    daemon.table.parent.rmdir()
    daemon.table.parent.parent.rmdir()
    assert daemon.sent(JO, 1) == ["451"]


def test_a_clock_that_went_back_does_not_lock_a_mailbox_for_days(daemon: Daemon) -> None:
    daemon.clock.now = START + 30 * 86400
    daemon.sent(JO, 3)
    daemon.clock.now = START
    assert daemon.sent(JO, 4) == ["DUNNO"] * 3 + ["450"]


def test_a_refusal_is_logged_and_reported_with_who_and_how_much(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.sent(JO, 5)
    assert caplog.messages[-1] == (
        "login=<jo@acme.example>: reject: sending limit of mailbox jo@acme.example: used=3"
        " allowed=3 recipients=1 again=2027-01-15_09:00:00_UTC"
    )
    row = {"login": JO, "kind": "mailbox", "name": JO, "used": 3, "allowed": 3, "times": 2}
    assert daemon.report()["refused"] == [{**row, "at": START, "again": START + 3600}]
    found = daemon.report(JO)
    assert found["again"] == START + 3600
    assert [(one["kind"], one["used"], one["allowed"]) for one in found["limits"]] == [
        ("mailbox", 3, 3),
        ("domain", 3, 5),
        ("tenant", 3, 6),
    ]
    assert daemon.report(IT)["refused"] == []
    assert daemon.report(IT)["again"] is None
    daemon.clock.now += 3601
    assert daemon.report()["refused"] == []


def test_old_entries_are_deleted(daemon: Daemon) -> None:
    daemon.sent("free@globex.example", 50)
    daemon.clock.now += 3700
    daemon.sent("free@globex.example", 1)
    assert daemon.service._counter._db.execute("SELECT count(*) FROM sent").fetchone() == (1,)


def test_questions_are_read_one_by_one_and_a_long_one_ends_the_connection() -> None:
    lines = [b"a=1\n", b"b=x=y\n", b"\n", b"a=2\n", b"\n", b"rest=1\n"]
    assert list(limit.questions(lines)) == [{"a": "1", "b": "x=y"}, {"a": "2"}]
    with pytest.raises(ValueError, match="too long"):
        list(limit.questions([b"a=" + b"x" * 70000]))


def test_it_answers_on_a_listening_socket_several_questions_of_a_connection(
    daemon: Daemon, tmp_path: Path
) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    listener.listen()
    copy = socket.socket(fileno=os.dup(listener.fileno()))
    threading.Thread(target=limit.serve, args=(daemon.service, copy), daemon=True).start()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(tmp_path / "socket"))
        answers = connection.makefile("rb")
        for number in range(4):
            connection.sendall(
                f"sasl_username={JO}\nrecipient_count=1\ninstance={number}\n\n".encode()
            )
            answer = answers.readline().decode()
            assert answers.readline() == b"\n"
            assert answer.startswith("action=DUNNO" if number < 3 else "action=450 4.7.1 ")
