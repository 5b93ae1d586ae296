# SPDX-License-Identifier: GPL-3.0-or-later
"""What the next generation takes over must be what was checked, and the rest must be new files."""

from __future__ import annotations

import grp
import hashlib
import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import (
    carry,
    check,
    layout,
    stage,
    transition,
)
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.store import (
    Content,
    GenerationError,
    Store,
    unpack,
)
from ansible_collections.reseller.mail.plugins.plugin_utils import _compile

root_only = pytest.mark.skipif(os.getuid() != 0, reason="files get an owner")

NAME = "000001-0123456789ab"
CHECKERS = "what checked it"
TABLE, OTHER = layout.LOOKUPS[:2]
USERS = "dovecot/users/acme.example"
OTHERS = "dovecot/users/globex.example"
JO = "jo@acme.example:::::::userdb_quota_rule=*:storage=5G\n"
ANN = "ann@globex.example:::::::userdb_quota_rule=*:storage=5G\n"


def content(**changes: str) -> Content:
    """The content of a generation; ``changes`` are texts by the last part of the path."""
    files = {USERS: JO, OTHERS: ANN, **dict.fromkeys(layout.LOOKUPS, ""), "model.txt": "domain a\n"}
    files |= {
        path: changes[path.split("/")[-1]] for path in files if path.split("/")[-1] in changes
    }
    return unpack(_compile.Artefact("mx1", 12, files).pack())


def note(store: Store, name: str, made: Content, **more: t.Any) -> None:
    """Write the manifest of a generation."""
    manifest = {
        "files": made.checksums,
        "digest": made.digest,
        "built": dict.fromkeys(layout.LOOKUPS, ""),
        "checked_by": CHECKERS,
        "previous": None,
        **more,
    }
    (store.folder(name) / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A host that serves a generation as it was made, without tables; groups are this machine's
    root."""
    monkeypatch.setattr(layout, "GROUPS", dict.fromkeys(layout.GROUPS, grp.getgrgid(0).gr_name))
    store = Store(tmp_path)
    made = content()
    for path, text in made.files.items():
        target = store.folder(NAME) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        if os.getuid() == 0:
            layout.give(target, path)
    (store.folder(NAME) / "artefact").write_bytes(made.packed)
    note(store, NAME, made)
    store.switch(NAME)
    store.mark_activated(NAME)
    return store


def taken(store: Store, wanted: Content, *altered: str, by: str = CHECKERS) -> frozenset[str]:
    return carry.carried(store, wanted, altered, by)


def test_what_is_as_wanted_is_taken_over_with_its_table_and_nothing_else(store: Store) -> None:
    wanted = content(**{"acme.example": JO.replace("5G", "9G")})
    everything = {*wanted.files, *(f"{path}.lmdb" for path in layout.LOOKUPS)}
    assert taken(store, wanted, USERS) == everything - {USERS}
    assert taken(store, wanted, USERS, f"{TABLE}.lmdb") == everything - {USERS, f"{TABLE}.lmdb"}
    assert taken(store, wanted, USERS, TABLE) == everything - {USERS, TABLE, f"{TABLE}.lmdb"}


def test_other_checks_or_another_postmap_take_over_nothing(store: Store) -> None:
    assert taken(store, content(), by="another") == frozenset()


def test_a_text_that_was_edited_to_what_is_wanted_was_never_checked(store: Store) -> None:
    wanted = content(**{TABLE.split("/")[-1]: "a.example\tacme\n"})
    (store.folder(NAME) / TABLE).write_text(wanted.files[TABLE])
    assert not {TABLE, f"{TABLE}.lmdb"} & taken(store, wanted)
    assert OTHER in taken(store, wanted)


def test_a_first_generation_and_one_after_a_lost_manifest_are_all_new(
    store: Store, tmp_path: Path
) -> None:
    assert taken(Store(tmp_path / "virgin"), content()) == frozenset()
    (store.folder(NAME) / "manifest.json").unlink()
    assert taken(store, content()) == frozenset()


def test_the_checkers_are_their_version_the_release_the_program_and_its_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "postmap"

    def now(packages: str = "postfix 3.7.11", debian: int = 12, text: str = "one") -> str:
        program.write_text(text)
        program.chmod(0o755)
        return carry.checkers(lambda _command: (0, packages, ""), debian)

    monkeypatch.setenv("PATH", str(tmp_path))
    first = now()
    assert now() == first
    found = {first, now(packages="postfix 3.7.12"), now(debian=13), now(text="two")}
    monkeypatch.setattr(check, "VERSION", check.VERSION + 1)
    assert len({*found, now()}) == 5


def test_a_change_of_the_checks_is_noticed() -> None:
    """Does a check accept less than before? Then raise ``check.VERSION``. Write the new checksum
    here in any case."""
    sources = [Path(str(module.__file__)).read_bytes() for module in (check, check.lines)]
    checksum = hashlib.sha256(b"".join(sources)).hexdigest()
    assert (check.VERSION, checksum) == (
        1,
        "af96bee8d51392ea45e716db1e7418b882a704ae252050390ad9c04d6921841c",
    )


@root_only
def test_a_table_of_another_text_is_built_anew(store: Store) -> None:
    """A text that somebody edited, without postmap, to what the files say later."""
    name = f"{TABLE}.lmdb"
    built = {path: transition.hashlib.sha256(b"built").hexdigest() for path in layout.LOOKUPS}
    for path in layout.LOOKUPS:
        (store.folder(NAME) / f"{path}.lmdb").write_bytes(b"built")
        layout.give(store.folder(NAME) / f"{path}.lmdb", path)
    note(store, NAME, content(), built=built)
    assert transition.altered(store, content()) == {}
    wanted = content(**{TABLE.split("/")[-1]: "a.example\tacme\n"})
    (store.folder(NAME) / TABLE).write_text(wanted.files[TABLE])
    assert transition.altered(store, wanted) == {name: "build anew"}


@pytest.fixture
def without_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (layout, check.lines, stage):
        monkeypatch.setattr(module, "LOOKUPS", ())


def staged(store: Store, wanted: Content, *altered: str) -> tuple[Path, frozenset[str]]:
    kept = taken(store, wanted, *altered)
    origin = stage.Origin(kept, CHECKERS)
    return stage.stage(store, wanted, origin, lambda _command: (0, "", ""), Path("/none")), kept


@root_only
@pytest.mark.usefixtures("without_tables")
def test_one_change_writes_one_file_and_shares_all_others(store: Store) -> None:
    changed = JO.replace("5G", "9G")
    staging, _kept = staged(store, content(**{"acme.example": changed}), USERS)
    shared = {
        path: os.path.samefile(staging / path, store.folder(NAME) / path)
        for path in content().files
    }
    assert shared == {path: path != USERS for path in content().files}
    assert (staging / USERS).read_text() == changed
    assert (store.folder(NAME) / USERS).read_text() == JO


@root_only
@pytest.mark.usefixtures("without_tables")
def test_a_file_that_is_replaced_after_it_was_taken_over_fails_the_check(store: Store) -> None:
    wanted = content(**{"acme.example": JO.replace("5G", "9G")})
    staging, kept = staged(store, wanted, USERS)
    (staging / OTHERS).unlink()
    (staging / OTHERS).write_text(ANN)
    with pytest.raises(GenerationError, match=f"{OTHERS}: is not the file of the current"):
        check.judge(store, staging, wanted, kept, None, None)
