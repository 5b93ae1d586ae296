# SPDX-License-Identifier: GPL-3.0-or-later
"""What it means that a node refuses, files or takes the two test messages."""

from __future__ import annotations

import smtplib
import typing as t

import dns.rdata
import pytest
from ansible_collections.reseller.mail.plugins.plugin_utils._verify import round_trip, spam
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.connect import Connector
from ansible_collections.reseller.mail.plugins.plugin_utils._verify.mail import (
    Arrived,
    Mail,
    Probe,
)
from ansible_collections.reseller.mail.tests.unit.support import estates

JO = Probe("jo@acme.example", "secret", "acme.example", "mx1.hosting.example")
ESTATE = estates.estate(estates.tenant("acme"), nodes=(estates.MX1,))
REFUSED = smtplib.SMTPDataError(554, b"5.7.1 Gtube pattern")
DEFAULTS = spam.Filter()
REJECT = "v=DMARC1; p=reject; sp=none"


class Network:
    """A connector for one node that treats all messages in one way."""

    context = None

    def __init__(self, policy: str, answer: Exception | None, mine: str = "192.0.2.99") -> None:
        self.policy, self.answer, self.mine = policy, answer, mine
        self.sent: list[bytes] = []

    def records(self, name: str, rdtype: str) -> list[dns.rdata.Rdata]:
        assert (name, rdtype) == ("_dmarc.hosting.example", "TXT")
        return [dns.rdata.from_text("IN", "TXT", f'"{self.policy}"')] if self.policy else []


class Server:
    """What ``Smtp`` is for the check."""

    def __init__(self, network: Network, host: str, port: int) -> None:
        assert (host, port) == ("mx1.hosting.example", 25)
        self.network, self.sock = network, self

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def getsockname(self) -> tuple[str, int]:
        return self.network.mine, 12345

    def starttls(self, context: object) -> None:
        pass

    def sendmail(self, sender: str, recipients: list[str], text: bytes) -> None:
        assert (sender, recipients) == ("", [JO.address])
        self.network.sent.append(text)
        if self.network.answer:
            raise self.network.answer


def states(
    monkeypatch: pytest.MonkeyPatch,
    answer: Exception | None = REFUSED,
    *,
    policy: str = REJECT,
    folder: str = "",
    settings: spam.Filter = DEFAULTS,
    probes: t.Sequence[Probe] = (JO,),
    mine: str = "192.0.2.99",
) -> dict[str, tuple[str, str]]:
    """Return state and text of both findings."""

    def collect(
        _connector: Connector, probe: Probe, expected: t.Sequence[Mail], *_times: float
    ) -> tuple[dict[tuple[str, str], Arrived], str]:
        arrived = {(probe.address, one.message_id): Arrived(folder, 1) for one in expected}
        return (arrived if folder else {}), ""

    monkeypatch.setattr(spam, "Smtp", Server)
    monkeypatch.setattr(round_trip, "collect", collect)
    network = Network(policy, answer, mine)
    connector = t.cast(Connector, network)
    found = spam.findings(connector, ESTATE, probes, {"mx1": settings}, "t", 30)
    assert {one.subject for one in found} == {"mx1.hosting.example"}
    for text in network.sent:
        assert text.startswith(b"Date: ")
        assert (spam.GTUBE.encode() in text) != (b"From: verify@hosting.example" in text)
    return {one.id: (one.state, one.found) for one in found}


def test_what_is_refused_or_in_junk_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ("ok", "refused: 554 5.7.1 Gtube pattern")
    assert states(monkeypatch) == {"mail.spam": refused, "mail.forged": refused}
    junk = ("ok", "in Junk")
    assert states(monkeypatch, None, folder="Junk") == {"mail.spam": junk, "mail.forged": junk}


@pytest.mark.parametrize(
    ("answer", "folder", "found"),
    [
        (None, "INBOX", "accepted, and in the inbox of jo@acme.example"),
        (None, "", "accepted, and not found within 30 s"),
        (smtplib.SMTPDataError(451, b"4.7.1 later"), "", "451 4.7.1 later"),
        (OSError("timed out"), "", "timed out"),
    ],
)
def test_what_is_taken_for_clean_or_deferred_fails(
    monkeypatch: pytest.MonkeyPatch, answer: Exception | None, folder: str, found: str
) -> None:
    failed = ("fail", found)
    assert states(monkeypatch, answer, folder=folder) == {
        "mail.spam": failed,
        "mail.forged": failed,
    }


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"settings": spam.Filter(False)}, "the filter is off here (mail_filter: false)"),
        ({"probes": ()}, "no password of a mailbox here is known"),
        ({"mine": "192.0.2.1"}, "the controller is a node"),
        ({"mine": "127.0.0.1"}, "the controller is a node"),
    ],
)
def test_a_node_that_cannot_be_asked_is_told_why(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, t.Any], found: str
) -> None:
    for state, text in states(monkeypatch, None, folder="INBOX", **changes).values():
        assert (state, text.startswith(found)) == ("na", True), text


@pytest.mark.parametrize("policy", ["", "v=DMARC1; p=none; sp=reject", "p=reject"])
def test_without_a_policy_in_dns_nothing_is_forged(
    monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    found = states(monkeypatch, policy=policy)
    assert (found["mail.spam"][0], found["mail.forged"][0]) == ("ok", "blocked")


def test_a_filter_that_only_notes_forged_senders_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = states(monkeypatch, settings=spam.Filter(True, "annotate"))
    assert (found["mail.spam"][0], found["mail.forged"][0]) == ("ok", "na")
