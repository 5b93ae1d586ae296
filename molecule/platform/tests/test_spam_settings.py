# SPDX-License-Identifier: GPL-3.0-or-later
"""The spam settings of the files decide for each mailbox what goes to Junk, at once."""

from __future__ import annotations

import email
import email.policy
import shutil
import typing as t
from pathlib import Path

import pytest
from client import ESTATE, Host, Message, Outside, replace_once, wait_until
from conftest import STRANGER, Side
from test_generation import generation

SCRIPT = """\
sieve: |
  require ["fileinto", "mailbox"];
  if header :contains "Subject" "taken" { fileinto :create "Taken"; }
"""
"""A script of the domain, which takes mail before it is filed as spam."""


def estate_with(folder: Path, score: str) -> Path:
    """Return a copy of the scenario's estate whose tenants have settings at several levels.

    The first user of each node has the score of spam ``score``. All other mailboxes have 8: in acme
    the domain sets it, in globex the account.
    """
    estate = folder / "estate"
    shutil.copytree(ESTATE, estate)

    def change(path: str, old: str, new: str) -> None:
        replace_once(estate / path, old, new)

    acme, globex = "tenants/acme/acme.example.yml", "tenants/globex/globex.example.yml"
    change("plans.yml", "features: [catch_all,", "features: [spam_scores, catch_all,")
    change("plans.yml", "features: []", "features: [spam_scores]")
    change(acme, "mailboxes:\n", f"spam: {{junk: 8}}\n{SCRIPT}mailboxes:\n")
    change(acme, "display_name: Jo Doe\n", f"display_name: Jo Doe\n    spam: {{junk: {score}}}\n")
    change(globex, "mailboxes:\n", f"{SCRIPT}mailboxes:\n")
    change(
        globex,
        "display_name: Ann Smith\n",
        f"display_name: Ann Smith\n    spam: {{junk: {score}}}\n",
    )
    account = estate / "tenants/globex/account.yml"
    account.write_text(
        account.read_text(encoding="utf-8") + "defaults: {spam: {junk: 8}}\n", encoding="utf-8"
    )
    return estate


@pytest.fixture(scope="module", autouse=True)
def settings(
    tmp_path_factory: pytest.TempPathFactory, nodes: dict[str, Host], sides: dict[str, Side]
) -> t.Iterator[None]:
    run = generation(estate_with(tmp_path_factory.mktemp("spam"), "4"))
    assert run.rc == 0, run.output
    yield
    assert generation().rc == 0
    for name, side in sides.items():
        for user in (side.user, side.colleague):
            nodes[name].run(f"doveadm mailbox delete -u {user} Taken || true")


class Filtered:
    """A message as the spam filter hands it on, for both mailboxes of a node."""

    def __init__(self, node: Host, side: Side, *fields: str, subject: str = "") -> None:
        self.node = node
        self.boxes = (side.user.name, side.colleague.name)
        message = Message.new(
            STRANGER, side.user.name, header_from="\r\n".join((STRANGER, *fields))
        )
        self.token = message.token
        text = message.text.replace("\r", "").replace("Subject: ", f"Subject: {subject} ")
        node.run(f"sendmail -i -f {STRANGER} {' '.join(self.boxes)}", stdin=text)

    def stored(self, box: str) -> tuple[str, email.message.EmailMessage]:
        """Return the folder of a mailbox that has the message, and the message."""
        search = f"doveadm -f tab fetch -u {box} mailbox header X-Token {self.token}"
        found = wait_until(lambda: self.node.output(search).splitlines()[1:], 20)
        assert len(found) == 1, found
        raw = self.node.output(
            f"doveadm -f flow fetch -u {box} hdr mailbox {found[0]} header X-Token {self.token}"
        ).partition("hdr=")[2]
        return found[0], t.cast(
            email.message.EmailMessage,
            email.message_from_string(raw, policy=email.policy.default),
        )

    def folders(self) -> tuple[str, ...]:
        return tuple(self.stored(box)[0] for box in self.boxes)

    def marks(self) -> list[str]:
        """Return the fields of the filter that the users see, in all copies."""
        return sorted(
            {
                name
                for box in self.boxes
                for name in self.stored(box)[1]
                if name.lower().startswith("x-spam")
            }
        )


@pytest.mark.parametrize(
    ("tenths", "folders"),
    [
        ("39", ("INBOX", "INBOX")),
        ("40", ("Junk", "INBOX")),
        ("79", ("Junk", "INBOX")),
        ("80", ("Junk", "Junk")),
        ("9999", ("Junk", "Junk")),
    ],
)
def test_a_score_files_a_message_where_the_nearest_level_says_so(
    node: Host, side: Side, tenths: str, folders: tuple[str, ...]
) -> None:
    assert Filtered(node, side, f"X-Spam-Tenths: {tenths}").folders() == folders


def test_a_list_counts_for_its_mailbox_only_and_shows_it_to_no_one(node: Host, side: Side) -> None:
    allowed = Filtered(node, side, "X-Spam-Tenths: 90", f"X-Spam-Allow: <{side.user}>")
    assert allowed.folders() == ("INBOX", "Junk")
    assert allowed.marks() == ["X-Spam-Folder", "X-Spam-Tenths"]
    blocked = Filtered(node, side, "X-Spam-Tenths: 0", f"X-Spam-Block: <{side.colleague}>")
    assert blocked.folders() == ("INBOX", "Junk")
    assert blocked.marks() == ["X-Spam-Folder", "X-Spam-Tenths"]


def test_a_script_that_takes_mail_first_gets_no_names_of_recipients(node: Host, side: Side) -> None:
    taken = Filtered(node, side, f"X-Spam-Block: <{side.colleague}>", subject="taken")
    assert taken.folders() == ("Taken", "Taken")
    assert taken.marks() == ["X-Spam-Folder"]


def test_a_user_cannot_use_what_the_scripts_of_the_role_use(outside: Outside, side: Side) -> None:
    for name in ("editheader", "environment", "vnd.dovecot.environment", "vnd.dovecot.pipe"):
        script = f'require "{name}";\r\nkeep;\r\n'
        (answer,) = outside.managesieve(
            side.host,
            side.user.name,
            side.user.password,
            f'PUTSCRIPT "spam" {{{len(script)}+}}\r\n{script}',
        )
        assert answer.startswith("NO"), (name, answer)


def test_another_score_counts_at_once_and_restarts_no_daemon(
    tmp_path: Path, nodes: dict[str, Host], sides: dict[str, Side]
) -> None:
    def started() -> dict[str, str]:
        command = "systemctl show dovecot --property ExecMainStartTimestampMonotonic,MainPID"
        return {name: node.output(command) for name, node in nodes.items()}

    before = started()
    run = generation(estate_with(tmp_path, "never"))
    assert run.rc == 0, run.output
    assert started() == before
    for name, side in sides.items():
        message = Filtered(nodes[name], side, "X-Spam-Tenths: 90")
        assert message.folders() == ("INBOX", "Junk"), name


def test_a_tenant_whose_plan_has_no_spam_scores_cannot_set_them(tmp_path: Path) -> None:
    estate = estate_with(tmp_path, "4")
    plans = estate / "plans.yml"
    text = plans.read_text(encoding="utf-8")
    plans.write_text(text.replace("features: [spam_scores]", "features: []"), encoding="utf-8")
    run = generation(estate)
    assert run.rc != 0
    assert "ann@globex.example uses spam_scores, which plan starter does not have" in run.output
