# SPDX-License-Identifier: GPL-3.0-or-later
"""Why tells the way of each message in plain words: on one node and across both, refused, filed as
spam, greylisted and then accepted."""

from __future__ import annotations

import json
import re
import shutil
import time
import typing as t
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import client
import pytest
from client import ESTATE, Host, Message, Outside, replace_once, wait_until
from conftest import NODES, STRANGER, Side
from test_delivery import submit
from test_diagnose import diagnose
from test_filter import GTUBE
from test_generation import generation

FRIEND, BLOCKED = "friend@stranger.example", "blocked@stranger.example"
ANY_SCORE = "0.1"
"""Every message from outside has this score at least: it has no DKIM signature."""
DELAY = 2
"""Seconds after which a greylisted message may come again."""
SETTINGS = "/etc/rspamd/rspamd.conf.override"
HOSTILE = "1>: stored mail into mailbox 'X'"


@dataclass(frozen=True)
class Told:
    """What why showed of one message, and its report."""

    output: str
    report: dict[str, t.Any]

    def texts(self, kind: str, node: str = "") -> list[str]:
        """Return the steps of a kind in words, each with its details."""
        return [
            "; ".join((step["text"], *step["details"]))
            for step in self.report["steps"]
            if step["kind"] == kind and node in ("", step["node"])
        ]

    @property
    def kinds(self) -> list[str]:
        return [step["kind"] for step in self.report["steps"]]


def why(message: str, folder: Path, **variables: str) -> client.Run:
    given = {"why_message_id": message, "why_report_dir": str(folder), "why_since": "-1h"}
    return client.ansible(
        "ansible-playbook",
        "reseller.mail.why",
        "--extra-vars",
        json.dumps(given | variables),
        environment={"COLUMNS": "1000"},
    )


def estate_with(folder: Path) -> Path:
    """Return a copy of the scenario's estate with settings for three mailboxes of each node.

    For the user all mail is spam but a friend's. The colleague blocks a sender. The small mailbox
    greylists all mail.
    """
    estate = folder / "estate"
    shutil.copytree(ESTATE, estate)

    def change(path: str, old: str, new: str) -> None:
        replace_once(estate / path, old, new)

    change("plans.yml", "features: [catch_all,", "features: [spam_lists, spam_scores, catch_all,")
    change("plans.yml", "features: []\n", "features: [spam_lists, spam_scores]\n")
    for file, user, colleague in (
        ("acme/acme.example.yml", "display_name: Jo Doe\n", "display_name: Acme IT\n"),
        ("globex/globex.example.yml", "display_name: Ann Smith\n", "quota: 3G\n"),
    ):
        path = f"tenants/{file}"
        change(path, user, f"{user}    spam: {{junk: {ANY_SCORE}, allow: [{FRIEND}]}}\n")
        change(path, colleague, f"{colleague}    spam: {{block: [{BLOCKED}]}}\n")
        change(path, "quota: 1M\n", f"quota: 1M\n    spam: {{greylist: {ANY_SCORE}}}\n")
    return estate


@pytest.fixture(scope="module", autouse=True)
def settings(tmp_path_factory: pytest.TempPathFactory, nodes: dict[str, Host]) -> t.Iterator[None]:
    for node in nodes.values():
        node.run(
            f"cp -a {SETTINGS} /run/settings && sed -i 's/timeout = [0-9]*s/timeout = {DELAY}s/'"
            f" {SETTINGS} && systemctl restart rspamd"
        )
    try:
        run = generation(estate_with(tmp_path_factory.mktemp("why")))
        assert run.rc == 0, run.output
        yield
    finally:
        for node in nodes.values():
            node.run(f"cp -a /run/settings {SETTINGS} && systemctl restart rspamd")
        assert generation().rc == 0


def hand_in(
    outside: Outside, side: Side, sender: str, to: t.Sequence[str], text: str = "", mid: str = ""
) -> tuple[str, tuple[int, str]]:
    """Send a message from outside; return its Message-ID and the answer at its end."""
    message = Message.new(sender, to[0])
    mid = mid or f"{message.token}@test.invalid"
    body = message.text.replace(f"<{message.token}@test.invalid>", f"<{mid}>") + text
    answers = outside.send(side.host, 25, sender, list(to), Message(message.token, body))
    assert {code for code, _text in answers["rcpt"].values()} == {250}, answers
    return mid, tuple(answers["data"])


class Sent(t.NamedTuple):
    """The Message-ID of a message, and the answer to it."""

    mid: str
    answer: tuple[int, str]


