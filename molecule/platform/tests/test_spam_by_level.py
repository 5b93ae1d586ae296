# SPDX-License-Identifier: GPL-3.0-or-later
"""With the filter, mail is treated as the settings of each mailbox, domain, account, plan and estate
say, and as the users taught it.

The file vars/hosts.yml of the scenario says how many messages teach, and how soon a sender may try
again."""

from __future__ import annotations

import ipaddress
import random
import re
import shutil
import typing as t
import uuid
from pathlib import Path

import pytest
from client import ESTATE, Host, Message, Outside, replace_once, settings, wait_until
from conftest import NODES, STRANGER, Side
from test_generation import generation

LEVELS = ("mailbox", "domain", "account", "plan", "estate")
"""Each level blocks the address of its name in the domain of the sender, and allows its friend."""
ANY_SCORE = "0.1"
"""Every message that the filter sees has this score at least: the sender has no DKIM signature."""

LEARNS = settings()["filter_bayes_min_learns"]
REDIS = "redis-cli -s /run/redis-reseller-mail/redis.sock"
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


def friend(level: str) -> str:
    return f"{level}-friend@stranger.example"


def lists(level: str) -> str:
    """Return the lists of a level, without the braces."""
    return f"allow: [{friend(level)}], block: [{blocked(level)}]"


GREYLIST = {
    "estate": ("jo@estate-{node}-grey.example", True),
    "account": ("jo@account-{node}-grey.example", False),
    "domain": ("jo@domain-{node}-grey.example", True),
    "mailbox": ("own@domain-{node}-grey.example", False),
}
"""By the nearest level that says it: an address, and whether its mail is greylisted. Plans say that it
is not."""


def add_greylists(estate: Path, node: str) -> None:
    """Add tenants of a plan without settings. Each of them says the opposite of what is above it."""
    tenants = {
        "estate": ("", {f"estate-{node}-grey.example": "mailboxes: [{name: jo}]\n"}),
        "account": (
            "defaults: {spam: {greylist: never}}\n",
            {
                f"account-{node}-grey.example": "mailboxes: [{name: jo}]\n",
                f"domain-{node}-grey.example": f"spam: {{greylist: {ANY_SCORE}}}\nmailboxes:\n"
                "  - {name: jo}\n  - {name: own, spam: {greylist: never}}\n",
            },
        ),
    }
    for tenant, (more, domains) in tenants.items():
        folder = estate / f"tenants/{tenant}-{node}-grey"
        folder.mkdir()
        owner = f"jo@{tenant}-{node}-grey.example"
        (folder / "account.yml").write_text(
            f"organisation: Grey\nplan: grey\nstate: active\nplacement: {node}\n"
            f"default_owner: {owner}\nadmins: [{{address: {owner}}}]\n"
            f"intake: {{expected_mailboxes: 1, dns_contact: {owner}, clients: local, smime: false}}\n"
            f"domains: [{', '.join(domains)}]\n{more}",
            encoding="utf-8",
        )
        for domain, text in domains.items():
            (folder / f"{domain}.yml").write_text(text, encoding="utf-8")


