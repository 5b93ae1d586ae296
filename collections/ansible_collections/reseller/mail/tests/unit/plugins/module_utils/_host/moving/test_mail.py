# SPDX-License-Identifier: GPL-3.0-or-later
"""The mail and passwords of a tenant on two hosts, while it moves; a copy stands for rsync."""

from __future__ import annotations

import json
import os
import shutil
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import credentials
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import (
    GenerationError,
    Retention,
    Store,
    known,
    refuse_unmoved,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.moving import channel, mail
from ansible_collections.reseller.mail.plugins.module_utils._host.retained import report
from ansible_collections.reseller.mail.plugins.module_utils._host.retained.place import Place

JO, IT = "jo@acme.example", "it@acme.example"
HASH = "{BLF-CRYPT}$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
DATE = "2026-01-01T00:00:00Z"
HERE, ELSEWHERE, BOTH = "here", "elsewhere", "both"


def no_daemons(_args: list[str], /) -> tuple[int, str, str]:
    return 3, "", ""


class Node:
    """A host of two: its mail, its credential store and its generations."""

    def __init__(self, folder: Path, other: str) -> None:
        self.mail = folder / "vmail"
        self.mail.mkdir(parents=True)
        self.store = Store(folder / "root")
        (self.store.root / "credentials").mkdir(parents=True)
        self.database = self.store.root / "credentials/credentials.db"
        self.other = other
        self._number = 0
        with credentials.Store(str(self.database)):
            pass

    def generation(self, where: str) -> str:
        """Make a generation in which the tenant is here, elsewhere, or passed on and still here."""
        self._number += 1
        name = f"{self._number:06d}-aaaaaaaaaaaa"
        files = {"dovecot/mailboxes": "@:::::::\n", "dovecot/retention": ""}
        if where != ELSEWHERE:
            files["dovecot/mailboxes"] += f"{IT}:::::::\n{JO}:::::::\n"
            files["dovecot/retention"] = (
                "domain acme.example\tacme\tserves\ntenant acme\t30\tkeep\n"
            )
        if where != HERE:
            files["postfix/relay_domains"] = "acme.example\tacme\n"
            files["postfix/transport_maps"] = f"acme.example\tnodes:[{self.other}]:25\n"
        for path, text in files.items():
            file = self.store.folder(name) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return name

    def box(self, address: str, *messages: str) -> None:
        """Give a mailbox these messages and a password of its user."""
        local, _at, domain = address.partition("@")
        place = self.mail / domain / local / "Maildir/cur"
        place.mkdir(parents=True, exist_ok=True)
        for text in messages:
            (place / f"{text}:2,S").write_text(text, encoding="utf-8")
        with credentials.Store(str(self.database)) as logins:
            logins.put_back([credentials.Row(address, HASH, "user", DATE, DATE)], replace=True)

    def switch(self, where: str, moving: str = "acme") -> None:
        """Do what a run does, without the daemons."""
        generation = self.generation(where)
        current = self.store.current()
        refuse_unmoved(known(self.store, current), known(self.store, generation), "n", moving)
        retention = Retention(self.store, self.mail)
        retention.before_switch(generation)
        self.store.switch(generation)
        retention.after_reload(generation, no_daemons)
        self.store.mark_activated(generation)
        retention.after_activation(generation)

    def stored(self) -> list[str]:
        return sorted(path.name for path in (self.mail / "acme.example").rglob("*:2,S"))

    def passwords(self) -> list[str]:
        with credentials.Store(str(self.database)) as logins:
            return sorted(logins.addresses())

    def facts(self) -> dict[str, t.Any]:
        return mail.facts(self.store, self.mail, "acme", ["acme.example"])


class Copy:
    """Stands for rsync: copies the listed folders of a host, and deletes what it lacks."""

    def __init__(self, folder: Path, status: int = 0) -> None:
        self.folder, self.status = folder, status
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], cwd: str = "", data: str = "") -> tuple[int, str, str]:
        self.commands.append(command)
        for path in data.splitlines() if not self.status else ():
            target = Path(cwd) / path
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(self.folder / path, target, symlinks=True)
        return self.status, "", "it broke"


SOURCE = channel.Source("192.0.2.1", 22, ["ssh-ed25519 AAAA"])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sync", lambda: None)


@pytest.fixture
def old(tmp_path: Path) -> Node:
    node = Node(tmp_path / "old", "mx2.hosting.example")
    node.box(JO, "1.a", "2.a")
    node.box(IT, "3.a")
    node.switch(HERE)
    return node


@pytest.fixture
def new(tmp_path: Path) -> Node:
    node = Node(tmp_path / "new", "mx1.hosting.example")
    node.switch(ELSEWHERE)
    (node.store.root / "moves/acme").mkdir(parents=True)
    return node


def copy(old: Node, new: Node) -> None:
    """Copy what is served."""
    paths = mail.served_paths(old.mail, ["acme.example"])
    mail.fetch_served(new.store.root, new.mail, "acme", SOURCE, paths, Copy(old.mail))


def receive(old: Node, new: Node, status: int = 0) -> int:
    """Copy what was put away."""
    paths = mail.settle(old.mail, "acme")
    run = Copy(old.mail / ".retained/acme", status)
    return mail.fetch_all(new.store.root, new.mail, "acme", SOURCE, paths, run)