def send_all(outside: Outside, side: Side, sides: dict[str, Side]) -> dict[str, Sent]:
    """Send one message for each case from outside to a node."""
    colleague, user = side.colleague.name, side.user.name
    (other,) = (one for name, one in sides.items() if name != side.node)
    found = {
        "gtube": hand_in(outside, side, STRANGER, [colleague], text=f"{GTUBE}\r\n"),
        "blocked": hand_in(outside, side, BLOCKED, [colleague]),
        "friend": hand_in(outside, side, FRIEND, [colleague, other.user.name]),
        "blocked_there": hand_in(outside, side, BLOCKED, [user, other.colleague.name]),
        "hostile": hand_in(
            outside, side, STRANGER, [colleague], mid=f"{side.node}.{time.time()}@{HOSTILE}"
        ),
    }
    # A sender and a content that were greylisted once are known for a day.
    token = uuid.uuid4().hex
    new = {"sender": f"{token}@stranger.example", "text": f"{token}\r\n"}
    mid, first = hand_in(outside, side, to=[side.small.name], **new)
    assert first[0] == 451, first
    time.sleep(DELAY + 1)
    found["greylisted"] = hand_in(outside, side, to=[side.small.name], mid=mid, **new)
    message = submit(outside, side.user, other.colleague.name)
    found["submitted"] = (f"{message.token}@test.invalid", (250, ""))
    return {name: Sent(*one) for name, one in found.items()}


@pytest.fixture(scope="module")
def sent(
    outside: Outside, nodes: dict[str, Host], sides: dict[str, Side], settings: None
) -> dict[tuple[str, str], Sent]:
    """The messages by node and case. All that were accepted have been delivered."""
    found = {
        (name, case): one
        for name in NODES
        for case, one in send_all(outside, sides[name], sides).items()
    }
    for node in nodes.values():
        assert wait_until(lambda node=node: node.output("postqueue -j") == "", 30)
    return found


@pytest.fixture(scope="module")
def told(
    sent: dict[tuple[str, str], Sent], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Told]:
    """What why tells of each message."""

    def ask(key: tuple[str, str]) -> Told:
        folder = tmp_path_factory.mktemp("-".join(key))
        run = why(sent[key].mid, folder)
        assert run.rc == 0, run.output
        report = (folder / "report.json").read_text(encoding="utf-8")
        return Told(run.output, json.loads(report))

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(sent, pool.map(ask, sent), strict=True))


def test_a_clean_message_is_followed_from_its_sender_into_the_inbox(
    told: dict[tuple[str, str], Told], side: Side
) -> None:
    way = told[side.node, "friend"]
    box = side.colleague.name
    (received,) = way.texts("received", side.node)
    assert re.match(r"received from \S+ \[[0-9a-f.:]+\], TLSv1\.3 \(\S+\), no login", received)
    (filtered,) = way.texts("filtered", side.node)
    assert re.search(r"filtered: score \d.*; SPF: pass .*; DKIM: no signature; DMARC: ", filtered)
    assert re.search(r"\+\d\.\d [A-Z_]+ [A-Z]\w+ ", filtered), "weights with what they mean"
    (decided,) = (text for text in way.texts("settings") if text.startswith(f"{box}: score "))
    assert "Junk from 6.0, refused from 15.0, greylisted from never" in decided
    assert f"from <{FRIEND}>" in way.texts("queued")[0]
    assert f"{box}: in the folder INBOX" in way.output


def test_a_message_that_never_reached_a_queue_is_told_with_the_answer(
    told: dict[tuple[str, str], Told], sent: dict[tuple[str, str], Sent], side: Side
) -> None:
    assert sent[side.node, "gtube"].answer == (554, "5.7.1 Gtube pattern")
    way = told[side.node, "gtube"]
    assert way.texts("refused") == ["refused after its content was received: 5.7.1 Gtube pattern"]
    assert "reject, whatever the score: Gtube pattern" in way.texts("filtered")[0]
    assert way.report["outcomes"] == {side.colleague.name: "refused: 5.7.1 Gtube pattern"}


def test_a_message_in_junk_is_told_with_the_score_that_counts(
    told: dict[tuple[str, str], Told], side: Side
) -> None:
    way = told[side.node, "blocked_there"]
    (decided,) = (text for text in way.texts("settings") if text.startswith(side.user.name))
    assert f"Junk from {ANY_SCORE}," in decided
    assert "into Junk, because of its score" in decided
    assert way.report["outcomes"][side.user.name] == "in the folder Junk"


def test_a_blocked_sender_is_told_with_the_list(
    told: dict[tuple[str, str], Told], sent: dict[tuple[str, str], Sent], side: Side
) -> None:
    assert sent[side.node, "blocked"].answer[0] == 554
    way = told[side.node, "blocked"]
    box = side.colleague.name
    assert f"a list of the mailbox {box} blocks {BLOCKED}" in way.texts("settings")[0]
    assert "does not accept mail from this sender" in way.report["outcomes"][box]


