# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.layout import (
    changed_keys,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.store import (
    Content,
    Store,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.transition import (
    Transition,
    changed_services,
    model_changes,
    plan,
    subject,
)


@pytest.mark.parametrize(
    ("line", "about"),
    [
        ("mailbox jo@acme.example quota 5G", "mailbox jo@acme.example"),
        ("sender address x@acme.example of jo@acme.example", "sender address x@acme.example"),
        ("domain alias a.example of b.example", "domain alias a.example"),
        ("tenant acme suspended", "tenant acme"),
        ("odd", "odd"),
    ],
)
def test_subject(line: str, about: str) -> None:
    assert subject(line) == about


def test_changes_are_pairs_sorted_by_what_they_are_about_the_old_one_first() -> None:
    before = [
        "mailbox b@a.example quota 5G",
        "mailbox c@a.example quota 1G",
        "tenant acme",
        "domain a.example",
    ]
    after = [
        "mailbox a@a.example quota 1G",
        "mailbox b@a.example quota 10G",
        "tenant acme suspended",
        "domain a.example",
    ]
    assert model_changes(before, after) == [
        "+ mailbox a@a.example quota 1G",
        "- mailbox b@a.example quota 5G",
        "+ mailbox b@a.example quota 10G",
        "- mailbox c@a.example quota 1G",
        "- tenant acme",
        "+ tenant acme suspended",
    ]


def test_a_virgin_host_gets_everything_and_is_not_written_to(tmp_path: object) -> None:
    store = Store(tmp_path / "nothing")
    found = plan(
        store, Content("mx1", 12, {"model.txt": "domain a.example\ntenant a\n"}, "0" * 64, b"")
    )
    assert found == Transition(
        True,
        True,
        ("+ domain a.example", "+ tenant a"),
        ("opendkim", "opendkim_ed25519", "opendkim_node", "postfix"),
    )
    assert found
    assert not store.root.exists()


def test_an_empty_plan_is_no_change() -> None:
    assert not Transition(False, False)


def test_services_of_changed_files() -> None:
    before = {"postfix/relay_domains": "1", "dovecot/logins/imap": "1", "opendkim/key_table": "1"}
    assert changed_services(before, {**before, "dovecot/logins/imap": "2"}) == ()
    assert changed_services(before, {**before, "postfix/x": "1"}) == ("postfix",)
    assert changed_services(before, {"dovecot/logins/imap": "1"}) == ("opendkim", "postfix")


def test_changed_keys() -> None:
    assert changed_keys("a@x\tone\nb@x\ttwo\n", "a@x\tone\nb@x\t2\nc@x\tthree\n") == ["b@x", "c@x"]
    assert changed_keys(None, "jo@a.example:::::::userdb_quota_rule=*:storage=5G\n") == [
        "jo@a.example"
    ]
    assert changed_keys("same\n", "same\n") == []


@pytest.mark.parametrize(
    ("stage", "check_mode", "noted"),
    [(True, True, True), (True, False, False), (False, True, False)],
)
def test_a_check_says_that_no_daemon_was_asked(stage: bool, check_mode: bool, noted: bool) -> None:
    lines = Transition(stage, True, ("+ mailbox jo@acme.example",)).diff(check_mode).splitlines()
    assert lines[0] == "+ mailbox jo@acme.example"
    assert ("not judged" in lines[-1]) == noted
