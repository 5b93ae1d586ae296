# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys on a host's disk: made by openssl, noted, found again, and taken up where a run broke
off."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.keys import dkim_store
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.dkim import (
    Key,
    KeyChanges,
    KeyName,
    KeyRequest,
    KeySeries,
    plan,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.keys.dkim_store import Store

NOW = 1_800_000_000
RSA, ED = KeySeries("acme.example", "rsa"), KeySeries("acme.example", "ed25519")
MX1, MX1_ED = KeyName("acme.example", "mx1"), KeyName("acme.example", "mx1-ed25519")


def run(command: list[str], data: str = "", check_rc: bool = False) -> tuple[int, str, str]:
    """As AnsibleModule.run_command."""
    done = subprocess.run(command, input=data, capture_output=True, text=True, check=check_rc)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(
        dkim_store.pwd, "getpwnam", lambda _name: pwd.getpwuid(os.getuid())
    )  # the account opendkim is a host's
    (tmp_path / "dkim").mkdir()
    return Store(tmp_path, run)


def converge(
    store: Store, *lanes: KeySeries, now: int = NOW, **orders: t.Any
) -> dict[KeyName, Key]:
    return {
        key.name: key
        for key in store.apply(
            plan(store.keys(now), KeyRequest("mx1", dict.fromkeys(lanes), now, **orders))
        )
    }


def public(path: Path) -> str:
    """What openssl says, without the lines around it."""
    return "".join(
        run(["openssl", "pkey", "-in", str(path), "-pubout"], check_rc=True)[1].splitlines()[1:-1]
    )


def test_keys_are_made_and_found_as_they_were_noted(store: Store) -> None:
    made = converge(store, RSA, ED)
    assert {name: (key.algorithm, key.state, key.private) for name, key in made.items()} == {
        MX1: ("rsa", "generated", True),
        MX1_ED: ("ed25519", "generated", True),
    }
    assert made[MX1].public == public(store.private(MX1))
    assert public(store.private(MX1_ED)).endswith(
        made[MX1_ED].public[-40:]
    )  # DNS holds the last 32 bytes alone
    assert {key.name: key for key in store.keys(NOW)} == made
    assert [
        path.stat().st_mode & 0o777
        for path in (
            store.private(MX1),
            store.private(MX1).with_suffix(".json"),
            store.private(MX1).parent,
        )
    ] == [
        0o600,
        0o644,
        0o700,
    ]
    assert sorted(path.name for path in store.root.iterdir()) == [
        "acme.example"
    ]  # no drafts are left


def test_more_keys_than_are_made_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dkim_store, "BATCH", 1)
    lanes = [KeySeries(f"{letter}.example", "ed25519") for letter in "abcde"]
    made = converge(store, *lanes)
    assert len({key.public for key in made.values()}) == len(lanes)
    assert all(store.private(name).is_file() for name in made)


def test_a_run_that_died_between_key_and_note_is_gone_on_with(store: Store) -> None:
    first = converge(store, RSA, ED)
    for name in (MX1, MX1_ED):
        store.private(name).with_suffix(".json").unlink()
    assert {key.name: (key.algorithm, key.public, key.state) for key in store.keys(NOW)} == {
        MX1: ("rsa", "", "generated"),
        MX1_ED: ("ed25519", "", "generated"),
    }
    (store.root / ".new").mkdir()
    (store.root / ".new" / "0").write_text("half a key")
    assert {name: key.public for name, key in converge(store, RSA, ED).items()} == {
        name: key.public for name, key in first.items()
    }


def test_a_key_from_before_keys_had_states_signs(store: Store) -> None:
    made = converge(store, RSA)
    store.private(MX1).with_suffix(".json").write_text(json.dumps({"public": made[MX1].public}))
    os.utime(store.private(MX1), (NOW - 5, NOW - 5))
    [key] = store.keys(NOW)
    assert (key.state, key.since, key.public) == ("active", NOW - 5, made[MX1].public)