def test_greylisting_is_told_and_then_the_delivery(
    told: dict[tuple[str, str], Told], side: Side
) -> None:
    way = told[side.node, "greylisted"]
    kinds = [kind for kind in way.kinds if kind in ("delayed", "stored")]
    assert kinds == ["delayed", "stored"]
    assert "greylisted after its content was received" in way.texts("delayed")[0]
    assert f"greylisted from {ANY_SCORE};" in way.texts("settings")[0]
    assert way.report["outcomes"] == {side.small.name: "in the folder INBOX"}


def test_lists_of_a_mailbox_on_the_other_node_count_and_are_told(
    told: dict[tuple[str, str], Told], side: Side, sides: dict[str, Side]
) -> None:
    """Otherwise the friend's mail would be in Junk there, for its score, and the blocked sender's in
    the inbox."""
    (other,) = (one for name, one in sides.items() if name != side.node)
    friend, blocked = told[side.node, "friend"], told[side.node, "blocked_there"]
    assert friend.report["outcomes"] == {
        side.colleague.name: "in the folder INBOX",
        other.user.name: "in the folder INBOX",
    }
    assert blocked.report["outcomes"] == {
        side.user.name: "in the folder Junk",
        other.colleague.name: "in the folder Junk",
    }
    (over,) = friend.texts("handed_over", side.node)
    assert f"{other.user.name}: handed over to {other.host}" in over
    assert (
        "not filtered: it comes from this host or from a node"
        in friend.texts("filtered", other.node)[0]
    )
    assert friend.texts("stored", other.node) == [f"{other.user.name}: stored in the folder INBOX"]


def test_no_user_sees_what_lists_say_of_others(
    outside: Outside, sent: dict[tuple[str, str], Sent], side: Side, sides: dict[str, Side]
) -> None:
    (other,) = (one for name, one in sides.items() if name != side.node)
    token = sent[side.node, "friend"].mid.partition("@")[0]
    user = other.user
    (raw,) = outside.fetch(user.host, user.name, user.password, token)
    assert b"X-Spam-Tenths" in raw
    assert b"x-spam-allow" not in raw.lower()


def test_a_users_own_message_is_told_with_its_login(
    told: dict[tuple[str, str], Told], side: Side
) -> None:
    way = told[side.node, "submitted"]
    assert f"logged in as {side.user.name} at port 587" in way.texts("received", side.node)[0]
    assert any(f"for {side.user.domain}," in text for text in way.texts("signed"))


def test_a_message_id_that_imitates_the_log_changes_nothing(
    told: dict[tuple[str, str], Told], side: Side
) -> None:
    assert told[side.node, "hostile"].report["outcomes"] == {
        side.colleague.name: "in the folder INBOX"
    }


def test_a_queue_id_leads_to_the_whole_way(
    sent: dict[tuple[str, str], Sent], told: dict[tuple[str, str], Told], tmp_path: Path
) -> None:
    """The other node knows the message by its Message-ID only."""
    way = told["mx1", "friend"]
    (queue,) = {
        step["queue"] for step in way.report["steps"] if step["node"] == "mx1" and step["queue"]
    }
    run = why(queue, tmp_path)
    assert run.rc == 0, run.output
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["message_ids"] == [sent["mx1", "friend"].mid]
    assert report["steps"] == way.report["steps"]


def test_a_script_that_fails_is_told_and_the_message_is_in_the_inbox(
    outside: Outside, side: Side, node: Host, tmp_path: Path
) -> None:
    box = side.colleague.name
    node.run(
        f"doveadm sieve put -u {box} -a broken",
        stdin='require "fileinto";\nfileinto "no such folder";\n',
    )
    try:
        mid, _answer = hand_in(outside, side, STRANGER, [box])
        search = f"doveadm -f tab fetch -u {box} mailbox header Message-ID {mid}"
        assert wait_until(lambda: node.output(search).splitlines()[1:] == ["INBOX"], 30)
    finally:
        node.run(f"doveadm sieve deactivate -u {box}; doveadm sieve delete -u {box} broken")
    run = why(mid, tmp_path)
    assert run.rc == 0, run.output
    assert re.search(rf"{re.escape(box)}: Execution of script \S+ failed", run.output)
    assert f"\n{box}: in the folder INBOX" in run.output
    _cause, story = diagnose(box, "inbound")
    assert re.search(r"Sieve scripts run without an error \(log of \w+: .* failed", story)


def test_a_message_that_no_log_has_is_a_sentence_and_a_failure(tmp_path: Path) -> None:
    run = why("nothing@nowhere.example", tmp_path)
    assert run.rc != 0
    assert (
        "nothing@nowhere.example: the logs of mx1, mx2 since -1h have no line about it"
        in run.output
    )
    assert not (tmp_path / "report.json").exists()


def test_control_characters_are_refused_and_not_shown(tmp_path: Path) -> None:
    run = why("\x1b[31mred@nowhere.example", tmp_path)
    assert run.rc != 0
    assert "has no control characters" in run.output
    assert "\x1b[31mred" not in run.output
