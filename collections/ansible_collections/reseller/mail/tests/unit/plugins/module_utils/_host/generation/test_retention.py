# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail and passwords of mailboxes that leave, return or are deleted, whenever a run is killed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import time
import typing as t
from pathlib import Path
from types import MappingProxyType

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host import credentials, timestamps
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import (
    GenerationError,
    Retention,
    Store,
    expire,
    known,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.retained import report
from ansible_collections.reseller.mail.plugins.module_utils._host.retained.place import (
    Entry,
    Place,
    RetainedError,
)

JO, IT, ANN = "jo@acme.example", "it@acme.example", "ann@globex.example"
HASH = "{BLF-CRYPT}$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"
SERVED: t.Final[t.Mapping[str, str]] = MappingProxyType(
    {
        "tenant acme": "30\tkeep",
        "tenant globex": "30\tkeep",
        "domain acme.example": "acme\tserves",
        "domain globex.example": "globex\tserves",
    }
)
ENDED = {**SERVED, "domain acme.example": "acme\tends"}
PURGED = {**ENDED, "tenant acme": "30\tpurge"}
DATE = "2026-01-01T00:00:00Z"


def no_daemons(_args: list[str], /) -> tuple[int, str, str]:
    """Answer for a host on which nothing runs."""
    return 3, "", ""


class World:
    """A host: its folder of mail, its credential store and its generations."""

    def __init__(self, folder: Path) -> None:
        self.mail = folder / "vmail"
        self.mail.mkdir(parents=True)
        self.store = Store(folder / "root")
        (self.store.root / "credentials").mkdir(parents=True)
        self.database = self.store.root / "credentials/credentials.db"
        self._number = 0

    def generation(self, *mailboxes: str, rules: t.Mapping[str, str] = SERVED) -> str:
        """Make a generation that serves these mailboxes; return its name."""
        self._number += 1
        name = f"{self._number:06d}-aaaaaaaaaaaa"
        folder = self.store.folder(name)
        (folder / "dovecot").mkdir(parents=True)
        boxes = "".join(f"{one}:::::::\n" for one in ("@", *mailboxes))
        (folder / "dovecot/mailboxes").write_text(boxes, encoding="utf-8")
        rows = "".join(f"{key}\t{rules[key]}\n" for key in sorted(rules))
        (folder / "dovecot/retention").write_text(rows, encoding="utf-8")
        return name

    def box(self, address: str, *messages: str, password: str = HASH) -> None:
        """Give a mailbox these messages and a password."""
        local, _at, domain = address.partition("@")
        place = self.mail / domain / local / "Maildir/cur"
        place.mkdir(parents=True, exist_ok=True)
        for text in messages:
            (place / f"{text}:2,S").write_text(text, encoding="utf-8")
        if password:
            with credentials.Store(str(self.database)) as logins:
                row = credentials.Row(address, password, "user", DATE, DATE)
                logins.put_back([row], replace=True)

    def switch(self, generation: str, *confirmed: str) -> None:
        """Do what a run does, without the daemons."""
        retention = self.retention(*confirmed)
        retention.before_switch(generation)
        self.store.switch(generation)
        retention.after_reload(generation, no_daemons)
        self.store.mark_activated(generation)
        retention.after_activation(generation)

    def retention(self, *confirmed: str) -> Retention:
        return Retention(self.store, self.mail, frozenset(confirmed))

    def lines(self, generation: str) -> list[str]:
        """Return the lines of the diff."""
        return self.retention().plan(known(self.store, generation)).lines(int(time.time()))

    def stored(self, address: str) -> list[str]:
        """Return the messages of a mailbox that is served."""
        local, _at, domain = address.partition("@")
        return sorted(path.name for path in (self.mail / domain / local).rglob("*:2,S"))

    def retained(self) -> list[str]:
        """Return all messages that are retained."""
        return sorted(path.name for path in (self.mail / ".retained").rglob("*:2,S"))

    def passwords(self) -> dict[str, str]:
        """Return the rows of the credential store: address and who set the password."""
        if not self.database.exists():
            return {}
        with sqlite3.connect(self.database) as database:
            return dict(database.execute("SELECT address, origin FROM credentials"))

    def entries(self) -> list[Entry]:
        with Place(self.mail) as place:
            return place.entries()

    def expire(self) -> int:
        return expire.main(str(self.store.root), str(self.mail))


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other work on the machine makes it slow."""
    monkeypatch.setattr(os, "sync", lambda: None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path)
    found.box(JO, "1.a", "2.a")
    found.box(IT, "3.a")
    found.switch(found.generation(IT, JO))
    return found


def test_mail_and_password_are_kept_and_return(world: World) -> None:
    gone = world.generation(IT)
    until = timestamps.timestamp(int(time.time()) + 30 * 86400).partition("T")[0]
    assert world.lines(gone) == [f"~ mail of {JO} kept until {until}"]
    world.switch(gone)
    assert (world.stored(JO), world.stored(IT)) == ([], ["3.a:2,S"])
    assert world.retained() == ["1.a:2,S", "2.a:2,S"]
    assert world.passwords() == {IT: "user"}
    assert world.lines(gone) == []
    back = world.generation(IT, JO)
    assert world.lines(back) == [f"~ mail of {JO} returns"]
    world.switch(back)
    assert world.stored(JO) == ["1.a:2,S", "2.a:2,S"]
    assert world.passwords() == {IT: "user", JO: "user"}
    assert (world.retained(), world.entries()) == ([], [])


def test_the_manifest_says_whose_it_is_and_only_root_reads_it(world: World) -> None:
    world.switch(world.generation(IT))
    (entry,) = world.entries()
    folder = world.mail / ".retained" / entry.path
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["address"], manifest["tenant"]) == (JO, "acme")
    assert timestamps.seconds(manifest["until"]) - timestamps.seconds(manifest["left"]) == 2592000
    for path in (world.mail / ".retained", folder, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("manifest.json", "login.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert HASH not in (folder / "manifest.json").read_text(encoding="utf-8")


def test_a_whole_domain_leaves_no_folder(world: World) -> None:
    world.switch(world.generation(rules={}))
    assert not (world.mail / "acme.example").exists()
    assert [entry.tenant for entry in world.entries()] == ["acme", "acme"]


def test_another_tenant_does_not_get_the_mail(world: World) -> None:
    world.switch(world.generation(rules={}))
    world.switch(world.generation(JO, rules={**SERVED, "domain acme.example": "globex\tserves"}))
    assert world.stored(JO) == []
    assert len(world.entries()) == 2


def test_mail_that_came_meanwhile_is_not_lost(world: World) -> None:
    world.switch(world.generation(IT))
    world.box(JO, "9.a", password="")
    world.switch(world.generation(IT, JO))
    assert world.stored(JO) == ["1.a:2,S", "2.a:2,S", "9.a:2,S"]


def test_a_password_that_was_set_meanwhile_stays(world: World) -> None:
    world.switch(world.generation(IT))
    with credentials.Store(str(world.database)) as logins:
        logins.put([credentials.Credential(JO, HASH, "operator")], DATE)
    world.switch(world.generation(IT, JO))
    assert world.passwords()[JO] == "operator"


def test_a_delivery_that_was_running_is_added_by_the_timer(world: World) -> None:
    world.switch(world.generation(IT))
    world.box(JO, "9.a", password="")
    assert world.expire() == 0
    assert world.stored(JO) == []
    assert world.retained() == ["1.a:2,S", "2.a:2,S", "9.a:2,S"]
    assert len(world.entries()) == 1


def test_what_came_late_twice_is_kept_as_well(world: World) -> None:
    """A run was killed after it had moved the first late delivery, and before it merged it."""
    world.switch(world.generation(IT))
    world.box(JO, "8.a", password="")
    entry = world.mail / ".retained" / world.entries()[0].path
    (world.mail / "acme.example/jo").rename(entry / "late")
    world.box(JO, "9.a", password="")
    assert world.expire() == 0
    assert world.retained() == ["1.a:2,S", "2.a:2,S", "8.a:2,S", "9.a:2,S"]


def test_a_purge_needs_the_name_of_the_tenant(world: World) -> None:
    purged = world.generation(rules=PURGED)
    changes = world.retention().plan(known(world.store, purged))
    assert changes.lines(0) == [f"- mail of {IT}, deleted", f"- mail of {JO}, deleted"]
    for confirmed in ([], ["globex"]):
        with pytest.raises(GenerationError, match="confirm it with -e mail_purge_confirmed=acme"):
            world.retention(*confirmed).refuse_unconfirmed(changes, "mx1")
    world.retention("acme").refuse_unconfirmed(changes, "mx1")
    world.switch(purged, "acme")
    assert (world.retained(), world.entries(), world.passwords()) == ([], [], {})
    assert not (world.mail / "acme.example").exists()


def test_a_purge_deletes_what_is_retained_already(world: World) -> None:
    world.switch(world.generation(rules=ENDED))
    purged = world.generation(rules=PURGED)
    changes = world.retention().plan(known(world.store, purged))
    with pytest.raises(GenerationError, match="mail_purge_confirmed=acme"):
        world.retention().refuse_unconfirmed(changes, "mx1")
    world.switch(purged, "acme")
    assert world.entries() == []


def test_nothing_is_deleted_at_once_without_the_name(world: World) -> None:
    """As in a rollback to a generation with a purge."""
    world.switch(world.generation(rules=PURGED))
    assert world.retained() == ["1.a:2,S", "2.a:2,S", "3.a:2,S"]
    assert world.expire() == 0
    assert world.retained() == ["1.a:2,S", "2.a:2,S", "3.a:2,S"]


def test_a_tenant_without_mail_needs_no_confirmation(tmp_path: Path) -> None:
    world = World(tmp_path)
    purged = world.generation(rules=PURGED)
    changes = world.retention().plan(known(world.store, purged))
    world.retention().refuse_unconfirmed(changes, "mx1")
    assert not changes


def test_what_an_earlier_version_left_of_a_terminated_tenant_is_kept(world: World) -> None:
    world.box("old@acme.example", "5.a", password="")
    world.switch(world.generation(rules=ENDED))
    assert "5.a:2,S" in world.retained()


def end(world: World, entry: Entry, until: str) -> None:
    """Write another end into a manifest."""
    path = world.mail / ".retained" / entry.path / "manifest.json"
    manifest = {**json.loads(path.read_text(encoding="utf-8")), "until": until}
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_what_is_over_is_deleted_and_the_rest_is_measured(world: World) -> None:
    world.switch(world.generation(rules={}))
    over, kept = world.entries()
    end(world, over, "2026-01-01T00:00:00Z")
    assert world.expire() == 0
    assert world.entries() == [kept]
    with Place(world.mail) as place:
        row = report.row(place, kept)
        assert (row["messages"], row["bytes"], row["intact"]) == (2, 6, True)
        (world.mail / ".retained" / kept.path / "home/Maildir/cur/1.a:2,S").unlink()
        assert not report.row(place, kept)["intact"]


@pytest.mark.parametrize("until", ["", "never", "2026-13-01T00:00:00Z"])
def test_without_an_end_that_can_be_read_nothing_is_deleted(until: str, world: World) -> None:
    world.switch(world.generation(IT))
    end(world, world.entries()[0], until)
    assert world.expire() == 0
    assert len(world.entries()) == 1


def test_a_run_that_has_not_ended_is_left_to_the_next(world: World) -> None:
    """The timer does not know which of both generations will serve."""
    world.switch(world.generation(IT))
    end(world, world.entries()[0], "2026-01-01T00:00:00Z")
    world.store.switch(world.generation(IT, JO))
    assert world.expire() == 0
    assert len(world.entries()) == 1


@pytest.mark.parametrize("what", ["the domain", "the home"])
def test_a_link_in_place_of_a_folder_is_refused(what: str, world: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "jo").mkdir(parents=True)
    path = world.mail / ("acme.example" if what == "the domain" else "acme.example/jo")
    shutil.rmtree(path)
    path.symlink_to(elsewhere)
    with pytest.raises(GenerationError, match="no folder"):
        world.switch(world.generation(IT))
    assert (elsewhere / "jo").exists()


@pytest.mark.parametrize("what", ["a link", "open to others"])
def test_a_folder_that_is_not_ours_alone_is_not_used(
    what: str, world: World, tmp_path: Path
) -> None:
    if what == "a link":
        (tmp_path / "theirs").mkdir(mode=0o700)
        (world.mail / ".retained").symlink_to(tmp_path / "theirs")
    else:
        (world.mail / ".retained").mkdir()
        (world.mail / ".retained").chmod(0o750)
    with pytest.raises(GenerationError, match=r"\.retained"):
        world.switch(world.generation(IT))
    assert world.stored(JO) == ["1.a:2,S", "2.a:2,S"]
    with pytest.raises(RetainedError):
        Place(world.mail)


class Killed(BaseException):
    """The run ends here."""


class Killer:
    """Ends a run at its nth step that changes something."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        for module, name in (
            (os, "rename"),
            (os, "replace"),
            (os, "mkdir"),
            (os, "rmdir"),
            (os, "link"),
            (os, "unlink"),
            (os, "sync"),
            (shutil, "rmtree"),
            (credentials.Store, "remove"),
            (credentials.Store, "put_back"),
        ):
            monkeypatch.setattr(module, name, self._counted(getattr(module, name)))

    def _counted(self, function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def call(*args: t.Any, **options: t.Any) -> t.Any:
            if self.left == 0:
                raise Killed
            self.left -= 1
            return function(*args, **options)

        return call


def killed_at_each_step(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepare: t.Callable[[World], str],
    check: t.Callable[[World, str], None],
) -> int:
    """Kill a run at each step, and check what the next one makes of it; return how many steps it
    had."""
    killer = Killer(monkeypatch)
    for steps in range(1000):
        world = World(folder / str(steps))
        wanted = prepare(world)
        killer.left = steps
        try:
            world.switch(wanted, "acme")
        except Killed:
            killer.left = -1
            check(world, wanted)
            continue
        killer.left = -1
        check(world, wanted)
        return steps
    raise AssertionError("the run has no end")


def full(world: World) -> str:
    """Serve two mailboxes, one of which has mail already retained by a late delivery."""
    world.box(JO, "1.a", "2.a")
    world.box(IT, "3.a")
    first = world.generation(IT, JO)
    world.switch(first)
    return first


def test_a_kill_while_a_mailbox_leaves_is_healed_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(world: World) -> str:
        full(world)
        return world.generation(IT)

    def check(world: World, wanted: str) -> None:
        world.expire()  # the timer may come first
        world.switch(wanted)
        assert world.stored(JO) == []
        assert world.retained() == ["1.a:2,S", "2.a:2,S"]
        assert world.passwords() == {IT: "user"}
        assert [entry.address for entry in world.entries()] == [JO]
        with Place(world.mail) as place:
            assert place.has_login(world.entries()[0])

    assert killed_at_each_step(tmp_path, monkeypatch, prepare, check) > 8


def test_a_kill_while_a_mailbox_returns_is_healed_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(world: World) -> str:
        full(world)
        world.switch(world.generation(IT))
        world.box(JO, "9.a", password="")
        return world.generation(IT, JO)

    def check(world: World, wanted: str) -> None:
        world.expire()
        world.switch(wanted)
        assert world.stored(JO) == ["1.a:2,S", "2.a:2,S", "9.a:2,S"]
        assert world.passwords() == {IT: "user", JO: "user"}
        assert (world.retained(), world.entries()) == ([], [])

    assert killed_at_each_step(tmp_path, monkeypatch, prepare, check) > 8


def test_a_return_that_was_killed_and_taken_back_keeps_the_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(world: World) -> str:
        full(world)
        world.switch(world.generation(IT))
        return world.generation(IT, JO)

    def check(world: World, _wanted: str) -> None:
        without = world.generation(IT)
        world.switch(without)
        world.expire()
        assert world.lines(without) == []
        assert world.retained() == ["1.a:2,S", "2.a:2,S"]
        assert world.stored(JO) == []

    assert killed_at_each_step(tmp_path, monkeypatch, prepare, check) > 5


def test_a_kill_during_a_purge_is_finished_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(world: World) -> str:
        full(world)
        return world.generation(rules=PURGED)

    def check(world: World, wanted: str) -> None:
        world.switch(wanted, "acme")
        world.expire()
        assert (world.stored(JO), world.retained(), world.entries()) == ([], [], [])
        assert world.passwords() == {}

    assert killed_at_each_step(tmp_path, monkeypatch, prepare, check) > 8


def test_orphans_are_named_with_size_and_age(world: World) -> None:
    world.box("ghost@acme.example", "7.a")
    world.box(ANN, "8.a", password="")
    world.switch(world.generation(IT))
    (world.mail / ".restore-1/acme.example").mkdir(parents=True)
    (world.mail / "acme.example/ghost/Maildir/cur").touch()
    found = report.facts(
        world.store.root,
        world.mail,
        known(world.store, world.store.activated()),
        time.time() + 3 * 86400 + 60,
    )
    assert [(row["path"], row["bytes"], row["days"]) for row in found["orphans"]["shown"]] == [
        ("acme.example/ghost", 3, 3),
        ("globex.example/ann", 3, 3),
    ]
    assert found["orphans"]["shown_passwords"] == ["ghost@acme.example"]
    assert (found["orphans"]["mail"], found["orphans"]["bytes"]) == (2, 6)
    (kept,) = found["kept"]
    assert (kept["tenant"], kept["mailboxes"], kept["wrong"]) == ("acme", 1, [])


def test_what_is_over_and_still_there_is_wrong(world: World) -> None:
    world.switch(world.generation(IT))
    with Place(world.mail) as place:
        (kept,) = report.kept(place, time.time() + 31 * 86400)
        assert kept["wrong"] == [f"{JO} is over and not deleted"]
        end(world, world.entries()[0], "?")
        (kept,) = report.kept(place, time.time())
        assert kept["wrong"] == [f"the manifest of {JO} is damaged"]


def test_mail_of_a_mailbox_that_another_node_serves_is_no_orphan(world: World) -> None:
    moved = world.generation(rules={})
    (world.store.folder(moved) / "postfix").mkdir()
    (world.store.folder(moved) / "postfix/relay_recipient_maps").write_text(
        f"{IT}\tacme\n{JO}\tacme\n", encoding="utf-8"
    )
    world.switch(moved)
    assert world.stored(JO) == ["1.a:2,S", "2.a:2,S"]
    found = report.facts(world.store.root, world.mail, known(world.store, moved), time.time())
    assert (found["orphans"]["mail"], found["orphans"]["passwords"]) == (0, 0)