def estate_with(folder: Path, allowed: str = "status.hosting.example") -> Path:
    """Return a copy of the scenario's estate in which every level has settings.

    All mail is spam for the first user of each node, unless it is from a friend. The small mailbox
    refuses all mail.
    """
    estate = folder / "estate"
    shutil.copytree(ESTATE, estate)

    def change(path: str, old: str, new: str) -> None:
        replace_once(estate / path, old, new)

    plan = f"    defaults: {{spam: {{greylist: never, {lists('plan')}}}}}\n"
    change("plans.yml", "features: [catch_all,", "features: [spam_lists, spam_scores, catch_all,")
    change("plans.yml", "features: []\n", f"features: [spam_lists, spam_scores]\n{plan}")
    change("plans.yml", "    addons: [archive]\n", f"    addons: [archive]\n{plan}")
    with (estate / "plans.yml").open("a", encoding="utf-8") as plans:
        plans.write(
            "  - {name: grey, limits: {}, features: [spam_scores], mailbox_quota: {default: 1G}}\n"
        )
    change("estate.yml", "greylist: never", f"greylist: {ANY_SCORE}")
    change(
        "estate.yml", "allow: [status.hosting.example]", f"allow: [{allowed}, {friend('estate')}]"
    )
    change("estate.yml", "block: [203.0.113.0/24]", f"block: [{blocked('estate')}]")
    own = f"spam: {{junk: {ANY_SCORE}, {lists('mailbox')}}}"
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
        change(file, "mailboxes:\n", f"spam: {{junk: 12, {lists('domain')}}}\nmailboxes:\n")
        account = estate / f"tenants/{tenant}/account.yml"
        account.write_text(
            account.read_text(encoding="utf-8") + f"defaults: {{spam: {{{lists('account')}}}}}\n",
            encoding="utf-8",
        )
    for node in NODES:
        add_greylists(estate, node)
    return estate


@pytest.fixture(scope="module", autouse=True)
def levels(tmp_path_factory: pytest.TempPathFactory, nodes: dict[str, Host]) -> t.Iterator[None]:
    """Every level has settings. Afterwards what was learned is forgotten."""
    run = generation(estate_with(tmp_path_factory.mktemp("levels")))
    try:
        assert run.rc == 0, run.output
        yield
    finally:
        run = generation(ESTATE, "--extra-vars=mail_deletions_accepted=12")
        for node in nodes.values():
            node.run(f"{REDIS} flushall")
    assert run.rc == 0, run.output


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


@pytest.mark.parametrize("level", LEVELS)
def test_a_list_of_a_level_allows_for_what_is_below_the_level(
    outside: Outside, node: Host, side: Side, level: str
) -> None:
    boxes = (side.user.name, side.small.name)
    token, (code, text) = answer(outside, side, friend(level), *boxes)
    assert code == 250, text
    small = "Junk" if level == "mailbox" else "INBOX"
    assert [folder(node, box, token) for box in boxes] == ["INBOX", small]
    _token, (code, text) = answer(outside, side, friend(level), side.small.name)
    assert code == (554 if level == "mailbox" else 250), text


def test_greylisting_is_what_the_nearest_level_says_and_ends_with_the_next_attempt(
    outside: Outside, node: Host, side: Side
) -> None:
    """Each message has words of its own: rspamd also remembers contents."""

    def attempt(one: Message, to: list[str], sender: str = STRANGER) -> tuple[int, str]:
        return tuple(outside.send(side.host, 25, sender, to, one)["data"])

    for level, (pattern, delayed) in GREYLIST.items():
        box = pattern.format(node=side.node)
        one = message(HAM, box, uuid.uuid4().hex)
        code, text = attempt(one, [box])
        assert (level, code) == (level, 451 if delayed else 250), text
        if delayed:
            assert "Greylisted, try again later" in text
            allowed = message(HAM, box, uuid.uuid4().hex)
            assert attempt(allowed, [box], friend("estate"))[0] == 250, "it need not wait"
            assert wait_until(lambda box=box, one=one: attempt(one, [box])[0] == 250, 30), level
        assert folder(node, box, one.token) == "INBOX"
    both = [GREYLIST[level][0].format(node=side.node) for level in ("domain", "mailbox")]
    code, text = attempt(message(HAM, both[0], uuid.uuid4().hex), both)
    assert code == 250, "a message is delayed only if all its recipients want it"


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
    node.run("systemctl restart redis-server@reseller-mail rspamd")
    assert "BAYES_SPAM" in symbols(outside, node, side, SPAM, colleague), "it survives"
    assert "BAYES_HAM" in symbols(outside, node, side, HAM, colleague), "it survives"
