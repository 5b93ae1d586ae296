# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role generation installs on a host must run there alone, and must restore what is lost
and nothing else."""

from __future__ import annotations

import grp
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
import yaml
from ansible_collections.reseller.mail.plugins.module_utils._host.generation import layout, repair
from ansible_collections.reseller.mail.plugins.module_utils._host.generation.store import (
    GenerationError,
    Store,
)

COLLECTION = Path(__file__).parents[3]
NAME = "000001-0123456789ab"
USERS = "dovecot/users/acme.example"
root_only = pytest.mark.skipif(os.getuid() != 0, reason="files get an owner")


@pytest.mark.parametrize("program", ["repair", "expire"])
def test_the_installed_files_need_no_others(program: str, tmp_path: Path) -> None:
    said = yaml.safe_load(
        (COLLECTION / "roles/generation/vars/main.yml").read_text(encoding="utf-8")
    )
    package = Path(said["__generation_repair_package"])
    for one in said["__generation_repair_files"]:
        file = one["dest"].partition(" }}/")[2]
        assert one["src"].partition(" }}/")[2] == file
        target = tmp_path / package / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(COLLECTION / "plugins/module_utils" / file, target)
    module = ".".join((*package.parts, "_host", "generation", program))
    folders = [str(tmp_path / "store")] + ([str(tmp_path)] if program == "expire" else [])
    done = subprocess.run(
        [sys.executable, "-B", "-m", module, *folders],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "",
        "",
    ), "a host without a generation has nothing to repair"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """One generation that serves, of one file, without tables; groups are this machine's root."""
    monkeypatch.setattr(layout, "GROUPS", dict.fromkeys(layout.GROUPS, grp.getgrgid(0).gr_name))
    store = Store(tmp_path)
    folder = store.folder(NAME)
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    for name in repair.FOLDERS:
        (folder / name).mkdir()
        layout.give(folder / name, name)
    text = "jo@acme.example:::::::userdb_quota_storage_size=5G\n"
    content = {"format": 1, "node": "mx1", "debian": 13, "files": {USERS: text}}
    (folder / "artefact").write_bytes(zlib.compress(json.dumps(content).encode()))
    (folder / "manifest.json").write_text(
        json.dumps({"files": {USERS: hashlib.sha256(text.encode()).hexdigest()}})
    )
    (folder / USERS).write_text(text)
    layout.give(folder / USERS, USERS)
    store.switch(NAME)
    store.mark_activated(NAME)
    return store


@root_only
def test_nothing_lost_nothing_done(store: Store) -> None:
    assert repair.repair(store) == []


@root_only
@pytest.mark.parametrize("lost", [USERS, "dovecot/users", "dovecot"])
def test_what_is_lost_comes_back_as_it_was(store: Store, lost: str) -> None:
    target = store.folder(NAME) / lost
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    repaired = repair.repair(store)
    assert f"restored {store.folder(NAME) / USERS}" in repaired
    assert repair.intact(store, NAME)
    assert repair.repair(store) == []


@root_only
def test_a_mode_that_daemons_cannot_read_with_is_set_right(store: Store) -> None:
    (store.folder(NAME) / USERS).chmod(0)
    (store.folder(NAME) / "dovecot").chmod(0o700)
    store.folder(NAME).chmod(0o700)
    assert len(repair.repair(store)) == 3
    assert repair.repair(store) == []


@root_only
def test_the_link_comes_back_and_an_altered_file_stays(store: Store) -> None:
    (store.root / "current").unlink()
    (store.folder(NAME) / USERS).write_text("by hand\n")
    assert repair.repair(store) == [f"pointed {store.root}/current to {NAME} again"]
    assert (store.root / "current" / USERS).read_text() == "by hand\n"
    assert not repair.intact(store, NAME)


@root_only
def test_an_older_generation_is_never_switched_to(store: Store) -> None:
    """It would refuse mail for newer mailboxes for good."""
    older = store.folder("000000-0123456789ab")
    shutil.copytree(store.folder(NAME), older)
    shutil.rmtree(store.folder(NAME))
    with pytest.raises(GenerationError):
        repair.repair(store)
    assert store.current() == NAME


def test_postfix_and_dovecot_are_told_the_same_number() -> None:
    """Each role has its own default for when it is used alone."""
    postfix, dovecot = (
        yaml.safe_load((COLLECTION / f"roles/{role}/defaults/main.yml").read_text(encoding="utf-8"))
        for role in ("postfix", "dovecot")
    )
    assert (
        dovecot["dovecot_deliveries"]
        == f"{{{{ postfix_deliveries | default({postfix['postfix_deliveries']}) }}}}"
    )
