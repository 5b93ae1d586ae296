# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host does when suspensions begin and end."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import held_mail
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import (
    GenerationError,
    Store,
    suspended,
)

OLD, NEW = "000001-aaaaaaaaaaaa", "000002-bbbbbbbbbbbb"


class FakeHost:
    """Answers doveadm, postqueue, postcat and postsuper, and notes what changes."""

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.stubborn = False
        self.queue: list[dict[str, t.Any]] = []
        self.attributes: dict[str, list[str]] = {}
        self.done: list[list[str]] = []

    def add(self, queue_id: str, queue: str, sender: str, *to: str, **attributes: object) -> None:
        self.queue.append(
            {
                "queue_id": queue_id,
                "queue_name": queue,
                "sender": sender,
                "message_size": 1,
                "recipients": [{"address": one} for one in to],
            }
        )
        self.attributes[queue_id] = [
            f"named_attribute: {name}={value}" for name, value in attributes.items()
        ]

    def __call__(self, args: list[str], /) -> tuple[int, str, str]:
        output = ""
        if args[:2] == ["doveadm", "-f"]:
            output = "".join(f"{one}\t1\timap\n" for one in ["username", *sorted(self.sessions)])
        elif args[:2] == ["doveadm", "kick"]:
            self.done.append(args[1:])
            self.sessions -= set() if self.stubborn else {args[2]}
        elif args[0] == "postqueue":
            output = "".join(json.dumps(one) + "\n" for one in self.queue)
        elif args[0] == "postcat":
            output = "\n".join(["*** ENVELOPE", *self.attributes[args[-1]]]) + "\n"
        elif args[0] in ("postsuper", "postkick"):
            self.done.append(args)
        return 0, output, ""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def tables(store: Store, generation: str, **texts: str) -> None:
    for name, text in texts.items():
        path = store.folder(generation) / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_only_sessions_of_those_who_lost_a_login_end(store: Store) -> None:
    host = FakeHost()
    host.sessions = {"jo@acme.example", "it@acme.example"}
    row = "{}:::::::\n".format
    both = row("@") + row("it@acme.example") + row("jo@acme.example")
    tables(store, OLD, dovecot__logins__imap=both)
    tables(store, NEW, dovecot__logins__imap=row("@") + row("it@acme.example"))
    suspended.carry_out(store, OLD, NEW, host)
    assert host.done == [["kick", "jo@acme.example"]]
    assert host.sessions == {"it@acme.example"}


def test_a_session_that_does_not_end_fails_the_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = FakeHost()
    host.sessions, host.stubborn = {"jo@acme.example"}, True
    monkeypatch.setattr(suspended, "PATIENCE", 0.0)
    with pytest.raises(GenerationError, match=r"jo@acme\.example did not end"):
        suspended.end_sessions({"jo@acme.example"}, host)


def test_only_what_the_listener_held_for_the_resumed_mailbox_is_released(store: Store) -> None:
    host = FakeHost()
    listener = {"server_port": 10589}
    host.add("A", "hold", "x@out.example", "jo+list@acme.example", **listener)
    host.add("B", "hold", "x@out.example", "it@acme.example", **listener)
    host.add("C", "hold", "x@out.example", "jo@acme.example", server_port=25)  # by hand
    host.add("D", "deferred", "x@out.example", "jo@acme.example", **listener)
    host.add("E", "hold", "x@out.example", "gone@acme.example", **listener)  # left the files
    row = "{}@acme.example\tHOLD\n".format
    tables(store, OLD, postfix__held_recipients=row("gone") + row("it") + row("jo"))
    boxes = "it@acme.example\tacme\njo@acme.example\tacme\n"
    tables(store, NEW, postfix__held_recipients=row("it"), postfix__virtual_mailbox_maps=boxes)
    suspended.carry_out(store, OLD, NEW, host)
    assert host.done == [["postsuper", "-r", "A"], ["postkick", "public", "pickup", "W"]]


def test_queued_mail_of_new_abusers_is_held_once(store: Store) -> None:
    host = FakeHost()
    host.add("A", "deferred", "jo@acme.example", "x@out.example")
    host.add("B", "active", "JO+bulk@acme.example", "x@out.example")
    host.add("C", "deferred", "it@acme.example", "x@out.example")
    host.add("D", "deferred", "old@acme.example", "x@out.example")
    row = "{0}\t{0}\n".format
    tables(store, OLD, postfix__held_senders=row("old@acme.example"))
    tables(store, NEW, postfix__held_senders=row("jo@acme.example") + row("old@acme.example"))
    suspended.carry_out(store, OLD, NEW, host)
    assert host.done == [["postsuper", "-h", "A", "-h", "B"]]


@pytest.mark.parametrize("before", [None, NEW])
def test_nothing_is_done_without_a_change(store: Store, before: str | None) -> None:
    host = FakeHost()
    suspended.carry_out(store, before, NEW, host)
    assert host.done == []


@pytest.mark.parametrize(
    ("subject", "ids"),
    [
        ("jo@acme.example", ["A", "B"]),
        ("acme.example", ["A", "B", "E"]),
        ("nobody@acme.example", []),
    ],
)
def test_held_mail_of_a_sender_is_found_by_its_login_or_else_its_envelope(
    subject: str, ids: list[str]
) -> None:
    host = FakeHost()
    host.add("A", "hold", "jo@acme.example", "x@out.example")
    host.add("B", "hold", "alias@shop.example", "x@out.example", sasl_username="jo@acme.example")
    host.add("C", "hold", "jo@acme.example", "kim@acme.example", server_port=10589)  # for kim
    host.add("D", "deferred", "jo@acme.example", "x@out.example")
    host.add("E", "hold", "it@acme.example", "x@out.example")
    assert [one["queue_id"] for one in held_mail.held(host, subject)] == ids
