# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a greeting is its host's own. Postfix's side of it is proved on real hosts."""

from __future__ import annotations

import re
import socket
import subprocess
import sys

import pytest
from ansible_collections.reseller.mail.tests.unit.support.programs import program

helo = program("postfix/files/helo.py")
DNS = {
    "acme.example": frozenset({"192.0.2.7", "2001:db8::7"}),
    "mx1.hosting.example": frozenset({"192.0.2.1"}),
}


def addresses(name: str) -> frozenset[str]:
    if name == "silent.example":
        raise helo.TemporaryFailure
    return DNS.get(name, frozenset())


@pytest.mark.parametrize(
    ("greeting", "client", "answer"),
    [
        ("acme.example", "192.0.2.7", "DUNNO"),
        ("ACME.example", "2001:db8::7", "DUNNO"),
        ("acme.example.", "192.0.2.7", "DUNNO"),
        ("acme.example", "192.0.2.8", "550"),
        ("mx1.hosting.example", "192.0.2.7", "550"),
        ("globex.example", "192.0.2.7", "550"),
        ("[192.0.2.1]", "192.0.2.7", "550"),
        ("silent.example", "192.0.2.7", "450"),
        ("", "192.0.2.7", "550"),
    ],
)
def test_a_host_greets_with_a_name_that_leads_to_it(
    greeting: str, client: str, answer: str
) -> None:
    assert helo.judge(greeting, client, addresses).split()[0] == answer


def test_each_question_of_a_connection_is_answered_by_itself() -> None:
    asked = "request=smtpd_access_policy\nhelo_name=acme.example\nclient_address={}\n\n"
    lines = (asked.format("192.0.2.7") + asked.format("192.0.2.8")).splitlines(keepends=True)
    answers = list(helo.serve(lines, addresses))
    assert answers[0] == "action=DUNNO\n\n"
    assert re.fullmatch(r"action=550 5\.7\.1 [ -~]+\n\n", answers[1])
    assert len(answers) == 2


def test_dns_says_no_name_or_nothing_now(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(code: int) -> None:
        def resolve(*_arguments: object, **_options: object) -> None:
            raise socket.gaierror(code, "no")

        monkeypatch.setattr(socket, "getaddrinfo", resolve)

    fail(socket.EAI_NONAME)
    assert helo.addresses_of("acme.example") == frozenset()
    fail(socket.EAI_AGAIN)
    with pytest.raises(helo.TemporaryFailure):
        helo.addresses_of("acme.example")


def test_the_program_answers_on_its_standard_output() -> None:
    asked = "request=x\nhelo_name=[192.0.2.1]\nclient_address=192.0.2.7\n\n"
    done = subprocess.run(
        [sys.executable, "-I", helo.__file__],
        input=asked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("action=550 5.7.1 ")
    assert done.stdout.endswith("\n\n")
