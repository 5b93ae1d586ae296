# SPDX-License-Identifier: GPL-3.0-or-later
"""With the filter, mail is treated as the settings of each mailbox, domain, account, plan and estate
say, and as the users taught it.

The filter is off by default. It is on for these tests only."""

from __future__ import annotations

import ipaddress
import random
import re
import shutil
import typing as t
import uuid
from pathlib import Path

import pytest
from client import ESTATE, Host, Message, Outside, replace_once, site, wait_until
from conftest import STRANGER, Side
from test_generation import generation

LEVELS = ("mailbox", "domain", "account", "plan", "estate")
"""Each level blocks the address of its name in the domain of the sender."""
FRIEND = "friend@stranger.example"
ANY_SCORE = "0.1"
"""Every message that the filter sees has this score at least: the sender has no DKIM signature."""


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


def blocked(level: str) -> str:
    return f"{level}@stranger.example"


def estate_with(folder: Path, allowed: str = "status.hosting.example") -> Path:
    """Return a copy of the scenario's estate in which every level has settings.

    All mail is spam for the first user of each node, unless it is from a friend. The small mailbox
    refuses all mail.
    """
    estate = folder / "estate"
    shutil.copytree(ESTATE, estate)

    def change(path: str, old: str, new: str) -> None:
        replace_once(estate / path, old, new)

    plan = f"    defaults: {{spam: {{block: [{blocked('plan')}]}}}}\n"
    change("plans.yml", "features: [catch_all,", "features: [spam_lists, spam_scores, catch_all,")
    change("plans.yml", "features: []\n", f"features: [spam_lists, spam_scores]\n{plan}")
    change("plans.yml", "    addons: [archive]\n", f"    addons: [archive]\n{plan}")
    change("estate.yml", "allow: [status.hosting.example]", f"allow: [{allowed}]")
    change("estate.yml", "block: [203.0.113.0/24]", f"block: [{blocked('estate')}]")
    own = f"spam: {{junk: {ANY_SCORE}, allow: [{FRIEND}], block: [{blocked('mailbox')}]}}"
    for tenant, domain, name in (
        ("acme", "acme.example", "Jo Doe"),
        ("globex", "globex.example", "Ann Smith"),
    ):
        file = f"tenants/{tenant}/{domain}.yml"
        change(file, f"display_name: {name}\n", f"display_name: {name}\n    {own}\n")
        change(
            file,
            "    quota: 1M\n",
            f"    quota: 1M\n    spam: {{junk: {ANY_SCORE}, reject: {ANY_SCORE}}}\n",
        )
        change(
            file, "mailboxes:\n", f"spam: {{junk: 12, block: [{blocked('domain')}]}}\nmailboxes:\n"
        )
        account = estate / f"tenants/{tenant}/account.yml"
        account.write_text(
            account.read_text(encoding="utf-8")
            + f"defaults: {{spam: {{block: [{blocked('account')}]}}}}\n",
            encoding="utf-8",
        )
    return estate


def apply(**variables: t.Any) -> None:
    """Apply the roles that know the filter, with these variables, to both nodes."""
    done = site("--tags", "opendkim,filter,postfix,dovecot", variables=variables)
    assert done.rc == 0, done.output


@pytest.fixture(scope="module", autouse=True)
def filtering(tmp_path_factory: pytest.TempPathFactory, nodes: dict[str, Host]) -> t.Iterator[None]:
    """The filter is on and needs few messages to learn. Afterwards it is off again."""
    before = {name: node.output("doveconf -n") for name, node in nodes.items()}
    apply(mail_filter=True, filter_bayes_min_learns=LEARNS)
    try:
        run = generation(estate_with(tmp_path_factory.mktemp("levels")))
        assert run.rc == 0, run.output
        yield
    finally:
        assert generation().rc == 0
        apply()
    for name, node in nodes.items():
        assert node.output("doveconf -n") == before[name], "no mail trains the filter any more"


def answer(outside: Outside, side: Side, sender: str, *to: str) -> tuple[str, tuple[int, str]]:
    """Send a message from outside; return its token and the answer at its end."""
    message = Message.new(sender, to[0])
    sent = outside.send(side.host, 25, sender, list(to), message)
    assert {code for code, _text in sent["rcpt"].values()} == {250}, sent
    return message.token, tuple(sent["data"])


def folder(node: Host, box: str, token: str) -> str:
    """Return the folder of a mailbox that got the message."""
    command = f"doveadm -f tab fetch -u {box} mailbox header X-Token {token}"
    (found,) = wait_until(lambda: node.output(command).splitlines()[1:], 20)
    return found


def test_one_message_goes_where_the_score_of_each_mailbox_sends_it(
    outside: Outside, node: Host, side: Side
) -> None:
    boxes = (side.user.name, side.colleague.name, side.small.name)
    token, (code, text) = answer(outside, side, STRANGER, *boxes)
    assert code == 250, text
    assert [folder(node, box, token) for box in boxes] == ["Junk", "INBOX", "Junk"]


def test_a_message_that_every_recipient_refuses_is_refused(outside: Outside, side: Side) -> None:
    _token, (code, text) = answer(outside, side, STRANGER, side.small.name)
    assert code == 554, text


def test_a_role_address_is_reached_by_what_all_mailboxes_refuse(
    outside: Outside, side: Side
) -> None:
    _token, (code, text) = answer(
        outside, side, blocked("estate"), f"postmaster@{side.user.domain}"
    )
    assert code == 250, text


@pytest.mark.parametrize("level", LEVELS)
def test_a_list_of_a_level_blocks_for_what_is_below_the_level(
    outside: Outside, node: Host, side: Side, level: str
) -> None:
    _token, (code, text) = answer(outside, side, blocked(level), side.user.name)
    assert code == 554, text
    token, (code, text) = answer(outside, side, blocked(level), side.colleague.name)
    if level == "mailbox":
        assert (code, folder(node, side.colleague.name, token)) == (250, "INBOX"), text
    else:
        assert code == 554, text


def test_what_one_of_two_recipients_blocks_is_spam_for_this_one(
    outside: Outside, node: Host, side: Side
) -> None:
    boxes = (side.user.name, side.colleague.name)
    token, (code, text) = answer(outside, side, blocked("mailbox"), *boxes)
    assert code == 250, text
    assert [folder(node, box, token) for box in boxes] == ["Junk", "INBOX"]


def test_a_friend_is_no_spam(outside: Outside, node: Host, side: Side) -> None:
    boxes = (side.user.name, side.small.name)
    token, (code, text) = answer(outside, side, FRIEND, *boxes)
    assert code == 250, text
    assert [folder(node, box, token) for box in boxes] == ["INBOX", "Junk"]


def test_a_network_of_the_provider_counts_at_once_and_restarts_nothing(
    tmp_path: Path, outside: Outside, nodes: dict[str, Host], sides: dict[str, Side]
) -> None:
    def started() -> dict[str, str]:
        command = "systemctl show rspamd dovecot --property ActiveEnterTimestampMonotonic,MainPID"
        return {name: node.output(command) for name, node in nodes.items()}

    before = started()
    # It may connect by IPv4 or IPv6.
    found = outside.output("ip -o addr show scope global | awk '{print $4}'").split()
    networks = [str(ipaddress.ip_interface(one).network) for one in found]
    run = generation(estate_with(tmp_path, ", ".join(f"'{one}'" for one in networks)))
    assert run.rc == 0, run.output
    assert started() == before
    for name, side in sides.items():
        token, (code, text) = answer(outside, side, STRANGER, side.small.name)
        assert code == 250, text
        assert folder(nodes[name], side.small.name, token) == "INBOX"


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