def test_a_private_half_is_destroyed_its_note_stays_until_it_is_forgotten(store: Store) -> None:
    key = converge(store, RSA)[MX1]
    revoked = key.at("revoked", NOW + 1)
    [after] = store.apply(KeyChanges({MX1: key}, {MX1: revoked}))
    assert (after.private, store.private(MX1).exists()) == (False, False)
    assert store.keys(NOW + 2) == [after]
    assert store.apply(KeyChanges({MX1: after}, {})) == []
    assert list(store.root.iterdir()) == []


def test_a_file_that_is_no_half_of_its_note_is_as_good_as_none_until_it_goes(store: Store) -> None:
    made = converge(store, RSA)[MX1]
    good = store.private(MX1).read_bytes()
    converge(store, ED)
    for bad in (b"", b"nonsense", good[: len(good) // 2], store.private(MX1_ED).read_bytes()):
        store.private(MX1).write_bytes(bad)
        assert [key.private for key in store.keys(NOW) if key.name == MX1] == [False]
    store.private(MX1).unlink()
    store.private(MX1).symlink_to(store.private(MX1_ED))
    assert [key.private for key in store.keys(NOW) if key.name == MX1] == [False]
    store.apply(KeyChanges({MX1: made}, {MX1: replace(made, private=False).at("removed", NOW)}))
    assert not store.private(MX1).is_symlink(), "without its note it would be taken for a new key"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "half a no",
        "[]",
        "7",
        '{"public": 7}',
        '{"public": "P", "state": "x"}',
        '{"public": "P", "state": "active"}',
        '{"public": "P", "state": "active", "algorithm": "rsa", "since": "soon", "made": 7}',
    ],
)
def test_one_damaged_note_is_read_anew_and_stops_nobody_else(note: str, store: Store) -> None:
    made = converge(store, RSA, KeySeries("globex.example", "rsa"))
    store.private(MX1).with_suffix(".json").write_text(note)
    (store.root / "README").write_text("a stray file")
    (store.root / "elsewhere.example").symlink_to(store.root / "globex.example")
    found = {key.name: key for key in store.keys(NOW)}
    assert (found[MX1].state, found[MX1].public, found[MX1].private) == ("generated", "", True)
    assert {name: key for name, key in found.items() if name != MX1} == {
        name: key for name, key in made.items() if name != MX1
    }
    store.private(MX1).unlink()
    assert MX1 not in {key.name for key in store.keys(NOW)}, (
        "its selector was somebody's and is not made anew"
    )


def test_owner_and_mode_are_mended_but_through_no_link(store: Store, tmp_path: Path) -> None:
    converge(store, RSA, ED)
    assert store.mend(check_mode=False) == []
    store.private(MX1).chmod(0o644)
    store.private(MX1).parent.chmod(0o755)
    lines = [
        "~ dkim folder acme.example owner and mode",
        "~ dkim key mx1._domainkey.acme.example owner and mode",
    ]
    assert store.mend(check_mode=True) == store.mend(check_mode=False) == lines
    assert [
        path.stat().st_mode & 0o777 for path in (store.private(MX1), store.private(MX1).parent)
    ] == [0o600, 0o700]
    secret = tmp_path / "secret"
    secret.write_text("root's")
    secret.chmod(0o640)
    store.private(MX1).unlink()
    store.private(MX1).symlink_to(secret)
    store.private(MX1_ED).unlink()
    os.link(secret, store.private(MX1_ED))
    (store.root / "globex.example").symlink_to(tmp_path)
    assert store.mend(check_mode=False) == []
    assert secret.stat().st_mode & 0o777 == 0o640


def test_which_keys_daemons_may_be_signing_with(store: Store, tmp_path: Path) -> None:
    assert store.serving() == frozenset()  # no generation yet
    generation = tmp_path / "generations" / "000001-abc"
    for instance, selector in (("opendkim", "mx1"), ("opendkim_ed25519", "mx1-ed25519")):
        (generation / instance).mkdir(parents=True)
        (generation / instance / "key_table").write_text(
            f"acme.example\tacme.example:{selector}:/var/lib/x\n"
        )
    (tmp_path / "current").symlink_to(generation)
    assert store.serving() is None  # nobody noted that daemons know it
    for noted, known in (("000000-old", False), ("000001-abc", True)):
        (tmp_path / "activated.json").write_text(json.dumps({"generation": noted}))
        assert store.serving() == (frozenset({MX1, MX1_ED}) if known else None)