def test_mail_and_passwords_move_and_a_copy_stays(old: Node, new: Node) -> None:
    copy(old, new)
    old.box(JO, "4.a")
    (old.mail / "acme.example/jo/Maildir/cur/1.a:2,S").unlink()
    old.switch(BOTH)
    assert old.stored() == ["2.a:2,S", "3.a:2,S", "4.a:2,S"], "it is served until it is put away"
    old.switch(ELSEWHERE)
    assert (old.stored(), old.passwords()) == ([], [])
    assert receive(old, new) == 2
    new.switch(HERE)
    assert new.stored() == ["2.a:2,S", "3.a:2,S", "4.a:2,S"]
    assert new.passwords() == [IT, JO]
    assert not (new.mail / ".retained/.moving").exists()
    assert new.facts()["retained"] == 0
    found = old.facts()
    assert (found["copies"], found["copies_of"], found["retained"]) == (
        2,
        ["mx2.hosting.example"],
        0,
    )
    assert found["bytes"] > 0


def test_a_copy_has_no_end_and_is_no_fault(old: Node, new: Node) -> None:
    old.switch(ELSEWHERE)
    with Place(old.mail) as place:
        (kept,) = report.kept(place, 4e9)
        (entry, _other) = place.entries()
        assert place.until(entry) is None
        assert report.row(place, entry)["moved_to"] == "mx2.hosting.example"
    assert (kept["wrong"], kept["moved"], kept["mailboxes"]) == ([], 2, 2)


def test_a_delivery_that_was_running_moves_too(old: Node, new: Node) -> None:
    old.switch(ELSEWHERE)
    late = old.mail / "acme.example/jo/Maildir/cur"
    late.mkdir(parents=True)
    (late / "9.a:2,S").write_text("9", encoding="utf-8")
    receive(old, new)
    new.switch(HERE)
    assert new.stored() == ["1.a:2,S", "2.a:2,S", "3.a:2,S", "9.a:2,S"]
    assert not (old.mail / "acme.example").exists() or old.stored() == []


def test_a_copy_that_broke_goes_on(old: Node, new: Node) -> None:
    copy(old, new)
    assert new.facts()["arrived"] > 0
    old.switch(ELSEWHERE)
    with pytest.raises(channel.ChannelError, match=r"it broke\. Run the playbook again"):
        receive(old, new, status=12)
    assert new.facts()["retained"] == 0, "what is not whole is no entry"
    assert receive(old, new) == 2
    assert receive(old, new) == 0
    new.switch(HERE)
    assert new.stored() == ["1.a:2,S", "2.a:2,S", "3.a:2,S"]


def test_what_was_taken_in_before_a_kill_is_not_copied_again(old: Node, new: Node) -> None:
    old.switch(ELSEWHERE)
    paths = mail.settle(old.mail, "acme")
    run = Copy(old.mail / ".retained/acme")
    mail.fetch_all(new.store.root, new.mail, "acme", SOURCE, paths[:1], run)
    assert receive(old, new) == 1
    new.switch(HERE)
    assert new.passwords() == [IT, JO]


def test_what_arrived_is_for_root_alone_and_says_where_it_came_from(old: Node, new: Node) -> None:
    old.switch(ELSEWHERE)
    receive(old, new)
    with Place(new.mail) as place:
        entry = place.entries()[0]
    folder = new.mail / ".retained" / entry.path
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["moved_from"] == "192.0.2.1"
    assert "moved_to" not in manifest
    for path in (folder.parent.parent, folder.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("manifest.json", "login.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_no_generation_takes_a_tenant_whose_mail_is_elsewhere(old: Node, new: Node) -> None:
    for node, where, former in ((new, HERE, "mx1.hosting.example"), (old, ELSEWHERE, "n")):
        with pytest.raises(
            GenerationError, match=f"tenant acme is on {former}, .*move_tenant=acme"
        ):
            node.switch(where, moving="")
        with pytest.raises(GenerationError):
            node.switch(where, moving="globex")
    assert old.stored() == ["1.a:2,S", "2.a:2,S", "3.a:2,S"]


def test_a_step_back_that_serves_nothing_anew_is_allowed(old: Node) -> None:
    old.switch(BOTH)
    old.switch(HERE, moving="")


def test_a_domain_that_another_tenant_has_now_did_not_move(old: Node) -> None:
    generation = old.generation(ELSEWHERE)
    (old.store.folder(generation) / "postfix/relay_domains").write_text("acme.example\tglobex\n")
    before, after = known(old.store, old.store.current()), known(old.store, generation)
    refuse_unmoved(before, after, "n")
    lines = Retention(old.store, old.mail).plan(after).lines(0)
    assert lines == [f"~ mail of {one} kept until 1970-01-31" for one in (IT, JO)]


def test_the_diff_says_where_the_mail_went(old: Node) -> None:
    after = known(old.store, old.generation(ELSEWHERE))
    assert Retention(old.store, old.mail).plan(after).lines(0) == [
        f"~ mail of {one} moved to mx2.hosting.example, the copy is kept" for one in (IT, JO)
    ]


def test_a_virgin_host_has_nothing(tmp_path: Path) -> None:
    found = mail.facts(Store(tmp_path / "root"), tmp_path / "vmail", "acme", ["acme.example"])
    assert (found["generation"], found["serves"], found["bytes"]) == ("", False, 0)
    assert found["free"] > 0
    with Place(tmp_path / "vmail") as place:
        place.forget_arriving("acme")
