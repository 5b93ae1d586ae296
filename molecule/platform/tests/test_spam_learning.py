# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user moves into Junk or out of it changes how the filter treats such mail in the domain."""

from __future__ import annotations

import random
import re
import typing as t
import uuid

import pytest
from client import Host, Message, Outside, site, wait_until
from conftest import STRANGER, Side

LEARNS = 5
SPAM = [
    "casino",
    "jackpot",
    "bonus",
    "winner",
    "pills",
    "cheap",
    "loan",
    "credit",
    "lottery",
    "prize",
    "replica",
    "watches",
    "urgent",
]
HAM = [
    "meeting",
    "agenda",
    "minutes",
    "project",
    "invoice",
    "schedule",
    "colleague",
    "report",
    "garden",
    "holiday",
    "train",
]


@pytest.fixture(scope="module", autouse=True)
def few_learns() -> t.Iterator[None]:
    """The filter uses what it learned after few messages."""
    run = site("--tags", "filter", variables={"filter_bayes_min_learns": str(LEARNS)})
    assert run.rc == 0, run.output
    yield
    assert site("--tags", "filter").rc == 0


def message(words: t.Sequence[str], to: str, token: str) -> Message:
    chosen = random.Random(token).choices(words, k=60)
    made = Message.new(STRANGER, to)
    text = re.sub("X-Token: .*", f"X-Token: {token}\r", made.text).replace(
        "Hello.", " ".join(chosen)
    )
    return Message(token, text)


def symbols(outside: Outside, node: Host, side: Side, words: t.Sequence[str], to: str) -> str:
    """Send a message from outside; return what its field X-Spam-Status has about its symbols."""
    one = message(words, to, uuid.uuid4().hex)
    assert outside.send(side.host, 25, STRANGER, [to], one)["data"][0] == 250
    command = f"doveadm -f flow fetch -u {to} hdr.x-spam-status header X-Token {one.token}"
    return t.cast(str, wait_until(lambda: node.output(command), 20))


def test_moving_mail_teaches_both_ways_and_for_the_domain_only(
    outside: Outside, node: Host, side: Side
) -> None:
    user, password = side.user.name, side.user.password
    prefix = uuid.uuid4().hex
    for kind, words in (("s", SPAM), ("h", HAM)):
        for number in range(LEARNS + 2):
            one = message(words, user, f"{prefix}-{kind}{number}")
            node.run(f"sendmail -i -f {STRANGER} {user}", stdin=one.text.replace("\r", ""))
    count = f"doveadm -f tab fetch -u {user} uid mailbox INBOX header X-Token {prefix} | wc -l"
    assert wait_until(lambda: node.output(count) == str(2 * (LEARNS + 2) + 1), 30)
    copy = {"host": side.host, "user": user, "password": password}
    assert (
        outside.call("imap_copy", **copy, source="INBOX", target="Junk", prefix=f"{prefix}-s")
        == "OK"
    )
    # Ham is learned when it leaves Junk. To get there it was learned as spam, which counts no more.
    assert (
        outside.call("imap_copy", **copy, source="INBOX", target="Junk", prefix=f"{prefix}-h")
        == "OK"
    )
    assert (
        outside.call("imap_copy", **copy, source="Junk", target="INBOX", prefix=f"{prefix}-h")
        == "OK"
    )
    colleague = side.colleague.name
    assert "BAYES_SPAM" in symbols(outside, node, side, SPAM, colleague)
    assert "BAYES_HAM" in symbols(outside, node, side, HAM, colleague)
    other_domain = side.catch_all_to.name
    assert "BAYES" not in symbols(outside, node, side, SPAM, other_domain)
